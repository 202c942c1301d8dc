/*
 * api - what local applications ask of an edge: JSON objects, one a line, over
 * a Unix socket. ARCHITECTURE.md names the operations and events.
 *
 * Everything happens on the edge's loop. Each client is bounded: in what it
 * may have under way (it is not read meanwhile), in the length of a line (a
 * longer one is refused and skipped) and in what it leaves unread (it is waited
 * for a little, and then cut off with a last line that says so). All together
 * hold only so much memory, and take turns of milliseconds. The process must
 * ignore SIGPIPE.
 */
#ifndef EDGE_SHELL_API_H
#define EDGE_SHELL_API_H

#include "edge/shell/edge.h"

struct api;

enum api_keep {
    API_KEPT,    /* or nothing has to be */
    API_KEEPING, /* api_kept will tell */
    API_NOT_KEPT,
};

struct api_conf {
    const char *socket; /* "" or NULL: the node's name, in the usual folder */
    struct bytes info;  /* the node's own, JSON text of an object, or empty */
    const char *const *groups; /* that the node is in from the start */
    size_t group_count;
    size_t message_limit; /* bytes; limits.message */
    size_t clients;       /* at a time, at most API_CLIENTS; 0: those */
    size_t memory;        /* bytes that all clients may hold; see api_set_memory
                           */
    struct mesh_id mesh;  /* whose revocation lists are taken */
    /* Keeps one that a client gave; may be NULL. */
    enum api_keep (*keep)(void *context, const struct revocation *list,
                          struct bytes encoded);
    void *keep_context;
    uint64_t not_before; /* the certificate's, Unix seconds */
    uint64_t not_after;  /* 0: never */
};

enum { API_ERROR_SIZE = 256, API_CLIENTS = 256 };

/*
 * Listens, and observes the edge. All of conf is copied. The socket's folder is
 * made (mode 0700) if it is missing, the socket is of mode 0600, one that a
 * dead process left is replaced. NULL, with a line in `error`, if a living
 * process has the socket or it cannot be made.
 */
struct api *api_open(struct edge *e, const struct api_conf *conf,
                     char error[API_ERROR_SIZE]);

/* The lists that were being kept are: those who gave them are answered. Or why
 * they are not; else NULL. */
void api_kept(struct api *a, const char *why_not);

/* The path that it listens on. */
const char *api_socket(const struct api *a);

/* The groups of a configuration that was read again, in place of the former
 * ones and of what clients added by `join`. */
void api_set_groups(struct api *a, const char *const *groups, size_t count);

/* What all clients may hold, in bytes: lines that have begun, what they have
 * under way, what they did not read. Beyond it the largest is cut off. Three
 * messages of the largest size are always held. */
void api_set_memory(struct api *a, size_t memory);

/* For whoever brings clients in by another way (see http.h): */
struct edge *api_edge(const struct api *a);
/* The longest line, without its end, that is taken. */
size_t api_line_limit(const struct api *a);
/* What brings a client's bytes to where they are read, on this very loop: so
 * that the API can wait for a slow reader, and wait for the right thing. */
struct api_carrier {
    void *context;
    int (*fd)(void *context);     /* writable when `carry` can do something */
    void (*carry)(void *context); /* moves what can be moved */
};
/* A client on a connected Unix stream socket, which is taken over. A line that
 * has no end when the other side closes is not carried out. The carrier is
 * copied, and used until it is detached. */
void api_attach(struct api *a, int fd, const struct api_carrier *carrier);
void api_detach(struct api *a, const void *context);
/* Where pages and token are, for `status`. `page` is the address that lets a
 * browser in: only clients of the socket are told it. */
void api_tell_http(struct api *a, const char *url, const char *page,
                   const char *token_file);
/* The node's counters in Prometheus' text format, to be freed. */
char *api_metrics(const struct api *a);

/* Ends all clients and takes the socket away. The loop must still run once or
 * more to finish; the memory frees itself then. NULL is fine. */
void api_close(struct api *a);

#endif
