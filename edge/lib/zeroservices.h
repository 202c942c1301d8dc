/*
 * zeroservices - a node of a mesh inside a program.
 *
 * Services on different machines find each other and talk: on a LAN by
 * multicast, elsewhere through a relay, always encrypted end to end. A program
 * that links this library is a node of its own; no daemon is needed.
 *
 *     static void on_message(void *context, const struct zs_message *m)
 *     {
 *         char text[256];
 *         printf("%s: %s\n", m->name, zs_text(m, text, sizeof text));
 *     }
 *
 *     struct zs_callbacks on = {.on_message = on_message};
 *     struct zs_options *options = zs_options_new();
 *     struct zs_node *node = NULL;
 *     if (zs_options_load(options, "alice.yaml") != ZS_OK ||
 *         zs_node_open(&node, options, &on) != ZS_OK ||
 *         zs_node_start(node) != ZS_OK)
 *         fprintf(stderr, "%s\n", zs_options_error(options));
 *     zs_send(node, "bob", "greeting", zs_string("hello"), NULL, NULL);
 *     ...
 *     zs_node_close(&node);
 *     zs_options_free(&options);
 *
 * Link with `pkg-config --cflags --libs zeroservices`, or in CMake
 * find_package(zeroservices) and target_link_libraries(... zeroservices).
 *
 * THREADS. A node has a loop, on which everything happens and all its callbacks
 * are called, one at a time. Either the library runs it in a thread of its own
 * (zs_node_start), or the program does in its own event loop (zs_node_fd,
 * zs_node_timeout, zs_node_process), without a hop between threads. What is
 * marked [any thread] may be called from any thread at any time between
 * zs_node_open and zs_node_close, callbacks included. No lock is held in a
 * callback. A callback that takes long holds up the node.
 *
 * OWNERSHIP. What a callback is given is valid until it returns. What is handed
 * to a function is copied. A program may have several nodes, each with an
 * identity of its own: of two with the same one, others see the later alone.
 * After fork() the parent's nodes are not the child's: there every call on one
 * returns at once, ZS_CLOSED (or no descriptor, no peers, no relays), and
 * zs_node_close only forgets it. The child may open nodes of its own.
 *
 * ERRORS. A function that can fail returns an enum zs_error. The library never
 * prints or exits, and never aborts for what a caller, a file or a peer does.
 * (It ends the process for a bug of its own. It calls srand(), because libzmq
 * takes numbers of rand() that must not be guessed.)
 *
 * MEMORY. What malloc refuses to a call is told by it: ZS_NO_MEMORY or NULL,
 * and nothing was done. What it refuses to a node's loop is taken from a
 * reserve of a few MiB that each node has. As long as that can be filled again
 * nobody notices; else the node ends, without goodbye, and what is open is told
 * ZS_NO_MEMORY: whether a peer has it is not known. zs_node_close works as
 * ever. This holds for the library's own allocations. libzmq and libuv end the
 * process for some of theirs: see "Without memory" in ARCHITECTURE.md.
 */
#ifndef EDGE_LIB_ZEROSERVICES_H
#define EDGE_LIB_ZEROSERVICES_H

#include <stddef.h>
#include <stdint.h>

#define ZS_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Words */

enum zs_error {
    ZS_OK,
    ZS_UNKNOWN_PEER,    /* nobody of that name or id is present */
    ZS_NOT_DELIVERED,   /* its node did not acknowledge the message: the peer
                           left or refuses this node; or it is present and no
                           path to it was found for 10 s; or its connection
                           broke and it did not come back within 10 s; or it
                           fell silent for 60 s */
    ZS_PEER_RESTARTED,  /* its process ended before it acknowledged */
    ZS_BUSY,            /* the queue is full; on_ready follows */
    ZS_TOO_LARGE,       /* larger than limits.message, here or there */
    ZS_TIMEOUT,         /* no reply in time, or the peer left without one */
    ZS_UNKNOWN_REQUEST, /* answered already, or its asker has left */
    ZS_BAD_REQUEST,     /* an argument that cannot be, or a wrong moment */
    ZS_CLOSED,          /* the node is being closed */
    ZS_CONFIGURATION,   /* a wrong setting, file or identity */
    ZS_SYSTEM,          /* the system refused: a port is taken, no thread */
    ZS_NO_MEMORY,       /* there is none; told to a callback: the node ended */
};

