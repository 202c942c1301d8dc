import { EventEmitter } from 'node:events';

/** Any JSON value; bytes travel as they are, and come as a Buffer. */
export type Data = unknown;

/** A node is present; at first one for each that is there already. */
export interface NewNode {
  kind: 'new_node';
  id: string;
  name: string;
  info: Record<string, unknown>;
  groups: string[];
  path: string;
}

/** A node left: closed, lost or revoked; `edge`: our own edge is gone. */
export interface NodeClose {
  kind: 'node_close';
  id: string;
  name: string;
  reason: 'closed' | 'lost' | 'revoked' | 'refused' | 'edge';
}

/** A message to this node. With a `request` its sender awaits a reply. */
export interface Message {
  kind: 'message';
  from: string;
  name: string;
  type: string;
  data: Data;
  request: string | null;
}

/** A publication, to everyone or to a group. */
export interface Publication {
  kind: 'event';
  from: string;
  name: string;
  type: string;
  data: Data;
  group: string | null;
}

/** How a peer is reached has changed: tcp, udp, relay or none. */
export interface PathChange {
  kind: 'path';
  id: string;
  name: string;
  path: string;
  was: string;
  endpoint?: string;
}

/** So many publications of this sender will not come. */
export interface Gap {
  kind: 'gap';
  from: string;
  name: string;
  missed: number;
}

/** All who were present have been told; from here on it is live. */
export interface Synced {
  kind: 'synced';
}

/** The connection to the edge ended; node_close came for each peer. */
export interface EdgeLost {
  kind: 'edge_lost';
  reason: string;
}

/** Connected and subscribed again; new_node comes for each peer. */
export interface EdgeBack {
  kind: 'edge_back';
}

export type AnyEvent = NewNode | NodeClose | Message | Publication |
  PathChange | Gap | Synced | EdgeLost | EdgeBack;

/** The peer's node has the message. */
export interface Delivery {
  path: string;
  rtt_ms: number | null;
}

export interface Reply {
  from: string;
  name: string;
  type: string;
  data: Data;
}

export interface Ping {
  name: string;
  path: string;
  rtt_ms: number | null;
  endpoint: string | null;
}

export interface Peer {
  id: string;
  name: string;
  info: Record<string, unknown>;
  groups: string[];
  path: string;
  endpoint?: string;
  rtt_ms: number | null;
  [more: string]: unknown;
}

export interface Options {
  /** The edge's socket; else ZS_SOCKET, else the only edge on this host. */
  socket?: string;
  /** Look for a lost edge again, after 0.1 s, 0.2 s, ... 5 s each. */
  reconnect?: boolean;
  /** Bytes of events that may wait in an iterator; 32 MiB. */
  backlog?: number;
}

export interface AskOptions {
  /** Seconds. */
  timeout?: number;
  /** False: a full window is not waited for, but `busy`. */
  wait?: boolean;
  /** Cancels it, as far as the node does not have it yet. */
  signal?: AbortSignal;
}

export interface Subscription {
  /** Only messages of these types. */
  types?: string[] | Set<string> | string;
  events?: ('join' | 'leave' | 'message' | 'event' | 'path' | 'gap')[];
  /** Only these groups; the node is in them while this program listens. */
  groups?: string[];
}

export class Edge extends EventEmitter {
  static open(options?: Options): Promise<Edge>;
  private constructor();
  readonly socket: string;

  /** Resolves once the peer's node has it. */
  send(to: string, type: string, data?: Data, options?: AskOptions):
    Promise<Delivery>;
  /** Sends, and resolves with the reply; 5 s unless told otherwise. */
  request(to: string, type: string, data?: Data, options?: AskOptions):
    Promise<Reply>;
  /** Once for each message that has a request. */
  reply(message: Message, data?: Data, options?: { type?: string }):
    Promise<Delivery>;
  /** To everyone present, or in the group: resolves with how many that were. */
  publish(type: string, data?: Data,
    options?: { group?: string; wait?: boolean; signal?: AbortSignal }):
    Promise<number>;
  /** The node is in the group, also when this program has gone. */
  join(group: string): Promise<void>;
  leave(group: string): Promise<void>;
  ping(to: string, options?: { timeout?: number }): Promise<Ping>;
  peers(): Promise<Peer[]>;
  status(): Promise<Record<string, unknown>>;
  /** In place of a former subscription; without one nothing comes in. */
  subscribe(subscription?: Subscription): Promise<void>;
  /** Resolves when the socket takes more: for those who await no answers. */
  drained(): Promise<void>;
  /**
   * What comes in from this call on, until close(): what is given, whatever
   * others on this connection listen to; else what subscribe() was told, or
   * everything: to miss nothing, call it before subscribe(), or instead. Throws Disconnected at the end of a
   * connection that is not to be made again.
   */
  events(subscription?: Subscription): AsyncIterableIterator<AnyEvent>;
  /** Hangs up. What still waits at the edge goes with it. */
  close(): void;

  on(kind: 'new_node', listener: (event: NewNode) => unknown): this;
  on(kind: 'node_close', listener: (event: NodeClose) => unknown): this;
  on(kind: 'message', listener: (event: Message) => unknown): this;
  on(kind: 'event', listener: (event: Publication) => unknown): this;
  on(kind: 'path', listener: (event: PathChange) => unknown): this;
  on(kind: 'gap', listener: (event: Gap) => unknown): this;
  on(kind: 'synced', listener: (event: Synced) => unknown): this;
  on(kind: 'edge_lost', listener: (event: EdgeLost) => unknown): this;
  on(kind: 'edge_back', listener: (event: EdgeBack) => unknown): this;
  /** A listener threw, or its promise was rejected; else console.error. */
  on(kind: 'handler_error',
    listener: (error: unknown, event: AnyEvent) => void): this;
}

/** Whatever this package rejects with. */
export class ZsError extends Error {
  readonly code: string;
}
/** No edge can be reached, or several could be meant: `no_edge`. */
export class NoEdge extends ZsError {}
/** The edge ended the connection: `disconnected`. */
export class Disconnected extends ZsError {}
/**
 * The edge's answer: bad_request too_large unknown_peer not_delivered
 * peer_restarted busy timeout cancelled unknown_request handler_failed.
 */
export class ApiError extends ZsError {}

/** `path`, or what ZS_SOCKET names, or the only living edge's on this host. */
export function findSocket(path?: string): Promise<string>;
