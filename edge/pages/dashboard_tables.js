// The tables of relays and peers. Each peer or relay keeps its row element, and
// an update writes only cells that changed.

import {pathInWords} from "./edge.js";
import {formInWords, hostOf, make, put, rateInWords, relayName, rttInWords,
        timeInWords} from "./dashboard_words.js";

const byName = new Intl.Collator(undefined, {numeric: true}).compare;
const number = (value) => typeof value === "number" ? value : Infinity;

// A table sorted by a value that changes all the time is sorted anew only this
// often: rows that always move cannot be read.
const CHANGING_MS = 3000;

// "direct (tcp)", "relayed (nat)"
export function pathAndKind({path, why}) {
  const words = pathInWords(path);
  const kind = path === "tcp" || path === "udp" ? path : why;
  return kind ? `${words} (${kind})` : words;
}

// The columns, by their button's data-by: the text of a cell, and the order.
// `down` sorts the largest first.
const PEER_COLUMNS = {
  name: {says: (p) => p.name, compare: (a, b) => byName(a.name, b.name)},
  path: {says: pathAndKind,
         compare: (a, b) => byName(a.path, b.path)},
  rtt: {says: (p) => rttInWords(p.rtt_ms), changing: true,
        compare: (a, b) => number(a.rtt_ms) - number(b.rtt_ms)},
  sent: {says: (p) => rateInWords(p.flow.sent.bytes), changing: true,
         down: true,
         compare: (a, b) => b.flow.sent.bytes - a.flow.sent.bytes},
  received: {says: (p) => rateInWords(p.flow.received.bytes), changing: true,
             down: true,
             compare: (a, b) => b.flow.received.bytes - a.flow.received.bytes},
  via: {says: (p) => p.via, compare: (a, b) => byName(a.via, b.via)},
  since: {says: (p) => timeInWords(p.since),
          compare: (a, b) => a.since - b.since},
};

const RELAY_COLUMNS = {
  name: {says: relayName},
  state: {says: (r) => r.state},
  form: {says: formInWords},
  rtt: {says: (r) => rttInWords(r.rtt_ms)},
  sent: {says: (r) => rateInWords(r.flow.sent.bytes)},
  received: {says: (r) => rateInWords(r.flow.received.bytes)},
  address: {says: (r) => hostOf(r.url)},
  error: {says: (r) => r.error},
};

class Row {
  constructor(id, columns) {
    const names = Object.keys(columns);
    const head = make("th");
    this.row = make("tr");
    this.row.dataset.id = id;
    head.scope = "row";
    this.cells = names.map((name, i) => {
      const cell = i === 0 ? head : make("td", name);
      const text = make("bdi");
      cell.append(text);
      this.row.append(cell);
      return text;
    });
  }

  put(item, columns) {
    Object.values(columns).forEach(({says}, i) =>
      put(this.cells[i], says(item)));
  }
}

class Rows {
  #body;
  #columns;
  #rows = new Map();

  constructor(body, columns) {
    this.#body = body;
    this.#columns = columns;
  }

  // Shows `items`, each with an id. If `inOrder` is false and the items are the
  // same as before, the rows stay where they are.
  update(items, inOrder = true) {
    const here = new Set(items.map((item) => item.id));
    let changed = here.size !== this.#rows.size;
    for (const [id, {row}] of this.#rows) {
      if (here.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const item of items) {
      changed ||= !this.#rows.has(item.id);
      if (!this.#rows.has(item.id))
        this.#rows.set(item.id, new Row(item.id, this.#columns));
      this.#rows.get(item.id).put(item, this.#columns);
    }
    if (changed || inOrder) this.#order(items);
  }

  #order(items) {
    let before = null;
    for (let i = items.length - 1; i >= 0; i--) {
      const {row} = this.#rows.get(items[i].id);
      if (row.parentNode !== this.#body || row.nextSibling !== before)
        this.#body.insertBefore(row, before);
      before = row;
    }
  }

  mark(id) {
    for (const [at, {row}] of this.#rows)
      row.classList.toggle("pointed", at === id);
  }
}

export class PeerTable {
  #rows;
  #head;
  #by = "name";
  #back = false;
  #sortedAt = -Infinity;
  #mesh;
  #shown = () => true;

  constructor(table) {
    this.#rows = new Rows(table.tBodies[0], PEER_COLUMNS);
    this.#head = table.tHead;
    this.#head.addEventListener("click", ({target}) => {
      const by = target.closest("button")?.dataset.by;
      if (by) this.#sortBy(by);
    });
  }

  #sortBy(by) {
    this.#back = by === this.#by && !this.#back;
    this.#by = by;
    const down = this.#back !== Boolean(PEER_COLUMNS[by].down);
    for (const head of this.#head.querySelectorAll("th")) {
      const is = head.firstElementChild.dataset.by === by;
      if (is) head.ariaSort = down ? "descending" : "ascending";
      else head.removeAttribute("aria-sort");
    }
    this.#again();
  }

  filter(shown) {
    this.#shown = shown;
    this.#again();
  }

  #again() {
    this.#sortedAt = -Infinity;
    if (this.#mesh) this.update(this.#mesh);
  }

  // Updates the rows; returns their number.
  update(mesh) {
    const {compare, changing} = PEER_COLUMNS[this.#by];
    const now = performance.now();
    const inOrder = !changing || now - this.#sortedAt >= CHANGING_MS;
    const items = [...mesh.peers.values()].filter(this.#shown)
      .sort((a, b) => compare(a, b) || byName(a.name, b.name));
    if (this.#back) items.reverse();
    if (inOrder) this.#sortedAt = now;
    this.#mesh = mesh;
    this.#rows.update(items, inOrder);
    return items.length;
  }

  mark(id) {
    this.#rows.mark(id);
  }
}

export class RelayTable {
  #rows;

  constructor(table) {
    this.#rows = new Rows(table.tBodies[0], RELAY_COLUMNS);
  }

  update({relays}) {
    this.#rows.update(relays.map((relay) => ({...relay, id: relay.url})));
  }

  mark(id) {
    this.#rows.mark(id);
  }
}
