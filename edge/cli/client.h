/*
 * client - a connection to an edge's local API: lines of JSON over the edge's
 * Unix socket.
 *
 *     struct edge_client *c = client_open(&options);
 *     if (!c)
 *         return EXIT_NO_DAEMON;
 *     text_add_string(client_out(c), "{\"op\":\"status\"}\n");
 *     struct bytes line;
 *     if (client_line(c, INSTANT_NEVER, &line) != CLIENT_LINE)
 *         ...
 *     client_free(c);
 */
#ifndef EDGE_CLI_CLIENT_H
#define EDGE_CLI_CLIENT_H

#include "common/base/text.h"
#include "common/conf/options.h"

#include <jansson.h>

struct edge_client;

/*
 * Connects to the edge that --socket or ZS_SOCKET names, else to the only edge
 * on this host. On failure it prints a line on stderr and returns NULL; the
 * command then ends with EXIT_NO_DAEMON.
 */
struct edge_client *client_open(const struct options *o);
/* Waits, for `most` at the longest, until that edge can be reached: somebody
 * may have started it just now. */
void client_await(const struct options *o, struct span most);
/* Connects to the edge whose socket has this path. NULL, without a line on
 * stderr, if the edge cannot be reached. */
struct edge_client *client_reopen(const char *path);
/* The path of the edge's socket. */
const char *client_path(const struct edge_client *c);
/* Closes the connection. NULL-safe. */
void client_free(struct edge_client *c);

/* The requests to send: the caller appends, client_push and client_line
 * send. */
struct text *client_out(struct edge_client *c);
/* The bytes of client_out that are not sent yet. */
size_t client_unsent(const struct edge_client *c);
int client_fd(const struct edge_client *c);

/* client_push sends as much of client_out as the socket takes, client_pull
 * reads what has arrived; neither waits. They return false if the edge has
 * closed the connection; client_next still returns lines that came before. */
bool client_push(struct edge_client *c) MUST_USE;
bool client_pull(struct edge_client *c) MUST_USE;
/* The next line that client_pull has read, without its line end; false if there
 * is none. The view is valid until the next client_pull or client_line. */
bool client_next(struct edge_client *c, struct bytes *line) MUST_USE;

enum client_got {
    CLIENT_LINE,
    CLIENT_LATE,   /* no line came before the deadline */
    CLIENT_ENDED,  /* the edge closed the connection; printed on stderr */
    CLIENT_STOPPED /* SIGINT or SIGTERM came: see command_stoppable */
};

/* Sends client_out, and waits for the next line. */
enum client_got client_line(struct edge_client *c, struct instant deadline,
                            struct bytes *line) MUST_USE;

/*
 * Sends the request in client_out and returns the answer, which the caller
 * passes to json_decref. On failure it prints the reason on stderr, sets *code
 * to the exit code, and returns NULL.
 */
json_t *client_ask(struct edge_client *c, int *code) MUST_USE;

/* The exit code for an error name of the API: "unknown_peer" is
 * EXIT_NO_PEER. */
int client_error_code(const char *error);

#endif
