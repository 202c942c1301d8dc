/** The base of this package's errors; `code` is the name of the API's error. */
export class ZsError extends Error {
  constructor(code, message) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** No edge can be reached, or several run and none was named: `no_edge`. */
export class NoEdge extends ZsError {
  constructor(message) {
    super('no_edge', message);
  }
}

/**
 * The connection to the edge ended: `disconnected`. Messages without an answer
 * may or may not be delivered; the client never sends a message again by itself.
 */
export class Disconnected extends ZsError {
  constructor(message) {
    super('disconnected', message);
  }
}

/** The edge answered with an error: `unknown_peer`, `busy`, `timeout`... */
export class ApiError extends ZsError {}
