// An edge that a page believes in: `fakeEdge` runs in the page before its own
// code, and takes the place of its WebSocket. What it answers is the test's:
//
//   await openPage("alice", "/dashboard", {before: fakeEdge(200)});
//   await page.evaluate(() => fake.leave(fake.peers[0].id));

export const fakeEdge = (count, relays = 1) =>
  ({content: `(${inPage})(${count}, ${relays})`});

function inPage(count, relayCount) {
  const sockets = new Set();
  const seed = ((state) => () =>
    (state = (state * 48271) % 2147483647) / 2147483647)(7);
  const hex = (length) => Array.from({length}, () =>
    Math.floor(seed() * 16).toString(16)).join("");
  let born = 0;

  function created(path) {
    const at = born++;
    return {id: hex(64), name: `node-${at}`, info: {role: "sensor"},
            groups: ["lab"], path, rtt_ms: 1 + seed() * 40,
            ...ends(path, at), since: new Date().toISOString(),
            traffic: {sent: 0, received: 0, bytes_sent: 0, bytes_received: 0}};
  }

  function ends(path, at) {
    const {relays} = window.fake;
    if (path === "relay")
      return {endpoint: "203.0.113.1:443", relay: relays[at % relays.length].url};
    return {endpoint: path === "none" ? "" : `10.0.${at >> 8}.${at & 255}:9000`};
  }

  function tell(event) {
    for (const socket of sockets)
      if (socket.subscribed) socket.hear(event);
  }

  window.fake = {
    peers: [],
    answers: 0,
    health: [],
    relays: Array.from({length: relayCount}, (_, i) => ({
      url: `tcp://203.0.113.${i + 1}:443?key=${hex(64)}`,
      name: `relay-${i + 1}`, state: "up", transport: "tcp", proxy: false,
      rtt_ms: 8.25, error: "", outside: "198.51.100.7:40113",
      traffic: {bytes_sent: 0, bytes_received: 0}})),
    join(path = "tcp") {
      const peer = created(path);
      this.peers.push(peer);
      tell({event: "join", ...peer});
      return peer;
    },
    leave(id) {
      const [peer] = this.peers.splice(this.peers.findIndex(
        (one) => one.id === id), 1);
      tell({event: "leave", id, name: peer.name, reason: "lost"});
    },
    path(id, path) {
      const peer = this.peers.find((one) => one.id === id);
      const was = peer.path;
      Object.assign(peer, {path}, ends(path, this.peers.indexOf(peer)));
      tell({event: "path", ...peer, was});
    },
    // Each round trip and a third of the counters are others.
    measure() {
      for (const peer of this.peers) {
        peer.rtt_ms = Math.max(0.1, peer.rtt_ms * (0.7 + seed() * 0.6));
        if (seed() > 0.33) continue;
        peer.traffic.sent += 3;
        peer.traffic.bytes_sent += Math.floor(seed() ** 4 * 400000);
        peer.traffic.bytes_received += Math.floor(seed() * 900);
      }
    },
    // Some come, some go, some go another way.
    churn(many) {
      const paths = ["tcp", "tcp", this.relays.length ? "relay" : "tcp"];
      const any = () => this.peers[Math.floor(seed() * this.peers.length)];
      for (let i = 0; i < many; i++) {
        this.leave(any().id);
        this.join(paths[i % paths.length]);
        const {id, path} = any();
        this.path(id, path === "tcp" ? paths[2] : "tcp");
      }
    },
    cut() {
      for (const socket of sockets) socket.end();
    },
    status: () => ({
      ok: true, version: 1,
      node: {id: "f".repeat(64), name: "this-one", info: {}, groups: []},
      relays: window.fake.relays, peers: window.fake.peers,
      counters: {sent: 0, published: 0, received: 0, events_received: 0,
                 bytes_sent: 0, bytes_received: 0},
      health: window.fake.health}),
    refuse: false,
  };
  for (let i = 0; i < count; i++)
    window.fake.peers.push(created(relayCount && i % 3 === 0 ? "relay" : "tcp"));

  window.WebSocket = class {
    static OPEN = 1;
    readyState = 0;

    constructor() {
      setTimeout(() => window.fake.refuse ? this.end() : this.open(), 5);
    }

    open() {
      this.readyState = WebSocket.OPEN;
      sockets.add(this);
      this.onopen();
    }

    end() {
      this.readyState = 3;
      sockets.delete(this);
      this.onclose();
    }

    hear(said) {
      const data = JSON.stringify(said);
      setTimeout(() => this.onmessage({data}), 0);
    }

    send(said) {
      const {op, ref} = JSON.parse(said);
      if (op === "status") {
        window.fake.answers++;
        this.hear({ref, ...window.fake.status()});
        return;
      }
      if (op === "netcheck") {
        this.hear({ref, ok: true, findings: [], udp: {}, port_mapping: {},
                   clock: {skew_s: null},
                   nat: {mapping: "none", filtering: "unknown", outside: []}});
        return;
      }
      this.hear({ref, ok: true});
      for (const peer of window.fake.peers) this.hear({event: "join", ...peer});
      this.hear({event: "synced"});
      this.subscribed = true;
    }
  };
}
