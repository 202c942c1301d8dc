// Finds the edge's socket, as `zs` does.
import { readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { NoEdge } from './errors.js';

/** Resolves to a connected socket; rejects with the system's error. */
export function connect(path) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

const unreachable = (path, error) =>
  new NoEdge(`no edge is reachable at ${path}: ${error.code ?? error.message}`);

/** The same, but rejects with NoEdge. */
export async function connectNamed(path) {
  try {
    return await connect(path);
  } catch (error) {
    throw unreachable(path, error);
  }
}

function candidates() {
  const runtime = process.env.XDG_RUNTIME_DIR ?? '';
  const found = new Set();
  for (const folder of runtime.startsWith('/') ? [runtime, '/run'] : ['/run']) {
    let names = [];
    try {
      names = readdirSync(`${folder}/zeroservices`);
    } catch {
      continue; // No such folder, or another user's.
    }
    for (const name of names.sort())
      if (name.endsWith('.sock') && !name.startsWith('.'))
        found.add(`${folder}/zeroservices/${name}`);
  }
  return found;
}

/**
 * Resolves to `path`, or else to what ZS_SOCKET names, or else to the socket of
 * the only edge that runs on this host. Rejects with NoEdge if none or several
 * run.
 */
export async function findSocket(path) {
  const named = path || process.env.ZS_SOCKET;
  if (named) return named;
  const alive = [];
  let dead;
  for (const candidate of candidates()) {
    try {
      (await connect(candidate)).destroy();
      alive.push(candidate);
    } catch (error) {
      dead = unreachable(candidate, error);
    }
  }
  if (alive.length > 1)
    throw new NoEdge(`several edges run on this host (${alive[0]} and ` +
      `${alive[1]}): name one, or set ZS_SOCKET`);
  if (alive.length === 0)
    throw dead ?? new NoEdge('no edge runs on this host: start zs-edge, or ' +
      'name its socket');
  return alive[0];
}
