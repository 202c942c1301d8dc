/*
 * client - zs's connection to an edge: lines of JSON over its Unix socket.
 *
 *     struct client *c = client_open(&options);
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

struct client;

/*
 * Connects to the edge that --socket or ZS_SOCKET names, else to the only one
 * on this host. NULL after a line on stderr: the command ends with
 * EXIT_NO_DAEMON.
 */
struct client *client_open(const struct options *o);
/* Waits until that edge can be reached, at the most so long: it may have been
 * started just now. */
void client_await(const struct options *o, struct span most);
/* The same edge again, by the path of its socket; NULL, and nothing is told,
 * while it cannot be reached. */
struct client *client_reopen(const char *path);
/* The path of the edge's socket. */
const char *client_path(const struct client *c);
void client_free(struct client *c);

/* What is to be sent; goes out with client_push, or client_line. */
struct text *client_out(struct client *c);
/* Bytes not sent yet. */
size_t client_unsent(const struct client *c);
int client_fd(const struct client *c);

/* Sends what the socket takes, reads what is there; never waits. False: the
 * edge ended the connection (lines read before are still there). */
bool client_push(struct client *c) MUST_USE;
bool client_pull(struct client *c) MUST_USE;
/* The next line that was read, without its end; false if there is none yet.
 * The view is valid until the next client_pull or client_line. */
bool client_next(struct client *c, struct bytes *line) MUST_USE;

enum client_got {
    CLIENT_LINE,
    CLIENT_LATE,   /* nothing until the deadline */
    CLIENT_ENDED,  /* the edge ended the connection: told on stderr */
    CLIENT_STOPPED /* SIGINT or SIGTERM came: see command_stoppable */
};

/* Sends what is to be sent, and waits for a line. */
enum client_got client_line(struct client *c, struct instant deadline,
                            struct bytes *line) MUST_USE;

/*
 * Sends what is in client_out and waits for the answer. What went wrong is
 * told on stderr and *code set; else the answer, to be json_decref'd.
 */
json_t *client_ask(struct client *c, int *code) MUST_USE;

/* The exit code for an error of the API's: "unknown_peer" is EXIT_NO_PEER. */
int client_error_code(const char *error);

#endif
