// A listener that fails: it is told, the sender of a request too, and the next
// event is handled.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JOIN, delivered, good, until, withStraw } from './kit.js';

const message = (data, request) =>
  ({ event: 'message', from: 'b0b', name: 'bob', type: 't', data, request });
const says = (...events) => (r) => (r.op === 'subscribe'
  ? [good(r), JOIN, ...events] : delivered(r));

const FAILURES = {
  throws: () => { throw new Error('it fails'); },
  rejects: async () => { throw new Error('it fails'); },
  'rejects later': () => new Promise((_, reject) => {
    setTimeout(reject, 5, new Error('it fails'));
  }),
  'throws no error': () => { throw undefined; },
  'gives what only looks like a promise': () =>
    ({ then(_, no) { no(new Error('it fails')); } }),
};

for (const [how, fails] of Object.entries(FAILURES))
  test(`a listener that ${how}`, () => withStraw(
    says(message(1, '7'), message(2)), async (edge, straw) => {
      const heard = [];
      const failed = [];
      edge.on('handler_error', (error, event) => {
        failed.push([error?.message, event.data]);
      });
      edge.on('message', fails);
      edge.on('message', ({ data }) => { heard.push(data); });
      await edge.subscribe();
      await until(() => failed.length === 2 && straw.asked.length === 2);
      assert.deepEqual(heard, [1, 2]);
      assert.deepEqual(failed.map(([, data]) => data), [1, 2]);
      const { op, to, request, data } = straw.asked[1];
      assert.deepEqual([op, to, request, data.error],
        ['reply', 'b0b', '7', 'handler_failed']);
      assert.ok(!JSON.stringify(straw.asked[1]).includes('it fails'));
    }));

test('without a listener of handler_error it goes to stderr', (t) => withStraw(
  says(message(1)), async (edge) => {
    const told = t.mock.method(console, 'error', () => {});
    edge.once('message', FAILURES.throws);
    await edge.subscribe();
    await until(() => told.mock.callCount() === 1);
    assert.equal(edge.listenerCount('message'), 0);
  }));

test('a listener of handler_error that fails', (t) => withStraw(
  says(message(1), message(2)), async (edge) => {
    const told = t.mock.method(console, 'error', () => {});
    edge.on('handler_error', FAILURES.throws);
    edge.on('message', FAILURES.throws);
    await edge.subscribe();
    await until(() => told.mock.callCount() === 2);
  }));

test('each kind of event', () => withStraw(says(
  { event: 'synced' }, message(1),
  { event: 'event', from: 'b0b', name: 'bob', type: 't', data: 1 },
  { event: 'gap', from: 'b0b', name: 'bob', missed: 1 },
  { event: 'path', id: 'b0b', name: 'bob', path: 'tcp', was: 'udp' },
  { event: 'leave', id: 'b0b', name: 'bob', reason: 'lost' }),
async (edge) => {
  const failed = [];
  edge.on('handler_error', (_, { kind }) => { failed.push(kind); });
  const kinds = ['new_node', 'synced', 'message', 'event', 'gap', 'path',
    'node_close'];
  for (const kind of kinds) edge.on(kind, FAILURES.throws);
  await edge.subscribe();
  await until(() => failed.length === kinds.length);
  assert.deepEqual(failed, kinds);
}));

test('who asked sees it as an error', () => withStraw(
  (r) => [good(r, { from: 'b0b', name: 'bob', type: 'error',
    data: { error: 'handler_failed', message: 'm' } })],
  (edge) => assert.rejects(edge.request('bob', 't'),
    { code: 'handler_failed' })));

test('nothing comes after close()', () => withStraw(
  says(message(1), message(2)), async (edge) => {
    const heard = [];
    edge.on('message', ({ data }) => {
      heard.push(data);
      edge.close();
    });
    await edge.subscribe().catch(() => {});
    await until(() => heard.length > 0);
    assert.deepEqual(heard, [1]);
  }));
