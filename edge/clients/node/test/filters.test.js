// Filters belong to the iterator: several on one connection do not disturb
// each other, and what one asked for ends with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Filter, together } from '../src/listeners.js';
import { JOIN, delivered, good, until, withStraw } from './kit.js';

const CAROL = { ...JOIN, id: 'ca', name: 'carol' };
const said = (event, type, data, group) =>
  ({ event, from: 'b0b', name: 'bob', type, data, group });
const MIX = [said('message', 'a', 'm-a'), said('message', 'b', 'm-b'),
  said('event', 'a', 'e-a', null), said('event', 'b', 'e-lab', 'lab'),
  { event: 'leave', id: 'ca', name: 'carol', reason: 'lost' }];
const SNAPSHOT = ['bob', 'carol', 'synced'];
const plain = ({ kind, data, name }) => data ?? name ?? kind;

/**
 * An edge that keeps its one subscription as the real one does; a send of the
 * type "say" makes it say its data.
 */
function filtering() {
  let s = null;
  const passes = (x) => s !== null &&
    (s.events ?? [x.event]).includes(x.event) &&
    (x.event !== 'event' || !s.groups || s.groups.includes(x.group)) &&
    (x.type === undefined || (s.types ?? [x.type]).includes(x.type));
  return (r) => {
    if (r.op !== 'subscribe' && r.op !== 'unsubscribe')
      return [...(r.type === 'say' ? r.data : []).filter(passes),
        ...delivered(r)];
    s = r.op === 'subscribe' ? r : null;
    return [good(r), ...(s ? [...[JOIN, CAROL].filter(passes),
      { event: 'synced' }] : [])];
  };
}

async function take(iterator, count) {
  const got = [];
  while (got.length < count) got.push(plain((await iterator.next()).value));
  return got;
}

/** What an iterator has to give, when nothing else can come. */
async function rest(edge, iterator) {
  const got = [];
  for (;;) {
    const next = await Promise.race([iterator.next(),
      edge.send('bob', 't').then(() => edge.send('bob', 't')).then(() => null)]);
    if (next === null) return got;
    got.push(plain(next.value));
  }
}

test('each gets its own', () => withStraw(filtering(), async (edge) => {
  const heard = [];
  edge.on('message', (m) => { heard.push(plain(m)); });
  const everything = edge.events();
  await edge.subscribe();
  const filtered = {
    a: edge.events({ types: ['a'] }),
    'a text': edge.events({ types: 'a' }),
    joins: edge.events({ events: ['join'] }),
    leaves: edge.events({ events: ['leave'] }),
    lab: edge.events({ groups: ['lab'] }),
    both: edge.events({ types: ['b'], events: ['event'] }),
  };
  await edge.send('bob', 'say', MIX);
  const got = {};
  for (const [name, iterator] of Object.entries(filtered))
    got[name] = await rest(edge, iterator);
  assert.deepEqual(got, {
    a: [...SNAPSHOT, 'm-a', 'e-a', 'carol'],
    'a text': [...SNAPSHOT, 'm-a', 'e-a', 'carol'],
    joins: SNAPSHOT,
    leaves: ['synced', 'carol'],
    lab: [...SNAPSHOT, 'm-a', 'm-b', 'e-lab', 'carol'],
    both: ['synced', 'e-lab'],
  });
  assert.deepEqual(await rest(edge, everything),
    [...SNAPSHOT, 'm-a', 'm-b', 'e-a', 'e-lab', 'carol']);
  assert.deepEqual(heard, ['m-a', 'm-b']);
}));

test('a filter changes nothing for subscribe()', () => withStraw(filtering(),
  async (edge) => {
    const heard = [];
    for (const kind of ['new_node', 'synced', 'message', 'event', 'node_close'])
      edge.on(kind, (event) => { heard.push(plain(event)); });
    await edge.subscribe({ types: ['b'] });
    const some = edge.events({ types: ['a'] });
    await edge.send('bob', 'say', MIX);
    assert.deepEqual(heard, [...SNAPSHOT, 'm-b', 'e-lab', 'carol']);
    assert.deepEqual(await take(some, 6),
      [...SNAPSHOT, 'm-a', 'e-a', 'carol']);
  }));

