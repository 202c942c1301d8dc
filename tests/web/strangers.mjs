// Markup in whatever a peer may say, and pages of others at an edge's door.

import {addressOf, check, eventually, lab, openPage, play, sees, zs}
  from "./kit.mjs";
import {hasNote, hasWords, person, say, turnTo, wordsOf} from "./chat_kit.mjs";

const EVIL = "<img src=x onerror='window.ran=1'><script>window.ran=1</script>";
const ID = "e".repeat(64);
const PORTS = {alice: 8080, dora: 8081};

const isCalm = (page) => page.evaluate(() => window.ran === undefined &&
  document.querySelector("body script, img") === null);

// What a lying edge, or one with a hole, would hand to its page.
const LIES = [
  {event: "join", id: ID, name: EVIL, info: {a: EVIL}, groups: [EVIL],
   path: EVIL},
  {event: "join", id: `"><script>`, name: "", info: {}, groups: [],
   path: "__proto__"},
  {event: "synced"},
  {event: "message", from: ID, name: EVIL, type: "chat", data: {text: EVIL}},
  {event: "event", from: ID, name: EVIL, type: "chat", data: {text: EVIL}},
  ...[null, 7, "text", [], {text: 7}, {text: {text: EVIL}}].map((data) => (
    {event: "event", from: ID, name: EVIL, type: EVIL, data})),
  {event: "gap", from: ID, name: EVIL, missed: EVIL},
  {event: "path", id: ID, name: EVIL, path: EVIL, was: EVIL, endpoint: EVIL},
  {event: EVIL},
  {event: "toString"},
  {event: "event", from: ID, name: EVIL, type: "chat", data: {text: "last"}},
  {event: "leave", id: ID, name: EVIL, reason: EVIL},
];

async function lyingEdge() {
  const page = await openPage("alice", "/", {before: `
    window.WebSocket = class {
      static OPEN = 1;
      readyState = 1;
      constructor() { setTimeout(() => this.onopen()); }
      tell(what) { this.onmessage({data: JSON.stringify(what)}); }
      send(text) {
        const {op, ref} = JSON.parse(text);
        setTimeout(() => {
          this.tell({ref, ok: true, node: {id: "1", name: ${
            JSON.stringify(EVIL)}, info: {}}, relays: [], peers: []});
          if (op === "subscribe")
            for (const lie of ${JSON.stringify(LIES)}) this.tell(lie);
        });
      }
    };`.replaceAll("</script", "<\\/script")});

  await check("a lying edge's messages are shown as text",
              hasWords(page, EVIL));
  await check("so are its names", sees(page, EVIL));
  await check("it goes on after what makes no sense", hasWords(page, "last"));
  await check("a name is text where it leaves",
              hasNote(page, `${EVIL} left`));
  await check("and in the title", eventually(async () =>
    (await page.title()).startsWith(EVIL)));
  await person(page, EVIL).click();
  await check("a talk with it too", page.locator("#log .words")
    .getByText(EVIL).waitFor().then(() => true));
  await check("nothing of it ran", isCalm(page));
}

// What a member of the mesh can say by the tools.
async function hostileMember() {
  const page = await openPage("bob", "/");
  await person(page, "alice").waitFor();
  await zs("alice", "publish", EVIL, EVIL);
  await zs("alice", "send", "bob", "chat", EVIL);
  await zs("alice", "send", "bob", "chat", '{"text":{"a":1}}', "--json-data");
  await zs("alice", "send", "bob", "chat", JSON.stringify({text: EVIL}),
           "--json-data");
  await turnTo(page, "alice");
  await check("a member's markup is text", hasWords(page, EVIL));
  await check("and only what is a chat's is shown, plain or as an object",
              JSON.stringify(await wordsOf(page)) ===
                JSON.stringify([EVIL, EVIL]), await wordsOf(page));
  await check("nothing of it ran either", isCalm(page));
}

// Tries what a page can do from where it is: whether it got anything.
const reach = (page, url) => page.evaluate(async (where) => {
  const socket = await new Promise((done) => {
    const web = new WebSocket(`${where.replace("http", "ws")}`);
    web.onopen = () => done("a WebSocket");
    web.onerror = () => done("");
  });
  const read = await fetch(where.replace("/api", "/metrics"),
                           {credentials: "include"})
    .then((answer) => answer.text()).catch(() => "");
  return socket || (read.includes("zs_edge") ? read : "");
}, url);

async function otherOrigins() {
  const at = (url) => openPage("alice", url, {complains: true});
  const api = `http://127.0.0.1:${PORTS.alice}/api`;
  const other = await at("http://127.0.0.1:9090/");
  const own = await openPage("alice", "/");
  const nobody = await at("http://127.0.0.1:8080/");

  await check("its own page reaches the API", reach(own, api));
  await check("without the token the page comes, and says what it wants",
              sees(nobody, "zs status"));
  await check("but does not reach the API",
              (await reach(nobody, api)).startsWith("# HELP"));
  await lab("logged_once alice no_token");
  await check("a page of another origin does not",
              await reach(other, api) === "");
  await check("nor again", await reach(other, api) === "");
  await lab("logged_once alice foreign_origin");
  await check("nor with a wrong token", await reach(
    other, `${api}?token=${"0".repeat(64)}`) === "");
  await lab("logged_once alice wrong_token");
  const rebound = await at("http://evil.example:8080/");
  await check("a name made to point here gets no page",
              (await rebound.content()).includes("foreign_host") ||
              !(await rebound.content()).includes("chat.js"));
  const evil = await at("http://evil.example:9090/");
  await check("nor the API", await reach(
    evil, `http://evil.example:${PORTS.alice}/api`) === "");
  await lab("logged_once alice foreign_host");
}

// Dora's pages are not on loopback.
async function byToken() {
  const dora = `http://203.0.113.3:${PORTS.dora}`;
  const page = await openPage("alice", addressOf("dora", "/", dora));

  await person(page, "bob").waitFor();
  await check("the token lets a page in", page.locator("#connection.up")
    .waitFor().then(() => true));
  await check("and stays in no address", page.url() === `${dora}/`, page.url());
  await check("nor where scripts look", page.evaluate(() =>
    document.referrer === "" &&
    performance.getEntries().every((one) => !one.name.includes("token"))));
  await page.goBack();
  await check("nor in the history", !page.url().includes("token"), page.url());
  await page.goForward();
  await person(page, "bob").waitFor();
  await check("no script sees it", page.evaluate(() => document.cookie === ""));
  await page.reload();
  await person(page, "bob").waitFor();
  await turnTo(page, "bob");
  await say(page, "hello from afar");
  await check("the browser keeps it", page.locator(".mark", {
    hasText: "delivered"}).waitFor().then(() => true));
  const other = await page.context().newPage();
  await other.goto("http://203.0.113.3:9090/");
  await check("but a page of another port gets nothing by it",
              await reach(other, `${dora}/api`) === "");
  await lab("logged_once dora foreign_origin");
  const without = await openPage("alice", dora, {complains: true});
  await check("without it there is no page",
              !(await without.content()).includes("chat.js"));
  await lab("logged_once dora no_token");
}

await play(async () => {
  await lyingEdge();
  await hostileMember();
  await otherOrigins();
  await byToken();
});
