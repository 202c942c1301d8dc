import { EventEmitter } from 'node:events';
import { Disconnected } from './errors.js';
import { connect, connectNamed, findSocket } from './place.js';
import * as wire from './wire.js';

const BACKLOG = 32 * 1024 * 1024;

/**
 * A connection to the edge on this host: `const edge = await Edge.open()`.
 * index.d.ts tells all of it, README.md what happens when the edge is lost.
 */
export class Edge extends EventEmitter {
  #wire = new wire.Wire();
  #connection;
  #options;
  #subscription = null;
  #queues = new Set(); // of the iterators under way
  #closed = false;
  #ended = null; // why there will be no more
  #retry = null;

  static async open(options = {}) {
    const socket = await findSocket(options.socket);
    return new Edge(await connectNamed(socket), { ...options, socket });
  }

  /** Use Edge.open. */
  constructor(connection, options) {
    super();
    this.#options = { reconnect: false, backlog: BACKLOG, ...options };
    this.#use(connection);
  }

  get socket() {
    return this.#options.socket;
  }

  send(to, type, data, options = {}) {
    return this.#ask('send', { ...options, to, type, data }, wire.asDelivery);
  }

  request(to, type, data, options = {}) {
    return this.#ask('request', { timeout: 5, ...options, to, type, data },
      wire.asReply);
  }

  reply(message, data, { type } = {}) {
    return this.#ask('reply', {
      to: message.from, request: message.request ?? '', type, data,
    }, wire.asDelivery);
  }

  publish(type, data, options = {}) {
    return this.#ask('publish', { ...options, type, data }, wire.asCount);
  }

  join(group) {
    return this.#ask('join', { group }, wire.asNothing);
  }

  leave(group) {
    return this.#ask('leave', { group }, wire.asNothing);
  }

  ping(to, { timeout = 5 } = {}) {
    return this.#ask('ping', { timeout, to }, wire.asPing);
  }

  peers() {
    return this.#ask('peers', {}, wire.asCount);
  }

  status() {
    return this.#ask('status', {}, wire.asStatus);
  }

  async subscribe({ types, events, groups } = {}) {
    const members = { types, events, groups };
    await this.#ask('subscribe', members, wire.asNothing);
    this.#subscription = members;
  }

  /** Resolves when the socket takes more: for those who await no answers. */
  drained() {
    if (!this.#connection.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#connection.off('drain', done).off('close', done);
        resolve();
      };
      this.#connection.once('drain', done).once('close', done);
    });
  }

  events(subscription) {
    const queue = { events: [], taken: 0, bytes: 0, wake: null };
    const inner = this.#drain(queue, subscription);
    this.#queues.add(queue); // From now on, not from the first next() on.
    return {
      next: () => inner.next(),
      return: () => {
        this.#drop(queue);
        return inner.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Hangs up. What still waits at the edge goes with it. */
  close() {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#connection.destroy();
    this.#wire.end('closed');
    for (const queue of this.#queues) queue.wake?.();
  }

  async *#drain(queue, subscription) {
    if (subscription || this.#subscription === null)
      await this.subscribe(subscription);
    while (!this.#closed) {
      if (queue.taken < queue.events.length) {
        yield this.#take(queue);
      } else if (this.#ended !== null) {
        throw new Disconnected(this.#ended);
      } else {
        await new Promise((resolve) => { queue.wake = resolve; });
      }
    }
  }

  #take(queue) {
    const [event, size] = queue.events[queue.taken++];
    queue.bytes -= size;
    if (queue.taken * 2 > queue.events.length) {
      queue.events.splice(0, queue.taken);
      queue.taken = 0;
    }
    this.#flow();
    return event;
  }

  #drop(queue) {
    this.#queues.delete(queue);
    this.#flow();
  }

  async #ask(name, members, parse) {
    if (this.#closed || this.#wire.lost !== null)
      throw new Disconnected(this.#wire.lost ?? 'closed');
    const { signal, ...rest } = members;
    signal?.throwIfAborted();
    const used = this.#wire;
    const { ref, line, answer } = used.ask(wire.op(name, rest), parse);
    this.#connection.write(line);
    this.#flow();
    if (!signal) return answer;
    const cancel = () => {
      if (used.lost === null) this.#cancel(ref);
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await answer;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** The answer to what is cancelled tells how it went. */
  #cancel(ref) {
    const { line, answer } =
      this.#wire.ask({ op: 'cancel', request: ref }, wire.asNothing);
    answer.catch(() => {});
    this.#connection.write(line);
  }

  #use(connection) {
    this.#connection = connection;
    let reason = 'the edge ended the connection';
    connection.on('data', (piece) => this.#read(piece));
    connection.on('error', (error) => { reason = error.message; });
    connection.on('close', () => this.#lost(reason));
  }

  #read(piece) {
    for (const [event, size] of this.#wire.feed(piece)) this.#put(event, size);
    if (this.#most() > 4 * this.#options.backlog)
      this.#wire.lost ??= 'what came in was not taken in time';
    if (this.#wire.lost !== null) this.#connection.destroy();
    else this.#flow();
  }

  #put(event, size) {
    for (const queue of this.#queues) {
      queue.events.push([event, size]);
      queue.bytes += size;
      queue.wake?.();
    }
    this.emit(event.kind, event);
  }

  #most() {
    return Math.max(0, ...[...this.#queues].map((queue) => queue.bytes));
  }

  /** More than the backlog: no more is read, unless an answer is awaited. */
  #flow() {
    if (this.#most() > this.#options.backlog && this.#wire.awaited === 0)
      this.#connection.pause();
    else if (this.#connection.isPaused()) this.#connection.resume();
  }

  #lost(ended) {
    if (this.#closed) return;
    const left = this.#wire.end(ended);
    const reason = this.#wire.lost;
    if (!this.#options.reconnect) this.#ended = reason;
    for (const event of [...left, { kind: 'edge_lost', reason }])
      this.#put(event, 0);
    if (this.#options.reconnect) this.#again(100);
  }

  /** Connects and subscribes again after so many milliseconds. */
  #again(delay) {
    if (this.#closed) return;
    this.#retry = setTimeout(async () => {
      try {
        const connection = await connect(this.socket);
        this.#back(connection);
      } catch {
        this.#again(Math.min(2 * delay, 5000));
      }
    }, delay);
  }

  #back(connection) {
    if (this.#closed) {
      connection.destroy();
      return;
    }
    this.#wire = new wire.Wire();
    this.#use(connection);
    if (this.#subscription !== null)
      this.subscribe(this.#subscription).catch(() => {}); // Lost again.
    this.#put({ kind: 'edge_back' }, 0);
  }
}