/* "ok", "unknown_peer", ...: stable, for programs. Never NULL. [any thread] */
ZS_API const char *zs_error_name(enum zs_error error);
/* A sentence for people. Never NULL. [any thread] */
ZS_API const char *zs_error_text(enum zs_error error);
/* Of the library that runs: "0.1.0". [any thread] */
ZS_API const char *zs_version(void);

/* How the messages of a peer travel now. NONE: something shows that it is there
 * (its beacons, a relay), but no connection reaches it now; what it is sent
 * waits for one, 10 s. A peer may be new with NONE. */
enum zs_path { ZS_PATH_NONE, ZS_PATH_TCP, ZS_PATH_UDP, ZS_PATH_RELAY };
/* "none", "tcp", "udp", "relay". [any thread] */
ZS_API const char *zs_path_name(enum zs_path path);

/* Why a peer is gone. */
enum zs_reason {
    ZS_LEFT_CLOSED = 1, /* it said goodbye */
    ZS_LEFT_LOST,       /* its connection broke, or it fell silent */
    ZS_LEFT_REVOKED,    /* the mesh put it out, or its certificate ended */
    ZS_LEFT_REFUSED,    /* it refuses this node: see the log */
};
/* "closed", "lost", "revoked", "refused". [any thread] */
ZS_API const char *zs_reason_name(enum zs_reason reason);

enum zs_level { ZS_LOG_ERROR, ZS_LOG_WARN, ZS_LOG_INFO, ZS_LOG_DEBUG };

/* ---- What is sent and what comes */

enum zs_encoding {
    ZS_BYTES,  /* anything */
    ZS_JSON,   /* one JSON value, as text */
    ZS_STRING, /* to send only: UTF-8 text, which travels as a JSON string */
};

struct zs_data {
    const void *bytes; /* not ended by a NUL */
    size_t size;
    enum zs_encoding encoding;
};

/* Data to send, by value: zs_string("hello"), zs_json("{\"a\":1}"),
 * zs_bytes(p, n). `text` ends with a NUL; all of it is borrowed. NULL is the
 * empty text. [any thread] */
ZS_API struct zs_data zs_string(const char *text);
ZS_API struct zs_data zs_json(const char *text);
ZS_API struct zs_data zs_bytes(const void *bytes, size_t size);

/* A request of a peer's that may be replied to, once. To reply later keep a
 * copy of the struct; there is nothing to free. */
struct zs_request {
    unsigned char from[32];
    uint64_t reference;
};

struct zs_message {
    struct zs_node *node; /* that received it */
    const char *from;     /* the sender's id: 64 hexadecimal digits */
    const char *name;     /* the sender's name */
    const char *type;     /* 1 to 255 bytes, chosen by the sender */
    const char *group;    /* on_event: the group, "" for every node */
    /* Whatever the peer sent. What it calls ZS_JSON was checked to be JSON. */
    struct zs_data data;
    const struct zs_request *request; /* not NULL: a reply is awaited */
};

/* The data as text, cut to fit `size` and ended by a NUL: of a JSON string
 * what it means, anything else as it came. Returns `room`. [any thread] */
ZS_API const char *zs_text(const struct zs_message *message, char *room,
                           size_t size);

