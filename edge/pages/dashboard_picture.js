// The picture of the mesh: this node, its relays, its peers, and a line for each
// path.
//
// Each node and line is an element that stays; an update writes only attributes
// that changed. A name is hidden where it does not fit, except the name of the
// node under the pointer.

import {pathInWords} from "./edge.js";
import {arrange, Places, Room} from "./dashboard_layout.js";
import {kindOf} from "./dashboard_mesh.js";
import {hasMoved, put, putClass, relayName, rttInWords, short}
  from "./dashboard_words.js";

const SVG = "http://www.w3.org/2000/svg";
const SELF = "self";
const ROOM_FOR_RTT = 76; // pixels between peers from which on round trips are shown
const REACH = 26; // pixels: the pointer selects a node within this distance
const LINE_HEIGHT = 15;
const FRESH_MS = 3000; // a new peer or path is marked for this long
const LOADS = [1, 2000, 100000, 5000000]; // bytes a second from which on a line is wider

const byName = new Intl.Collator(undefined, {numeric: true}).compare;
const text = document.createElement("canvas").getContext("2d");
const widths = new Map(); // of names, in pixels

function draw(tag, attributes, parent) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  parent?.append(element);
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes))
    if (element.getAttribute(name) !== String(value))
      element.setAttribute(name, value);
}

function widthOf(name) {
  if (widths.size > 10000) widths.clear();
  if (!widths.has(name)) widths.set(name, text.measureText(name).width + 4);
  return widths.get(name);
}

const loadOf = ({sent, received}) =>
  LOADS.filter((bytes) => sent.bytes + received.bytes >= bytes).length;

class Drawn {
  x = 0;
  y = 0;
  label = "";
  freshUntil = -Infinity;

  constructor(id, shape, nodes, lines) {
    this.id = id;
    this.group = draw("g", {"data-id": id}, nodes);
    this.shape = draw(shape, {}, this.group);
    this.name = draw("text", {}, this.group);
    this.rtt = draw("text", {class: "rtt"}, this.group);
    this.line = lines && draw("line", {"data-id": id}, lines);
    put(this.rtt, "");
  }

