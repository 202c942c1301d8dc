// The edge's API for pages: one WebSocket that reconnects by itself.
//
//   const edge = new Edge({
//     up() {},               // connected: subscribe, ask for the status
//     down(refused) {},      // disconnected; it reconnects by itself
//     event(event) {},       // an event of the subscription
//   });
//   const answer = await edge.ask({op: "status"});   // answer.ok

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;

export class Edge {
  #hear;
  #socket = null;
  #asked = new Map();
  #ref = 0;
  #wait = FIRST_WAIT_MS;

  constructor(hear) {
    this.#hear = hear;
    this.#open();
    // When a phone wakes up or the network is back, reconnect at once.
    addEventListener("online", () => this.#openNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#openNow();
    });
  }

  // Resolves to the answer; without a connection to {ok: false, error:
  // "no_connection"}. Never rejects.
  ask(request) {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN)
      return Promise.resolve(lost());
    const ref = ++this.#ref;
    socket.send(JSON.stringify({...request, ref}));
    return new Promise((resolve) => this.#asked.set(ref, resolve));
  }

  #openNow() {
    if (this.#socket) return;
    this.#wait = FIRST_WAIT_MS;
    this.#open();
  }

  #open() {
    if (this.#socket) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api`);
    let opened = false;
    this.#socket = socket;
    socket.onopen = () => {
      opened = true;
      this.#wait = FIRST_WAIT_MS;
      this.#hear.up();
    };
    socket.onmessage = (message) => this.#take(JSON.parse(message.data));
    socket.onclose = () => this.#closed(opened);
  }

  #take(said) {
    if ("event" in said) {
      this.#hear.event(said);
      return;
    }
    const resolve = this.#asked.get(said.ref);
    this.#asked.delete(said.ref);
    resolve?.(said);
  }

  async #closed(opened) {
    this.#socket = null;
    for (const resolve of this.#asked.values()) resolve(lost());
    this.#asked.clear();
    setTimeout(() => this.#open(), this.#wait * (0.75 + Math.random() / 2));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    this.#hear.down(!opened && await isRefused());
  }
}

function lost() {
  return {ok: false, error: "no_connection",
          message: "the connection to the edge was lost"};
}

// Tells whether the edge is reachable but refuses this page.
async function isRefused() {
  try {
    const answer = await fetch("/allowed");
    return answer.status === 401 || answer.status === 403;
  } catch {
    return false;
  }
}

// The words for a path.
export function pathInWords(path) {
  if (path === "relay") return "relayed";
  return path === "tcp" || path === "udp" ? "direct" : "no path";
}
