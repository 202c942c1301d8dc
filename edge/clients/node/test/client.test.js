// The client at an edge of straw, which says what a test wants it to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, Disconnected, Edge, NoEdge, findSocket }
  from '../src/index.js';
import { Lines, Wire, asNothing, op } from '../src/wire.js';
import { JOIN, bad, bytes, delivered, good, text, withStraw } from './kit.js';

test('lines: every way of being cut', () => {
  const stream = Buffer.from('{"a":1}\n\n{"b":"ä"}\nrest');
  for (let i = 0; i < stream.length; i++) {
    for (let j = i; j < stream.length; j++) {
      const cut = new Lines();
      const got = [[0, i], [i, j], [j]].flatMap((at) =>
        [...cut.feed(stream.subarray(...at))]);
      assert.deepEqual(got, ['{"a":1}', '', '{"b":"ä"}']);
    }
  }
});

test('wire: answers come in any order', async () => {
  const w = new Wire();
  const one = w.ask({ op: 'a' }, asNothing);
  const two = w.ask({ op: 'b' }, asNothing);
  assert.deepEqual([...w.feed(bytes(good(two), bad(one, 'no_such_word')))], []);
  await two.answer;
  await assert.rejects(one.answer, { name: 'ApiError', code: 'no_such_word' });
});

test('wire: a line too long fails the longest', async () => {
  const w = new Wire();
  w.ask({ data: 'x' }, asNothing).answer.catch(assert.fail);
  const { answer } = w.ask({ data: 'x'.repeat(1000) }, asNothing);
  [...w.feed(bytes({ ok: false, error: 'too_large', message: 'm' }))];
  await assert.rejects(answer, { code: 'too_large' });
  assert.equal(w.awaited, 1);
  assert.equal(w.lost, null);
});

test('wire: what ends a connection', async () => {
  for (const [said, why] of [['no json\n', /no edge/], ['null\n', /no edge/],
    ['{"ok":false,"error":"busy","message":"m"}\n', /busy: m/],
    ['{"event":"closed","reason":"slow"}\n', /slow/]]) {
    const w = new Wire();
    const { answer } = w.ask({ op: 'a' }, asNothing);
    [...w.feed(Buffer.from(said))];
    w.end('later');
    await assert.rejects(answer, (e) =>
      e instanceof Disconnected && why.test(e.message));
  }
});

test('wire: what a later version says is no harm', () => {
  const w = new Wire();
  const got = [...w.feed(bytes({ event: 'weather' }, { event: 'toString' },
    { ref: 99, ok: true }, { ...JOIN, more: 1 }))];
  assert.deepEqual(got.map(([x]) => x.kind), ['new_node']);
});

test('wire: who was present has left at the end', () => {
  const w = new Wire();
  [...w.feed(bytes(JOIN))];
  assert.deepEqual(w.end('gone'),
    [{ kind: 'node_close', id: 'b0b', name: 'bob', reason: 'edge' }]);
});

test('members of a request', () => {
  const parsed = (x) => JSON.parse(JSON.stringify(x));
  assert.deepEqual(
    parsed(op('send', { data: new Uint8Array([0]), timeout: 0.2, wait: false,
      type: undefined })),
    { op: 'send', timeout: 200, wait: false, data_b64: 'AA==' });
  const part = new Uint8Array([1, 2, 3]).subarray(1, 2);
  assert.equal(op('send', { data: part }).data_b64, 'Ag==');
  assert.deepEqual(parsed(op('send', { data: 0 })), { op: 'send', data: 0 });
});

test('what is no JSON is refused here', () => withStraw(delivered,
  (edge) => assert.rejects(edge.send('bob', 't', 1n),
    (e) => e instanceof ApiError && e.code === 'bad_request')));