test('listeners without a subscribe() beside an iterator', () => withStraw(
  filtering(), async (edge) => {
    const heard = [];
    edge.on('message', ({ data }) => { heard.push(data); });
    const some = edge.events({ types: ['a'] });
    await edge.send('bob', 'say', MIX);
    assert.deepEqual(heard, ['m-a', 'm-b']);
    assert.deepEqual(await take(some, 6), [...SNAPSHOT, 'm-a', 'e-a', 'carol']);
  }));

test('it takes what comes from the call of events() on', () => withStraw(
  filtering(), async (edge) => {
    const some = edge.events({ types: ['a'], events: ['message'] });
    await edge.send('bob', 'say', MIX);
    assert.deepEqual(await take(some, 2), ['synced', 'm-a']);
  }));

test('what it asked for ends with it', () => withStraw(filtering(),
  async (edge, straw) => {
    await edge.subscribe({ types: ['b'] });
    for await (const event of edge.events({ types: ['a'], groups: ['lab'] }))
      if (event.kind === 'synced') break;
    assert.deepEqual(straw.asked[1].types, ['a', 'b']);
    assert.deepEqual(straw.asked[1].member_of, ['lab']);
    await edge.send('bob', 't');
    assert.deepEqual({ ...straw.asked[2], ref: 0 },
      { ref: 0, op: 'subscribe', types: ['b'] });
  }));

test('the last one unsubscribes', () => withStraw(filtering(),
  async (edge, straw) => {
    await edge.events({ types: ['a'] }).return();
    await edge.send('bob', 't');
    assert.deepEqual(straw.asked.map(({ op }) => op),
      ['subscribe', 'unsubscribe', 'send']);
  }));

test('a filter that is none', () => withStraw(filtering(),
  async (edge, straw) => {
    for (const bad of [{ events: ['weather'] }, { groups: ['no name'] },
      { types: [5] }, { types: 5 }, { types: [''] }, { types: ['\udce9'] },
      { types: ['a\0b'] }, { types: ['x'.repeat(256)] },
      { groups: Array.from({ length: 65 }, (_, i) => `g${i}`) }]) {
      assert.throws(() => edge.events(bad), { code: 'bad_request' });
      await assert.rejects(edge.subscribe(bad), { code: 'bad_request' });
    }
    edge.events({ types: ['a'] });
    await until(() => straw.asked.length === 1);
    assert.deepEqual(straw.asked[0].types, ['a']);
  }));

test('a new connection', () => {
  const answer = filtering();
  return withStraw((r) => (r.type === 'fall' ? null : answer(r)),
    async (edge) => {
      const some = edge.events({ types: ['a'], events: ['message', 'join'] });
      await assert.rejects(edge.send('bob', 'fall'));
      assert.deepEqual(await take(some, 8), [...SNAPSHOT, 'edge_lost',
        'edge_back', ...SNAPSHOT]);
    }, { reconnect: true });
});

test('what all want together', () => {
  const many = (x) => Array.from({ length: 60 }, (_, i) => `${x}${i}`);
  for (const [filters, members] of [
    [[], { op: 'unsubscribe' }],
    [[{}], {}],
    [[{ types: ['a'] }, { types: ['b'] }], { types: ['a', 'b'] }],
    [[{ types: ['a'] }, {}], {}],
    [[{ types: ['a'], events: ['message'] }, { events: ['join'] }],
      { types: ['a'], events: ['join', 'message'] }],
    [[{ groups: ['lab'] }], { groups: ['lab'] }],
    [[{ groups: ['lab'] }, {}], { member_of: ['lab'] }],
    [[{ groups: ['lab'] }, { events: ['gap'] }], { groups: ['lab'] }],
    [[{ types: many('a') }, { types: many('b') }], {}],
  ])
    assert.deepEqual(together(filters.map((f) => new Filter(f))),
      { op: 'subscribe', ...members });
  assert.throws(() => together([many('a'), many('b')]
    .map((groups) => new Filter({ groups }))), { code: 'bad_request' });
});
