// The dashboard page: the mesh as this node sees it, as a picture, as tables and
// as a list of changes. The page requests `status` once a second and soon after
// an event, but not while it is hidden. It makes all changes to the document in
// one animation frame.

import {Edge} from "./edge.js";
import {differences, kindOf, Mesh} from "./dashboard_mesh.js";
import {inWords, Picture} from "./dashboard_picture.js";
import {Story} from "./dashboard_story.js";
import {pathAndKind, PeerTable, RelayTable} from "./dashboard_tables.js";
import {flowInWords, formInWords, hasMoved, hostOf, make, networkInWords, put,
        rttInWords, timeInWords} from "./dashboard_words.js";

const EVERY_MS = 1000;
const FEW = 12; // peers: so few fit into a lower picture
const SOON_MS = 150; // wait after an event, because more may follow

const part = (id) => document.getElementById(id);
const mesh = new Mesh();
const picture = new Picture(part("picture"), showPointed);
const peerTable = new PeerTable(part("peers"));
const relayTable = new RelayTable(part("relays"));
const story = new Story(part("story"), part("calm"));

let asking = false;
let known = false; // a status has come
let synced = false; // events are news
let back = false; // the edge was away: compare the next status with the last
let pointed = null;
let inTable = false; // the mouse is in the table
let due = 0; // the timer of the next request for status
let frame = 0;
let healthSaid = "";

// ---- One frame

function draw() {
  frame = 0;
  story.flush();
  if (!known) return;
  put(part("self"), mesh.node.name);
  picture.update(mesh);
  const rows = peerTable.update(mesh);
  relayTable.update(mesh);
  showSummary(rows);
  showHealth(mesh.health);
  if (pointed) showDetails(pointed);
}

function drawSoon() {
  frame ||= requestAnimationFrame(draw);
}

// ---- Texts

const many = (count, one, more) => `${count} ${count === 1 ? one : more}`;

function showSummary(rows) {
  const {direct, relay, none} = mesh.counts();
  const up = mesh.relays.filter(({state}) => state === "up").length;
  const peers = mesh.peers.size;
  const paths = [`${direct} direct`, `${relay} relayed`];

  if (none) paths.push(`${none} without a path`);
  put(part("summary"), peers === 0 ? "No other node is here."
    : `${many(peers, "peer", "peers")}: ${paths.join(", ")}.`);
  put(part("relays-up"), mesh.relays.length === 0 ? "No relay is configured."
    : `${up} of ${many(mesh.relays.length, "relay", "relays")} connected.`);
  put(part("flow"), `This node sends ${flowInWords(mesh.flow.sent)}; ` +
                    `it receives ${flowInWords(mesh.flow.received)}.`);
  put(part("found"), rows === peers ? "" : `${rows} of ${peers} shown`);
  part("alone").hidden = peers > 0;
  part("peers").hidden = peers === 0;
  part("picture").classList.toggle("few", peers <= FEW);
  part("no-relays").hidden = mesh.relays.length > 0;
  part("relays").hidden = mesh.relays.length === 0;
}

function listFindings(list, findings) {
  list.replaceChildren(...findings.map((finding) => {
    const item = make("li", finding.severity);
    item.append(make("span", "level", finding.severity), " ",
                make("span", "text", finding.text),
                make("div", "remedy", finding.remedy));
    return item;
  }));
  if (findings.length === 0)
    list.append(make("li", "ok", "all is well"));
}

function showHealth(findings) {
  const said = JSON.stringify(findings);
  if (said === healthSaid) return;
  healthSaid = said;
  listFindings(part("health"), findings);
}

// ---- The node under the pointer

function showPointed(id) {
  pointed = id;
  peerTable.mark(id);
  relayTable.mark(id);
  put(part("spoken"), id ? inWords(mesh, id) : "");
  showDetails(id);
}

