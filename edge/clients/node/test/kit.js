// An edge of straw, which says what a test wants it to.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Edge } from '../src/index.js';
import { Lines } from '../src/wire.js';

export const JOIN = { event: 'join', id: 'b0b', name: 'bob', info: {},
  groups: [], path: 'tcp' };
export const good = (r, more) => ({ ref: r.ref, ok: true, ...more });
export const bad = (r, error) =>
  ({ ref: r.ref, ok: false, error, message: 'told' });
export const delivered = (r) => [good(r, { path: 'tcp', rtt_ms: 1.5 })];
export const text = (...objects) =>
  objects.map((x) => `${JSON.stringify(x)}\n`).join('');
export const bytes = (...objects) => Buffer.from(text(...objects));

/** `answer(request)` gives objects to say, or text, or null to hang up. */
export async function withStraw(answer, use, options = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'straw-'));
  const socket = join(folder, 'edge.sock');
  const straw = { asked: [], answer };
  const server = createServer((connection) => {
    const cut = new Lines();
    connection.on('error', () => {});
    connection.on('data', (piece) => {
      for (const line of cut.feed(piece)) {
        straw.asked.push(JSON.parse(line));
        const said = straw.answer(straw.asked.at(-1));
        if (said === null) connection.destroy();
        else connection.write(typeof said === 'string' ? said : text(...said));
      }
    });
  });
  await new Promise((resolve) => { server.listen(socket, resolve); });
  const edge = await Edge.open({ ...options, socket });
  try {
    await use(edge, straw);
  } finally {
    edge.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

export async function until(condition) {
  for (let i = 0; i < 1000; i++) {
    if (condition()) return;
    await sleep(10);
  }
  throw new Error('it does not come to that');
}
