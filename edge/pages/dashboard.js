// The mesh as this node sees it: drawn, listed, and what changed. It draws what
// `status` answers, once a second and never while the page is hidden.

import {Edge, pathInWords} from "./edge.js";

const EVERY_MS = 1000;
const STORY_LINES = 200;
const NAMES_DRAWN = 60; // of more peers than that only the dots
const SVG = "http://www.w3.org/2000/svg";

const part = (id) => document.getElementById(id);
let asking = false;
let synced = false;

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text ?? "";
  return element;
}

function draw(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes))
    element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function rttInWords(ms) {
  if (typeof ms !== "number") return "";
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

const short = (text) => text.length > 16 ? `${text.slice(0, 15)}…` : text;
const relayName = (relay) => relay.name || hostOf(relay.url);
const hostOf = (url) => url.replace(/^\w+:\/\//, "").replace(/[/?].*$/, "");

// ---- The picture: this node in the middle, relays on the left, direct peers
// on a ring, relayed ones behind their relay on its left half.

function drawPeer(peer, x, y, named) {
  const kind = peer.path === "relay" ? "relayed" : "direct";
  const group = draw("g", {class: kind});

  group.append(draw("circle", {cx: x, cy: y, r: named ? 11 : 6}),
               draw("title", {}, `${peer.name}, ${pathInWords(peer.path)}`));
  if (named)
    group.append(draw("text", {x, y: y + 32}, short(peer.name)),
                 draw("text", {x, y: y + 50, class: "rtt"},
                      rttInWords(peer.rtt_ms)));
  return group;
}

// `count` places on an arc of the ring around the middle; many make two rings.
function place(index, count, from, to) {
  const turn = from + (to - from) * (index + 0.5) / count;
  const far = count > 24 && index % 2 ? 0.72 : 1;
  return [Math.cos(turn) * 400 * far, Math.sin(turn) * 235 * far];
}

function showPicture({node, peers, relays}) {
  const lines = [];
  const shapes = [];
  const named = peers.length <= NAMES_DRAWN;
  const hubs = relays.map((relay, i) =>
    [-190, (i - (relays.length - 1) / 2) * 110]);
  const direct = peers.filter((p) => p.path !== "relay");
  const relayed = peers.filter((p) => p.path === "relay");
  const line = (x1, y1, x2, y2, kind) =>
    lines.push(draw("line", {x1, y1, x2, y2, class: kind}));

  relays.forEach((relay, i) => {
    const [x, y] = hubs[i];
    const up = relay.state === "up";
    const group = draw("g", {class: up ? "up" : "down"});
    line(0, 0, x, y, up ? "relayed" : "down");
    group.append(draw("rect", {x: x - 13, y: y - 13, width: 26, height: 26}),
                 draw("title", {}, `relay ${hostOf(relay.url)}, ${relay.state}`),
                 draw("text", {x, y: y + 34}, short(relayName(relay))),
                 draw("text", {x, y: y + 52, class: "rtt"},
                      up ? rttInWords(relay.rtt_ms) : relay.state));
    shapes.push(group);
  });
  relayed.forEach((peer, i) => {
    const [x, y] = place(i, relayed.length, Math.PI * 0.62, Math.PI * 1.38);
    const hub = relays.findIndex((r) => hostOf(r.url) === hostOf(peer.endpoint));
    const [hx, hy] = hubs[Math.max(hub, 0)] ?? [0, 0];
    line(hx, hy, x, y, "relayed");
    shapes.push(drawPeer(peer, x, y, named));
  });
  direct.forEach((peer, i) => {
    const [x, y] = place(i, direct.length, -Math.PI * 0.48, Math.PI * 0.48);
    line(0, 0, x, y, "direct");
    shapes.push(drawPeer(peer, x, y, named));
  });
  const self = draw("g", {class: "self"});
  self.append(draw("circle", {cx: 0, cy: 0, r: 15}),
              draw("text", {x: 0, y: 40}, short(node.name)));
  part("picture").replaceChildren(...lines, ...shapes, self);
  part("summary").textContent =
    `${direct.length} reached directly, ${relayed.length} through a relay; ` +
    `${relays.filter((r) => r.state === "up").length} of ${relays.length} ` +
    "relays connected";
}

// ---- The table, and health

function makeRow(cells) {
  const row = document.createElement("tr");
  const head = make("th", "", "");

  head.scope = "row";
  head.append(make("bdi", "", cells[0]));
  row.append(head, ...cells.slice(1).map((text) => make("td", "", text)));
  return row;
}

function showRows({peers, relays}) {
  const byName = [...peers].sort((a, b) => a.name.localeCompare(b.name));

  part("rows").replaceChildren(
    ...byName.map((p) => makeRow([
      p.name, pathInWords(p.path) + ` (${p.path})`, rttInWords(p.rtt_ms),
      p.path === "relay" ? hostOf(p.endpoint) : p.endpoint,
      new Date(p.since).toLocaleTimeString()])),
    ...relays.map((r) => makeRow([
      `relay ${relayName(r)}`, `${r.state} (${r.transport})`,
      rttInWords(r.rtt_ms), hostOf(r.url), r.error])));
}

function showHealth({health}) {
  part("health").replaceChildren(...health.map((finding) => {
    const item = make("li", finding.severity);
    item.append(make("span", "level", `${finding.severity}: `),
                make("span", "", finding.text),
                make("div", "remedy", finding.remedy));
    return item;
  }));
  if (health.length === 0)
    part("health").append(make("li", "ok", "Nothing to complain about."));
}

// ---- What changed

function tell(text) {
  const item = make("li", "");
  const now = new Date();
  const time = make("time", "", `${now.toLocaleTimeString()}  `);

  time.dateTime = now.toISOString();
  item.append(time, make("span", "", text));
  part("story").prepend(item);
  part("calm").hidden = true;
  if (part("story").children.length > STORY_LINES)
    part("story").lastElementChild.remove();
}

const tellers = {
  join: ({name, path}) => `${name} joined, ${pathInWords(path)}`,
  leave: ({name, reason}) => `${name} left (${reason})`,
  path: ({name, path, was}) =>
    `${name}: from ${pathInWords(was)} to ${pathInWords(path)}`,
};

// ---- The edge

async function look() {
  if (asking || document.hidden) return;
  asking = true;
  const status = await edge.ask({op: "status"});
  asking = false;
  if (!status.ok) return;
  part("self").textContent = status.node.name;
  showPicture(status);
  showRows(status);
  showHealth(status);
}

function showConnection(state, text) {
  part("connection").className = state;
  part("connection").textContent = text;
}

const edge = new Edge({
  up() {
    synced = false;
    edge.ask({op: "subscribe", events: ["join", "leave", "path"]});
    showConnection("up", "connected");
    look();
  },
  down(refused) {
    showConnection(refused ? "refused" : "down",
                   refused ? "the edge wants its token: open the address " +
                             "with ?token=…"
                           : "the edge is away; trying again…");
  },
  event(event) {
    if (event.event === "synced") synced = true;
    else if (synced && tellers[event.event]) tell(tellers[event.event](event));
  },
});

setInterval(look, EVERY_MS);