function detailsOf(id) {
  const peer = mesh.peers.get(id);
  const relay = mesh.relays.find(({url}) => url === id);
  if (peer)
    return [peer.name, pathAndKind(peer), peer.via, rttInWords(peer.rtt_ms),
            `sent ${flowInWords(peer.flow.sent)}`,
            `received ${flowInWords(peer.flow.received)}`,
            `here since ${timeInWords(peer.since)}`, peer.id.slice(0, 12),
            peer.groups.length ? `groups ${peer.groups.join(" ")}` : "",
            Object.keys(peer.info).length ? JSON.stringify(peer.info) : ""];
  if (relay)
    return [relay.name || "relay", relay.state, formInWords(relay),
            hostOf(relay.url), rttInWords(relay.rtt_ms),
            `sent ${flowInWords(relay.flow.sent).replace(/^.*, /, "")}`,
            `received ${flowInWords(relay.flow.received).replace(/^.*, /, "")}`,
            relay.outside ? `sees this node at ${relay.outside}` : "",
            relay.error];
  return id ? [mesh.node.name, "this node", mesh.node.id.slice(0, 12)] : [];
}

function showDetails(id) {
  const [name, ...said] = detailsOf(id);
  part("hint").hidden = Boolean(name);
  put(part("pointed-name"), name ?? "");
  put(part("pointed-details"), said.filter(Boolean).join(" · "));
}

// ---- The filter, of the picture and the table

function filter() {
  const words = part("filter").value.trim().toLowerCase();
  const kind = part("paths").value;
  const shown = (peer) =>
    (kind === "all" || kindOf(peer.path) === kind) &&
    (words === "" || peer.searched.includes(words));

  picture.filter(shown);
  peerTable.filter(shown);
  drawSoon();
}

part("filter").addEventListener("input", filter);
part("paths").addEventListener("change", filter);

// Capture: runs before the picture's own handler, so that a pointer which moves
// from a table row into the picture ends up in the picture.
document.addEventListener("pointermove", (event) => {
  if (!hasMoved(event)) return;
  const row = event.target.closest("#peers tr");
  if (row || inTable) picture.point(row?.dataset.id ?? null);
  inTable = Boolean(row);
}, {capture: true});
part("peers").addEventListener("pointerdown", ({target}) =>
  picture.point(target.closest("tr")?.dataset.id ?? null));

// ---- The edge

async function look() {
  due = 0;
  if (asking || document.hidden) return;
  asking = true;
  const status = await edge.ask({op: "status"});
  asking = false;
  if (!status.ok) return;
  const before = mesh.peers;
  mesh.take(status, performance.now());
  if (back && known)
    differences(before, mesh.peers).forEach((event) => story.tell(event));
  known = true;
  back = false;
  drawSoon();
}

function lookSoon() {
  due ||= setTimeout(look, SOON_MS);
}

// The edge sends datagrams for it, so only once and when asked to.
async function lookAtNetwork() {
  part("look-at-network").disabled = true;
  put(part("network-facts"), "Looking…");
  const answer = await edge.ask({op: "netcheck"});
  part("look-at-network").disabled = false;
  if (answer.ok) listFindings(part("network"), answer.findings);
  put(part("network-facts"), answer.ok
    ? `${networkInWords(answer)} · at ${timeInWords(new Date())}`
    : "The edge did not look at the network.");
}

part("look-at-network").addEventListener("click", lookAtNetwork);

function showConnection(state, text) {
  part("connection").className = state;
  part("connection").textContent = text;
}

function away(refused) {
  if (document.body.classList.contains("away")) return;
  document.body.classList.add("away");
  put(part("stale"), known
    ? `The edge is away. This is the mesh as it was at ${timeInWords(new Date())}.`
    : refused ? "The edge does not let this page in without its token."
              : "The edge is away.");
  part("stale").hidden = false;
  if (known) story.say("worse", "the edge of this page went away");
}

const edge = new Edge({
  up() {
    synced = false;
    back = known;
    if (back) story.say("better", "the edge of this page is back");
    document.body.classList.remove("away");
    part("stale").hidden = true;
    edge.ask({op: "subscribe", events: ["join", "leave", "path"]});
    showConnection("up", "connected");
    look();
    lookAtNetwork();
  },
  down(refused) {
    away(refused);
    showConnection(refused ? "refused" : "down",
                   refused ? "the edge wants its token: open the address " +
                             "that `zs status` shows"
                           : "the edge is away; trying again…");
    drawSoon();
  },
  event(event) {
    if (event.event === "synced") synced = true;
    if (!synced || event.event === "synced") return;
    story.tell(event);
    lookSoon();
    drawSoon();
  },
});

filter();
setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", lookSoon);
