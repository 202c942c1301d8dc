import { EventEmitter } from 'node:events';
import { Disconnected } from './errors.js';
import { Filter, KINDS, Listener, together, wordOf } from './listeners.js';
import { connect, connectNamed, findSocket } from './place.js';
import * as wire from './wire.js';

const BACKLOG = 32 * 1024 * 1024;

/**
 * A connection to the edge on this host: `const edge = await Edge.open()`.
 * index.d.ts documents its methods; README.md says what happens when the
 * connection to the edge breaks.
 */
export class Edge extends EventEmitter {
  #wire = new wire.Wire();
  #connection;
  #options;
  #main = new Listener(); // of subscribe(), on(), and events() without a filter
  #subscribed = false;
  #queues = new Set(); // of the open iterators
  #closed = false;
  #ended = null; // why there will be no more events
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

  async subscribe(subscription) {
    const filter = new Filter(subscription);
    together([filter, ...this.#filters().slice(this.#subscribed ? 1 : 0)]);
    this.#main.filter = filter;
    this.#subscribed = true;
    const plain = [...this.#queues].filter((queue) => queue.listener.shared);
    await this.#subscribe(this.#main, ...plain.map((queue) => queue.listener));
  }

  /** Resolves when the socket takes more, for callers that await no answers. */
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
    const listener = new Listener(
      subscription ? new Filter(subscription) : this.#main.filter);
    listener.shared = !subscription;
    const queue = { listener, events: [], taken: 0, bytes: 0, wake: null };
    if (subscription) {
      listener.live = false;
      together([...this.#filters(), listener.filter]);
    } else listener.follow(this.#main);
    this.#queues.add(queue); // Events count from now on, not from the first next().
    let asked = null;
    if (subscription) {
      asked = this.#subscribe(listener);
      asked.catch(() => this.#drop(queue)); // next() reports the error.
    }
    return this.#iterator(queue, this.#drain(queue, asked));
  }

  /** Closes the connection. The edge drops messages that it has not sent. */
  close() {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#connection.destroy();
    this.#wire.end('closed');
    for (const queue of this.#queues) queue.wake?.();
  }

  // Once an iterator is garbage its queue must not grow any more.
  static #forgotten = new FinalizationRegistry(({ edge, queue }) => {
    edge.deref()?.#drop(queue);
  });

  #iterator(queue, inner) {
    const iterator = {
      next: () => inner.next(),
      return: () => {
        this.#drop(queue);
        return inner.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
    Edge.#forgotten.register(iterator, { edge: new WeakRef(this), queue });
    return iterator;
  }

  async *#drain(queue, asked) {
    if (asked) await asked;
    else if (!this.#subscribed) await this.subscribe();
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
    if (!this.#queues.delete(queue)) return;
    queue.events = [];
    queue.wake?.();
    this.#flow();
    if (!queue.listener.shared && !this.#closed && this.#wire.lost === null)
      this.#subscribe().catch(() => {}); // For the other listeners.
  }

  /**
   * The filters to subscribe to: those of iterators with a filter, and that of
   * subscribe(). Without a subscribe(), on() listeners count while there are
   * such iterators.
   */
  #filters() {
    const own = [...this.#queues].map((queue) => queue.listener)
      .filter((listener) => !listener.shared).map(({ filter }) => filter);
    if (this.#subscribed) return [this.#main.filter, ...own];
    const heard = KINDS.filter((kind) => this.listenerCount(kind) > 0);
    return own.length > 0 && heard.length > 0
      ? [new Filter({ events: heard.map(wordOf) }), ...own] : own;
  }

  /** After the answer a join of each peer comes, for these listeners. */
  #subscribe(...listeners) {
    const { op, ...members } = together(this.#filters());
    return this.#ask(op, members, () => {
      for (const listener of listeners) {
        listener.restart();
        listener.live = true;
        if (listener.shared) listener.filter = this.#main.filter;
      }
    });
  }

  async #ask(name, members, parse) {
    const { signal, ...rest } = members;
    signal?.throwIfAborted();
    return this.#write(wire.op(name, rest), parse, signal);
  }

  async #write(members, parse, signal) {
    if (this.#closed || this.#wire.lost !== null)
      throw new Disconnected(this.#wire.lost ?? 'closed');
    const used = this.#wire;
    const { ref, line, answer } = used.ask(members, parse);
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

  /** Cancels a request; the request's own answer says whether it worked. */
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
    for (const [event, size] of this.#wire.feed(piece)) {
      if (this.#closed) return; // A listener called close().
      this.#put(event, size);
    }
    if (this.#most() > 4 * this.#options.backlog)
      this.#wire.lost ??= 'what came in was not taken in time';
    if (this.#wire.lost !== null) this.#connection.destroy();
    else this.#flow();
  }

  #put(event, size) {
    for (const queue of this.#queues) {
      if (!queue.listener.takes(event)) continue;
      queue.events.push([event, size]);
      queue.bytes += size;
      queue.wake?.();
    }
    if (this.#main.takes(event)) this.#tell(event);
  }

  /** Calls the listeners. A failing one stops neither the others nor the client. */
  #tell(event) {
    for (const listener of this.rawListeners(event.kind)) {
      try {
        const result = listener.call(this, event);
        if (typeof result?.then === 'function')
          result.then(undefined, (error) => this.#failed(error, event));
      } catch (error) {
        this.#failed(error, event);
      }
    }
  }

  #failed(error, event) {
    if (this.#closed && error instanceof Disconnected) return;
    try {
      if (!this.emit('handler_error', error, event))
        console.error(`zeroservices: a listener failed at a ${event.kind}:`,
          error);
    } catch (another) {
      console.error('zeroservices: a listener of handler_error failed:',
        another);
    }
    if (event.kind === 'message' && event.request !== null)
      this.#write(wire.failure(event), wire.asNothing).catch(() => {});
  }

  #listeners() {
    return [this.#main, ...[...this.#queues].map((queue) => queue.listener)];
  }

  #most() {
    return Math.max(0, ...[...this.#queues].map((queue) => queue.bytes));
  }

  /** Stops reading above the backlog, unless an answer is awaited. */
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
    for (const listener of this.#listeners()) listener.restart();
    if (this.#options.reconnect) this.#again(100);
  }

  /** Connects and subscribes again after `delay` milliseconds. */
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
    if (this.#filters().length > 0)
      this.#subscribe().catch(() => {}); // Broken again.
    this.#put({ kind: 'edge_back' }, 0);
  }
}
