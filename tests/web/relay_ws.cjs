// One WebSocket to a relay: does what the mode says, and tells how it ended.
const WebSocket = require("ws");

const [mode, host] = process.argv.slice(2);
const ws = new WebSocket(`ws://${host}/`, "zeroservices");
let heard = Buffer.alloc(0);

function greeting() {
    const bytes = Buffer.alloc(64);
    bytes[0] = 0xff;
    bytes[8] = 1;
    bytes[9] = 0x7f;
    bytes[10] = 3;
    bytes[11] = 1;
    bytes.write("CURVE", 12);
    return bytes;
}

ws.on("open", () => {
    if (mode === "text")
        ws.send("hello");
    if (mode === "ping")
        ws.ping("x");
    if (mode === "close")
        ws.close(1000);
    if (mode === "greeting")
        ws.send(greeting());
});
ws.on("pong", (data) => ws.close(data.toString() === "x" ? 4001 : 4002));
ws.on("message", (data) => {
    heard = Buffer.concat([heard, data]);
    if (mode === "greeting" && heard.length >= 64)
        ws.close(heard.toString("latin1", 12, 17) === "CURVE" &&
            ws.protocol === "zeroservices" ? 1000 : 4003);
});
ws.on("error", (error) => console.log("error", error.message));
ws.on("close", (code) => console.log("closed", code));
