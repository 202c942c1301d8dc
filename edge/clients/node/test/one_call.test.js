// What one call is given harms no other call.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../src/index.js';
import { Wire, asDelivery, asNothing } from '../src/wire.js';
import { bytes, delivered, good, withStraw } from './kit.js';

const circle = [];
circle.push(circle);
let deep = [];
for (let i = 0; i < 100_000; i++) deep = [deep];

// What no request can hold, each as the arguments of send().
const BAD = {
  'half of a surrogate pair': ['bob', 't', 'caf\udce9.txt'],
  'the same, deep inside': ['bob', 't', { a: [{ b: '\ud800' }] }],
  'the same behind a backslash': ['bob', 't', '\\\udfff'],
  'the same as a key': ['bob', 't', { '\udfff': 1 }],
  'the same in a name': ['b\udce9b', 't', 1],
  'the same in a type': ['bob', '\udce9', 1],
  NaN: ['bob', 't', NaN],
  'infinity, deep inside': ['bob', 't', [{ x: -Infinity }]],
  BigInt: ['bob', 't', 1n],
  'BigInt, deep inside': ['bob', 't', [{ x: 1n }]],
  'a circle': ['bob', 't', circle],
  'deeper than JavaScript goes': ['bob', 't', deep],
  'a function': ['bob', 't', () => 1],
  'a symbol': ['bob', 't', Symbol('x')],
  'a set': ['bob', 't', { a: new Set([1]) }],
  'a map': ['bob', 't', new Map([[1, 2]])],
  'a promise that was not awaited': ['bob', 't', Promise.resolve(1)],
  'what fails when it is read': ['bob', 't', { get a() { throw new Error('x'); } }],
  'what throws null': ['bob', 't', { toJSON() { throw null; } }],
};

test('one bad datum fails its own call only', () => withStraw(
  (r) => (r.type === 'slow' ? [] : delivered(r)), async (edge) => {
    let ended = false;
    edge.send('bob', 'slow').catch(() => {}).finally(() => { ended = true; });
    for (const [what, args] of Object.entries(BAD)) {
      await assert.rejects(edge.send(...args), (e) =>
        e instanceof ApiError && e.code === 'bad_request', what);
      assert.deepEqual(await edge.send('bob', 't', 1),
        { path: 'tcp', rtt_ms: 1.5 });
      assert.equal(ended, false);
    }
  }));

test('what looks like half a pair, and is text', () => withStraw(delivered,
  async (edge, straw) => {
    for (const whole of ['\\udce9', '\\\\udce9', '\u{1F600}', 'caf\u00e9'])
      await edge.send('bob', 't', whole);
    assert.deepEqual(straw.asked.map(({ data }) => data),
      ['\\udce9', '\\\\udce9', '\u{1F600}', 'caf\u00e9']);
  }));

test('data that asks the edge itself', () => withStraw(delivered,
  async (edge, straw) => {
    let inner;
    const sly = { toJSON() { inner = edge.send('bob', 'inner'); return 1; } };
    await edge.send('bob', 'outer', sly);
    await inner;
    assert.deepEqual(straw.asked.map(({ ref, type }) => [ref, type]),
      [[1, 'inner'], [2, 'outer']]);
  }));

test('bytes of every kind', () => withStraw(delivered,
  async (edge, straw) => {
    const { buffer } = new Uint8Array([1, 2, 3]);
    for (const data of [buffer, new DataView(buffer), new Uint8Array(buffer),
      Buffer.from(buffer)])
      await edge.send('bob', 't', data);
    assert.deepEqual(straw.asked.map((r) => r.data_b64),
      ['AQID', 'AQID', 'AQID', 'AQID']);
  }));

test('wire: an error without a ref', async () => {
  const w = new Wire();
  const { answer } = w.ask({ op: 'a' }, asNothing);
  [...w.feed(bytes({ ok: false, error: 'bad_request', message: 'm' }))];
  await assert.rejects(answer, { code: 'bad_request' });
  assert.equal(w.lost, null);
});

test('wire: what is no event and no answer', async () => {
  const w = new Wire();
  const one = w.ask({ op: 'send' }, ({ path }) => path.name.length);
  const other = w.ask({ op: 'send' }, asDelivery);
  const got = [...w.feed(bytes(
    { event: 'message', from: 'b', name: 'b', type: 't', data_b64: 5 },
    good(one), good(other, { path: 'tcp', rtt_ms: 1 })))];
  assert.deepEqual(got, []);
  await assert.rejects(one.answer, { code: 'failed' });
  assert.deepEqual(await other.answer, { path: 'tcp', rtt_ms: 1 });
  assert.equal(w.lost, null);
});
