/*
 * http - a small web server on the edge's loop: the local API for browsers.
 *
 *   /api        the local API as a WebSocket: one JSON object in each text
 *               message, as one in each line of the Unix socket; see api.h
 *   /           the chat page; /dashboard a map of the mesh
 *   /healthz    200 as long as the edge runs
 *   /metrics    the node's counters in the format of Prometheus
 *   /allowed    200 if this client may use the API. Pages ask this, as a
 *               browser does not tell a page why a WebSocket was refused
 *
 * http_gate.h says which requests are allowed. A browser that opens a page with
 * ?token=... gets a cookie, and is redirected to the address without the token.
 * Refusals are logged, at most once a minute for each reason. When all
 * connections are used, a new one takes the place of the idle connection that
 * has waited longest. The process must ignore SIGPIPE.
 */
#ifndef EDGE_SHELL_HTTP_H
#define EDGE_SHELL_HTTP_H

#include "edge/shell/api.h"

struct http;

/* Connections at a time, half of them WebSockets; see edge_pages. */
enum { HTTP_CONNECTIONS = 128 };

/*
 * Serves the API at ADDRESS:PORT (an address, "localhost" or "*"; port 0 takes
 * a free one). Reads the token from the file beside the API's socket, or makes
 * that file (mode 0600). NULL, with a line in `error`, if it cannot listen at
 * the address or others may read the file.
 */
struct http *http_open(struct api *a, const char *listen,
                       char error[API_ERROR_SIZE]);

/* "http://127.0.0.1:8080/" */
const char *http_url(const struct http *h);

/* Call after api_close. Still sends the API's last output, for a fraction of a
 * second. The loop must run until it has no handles left before http_free. */
void http_close(struct http *h);
/* Both are NULL-safe. */
void http_free(struct http **self);

#endif