  moveTo({x, y}, hub) {
    this.x = x;
    this.y = y;
    set(this.group, {transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`});
    if (this.line)
      set(this.line, {x1: hub.x.toFixed(1), y1: hub.y.toFixed(1),
                      x2: x.toFixed(1), y2: y.toFixed(1)});
  }

  // `side`: where the name stands, or "" to hide it; `size`: pixels from the
  // node's centre.
  putLabel(side, size, both) {
    const label = `${side} ${size} ${both}`;
    if (label === this.label) return;
    const lines = both ? 2 : 1;
    const y = {below: size + 13, above: -size - 5 - (lines - 1) * LINE_HEIGHT,
               right: 4.5, left: 4.5}[side];
    const x = {right: size + 4, left: -size - 4}[side] ?? 0;
    const anchor = {right: "start", left: "end"}[side] ?? "middle";
    this.label = label;
    for (const [element, shown] of [[this.name, side], [this.rtt, side && both]])
      set(element, {display: shown ? "inline" : "none"});
    if (!side) return;
    set(this.name, {x, y, "text-anchor": anchor});
    set(this.rtt, {x, y: y + LINE_HEIGHT, "text-anchor": anchor});
  }

  remove() {
    this.group.remove();
    this.line?.remove();
  }
}

export class Picture {
  #svg;
  #lines;
  #nodes;
  #mark;
  #drawn = new Map(); // the elements by id; a relay's id is its URL
  #clusters = [];
  #places = [];
  #sizes = "";
  #box; // read only after a resize, because reading it may force a layout
  #mesh;
  #shown = () => true;
  #pointed = null;
  #onPoint;

  // `onPoint(id)` is called when the pointer selects a node, or none (null).
  constructor(svg, onPoint) {
    this.#svg = svg;
    this.#onPoint = onPoint;
    this.#lines = draw("g", {class: "lines"}, svg);
    this.#nodes = draw("g", {class: "nodes"}, svg);
    this.#mark = draw("g", {class: "mark", display: "none"}, svg);
    draw("line", {}, this.#mark);
    draw("circle", {r: 13}, this.#mark);
    put(draw("text", {"text-anchor": "middle"}, this.#mark), "");
    this.#box = svg.getBoundingClientRect();
    text.font = `13px ${getComputedStyle(svg).fontFamily}`;
    this.#listen();
  }

  // `shown(peer)` is the filter; peers that it does not let pass are dimmed.
  filter(shown) {
    this.#shown = shown;
    if (!this.#mesh) return;
    for (const peer of this.#mesh.peers.values()) this.#putPeer(peer);
    this.#putLabels();
  }

  update(mesh) {
    const first = !this.#mesh;
    this.#mesh = mesh;
    const known = new Set([SELF]);
    this.#putSelf(mesh.node);
    for (const relay of mesh.relays) {
      known.add(relay.url);
      this.#putRelay(relay);
    }
    let changed = false;
    for (const peer of mesh.peers.values()) {
      known.add(peer.id);
      changed = this.#putPeer(peer, !first) || changed;
    }
    for (const [id, drawn] of this.#drawn) {
      if (known.has(id)) continue;
      drawn.remove();
      this.#drawn.delete(id);
      changed = true;
      if (this.#pointed === id) this.point(null);
    }
    if (this.#seat() || changed) this.#putLabels();
    this.#putMark();
  }

  // The picture's size changed.
  #resized() {
    this.#box = this.#svg.getBoundingClientRect();
    this.#sizes = "";
    if (this.#mesh) this.update(this.#mesh);
  }

  point(id) {
    if (id === this.#pointed) return;
    this.#pointed = id;
    this.#putMark();
    this.#onPoint(id);
  }

  // ---- Nodes and lines

  #get(id, shape, hasLine) {
    if (!this.#drawn.has(id)) {
      const lines = hasLine ? this.#lines : null;
      this.#drawn.set(id, new Drawn(id, shape, this.#nodes, lines));
    }
    return this.#drawn.get(id);
  }

  #putSelf(node) {
    const drawn = this.#get(SELF, "circle", false);
    drawn.size = 14;
    putClass(drawn.group, "self");
    set(drawn.shape, {r: 14});
    put(drawn.name, short(node.name, 20));
  }

  #putRelay(relay) {
    const drawn = this.#get(relay.url, "rect", true);
    const state = relay.state === "up" ? "up" : "down";
    drawn.size = 13;
    putClass(drawn.group, `hub ${state}`);
    putClass(drawn.line, `trunk ${state} load${loadOf(relay.flow)}`);
    set(drawn.shape, {x: -12, y: -12, width: 24, height: 24, rx: 5});
    put(drawn.name, short(relayName(relay), 20));
    put(drawn.rtt, state === "up" ? rttInWords(relay.rtt_ms) : relay.state);
  }

  // Draws a peer. True if the peer is new or its label changed.
  #putPeer(peer, fresh = false) {
    const isNew = !this.#drawn.has(peer.id);
    const drawn = this.#get(peer.id, "circle", true);
    const kind = kindOf(peer.path);
    const away = this.#shown(peer) ? "" : " dim";
    const name = short(peer.name, 16);
    const changed = drawn.kind !== kind || drawn.text !== name;
    if (fresh && drawn.kind !== kind)
      drawn.freshUntil = performance.now() + FRESH_MS;
    const news = performance.now() < drawn.freshUntil ? " fresh" : "";
    drawn.kind = kind;
    drawn.text = name;
    putClass(drawn.group, `peer ${kind}${away}${news}`);
    putClass(drawn.line, `${kind}${away} load${loadOf(peer.flow)}`);
    put(drawn.name, name);
    put(drawn.rtt, rttInWords(peer.rtt_ms));
    return isNew || changed;
  }

  // ---- Places

  // Assigns peers to clusters, and lays the clusters out anew if needed.
  #seat() {
    const {relays, peers} = this.#mesh;
    const members = [[], ...relays.map(() => [])];
    for (const peer of peers.values()) members[peer.hub + 1].push(peer);
    while (this.#places.length < members.length)
      this.#places.push(new Places());
    this.#places.length = members.length;
    const moved = members.map((list, i) => this.#places[i].seat(
      list.sort((a, b) => byName(a.name, b.name)).map((peer) => peer.id)));
    return this.#settle(moved, members);
  }

  #settle(moved, members) {
    const {width, height} = this.#box;
    const counts = this.#places.map((places) => places.size);
    const sizes = [width, height, ...counts].join(" ");
    const anew = sizes !== this.#sizes;
    if (anew) {
      this.#sizes = sizes;
      this.#clusters = arrange(width, height, counts);
      set(this.#svg, {viewBox: `0 0 ${width} ${height}`});
    }
    this.#drawn.get(SELF).moveTo(this.#clusters[0]);
    this.#mesh.relays.forEach((relay, i) => this.#drawn.get(relay.url)
      .moveTo(this.#clusters[i + 1], this.#clusters[0]));
    members.forEach((list, i) => list.forEach((peer) =>
      this.#stand(this.#drawn.get(peer.id), this.#clusters[i],
                  this.#places[i].at(peer.id))));
    return anew || moved.includes(true);
  }

  #stand(drawn, cluster, index) {
    const place = cluster.places[index];
    if (drawn.place === place) return;
    drawn.place = place;
    drawn.size = Math.min(Math.max(cluster.spacing * 0.22, 3.5), 9);
    drawn.both = cluster.spacing >= ROOM_FOR_RTT;
    set(drawn.shape, {r: drawn.size.toFixed(1)});
    drawn.moveTo(place, cluster);
  }

  // ---- Names

  #putLabels() {
    const room = new Room(...this.#sizes.split(" ").slice(0, 2).map(Number));
    const {relays, peers} = this.#mesh;
    for (const {x, y, size} of this.#drawn.values())
      room.fill(x - size - 1, y - size - 1, 2 * size + 2, 2 * size + 2);
    this.#putLabel(room, this.#drawn.get(SELF), this.#mesh.node.name, false);
    for (const relay of relays)
      this.#putLabel(room, this.#drawn.get(relay.url), relayName(relay), true);
    const inOrder = [...peers.values()].sort((a, b) => byName(a.name, b.name));
    for (const peer of inOrder) {
      const drawn = this.#drawn.get(peer.id);
      if (this.#shown(peer))
        this.#putLabel(room, drawn, drawn.text, drawn.both);
      else
        drawn.putLabel("", 0, false);
    }
  }

  #putLabel(room, drawn, name, both) {
    const {x, y, size} = drawn;
    const width = Math.max(widthOf(short(name, 20)), both ? 56 : 0);
    const height = both ? 2 * LINE_HEIGHT : LINE_HEIGHT;
    const sides = [["below", x - width / 2, y + size + 2],
                   ["above", x - width / 2, y - size - 4 - height],
                   ["right", x + size + 3, y - 8],
                   ["left", x - size - 3 - width, y - 8]];
    const free = sides.find(([, left, top]) =>
      room.take(left, top, width, height));
    drawn.putLabel(free ? free[0] : "", size, both);
  }

  #putMark() {
    const drawn = this.#drawn.get(this.#pointed);
    set(this.#mark, {display: drawn ? "inline" : "none"});
    if (!drawn) return;
    const [line, circle, name] = this.#mark.children;
    const from = drawn.line ?? line;
    for (const end of ["x1", "y1", "x2", "y2"])
      set(line, {[end]: drawn.line ? from.getAttribute(end) : 0});
    set(line, {display: drawn.line && drawn.kind !== "none" ? "inline" : "none"});
    set(circle, {cx: drawn.x, cy: drawn.y, r: drawn.size + 4});
    const width = widthOf(drawn.name.textContent);
    const x = Math.min(Math.max(drawn.x, width / 2), this.#width() - width / 2);
    const y = drawn.y - drawn.size - 9;
    set(name, {x, y: y < 14 ? drawn.y + drawn.size + 18 : y,
               display: drawn.label.startsWith(" ") ? "inline" : "none"});
    put(name, drawn.name.textContent);
  }

  #width() {
    return Number(this.#sizes.split(" ")[0]);
  }

  // ---- The pointer and the keys

  #listen() {
    const svg = this.#svg;
    svg.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && hasMoved(event))
        this.point(this.#nearest(event));
    });
    svg.addEventListener("pointerdown",
                         (event) => this.point(this.#nearest(event)));
    svg.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#resized()).observe(svg);
  }

  #nearest({clientX, clientY}) {
    const {left, top} = this.#svg.getBoundingClientRect();
    let nearest = null;
    let least = REACH;
    for (const {id, x, y} of this.#drawn.values()) {
      const far = Math.hypot(x - clientX + left, y - clientY + top);
      if (far < least) [nearest, least] = [id, far];
    }
    return nearest;
  }

  // All nodes in the order of the arrow keys: this node, the relays, then the
  // peers by name.
  #inOrder() {
    const {relays, peers} = this.#mesh;
    const shown = [...peers.values()].filter(this.#shown)
      .sort((a, b) => byName(a.name, b.name));
    return [SELF, ...relays.map((r) => r.url), ...shown.map((p) => p.id)];
  }

  #key(event) {
    const steps = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};
    if (!this.#mesh) return;
    const ids = this.#inOrder();
    const at = ids.indexOf(this.#pointed);
    const to = {Home: 0, End: ids.length - 1}[event.key] ??
      (event.key in steps
        ? (Math.max(at + steps[event.key], -1) + ids.length) % ids.length : -1);
    if (event.key === "Escape") this.point(null);
    else if (to < 0) return;
    else this.point(ids[to]);
    event.preventDefault();
  }
}

// A short description of a node, for screen readers.
export function inWords(mesh, id) {
  const peer = mesh.peers.get(id);
  const relay = mesh.relays.find(({url}) => url === id);
  if (peer) return `${peer.name}, ${pathInWords(peer.path)}, ${rttInWords(peer.rtt_ms)}`;
  if (relay) return `relay ${relayName(relay)}, ${relay.state}, ${rttInWords(relay.rtt_ms)}`;
  return id === SELF ? `${mesh.node.name}, this node` : "";
}
