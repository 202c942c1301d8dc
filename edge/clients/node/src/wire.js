// The local API without a socket: bytes in, events and answers out. Edge has one
// Wire for each connection.
import { ApiError, Disconnected } from './errors.js';

/** Cuts a stream, which comes in pieces of any size, into lines. */
export class Lines {
  #pieces = []; // of a line whose end has not come yet

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

// How each event of the API becomes an event of this package.
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

// The reply to a request whose handler failed. It says nothing about the error,
// whose text may be confidential.
const FAILED_TYPE = 'error';
const HANDLER_FAILED = 'handler_failed';
export const failure = ({ from, request }) => op('reply', {
  to: from, request, type: FAILED_TYPE,
  data: { error: HANDLER_FAILED, message: 'the program that answers failed' },
});

// How each operation's answer becomes a result.
export const asDelivery = ({ path, rtt_ms }) => ({ path, rtt_ms });
export const asReply = (answer) => {
  const { type, data } = answer;
  if (type === FAILED_TYPE && data?.error === HANDLER_FAILED)
    throw new ApiError(HANDLER_FAILED, String(data.message));
  return message(answer);
};
export const asPing = ({ name, path, rtt_ms, endpoint = null }) =>
  ({ name, path, rtt_ms, endpoint });
export const asCount = ({ peers }) => peers;
export const asStatus = ({ ref, ok, ...rest }) => rest;
export const asNothing = () => undefined;

/** The members of a request. */
export function op(name, { data, timeout, wait, ...members }) {
  const line = { op: name, ...members };
  if (timeout !== undefined)
    line.timeout = Math.max(1, Math.round(timeout * 1000));
  if (wait === false) line.wait = false;
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer)
    line.data_b64 = Buffer.from(data).toString('base64');
  else if (ArrayBuffer.isView(data))
    line.data_b64 = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      .toString('base64');
  else line.data = data;
  return line;
}

// Values that JSON cannot hold, and that JSON.stringify silently drops.
function checked(key, value) {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError(`${value} is no number of JSON's`);
  if (typeof value === 'function' || typeof value === 'symbol' ||
    value instanceof Map || value instanceof Set || value instanceof Promise)
    throw new TypeError(`${key || 'it'} is a ${value.constructor.name}`);
  return value;
}

// JSON.stringify writes only lone surrogates like this.
const LONE = /(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/;

/** The members of a request as text, without the ref. */
function encode(members) {
  let text;
  try {
    text = JSON.stringify(members, typeof members.data !== 'string'
      ? checked : undefined);
  } catch (error) {
    throw new ApiError('bad_request',
      `the data is not JSON: ${error?.message ?? error}`);
  }
  if (text.includes('\\ud') && LONE.test(text))
    throw new ApiError('bad_request', 'the data is no text that UTF-8 can ' +
      'say: it holds half of a surrogate pair');
  return text;
}

/** One connection. Once `lost` is set the caller feeds nothing more. */
export class Wire {
  lost = null;
  #lines = new Lines();
  #lastRef = 0;
  #waiting = new Map(); // ref -> {resolve, reject, parse, size}
  #present = new Map(); // id -> name

  /** The number of requests without an answer. */
  get awaited() {
    return this.#waiting.size;
  }

  /** {ref, line, answer}: the line to send, the promise of its answer. */
  ask(members, parse) {
    // The text comes first: making it may run code that sends a request.
    const rest = encode(members);
    const ref = ++this.#lastRef;
    const line = Buffer.from(`{"ref":${ref},${rest.slice(1)}\n`);
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(ref, { resolve, reject, parse, size: line.length });
    });
    return { ref, line, answer };
  }

  /** Handles received bytes; yields the events, each with its size in bytes. */
  *feed(piece) {
    for (const line of this.#lines.feed(piece)) {
      const event = this.lost === null ? this.#take(line) : null;
      if (event) yield [event, line.length];
    }
  }

  /**
   * The connection broke: fails all open requests, and returns a node_close for
   * each peer that was present.
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
    if (!said.ok) {
      waiting.reject(new ApiError(said.error, said.message));
      return;
    }
    try {
      waiting.resolve(waiting.parse(said));
    } catch (error) {
      waiting.reject(error instanceof ApiError ? error
        : new ApiError('failed', `the answer is no such: ${error.message}`));
    }
  }

  /**
   * Handles an error without a ref: the edge could not parse the line. If a line
   * was too long, it must be the longest open request. Otherwise the request is
   * known only if just one is open.
   */
  #refused({ error, message: text }) {
    const size = this.#waiting.size;
    if (!(error === 'too_large' && size > 0) &&
      !(error === 'bad_request' && size === 1)) {
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
    if (!Object.hasOwn(EVENTS, said.event)) return null; // An event of a later version.
    let event;
    try {
      event = EVENTS[said.event](said);
    } catch {
      return null; // Not an event that this version understands.
    }
    if (event.kind === 'new_node') this.#present.set(event.id, event.name);
    if (event.kind === 'node_close') this.#present.delete(event.id);
    return event;
  }
}
