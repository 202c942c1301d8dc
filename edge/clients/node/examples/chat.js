#!/usr/bin/env node
// A chat. A line goes to all; `/name text` or `@name text` goes to one node.
//
//     chat.js [SOCKET]        (ZS_SOCKET, or the only edge on this host)
import { createInterface } from 'node:readline';
import { Edge } from '../src/index.js';

const edge = await Edge.open({ socket: process.argv[2], reconnect: true });

// The message's text, made safe to print. A web page sends {text}.
const clean = (data) =>
  String(data?.text ?? data).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');

edge.on('new_node', (node) => {
  console.log(`* ${node.name} is here (${node.path})`);
});
edge.on('node_close', (node) => {
  console.log(`* ${node.name} has gone (${node.reason})`);
});
edge.on('event', ({ type, name, data }) => {
  if (type === 'chat') console.log(`${name}: ${clean(data)}`);
});
edge.on('message', ({ type, name, data }) => {
  if (type === 'chat') console.log(`${name} (to you): ${clean(data)}`);
});
edge.on('edge_lost', ({ reason }) => {
  console.log(`* ${reason}; waiting for it`);
});

async function say(line) {
  const [, name, text] = /^[/@](\S*) ?(.*)$/.exec(line) ?? [];
  if (name !== undefined) {
    const { path } = await edge.send(name, 'chat', text);
    console.log(`* ${name} has it (${path})`);
  } else if (line !== '') {
    await edge.publish('chat', line);
  }
}

await edge.subscribe();
for await (const line of createInterface({ input: process.stdin })) {
  try {
    await say(line);
  } catch (error) {
    console.log(`* ${error.code}: ${error.message}`);
  }
}
edge.close();