/* A node that is present, as this one sees it. */
struct zs_peer {
    const char *id;   /* 64 hexadecimal digits */
    const char *name; /* unique in the mesh */
    const char *info; /* what it says of itself; JSON if it is honest */
    const char *const *groups;
    size_t group_count;
    enum zs_path path;
    const char *endpoint; /* the path's other end, "" if unknown */
    int64_t rtt_us;       /* the last round trip; < 0: unknown */
};

/* ---- Callbacks */

/* Any may be NULL. All are called on the node's loop, in the order in which
 * things happened: a peer's on_new_node before anything else of it, its
 * on_node_close after all else. Nothing is called before zs_node_start or
 * zs_node_process (but on_log, by zs_node_open), nor after zs_node_close. */
struct zs_callbacks {
    void *context; /* handed to each */
    void (*on_new_node)(void *context, struct zs_node *node,
                        const struct zs_peer *peer);
    void (*on_node_close)(void *context, struct zs_node *node,
                          const struct zs_peer *peer, enum zs_reason reason);
    /* Sent to this node alone; a request if message->request is not NULL. */
    void (*on_message)(void *context, const struct zs_message *message);
    /* Published to all, or to a group that this node is in. */
    void (*on_event)(void *context, const struct zs_message *message);
    void (*on_path)(void *context, struct zs_node *node,
                    const struct zs_peer *peer, enum zs_path was);
    /* So many publications of the peer's will not come to this node. */
    void (*on_gap)(void *context, struct zs_node *node,
                   const struct zs_peer *peer, uint64_t missed);
    /* After a ZS_BUSY: the queue has room again. */
    void (*on_ready)(void *context, struct zs_node *node);
    /* What log.level lets through: a stable name, and key=value words. */
    void (*on_log)(void *context, enum zs_level level, const char *event,
                   const char *details);
};

/* ---- Options */

/* The settings of a node: those of edge.yaml, at their defaults. Not for
 * several threads at once. NULL if the system's randomness cannot be had, or no
 * memory. */
ZS_API struct zs_options *zs_options_new(void);

/* Takes all settings from a file like edge.yaml, which names node.identity;
 * what was set before is forgotten, so load first. ZS_CONFIGURATION: all
 * mistakes of the file are in zs_options_error, one a line, and the settings
 * are the defaults. */
ZS_API enum zs_error zs_options_load(struct zs_options *options,
                                     const char *path);

/*
 * Sets one key of edge.yaml from text: zs_options_set(o, "node.identity",
 * "alice.zs"), (o, "discovery.multicast", "false"), (o, "node.info",
 * "{role: camera}"), (o, "limits.window", "8MiB"). Of a list ("relays",
 * "node.groups", "discovery.peers", "listen.interfaces") it adds an item; ""
 * empties it. ZS_CONFIGURATION: an unknown key or a wrong value, and nothing
 * changed. ZS_BAD_REQUEST: a node uses these options.
 */
ZS_API enum zs_error zs_options_set(struct zs_options *options, const char *key,
                                    const char *value);

/* Instead of node.identity: the mesh is whoever knows the passphrase, and this
 * node gets a fresh key under `name`. zs_node_open then takes about 0.2 s and
 * 64 MiB, on purpose. */
ZS_API enum zs_error zs_options_passphrase(struct zs_options *options,
                                           const char *name,
                                           const char *passphrase);

/* What a full queue means to who sends: 0, the default: ZS_BUSY at once. Else
 * a thread that is not the loop's waits until there is room; on the loop, and
 * without zs_node_start, it is ZS_BUSY all the same. */
ZS_API enum zs_error zs_options_wait(struct zs_options *options, int wait);

/* What went wrong last with these options or with a node opened by them, as
 * text for people; "" if nothing did. Valid until the next call with them. */
ZS_API const char *zs_options_error(const struct zs_options *options);

/* Nodes that were opened keep what they need. NULL-safe, sets *self NULL. */
ZS_API void zs_options_free(struct zs_options **self);

/* ---- A node */

