/*
 * http - the local API for browsers: a small web server on the edge's loop.
 *
 *   /api        the local API as a WebSocket: a JSON object each text message,
 *               what a line is on the Unix socket; see api.h
 *   /           the chat page; /dashboard the picture of the mesh
 *   /healthz    200 as long as the edge runs
 *   /metrics    the node's counters as Prometheus reads them
 *   /allowed    200 if the API would be let in to: for pages, as a WebSocket
 *               does not tell why it was refused
 *
 * Who is let in: see http_gate.h. A page that is opened with ?token=... gets a
 * cookie and is sent on without it. What is refused costs a line in the log, at
 * most one a minute for each reason. Of clients that say nothing, the one that
 * has waited longest gives way to the newcomer. The process must ignore
 * SIGPIPE.
 */
#ifndef EDGE_SHELL_HTTP_H
#define EDGE_SHELL_HTTP_H

#include "edge/shell/api.h"

struct http;

/* Connections at a time, half of them WebSockets; see edge_pages. */
enum { HTTP_CONNECTIONS = 128 };

/*
 * Serves the API at ADDRESS:PORT (an address, "localhost" or "*"; port 0 takes
 * a free one). The token is read from the file beside the API's socket, which
 * is made (mode 0600) if it is missing. NULL, with a line in `error`, if the
 * address cannot be had or the file is not private.
 */
struct http *http_open(struct api *a, const char *listen,
                       char error[API_ERROR_SIZE]);

/* "http://127.0.0.1:8080/" */
const char *http_url(const struct http *h);

/* After api_close: what the API has said still goes out, a fraction of a
 * second at the most. The loop must run until it is done before http_free. */
void http_close(struct http *h);
/* Both are NULL-safe. */
void http_free(struct http **self);

#endif
