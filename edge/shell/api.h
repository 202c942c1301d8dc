/*
 * api - the local API: applications send requests to an edge and receive
 * answers and events, as JSON objects, one per line, over a Unix socket.
 *
 * Everything happens on the edge's loop. Each client has limits. The API stops
 * reading from a client with too many open operations. It refuses and skips a
 * line that is too long. It waits a little for a client that leaves too much
 * unread, and then cuts it off with a last line that says why. All clients
 * together have a limit of memory, and take turns of milliseconds. The process
 * must ignore SIGPIPE.
 */
#ifndef EDGE_SHELL_API_H
#define EDGE_SHELL_API_H

#include "edge/shell/edge.h"

struct api;

enum api_keep {
    API_KEPT,    /* or there was nothing to store */
    API_KEEPING, /* api_kept follows */
    API_NOT_KEPT,
};

struct api_conf {
    const char *socket; /* "" or NULL: the node's name, in the default folder */
    struct bytes info;  /* of this node: a JSON object as text, or empty */
    const char *const *groups; /* of the configuration */
    size_t group_count;
    size_t message_limit; /* bytes; limits.message */
    size_t clients;       /* at a time, at most API_CLIENTS; 0: API_CLIENTS */
    size_t memory;        /* bytes; see api_set_memory */
    struct mesh_id mesh;  /* the API takes revocation lists of this mesh */
    /* Stores a revocation list from a client; may be NULL. */
    enum api_keep (*keep)(void *context, const struct revocation *list,
                          struct bytes encoded);
    void *keep_context;
    uint64_t not_before; /* the certificate's, Unix seconds */
    uint64_t not_after;  /* 0: never */
};

enum { API_ERROR_SIZE = 256, API_CLIENTS = 256 };

/*
 * Listens, and observes the edge. Copies all of conf. Makes the socket's folder
 * (mode 0700) if it is missing. The socket has mode 0600 and replaces a socket
 * that a dead process left. NULL, with a line in `error`: a living process has
 * the socket, or the system refuses it.
 */
struct api *api_open(struct edge *e, const struct api_conf *conf,
                     char error[API_ERROR_SIZE]);

/* Answers the clients whose revocation lists were being stored. `why_not`: the
 * reason why they could not be stored; NULL: they are stored. */
void api_kept(struct api *a, const char *why_not);

/* The socket's path. */
const char *api_socket(const struct api *a);

/* The groups of a configuration after a reload. They replace the earlier
 * groups, and those that clients added by `join`. */
void api_set_groups(struct api *a, const char *const *groups, size_t count);

/* The limit, in bytes, of what all clients together hold: incomplete lines,
 * open operations, unread output. Beyond it the API cuts off the largest
 * client. The limit is at least three messages of the largest size. */
void api_set_memory(struct api *a, size_t memory);

/* For clients that do not come by the Unix socket (see http.h): */
struct edge *api_edge(const struct api *a);
/* The longest line that the API takes, without its end. */
size_t api_line_limit(const struct api *a);
/* Carries a client's output on to its reader, on the same loop. The API uses it
 * to wait for a slow reader. */
struct api_carrier {
    void *context;
    int (*fd)(void *context);     /* writable when `carry` can move bytes */
    void (*carry)(void *context); /* moves the bytes that the reader takes */
};
/* Adds a client on a connected Unix stream socket, which the API then owns. The
 * API ignores a last line without an end. It copies the carrier and uses it
 * until api_detach. */
void api_attach(struct api *a, int fd, const struct api_carrier *carrier);
void api_detach(struct api *a, const void *context);
/* The HTTP URLs and the token's file, for `status`. `page` is the URL that lets
 * a browser in: only clients of the Unix socket get it. */
void api_tell_http(struct api *a, const char *url, const char *page,
                   const char *token_file);
/* The node's counters in Prometheus' text format; the caller frees it. */
char *api_metrics(const struct api *a);

/* Closes all clients and removes the socket. The loop must then run until the
 * handles are closed; that frees the memory. NULL-safe. */
void api_close(struct api *a);

#endif