/*
 * Opens a node: reads its identity, opens its ports. *node is NULL on failure:
 * ZS_CONFIGURATION, ZS_SYSTEM or ZS_NO_MEMORY, with the reason in
 * zs_options_error. The
 * callbacks are copied; NULL: none. Then start it, or run it.
 */
ZS_API enum zs_error zs_node_open(struct zs_node **node,
                                  struct zs_options *options,
                                  const struct zs_callbacks *callbacks);

/* Runs the node in a thread of its own, which takes no signals. ZS_BAD_REQUEST
 * if it runs already; ZS_SYSTEM if there is no thread to be had. */
ZS_API enum zs_error zs_node_start(struct zs_node *node);

/*
 * Or the program runs it in its own loop, always on one thread: when the
 * descriptor is readable (poll, epoll, ...), or zs_node_timeout milliseconds
 * passed (-1: no limit; 0: at once), call zs_node_process. It does what there
 * is to do, calls the callbacks, and never waits. Ask for the timeout after
 * each zs_node_process. The descriptor stays the same and belongs to the node.
 *
 * zs_node_process: ZS_CLOSED once the node has stopped; ZS_BAD_REQUEST from a
 * callback, or after zs_node_start.
 */
ZS_API int zs_node_fd(const struct zs_node *node);
ZS_API int zs_node_timeout(struct zs_node *node);
ZS_API enum zs_error zs_node_process(struct zs_node *node);

/*
 * Begins the end, and returns at once: what was accepted is delivered, as far
 * as that takes no longer than a second (and half a second before that, while
 * it waits for a peer that takes no more), then goodbye is said. Whatever is
 * still open is told to its callback, and from now on everything is ZS_CLOSED.
 * The node is still to be closed. [any thread]
 */
ZS_API void zs_node_stop(struct zs_node *node);

/*
 * Stops the node, waits until it is done (1.5 s at the most, or a little more
 * on a busy machine), frees it and sets *self NULL. No thread may use it any
 * more. Without zs_node_start the last callbacks are called from within.
 * NULL-safe. ZS_BAD_REQUEST, and nothing happens, from within a callback of the
 * node's: call zs_node_stop there.
 */
ZS_API enum zs_error zs_node_close(struct zs_node **self);

/* Who it is; valid as long as the node. [any thread] */
ZS_API const char *zs_node_name(const struct zs_node *node);
ZS_API const char *zs_node_id(const struct zs_node *node);

/* ---- Sending */

struct zs_delivery {
    struct zs_node *node;
    /* ZS_OK: the peer's node has it. Of a publication: it is under way to all
     * who were present. Else why not: ZS_UNKNOWN_PEER ... ZS_TOO_LARGE,
     * ZS_UNKNOWN_REQUEST, ZS_CLOSED. */
    enum zs_error error;
    enum zs_path path; /* that it went by; not of a publication */
    int64_t rtt_us;    /* of that path (of zs_ping: measured); < 0: unknown */
    uint32_t peers;    /* of a publication: to so many */
};

/* Told once for each call that returned ZS_OK, on the loop. */
typedef void zs_delivered(void *context, const struct zs_delivery *delivery);
/* The same for a request: `reply` is NULL unless `error` is ZS_OK. */
typedef void zs_replied(void *context, enum zs_error error,
                        const struct zs_message *reply);

/*
 * All of these put the message into the node's queue and return: ZS_OK,
 * ZS_BUSY, ZS_TOO_LARGE, ZS_BAD_REQUEST (no type of 1 to 255 bytes of UTF-8,
 * ZS_JSON that is no JSON, a group that is no name or that this node's
 * certificate forbids), ZS_CLOSED. `delivered` may be NULL. `to` is a name, an
 * id, or 8 or more of its first digits if these are unique. What one thread
 * sends to one peer arrives once, in order.
 *
 * The queue holds what was accepted and is not settled: 65,536 messages or
 * 64 MiB, whichever is less (or one message, whatever its size). A message
 * waits there while its peer's window is full (a publication: while any peer
 * lags behind). [any thread]
 */
