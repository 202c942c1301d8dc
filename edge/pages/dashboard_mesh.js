// The mesh, from the edge's answers to `status`: the peers, their paths, and the
// traffic of each in a second.

import {hostOf, relayName} from "./dashboard_words.js";

// `since` is rounded to seconds, so it can change by one between two answers.
const SINCE_BLUR_MS = 2500;
const NO_FLOW = {sent: {messages: 0, bytes: 0}, received: {messages: 0, bytes: 0}};

// The growth of a counter, which begins at 0 again when its node restarts.
const grown = (now, before) => now >= before ? now - before : now;

function flow(now, before, seconds) {
  if (!now || !before || seconds <= 0) return NO_FLOW;
  const each = (key) => grown(now[key] ?? 0, before[key] ?? 0) / seconds;
  return {sent: {messages: each("sent"), bytes: each("bytes_sent")},
          received: {messages: each("received"),
                     bytes: each("bytes_received")}};
}

// The node's own counters, in the form of a peer's.
const ownTraffic = (c) => ({
  sent: (c.sent ?? 0) + (c.published ?? 0), bytes_sent: c.bytes_sent,
  received: (c.received ?? 0) + (c.events_received ?? 0),
  bytes_received: c.bytes_received,
});

function searched(peer) {
  return [peer.name, peer.id, hostOf(peer.endpoint), ...peer.groups,
          JSON.stringify(peer.info)].join("\n").toLowerCase();
}

export class Mesh {
  node = {id: "", name: ""};
  relays = [];
  peers = new Map(); // by id
  health = [];
  flow = NO_FLOW;
  #own;
  #at;

  // Takes an answer to `status`, which came at `at`, in milliseconds.
  take(status, at) {
    const seconds = (at - this.#at) / 1000;
    const own = ownTraffic(status.counters ?? {});
    const relays = new Map(this.relays.map((relay) => [relay.url, relay]));

    this.node = status.node;
    this.health = status.health;
    this.flow = flow(own, this.#own, seconds);
    this.relays = status.relays.map((relay) => ({
      ...relay,
      flow: flow(relay.traffic, relays.get(relay.url)?.traffic, seconds)}));
    this.peers = new Map(status.peers.map((peer) =>
      [peer.id, this.#peer(peer, this.peers.get(peer.id), seconds)]));
    this.#own = own;
    this.#at = at;
  }

  #peer(peer, before, seconds) {
    const since = new Date(peer.since);
    const same = before && Math.abs(before.since - since) < SINCE_BLUR_MS;
    const seen = {...peer, since: same ? before.since : since,
                  flow: flow(peer.traffic, before?.traffic, seconds)};
    // The index of the relay that the path goes through; -1 if it is direct.
    seen.hub = peer.path === "relay"
      ? this.relays.findIndex((relay) => relay.url === peer.relay) : -1;
    seen.via = peer.path !== "relay" ? peer.endpoint
      : seen.hub < 0 ? hostOf(peer.endpoint) : relayName(this.relays[seen.hub]);
    seen.searched = searched(peer);
    return seen;
  }

  // The number of peers by path: {direct, relay, none}.
  counts() {
    const counts = {direct: 0, relay: 0, none: 0};
    for (const peer of this.peers.values()) counts[kindOf(peer.path)]++;
    return counts;
  }
}

export const kindOf = (path) =>
  path === "tcp" || path === "udp" ? "direct" : path === "relay" ? path : "none";

// The differences between two sets of peers, as the edge's events would tell
// them.
export function differences(before, after) {
  const events = [];
  for (const peer of before.values())
    if (!after.has(peer.id))
      events.push({event: "leave", name: peer.name, reason: "meanwhile"});
  for (const peer of after.values()) {
    const was = before.get(peer.id);
    if (!was) events.push({...peer, event: "join"});
    else if (was.path !== peer.path)
      events.push({...peer, event: "path", was: was.path});
  }
  return events;
}
