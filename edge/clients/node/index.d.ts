import { EventEmitter } from 'node:events';

/** Any JSON value, or bytes, which arrive unchanged, as a Buffer. */
export type Data = unknown;

/** A node is present. After a subscription one comes for each present node. */
export interface NewNode {
  kind: 'new_node';
  id: string;
  name: string;
  info: Record<string, unknown>;
  groups: string[];
  path: string;
}

/** A node left: closed, lost or revoked; `edge`: the own edge is gone. */
export interface NodeClose {
  kind: 'node_close';
  id: string;
  name: string;
  reason: 'closed' | 'lost' | 'revoked' | 'refused' | 'edge';
}

/** A message to this node. If `request` is set, its sender waits for a reply. */
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

/** The path to a peer changed: tcp, udp, relay or none. */
export interface PathChange {
  kind: 'path';
  id: string;
  name: string;
  path: string;
  was: string;
  endpoint?: string;
}

/** `missed` publications of this sender are lost. */
export interface Gap {
  kind: 'gap';
  from: string;
  name: string;
  missed: number;
}

/** The list of present nodes is complete; later events are live. */
export interface Synced {
  kind: 'synced';
}

/** The connection to the edge broke. node_close came for each peer. */
export interface EdgeLost {
  kind: 'edge_lost';
  reason: string;
}

/** Connected and subscribed again. new_node comes for each peer. */
export interface EdgeBack {
  kind: 'edge_back';
}

export type AnyEvent = NewNode | NodeClose | Message | Publication |
  PathChange | Gap | Synced | EdgeLost | EdgeBack;

/** The peer's node acknowledged the message. */
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
  /** The edge's socket; by default ZS_SOCKET, or the only edge on this host. */
  socket?: string;
  /** Connect again after the connection broke: after 0.1 s, 0.2 s, ... 5 s. */
  reconnect?: boolean;
  /** Bytes of events that an iterator may queue; by default 32 MiB. */
  backlog?: number;
}

export interface AskOptions {
  /** Seconds. */
  timeout?: number;
  /** False: if the window to the peer is full, reject with `busy`. */
  wait?: boolean;
  /** Cancels the operation, unless the peer's node has the message already. */
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

  /** Sends a message; resolves once the peer's node has acknowledged it. */
  send(to: string, type: string, data?: Data, options?: AskOptions):
    Promise<Delivery>;
  /** Sends a request; resolves with the reply. The default timeout is 5 s. */
  request(to: string, type: string, data?: Data, options?: AskOptions):
    Promise<Reply>;
  /** Replies to a message whose `request` is set, once. */
  reply(message: Message, data?: Data, options?: { type?: string }):
    Promise<Delivery>;
  /** Publishes to all present nodes, or to those in the group; resolves with their number. */
  publish(type: string, data?: Data,
    options?: { group?: string; wait?: boolean; signal?: AbortSignal }):
    Promise<number>;
  /** Puts the node into the group. It stays there when this program ends. */
  join(group: string): Promise<void>;
  leave(group: string): Promise<void>;
  ping(to: string, options?: { timeout?: number }): Promise<Ping>;
  peers(): Promise<Peer[]>;
  status(): Promise<Record<string, unknown>>;
  /** Replaces the former subscription. Without any, no events come. */
  subscribe(subscription?: Subscription): Promise<void>;
  /** Resolves when the socket takes more, for callers that await no answers. */
  drained(): Promise<void>;
  /**
   * Iterates over all events from this call on, until close(). With a filter:
   * the events that pass it, whatever other listeners of this connection want.
   * Without one: the events of subscribe(), or else all. To miss no event, call
   * events() before subscribe(), or instead of it. Throws Disconnected when the
   * connection ends and `reconnect` is not set.
   */
  events(subscription?: Subscription): AsyncIterableIterator<AnyEvent>;
  /** Closes the connection. The edge drops messages that it has not sent. */
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
  /** A listener threw or rejected. Without a listener for this: console.error. */
  on(kind: 'handler_error',
    listener: (error: unknown, event: AnyEvent) => void): this;
}

/** The base of this package's errors. */
export class ZsError extends Error {
  readonly code: string;
}
/** No edge can be reached, or several run and none was named: `no_edge`. */
export class NoEdge extends ZsError {}
/** The connection to the edge ended: `disconnected`. */
export class Disconnected extends ZsError {}
/**
 * The edge answered with an error: bad_request too_large unknown_peer not_delivered
 * peer_restarted busy timeout cancelled unknown_request handler_failed.
 */
export class ApiError extends ZsError {}

/** Resolves to `path`, or else ZS_SOCKET, or else the only edge's socket. */
export function findSocket(path?: string): Promise<string>;
