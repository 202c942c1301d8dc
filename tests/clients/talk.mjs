// Takes one part in a conversation with the Node.js client: see README.md.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Edge, ZsError } from '../../edge/clients/node/src/index.js';

const CALLED = { new_node: 'join', node_close: 'leave' };

/** The script's $bytes and $repeat as what they stand for. */
function meant(value) {
  if (Array.isArray(value)) return value.map(meant);
  if (value === null || typeof value !== 'object') return value;
  if (value.$bytes !== undefined) return Buffer.from(value.$bytes, 'base64');
  if (value.$repeat) return value.$repeat[0].repeat(value.$repeat[1]);
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [k, meant(v)]));
}

const isObject = (x) => x !== null && typeof x === 'object' &&
  !Array.isArray(x) && !Buffer.isBuffer(x);

function fits(got, expected) {
  if (isObject(got) && isObject(expected))
    return Object.entries(expected).every(([k, v]) =>
      Object.hasOwn(got, k) && fits(got[k], v));
  return isDeepStrictEqual(got, expected);
}

class Talker {
  heard = {};
  kept = {};

  constructor(edge) {
    this.edge = edge;
    this.events = edge.events();
  }

  async do(step) {
    const { who, at, do: what, expect, ...args } = meant(step);
    try {
      return await this[`do_${what}`](args, expect);
    } catch (error) {
      if (error instanceof ZsError) return { error: error.code };
      throw error;
    }
  }

  do_send({ to, type, data, ...more }) {
    return this.edge.send(to, type, data, more);
  }

  do_request({ to, type, data, ...more }) {
    return this.edge.request(to, type, data, more);
  }

  do_reply({ request, data, ...more }) {
    return this.edge.reply(this.kept[request], data, more);
  }

  do_publish({ type, data, ...more }) {
    return this.edge.publish(type, data, more);
  }

  do_join({ group }) {
    return this.edge.join(group);
  }

  do_leave({ group }) {
    return this.edge.leave(group);
  }

  do_ping({ to }) {
    return this.edge.ping(to);
  }

  do_status() {
    return this.edge.status();
  }

  do_subscribe(filters) {
    return this.edge.subscribe(filters);
  }

  async do_hear({ event, as }) {
    this.heard[event] ??= [];
    while (this.heard[event].length === 0) {
      const { value } = await this.events.next();
      (this.heard[CALLED[value.kind] ?? value.kind] ??= []).push(value);
    }
    const got = this.heard[event].shift();
    if (as) this.kept[as] = got;
    return got;
  }

  async do_burst({ to, type, count }) {
    const sent = Array.from({ length: count },
      (_, i) => this.edge.send(to, type, i));
    return (await Promise.all(sent)).at(-1);
  }

  async do_hear_burst({ type, count }) {
    for (let i = 0; i < count; i++) {
      const got = await this.do_hear({ event: 'message' });
      if (got.type !== type || got.data !== i) return { not: i, but: got.data };
    }
    return undefined;
  }

  async do_until_peer({ name }, expect) {
    for (const until = Date.now() + 60000; ; await sleep(20)) {
      const got = (await this.edge.peers()).find((p) => p.name === name);
      if ((got && fits(got, expect)) || Date.now() > until) return got;
    }
  }

  do_tell({ text }) {
    console.log(text);
  }
}

const [, who, file, socket] = process.argv.slice(2);
const edge = await Edge.open({ socket, reconnect: true });
const talker = new Talker(edge);
let number = 0;
for (const step of JSON.parse(readFileSync(file, 'utf8'))) {
  number++;
  if (step.who !== who) continue;
  const got = await talker.do(step);
  const right = 'expect' in step ? fits(got, meant(step.expect))
    : got?.error === undefined && got?.not === undefined;
  if (!right) {
    console.error(`step ${number} of ${who}, ` +
      `${JSON.stringify(step).slice(0, 200)}: ` +
      `got ${String(JSON.stringify(got)).slice(0, 200)}`);
    process.exitCode = 1;
    break;
  }
}
edge.close();
