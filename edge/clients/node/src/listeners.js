// The listeners of one connection, each with a filter of its own. The edge has
// one subscription for each connection. The client subscribes to the union of
// all filters, and gives each listener the events that pass its filter.
import { ApiError } from './errors.js';

const WORDS = { new_node: 'join', node_close: 'leave', message: 'message',
  event: 'event', path: 'path', gap: 'gap' };
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$/;
const MOST = 64; // names in one list that the edge accepts

/** The kinds of events, and the API's names for them. */
export const wordOf = (kind) =>
  (Object.hasOwn(WORDS, kind) ? WORDS[kind] : undefined);
export const KINDS = Object.keys(WORDS);

const refuse = (text) => { throw new ApiError('bad_request', text); };

function names(what, list) {
  if (list === undefined || list === null) return null;
  const all = typeof list === 'string' ? [list] : list;
  if (!Array.isArray(all) && !(all instanceof Set))
    refuse(`${what} is a list of names`);
  const set = new Set(all);
  for (const name of set)
    if (typeof name !== 'string') refuse(`${what} is a list of names`);
  if (set.size > MOST) refuse(`${what} is a list of at most ${MOST} names`);
  return set;
}

/**
 * The events that one listener wants. Without a list everything passes, and so
 * it does with an empty list of types or groups. Invalid names are refused here:
 * in the union they would make the edge refuse every listener's subscription.
 */
export class Filter {
  constructor({ types, events, groups } = {}) {
    const some = (set) => (set?.size ? set : null);
    this.types = some(names('types', types));
    this.events = names('events', events);
    this.groups = some(names('groups', groups));
    for (const name of this.types ?? []) {
      const bytes = Buffer.from(name);
      if (bytes.length < 1 || bytes.length > 255 || name.includes('\0') ||
        bytes.toString() !== name)
        refuse('a type is a text of 1 to 255 bytes');
    }
    for (const word of this.events ?? [])
      if (!Object.values(WORDS).includes(word))
        refuse('events is a list of join leave message event path gap');
    for (const name of this.groups ?? [])
      if (!NAME.test(name))
        refuse('a group is a name: 1 to 63 of A-Z a-z 0-9 . _ -');
  }

  wants(...words) {
    return this.events === null || words.some((word) => this.events.has(word));
  }

  passes(event) {
    const word = wordOf(event.kind);
    if (word === undefined) return true; // synced, edge_lost, edge_back
    if (!this.wants(word)) return false;
    const message = word === 'message' || word === 'event';
    if (message && this.types && !this.types.has(event.type)) return false;
    return word !== 'event' || !this.groups || this.groups.has(event.group);
  }
}

/** A filter, and the peers whose presence its listener knows. */
export class Listener {
  /**
   * False until its subscription is answered. Until then it gets no events, so
   * that a peer's join is its first event about the peer.
   */
  live = true;
  told = new Set(); // ids of the peers whose join it got
  synced = false;

  constructor(filter = new Filter()) {
    this.filter = filter;
  }

  /** The edge will now send a join for each present peer. */
  restart() {
    this.told.clear();
    this.synced = false;
  }

  /** Takes over the peers that another listener knows. */
  follow(other) {
    this.told = new Set(other.told);
    this.synced = other.synced;
    return this;
  }

  /**
   * True if the listener wants the event. It does not want the joins of known
   * peers, which another listener's subscription caused.
   */
  takes(event) {
    return this.live && this.#isNew(event) && this.filter.passes(event);
  }

  #isNew({ kind, id }) {
    if (kind === 'new_node') {
      const known = this.told.has(id);
      this.told.add(id);
      return !known;
    }
    if (kind === 'node_close')
      return this.told.delete(id) || !this.filter.wants('join');
    if (kind === 'synced') {
      const was = this.synced;
      this.synced = true;
      return !was;
    }
    return true;
  }
}

/** The union; null if one of the sets lets everything pass. */
function union(sets) {
  const all = new Set();
  for (const set of sets) {
    if (set === null) return null;
    for (const name of set) all.add(name);
  }
  return [...all].sort();
}

/** The subscribe request for the union of these filters. */
export function together(filters) {
  if (filters.length === 0) return { op: 'unsubscribe' };
  const members = { op: 'subscribe' };
  const events = union(filters.map((f) => f.events));
  const types = union(filters.filter((f) => f.wants('message', 'event'))
    .map((f) => f.types));
  const groups = union(filters.filter((f) => f.wants('event'))
    .map((f) => f.groups));
  if (events) members.events = events;
  if (types?.length && types.length <= MOST) members.types = types;
  const named = union(filters.map((f) => f.groups ?? []));
  if (named.length > MOST)
    refuse(`more than ${MOST} groups are listened to`);
  // If one listener wants all publications, the groups no longer filter, but
  // the node must still be in them.
  if (named.length) members[groups ? 'groups' : 'member_of'] = named;
  return members;
}
