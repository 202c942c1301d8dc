/** Whatever this package rejects with; `code` is the API's own word for it. */
export class ZsError extends Error {
  constructor(code, message) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** No edge can be reached, or several could be meant: `no_edge`. */
export class NoEdge extends ZsError {
  constructor(message) {
    super('no_edge', message);
  }
}

/**
 * The edge ended the connection: `disconnected`. What was under way may or may
 * not have been delivered; nothing is sent again by itself.
 */
export class Disconnected extends ZsError {
  constructor(message) {
    super('disconnected', message);
  }
}

/** The edge's answer: `unknown_peer`, `not_delivered`, `busy`, `timeout`... */
export class ApiError extends ZsError {}
