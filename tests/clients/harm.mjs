// What the Node.js client is given by mistake fails that call alone, at a real
// edge: a call under way, and those that come, are served.
//
//     harm.mjs PEER SOCKET      (PEER answers no request of the type "silent")
import { ApiError, Edge } from '../../edge/clients/node/src/index.js';

const [peer, socket] = process.argv.slice(2);
let deep = []; // More than the edge reads, less than JavaScript writes.
for (let i = 0; i < 300; i++) deep = [deep];
const long = 'x'.repeat(2_000_000);
const calls = [
  ...[['t', '\udce9'], ['t', NaN], ['t', 1n], ['t', deep], ['\0', 1], ['', 1],
    ['x'.repeat(256), 1], [null, 1], [{ a: 1 }, 1], ['t\udce9', 1], ['t', long],
  ].map((args) => [peer, ...args]),
  ...['nobody', 'bo\0b', '', 5, ['bob'], undefined, 'b'.repeat(5000),
    'bob\udce9'].map((to) => [to, 't', 1]),
];

const edge = await Edge.open({ socket });
let ended = false;
const waiting = edge.request(peer, 'silent', null, { timeout: 20 })
  .catch(() => {}).finally(() => { ended = true; });
for (const args of calls) {
  const what = String(args).slice(0, 80);
  try {
    await edge.send(...args);
    throw new Error(`${what} was sent`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  await edge.send(peer, 't', 1);
  if (ended) throw new Error(`${what} ended another call`);
}
edge.close();
await waiting;
console.log(`${calls.length} calls failed, and harmed no other`);
