export { Edge } from './edge.js';
export { ApiError, Disconnected, NoEdge, ZsError } from './errors.js';
export { findSocket } from './place.js';
