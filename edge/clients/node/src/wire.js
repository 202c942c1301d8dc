// The local API without a socket: bytes in, events and answers out. An Edge
// drives one Wire for each connection.
import { ApiError, Disconnected } from './errors.js';

/** Cuts a stream into lines, however it comes in pieces. */
export class Lines {
  #pieces = []; // of a line whose end has not come

  *feed(piece) {
    let begin = 0;
    for (let end; (end = piece.indexOf(10, begin)) >= 0; begin = end + 1) {
      this.#pieces.push(piece.subarray(begin, end));
      yield Buffer.concat(this.#pieces.splice(0)).toString();
    }
    if (begin < piece.length) this.#pieces.push(piece.subarray(begin));
  }
}

const decoded = ({ data, data_b64 }) =>
  data_b64 === undefined ? data ?? null : Buffer.from(data_b64, 'base64');

const message = (m) =>
  ({ from: m.from, name: m.name, type: m.type, data: decoded(m) });

// What becomes of each of the API's events.
const EVENTS = {
  join: ({ event, ...node }) => ({ kind: 'new_node', ...node }),
  leave: ({ event, ...node }) => ({ kind: 'node_close', ...node }),
  message: (m) =>
    ({ kind: 'message', ...message(m), request: m.request ?? null }),
  event: (m) => ({ kind: 'event', ...message(m), group: m.group ?? null }),
  path: ({ event, ...node }) => ({ kind: 'path', ...node }),
  gap: ({ event, ...gap }) => ({ kind: 'gap', ...gap }),
  synced: () => ({ kind: 'synced' }),
};

// What each operation's answer is.
export const asDelivery = ({ path, rtt_ms }) => ({ path, rtt_ms });
export const asReply = message;
export const asPing = ({ name, path, rtt_ms, endpoint = null }) =>
  ({ name, path, rtt_ms, endpoint });
export const asCount = ({ peers }) => peers;
export const asStatus = ({ ref, ok, ...rest }) => rest;
export const asNothing = () => undefined;

/** A request's members. */
export function op(name, { data, timeout, wait, ...members }) {
  const line = { op: name, ...members };
  if (timeout !== undefined)
    line.timeout = Math.max(1, Math.round(timeout * 1000));
  if (wait === false) line.wait = false;
  if (ArrayBuffer.isView(data))
    line.data_b64 = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      .toString('base64');
  else line.data = data;
  return line;
}

/** One connection. Once `lost` is set nothing more is to be fed. */
export class Wire {
  lost = null;
  #lines = new Lines();
  #lastRef = 0;
  #waiting = new Map(); // ref -> {resolve, reject, parse, size}
  #present = new Map(); // id -> name

  /** How many answers are still to come. */
  get awaited() {
    return this.#waiting.size;
  }

  /** {ref, line, answer}: the line to send, the promise of its answer. */
  ask(members, parse) {
    const ref = this.#lastRef + 1;
    let text;
    try {
      text = JSON.stringify({ ref, ...members });
    } catch (error) {
      throw new ApiError('bad_request', `the data is not JSON: ${error.message}`);
    }
    this.#lastRef = ref;
    const line = Buffer.from(`${text}\n`);
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(ref, { resolve, reject, parse, size: line.length });
    });
    return { ref, line, answer };
  }

  /** Events, each with the bytes it came in. */
  *feed(piece) {
    for (const line of this.#lines.feed(piece)) {
      const event = this.lost === null ? this.#take(line) : null;
      if (event) yield [event, line.length];
    }
  }

  /**
   * The connection is gone: fails what was asked; who was present has left, as
   * far as can be seen from here.
   */
  end(reason) {
    this.lost ??= reason;
    for (const { reject } of this.#waiting.values())
      reject(new Disconnected(this.lost));
    this.#waiting.clear();
    const left = [...this.#present].map(([id, name]) =>
      ({ kind: 'node_close', id, name, reason: 'edge' }));
    this.#present.clear();
    return left;
  }

  #take(line) {
    let said;
    try {
      said = JSON.parse(line);
    } catch {
      said = null;
    }
    if (said === null || typeof said !== 'object')
      this.lost = 'what answers there is no edge';
    else if (said.event !== undefined) return this.#event(said);
    else if (said.ref === undefined || said.ref === null) this.#refused(said);
    else this.#answer(said);
    return null;
  }

  #answer(said) {
    const waiting = this.#waiting.get(said.ref);
    this.#waiting.delete(said.ref);
    if (!waiting) return;
    if (said.ok) waiting.resolve(waiting.parse(said));
    else waiting.reject(new ApiError(said.error, said.message));
  }

  /**
   * An error without a ref. Of a line that was too long the edge reads no ref:
   * of those that await an answer it can only be the longest.
   */
  #refused({ error, message: text }) {
    if (error !== 'too_large' || this.#waiting.size === 0) {
      this.lost = `${error}: ${text}`;
      return;
    }
    const [ref, { reject }] = [...this.#waiting].reduce((a, b) =>
      (b[1].size > a[1].size ? b : a));
    this.#waiting.delete(ref);
    reject(new ApiError(error, text));
  }

  #event(said) {
    if (said.event === 'closed') {
      this.lost = `the edge ended the connection: ${said.reason === 'slow'
        ? 'what came in was read too slowly' : said.reason}`;
      return null;
    }
    if (!Object.hasOwn(EVENTS, said.event)) return null; // Of a later version.
    const event = EVENTS[said.event](said);
    if (event.kind === 'new_node') this.#present.set(event.id, event.name);
    if (event.kind === 'node_close') this.#present.delete(event.id);
    return event;
  }
}