test('answers in pieces', () => {
  const whole = text({ ref: 1, ok: true, path: 'tcp', rtt_ms: null });
  return withStraw(() => whole.slice(0, 7), async (edge, straw) => {
    const sent = edge.send('bob', 't');
    await sleep(50);
    straw.answer = () => whole.slice(7);
    edge.send('bob', 't').catch(() => {});
    assert.deepEqual(await sent, { path: 'tcp', rtt_ms: null });
  });
});

test('busy for those who do not wait', () =>
  withStraw((r) => [bad(r, 'busy')], async (edge, straw) => {
    await assert.rejects(edge.send('bob', 't', 1, { wait: false }),
      { code: 'busy' });
    assert.equal(straw.asked[0].wait, false);
  }));

test('a lost edge is told', () => withStraw(
  (r) => (r.op === 'subscribe' ? [good(r), JOIN] : null),
  async (edge) => {
    const emitted = [];
    edge.on('node_close', ({ reason }) => emitted.push(reason));
    const events = edge.events();
    await edge.subscribe();
    await assert.rejects(edge.send('bob', 't'), Disconnected);
    await assert.rejects(edge.send('bob', 'again'), Disconnected);
    const heard = [];
    await assert.rejects(async () => {
      for await (const { kind } of events) heard.push(kind);
    }, Disconnected);
    assert.deepEqual(heard, ['new_node', 'node_close', 'edge_lost']);
    assert.deepEqual(emitted, ['edge']);
  }));

test('reconnection renews the subscription', () => withStraw(
  (r) => (r.op === 'subscribe' ? [good(r), JOIN, { event: 'synced' }] : null),
  async (edge, straw) => {
    const heard = [];
    const events = edge.events({ types: ['t'] });
    for await (const { kind } of events) {
      heard.push(kind);
      if (heard.length === 2)
        await assert.rejects(edge.send('bob', 't'), Disconnected);
      if (heard.length === 7) break;
    }
    assert.deepEqual(heard, ['new_node', 'synced', 'node_close', 'edge_lost',
      'edge_back', 'new_node', 'synced']);
    assert.deepEqual(straw.asked.map((r) => [r.op, r.types]),
      [['subscribe', ['t']], ['send', undefined], ['subscribe', ['t']]]);
  }, { reconnect: true }));

test('nobody takes what comes in', () => {
  const flood = text({ event: 'event', from: 'b0b', name: 'bob', type: 't',
    data: 'x'.repeat(1000) }).repeat(5000);
  let told = 0;
  return withStraw((r) => (r.op === 'publish'
    ? text(good(r, { peers: 1 })) + flood : []), async (edge) => {
    edge.on('event', () => { told++; });
    edge.events();
    await edge.publish('t');
    await sleep(100);
    assert.ok(told > 100 && told < 1000, `${told} were read`);
    // Who awaits an answer has to read on; it is too much then.
    await assert.rejects(edge.send('bob', 't'), /was not taken in time/);
  }, { backlog: 200_000 });
});

test('a signal cancels what was asked', () => withStraw(
  (r) => (r.op === 'cancel'
    ? [bad({ ref: r.request }, 'cancelled'), good(r)] : []),
  async (edge, straw) => {
    await assert.rejects(edge.request('bob', 't', null,
      { signal: AbortSignal.timeout(20) }), { code: 'cancelled' });
    assert.deepEqual([straw.asked[1].op, straw.asked[1].request],
      ['cancel', 1]);
  }));

test('closing ends what waits', () => withStraw(() => [], async (edge) => {
  const asked = edge.send('bob', 't');
  edge.close();
  await assert.rejects(asked, Disconnected);
}));

test('where the edge is', async () => {
  await assert.rejects(Edge.open({ socket: '/nonexistent.sock' }), NoEdge);
  process.env.ZS_SOCKET = '/from/the/environment';
  assert.equal(await findSocket(), '/from/the/environment');
  assert.equal(await findSocket('/named'), '/named');
  delete process.env.ZS_SOCKET;
});