ZS_API enum zs_error zs_send(struct zs_node *node, const char *to,
                             const char *type, struct zs_data data,
                             zs_delivered *delivered, void *context);
/* To the members of a group; NULL: to every node present. */
ZS_API enum zs_error zs_publish(struct zs_node *node, const char *group,
                                const char *type, struct zs_data data,
                                zs_delivered *delivered, void *context);
/* `replied` is told ZS_TIMEOUT after so many milliseconds; <= 0: 5000. */
ZS_API enum zs_error zs_request(struct zs_node *node, const char *to,
                                const char *type, struct zs_data data,
                                int timeout_ms, zs_replied *replied,
                                void *context);
/* Measures the round trip to the peer's node: `delivered` is told the path and
 * how long it took, or ZS_TIMEOUT after so many milliseconds (<= 0: 5000), or
 * ZS_NOT_DELIVERED if the path broke meanwhile. It overtakes what waits in the
 * queue, and is lost with its path: nothing sends it again. */
ZS_API enum zs_error zs_ping(struct zs_node *node, const char *to,
                             int timeout_ms, zs_delivered *delivered,
                             void *context);
/* Replies to a request, from its callback or later: once, and only if
 * `on_message` got it. Else `delivered` is told ZS_UNKNOWN_REQUEST. */
ZS_API enum zs_error zs_reply(struct zs_node *node,
                              const struct zs_request *request,
                              const char *type, struct zs_data data,
                              zs_delivered *delivered, void *context);

/* Groups whose publications this node gets, besides node.groups. Joining twice
 * and leaving what one is not in do nothing. ZS_BAD_REQUEST: no name, forbidden
 * by the certificate, or more than 64 groups. ZS_CLOSED. [any thread] */
ZS_API enum zs_error zs_join(struct zs_node *node, const char *group);
ZS_API enum zs_error zs_leave(struct zs_node *node, const char *group);

/* ---- Who is there */

/* The nodes that are present: a copy, in no order, to be freed. Groups, info
 * and round trips are at most about 250 ms old. NULL: there is no memory for
 * it. [any thread] */
ZS_API struct zs_peers *zs_peers_get(struct zs_node *node);
ZS_API size_t zs_peers_count(const struct zs_peers *peers);
/* Valid until zs_peers_free; NULL if there is none. */
ZS_API const struct zs_peer *zs_peers_at(const struct zs_peers *peers,
                                         size_t index);
/* NULL-safe, sets *self NULL. */
ZS_API void zs_peers_free(struct zs_peers **self);

enum zs_relay_state { ZS_RELAY_DOWN, ZS_RELAY_CONNECTING, ZS_RELAY_UP };
/* "down", "connecting", "up". [any thread] */
ZS_API const char *zs_relay_state_name(enum zs_relay_state state);

/* A relay of the identity's or of the settings, as this node sees it. */
struct zs_relay {
    const char *url;
    const char *name; /* what it calls itself; "" until it did */
    enum zs_relay_state state;
    const char *error;   /* why it is not up, a word; "" if nothing is known */
    const char *outside; /* where it sees this node come from; "" if unknown */
    int64_t rtt_us;      /* < 0: unknown */
};

/* The node's relays, in the order of its settings: a copy, to be freed, at most
 * about 250 ms old. NULL: there is no memory for it. [any thread] */
ZS_API struct zs_relays *zs_relays_get(struct zs_node *node);
ZS_API size_t zs_relays_count(const struct zs_relays *relays);
/* Valid until zs_relays_free; NULL if there is none. */
ZS_API const struct zs_relay *zs_relays_at(const struct zs_relays *relays,
                                           size_t index);
/* NULL-safe, sets *self NULL. */
ZS_API void zs_relays_free(struct zs_relays **self);

#ifdef __cplusplus
}
#endif

#endif
