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
 * THREADS. A node runs on a loop, which calls all callbacks of the node, one at
 * a time. Either the library runs the loop in its own thread (zs_node_start),
 * or the program runs the loop in its own event loop (zs_node_fd,
 * zs_node_timeout, zs_node_process), without a switch between threads. Any
 * thread may call a function marked [any thread] at any time between
 * zs_node_open and zs_node_close, also in a callback. The library holds no lock
 * in a callback. A callback that takes long delays the node.
 *
 * OWNERSHIP. The arguments of a callback are valid until the callback returns.
 * Functions copy their arguments. A program may have several nodes, each with
 * its own identity: of two nodes with one identity, peers see only the later.
 * After fork() the child cannot use the parent's nodes: each call on such a
 * node returns at once with ZS_CLOSED (or without a descriptor, peers or
 * relays), and zs_node_close frees nothing. The child may open its own nodes.
 *
 * ERRORS. A function that can fail returns an enum zs_error. The library never
 * prints or exits, and no caller, file or peer can make it abort. (A bug in the
 * library ends the process. The library calls srand(), because libzmq uses
 * rand() for numbers that must not be guessed.)
 *
 * MEMORY. When malloc fails in a call, the call returns ZS_NO_MEMORY or NULL
 * and has no effect. When malloc fails on a node's loop, the node uses its
 * reserve of a few MiB. If the node can fill the reserve again, there is no
 * effect. If it cannot, the node ends without goodbye, and each open call gets
 * ZS_NO_MEMORY; its message may or may not have arrived. zs_node_close works as
 * usual. This applies to the library's own allocations. libzmq and libuv end
 * the process when some of theirs fail: see "Without memory" in
 * ARCHITECTURE.md.
 */
#ifndef EDGE_LIB_ZEROSERVICES_H
#define EDGE_LIB_ZEROSERVICES_H

#include <stddef.h>
#include <stdint.h>

#define ZS_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Names */

enum zs_error {
    ZS_OK,
    ZS_UNKNOWN_PEER,    /* no peer with this name or id is present */
    ZS_NOT_DELIVERED,   /* the peer's node did not acknowledge the message: the
                           peer left or refuses this node; or the peer is
                           present, and this node found no path to it for 10 s;
                           or its connection broke, and it did not return within
                           10 s; or it was silent for 60 s */
    ZS_PEER_RESTARTED,  /* the peer's process ended before it acknowledged */
    ZS_BUSY,            /* the queue is full; on_ready follows */
    ZS_TOO_LARGE,       /* larger than limits.message of either node */
    ZS_TIMEOUT,         /* no reply in time, or the peer left without one */
    ZS_UNKNOWN_REQUEST, /* replied to already, or the requester has left */
    ZS_BAD_REQUEST,     /* an invalid argument, or a call at the wrong time */
    ZS_CLOSED,          /* the node is being closed */
    ZS_CONFIGURATION,   /* an invalid setting, file or identity */
    ZS_SYSTEM,          /* the system refused: a port is in use, no thread */
    ZS_NO_MEMORY,       /* malloc failed; in a callback: the node ended */
};

/* "ok", "unknown_peer", ...: stable, for programs. Never NULL. [any thread] */
ZS_API const char *zs_error_name(enum zs_error error);
/* A sentence for people. Never NULL. [any thread] */
ZS_API const char *zs_error_text(enum zs_error error);
/* The version of the linked library: "0.1.0". [any thread] */
ZS_API const char *zs_version(void);

/* The path of messages to a peer. NONE: beacons or a relay show that the peer
 * is present, but no connection reaches it now. Messages to it wait up to 10 s
 * for a connection. A new peer may have NONE. */
enum zs_path { ZS_PATH_NONE, ZS_PATH_TCP, ZS_PATH_UDP, ZS_PATH_RELAY };
/* "none", "tcp", "udp", "relay". [any thread] */
ZS_API const char *zs_path_name(enum zs_path path);

/* Why a peer left. */
enum zs_reason {
    ZS_LEFT_CLOSED = 1, /* the peer said goodbye */
    ZS_LEFT_LOST,       /* the connection broke, or the peer was silent */
    ZS_LEFT_REVOKED,    /* its certificate was revoked or expired */
    ZS_LEFT_REFUSED,    /* the peer refuses this node: see the log */
};
/* "closed", "lost", "revoked", "refused". [any thread] */
ZS_API const char *zs_reason_name(enum zs_reason reason);

enum zs_level { ZS_LOG_ERROR, ZS_LOG_WARN, ZS_LOG_INFO, ZS_LOG_DEBUG };

/* ---- Messages */

enum zs_encoding {
    ZS_BYTES,  /* any bytes */
    ZS_JSON,   /* one JSON value, as text */
    ZS_STRING, /* only to send: UTF-8 text, sent as a JSON string */
};

struct zs_data {
    const void *bytes; /* without a NUL at the end */
    size_t size;
    enum zs_encoding encoding;
};

/* Data to send, by value: zs_string("hello"), zs_json("{\"a\":1}"),
 * zs_bytes(p, n). `text` ends with a NUL; NULL is the empty text. The result
 * points to the argument. [any thread] */
ZS_API struct zs_data zs_string(const char *text);
ZS_API struct zs_data zs_json(const char *text);
ZS_API struct zs_data zs_bytes(const void *bytes, size_t size);

/* Names a peer's request in zs_reply. To reply later, keep a copy of the
 * struct; there is nothing to free. */
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
    /* As the peer sent it. The library has checked that ZS_JSON is JSON. */
    struct zs_data data;
    const struct zs_request *request; /* not NULL: the sender awaits a reply */
};

/* Writes the data as text to `room`, cut to `size` bytes with a NUL at the end:
 * a JSON string without quotes and escapes, other data unchanged. Returns
 * `room`. [any thread] */
ZS_API const char *zs_text(const struct zs_message *message, char *room,
                           size_t size);

/* A present peer, as this node sees it. */
struct zs_peer {
    const char *id;   /* 64 hexadecimal digits */
    const char *name; /* unique in the mesh */
    const char *info; /* its node.info; usually JSON, but not checked */
    const char *const *groups;
    size_t group_count;
    enum zs_path path;
    const char *endpoint; /* the other end of the path; "" if unknown */
    int64_t rtt_us;       /* the last round trip; < 0: unknown */
};

/* ---- Callbacks */

/* Each may be NULL. The node's loop calls them in the order of the events:
 * on_new_node is the first call for a peer, on_node_close the last. There is no
 * call before zs_node_start or zs_node_process (except on_log, from
 * zs_node_open), and none after zs_node_close. */
struct zs_callbacks {
    void *context; /* the first argument of each */
    void (*on_new_node)(void *context, struct zs_node *node,
                        const struct zs_peer *peer);
    void (*on_node_close)(void *context, struct zs_node *node,
                          const struct zs_peer *peer, enum zs_reason reason);
    /* A message to this node only; a request if message->request is not NULL.
     */
    void (*on_message)(void *context, const struct zs_message *message);
    /* A publication to all nodes, or to a group of this node. */
    void (*on_event)(void *context, const struct zs_message *message);
    void (*on_path)(void *context, struct zs_node *node,
                    const struct zs_peer *peer, enum zs_path was);
    /* This node will not receive `missed` publications of the peer. */
    void (*on_gap)(void *context, struct zs_node *node,
                   const struct zs_peer *peer, uint64_t missed);
    /* After ZS_BUSY: the queue has room again. */
    void (*on_ready)(void *context, struct zs_node *node);
    /* A line that log.level allows: a stable event name, and key=value pairs.
     */
    void (*on_log)(void *context, enum zs_level level, const char *event,
                   const char *details);
};

/* ---- Options */

/* The settings of a node, as in edge.yaml, with their defaults. Only one thread
 * at a time may use them. NULL: the system has no randomness, or malloc
 * failed. */
ZS_API struct zs_options *zs_options_new(void);

/* Reads all settings from a file like edge.yaml, which names node.identity.
 * This replaces all earlier settings, so load first. ZS_CONFIGURATION:
 * zs_options_error lists all mistakes in the file, one per line, and the
 * settings are the defaults. */
ZS_API enum zs_error zs_options_load(struct zs_options *options,
                                     const char *path);

/*
 * Sets one key of edge.yaml to a text: zs_options_set(o, "node.identity",
 * "alice.zs"), (o, "discovery.multicast", "false"), (o, "node.info",
 * "{role: camera}"), (o, "limits.window", "8MiB"). For a list ("relays",
 * "node.groups", "discovery.peers", "listen.interfaces") it adds an item, and
 * "" empties the list. ZS_CONFIGURATION: an unknown key or an invalid value;
 * nothing changed. ZS_BAD_REQUEST: a node uses these options.
 */
ZS_API enum zs_error zs_options_set(struct zs_options *options, const char *key,
                                    const char *value);

/* Replaces node.identity: all nodes that know the passphrase form the mesh, and
 * this node gets a fresh key and the name `name`. zs_node_open then takes about
 * 0.2 s and 64 MiB, on purpose. */
ZS_API enum zs_error zs_options_passphrase(struct zs_options *options,
                                           const char *name,
                                           const char *passphrase);

/* What happens when the queue is full. 0, the default: a call returns ZS_BUSY
 * at once. Else a call waits until there is room, but not on the loop's thread
 * nor without zs_node_start: there it returns ZS_BUSY. */
ZS_API enum zs_error zs_options_wait(struct zs_options *options, int wait);

/* The last error of these options, or of opening a node with them, as text for
 * people; "" if there was none. Valid until the next call with them. */
ZS_API const char *zs_options_error(const struct zs_options *options);

/* Open nodes are not affected. NULL-safe; sets *self to NULL. */
ZS_API void zs_options_free(struct zs_options **self);

/* ---- A node */

/*
 * Opens a node: reads its identity and opens its ports. On failure
 * (ZS_CONFIGURATION, ZS_SYSTEM, ZS_NO_MEMORY) *node is NULL, and
 * zs_options_error has the reason. The library copies the callbacks; NULL:
 * none. Then call zs_node_start, or run the node's loop.
 */
ZS_API enum zs_error zs_node_open(struct zs_node **node,
                                  struct zs_options *options,
                                  const struct zs_callbacks *callbacks);

/* Runs the node in its own thread, with all signals blocked. ZS_BAD_REQUEST:
 * the node runs already. ZS_SYSTEM: the system has no thread for it. */
ZS_API enum zs_error zs_node_start(struct zs_node *node);

/*
 * For a program that runs the node in its own loop, always on one thread. Call
 * zs_node_process when the descriptor is readable (poll, epoll, ...), or after
 * zs_node_timeout milliseconds (-1: no limit; 0: at once). zs_node_process does
 * all pending work, calls the callbacks, and never waits. Get the timeout again
 * after each zs_node_process. The descriptor never changes and belongs to the
 * node.
 *
 * zs_node_process: ZS_CLOSED once the node has stopped; ZS_BAD_REQUEST from a
 * callback, or after zs_node_start.
 */
ZS_API int zs_node_fd(const struct zs_node *node);
ZS_API int zs_node_timeout(struct zs_node *node);
ZS_API enum zs_error zs_node_process(struct zs_node *node);

/*
 * Begins to stop the node, and returns at once. The node delivers accepted
 * messages, for one second at most (after half a second at most for messages
 * that wait for a busy peer), then says goodbye to its peers. Each call without
 * a result gets one in its callback; later calls return ZS_CLOSED. The program
 * must still call zs_node_close. [any thread]
 */
ZS_API void zs_node_stop(struct zs_node *node);

/*
 * Stops the node, waits until it has stopped (1.5 s at most, or a little more
 * on a busy machine), frees it and sets *self to NULL. No thread may use the
 * node any more. Without zs_node_start this function calls the last callbacks.
 * NULL-safe. In a callback of the node it returns ZS_BAD_REQUEST and has no
 * effect: call zs_node_stop there.
 */
ZS_API enum zs_error zs_node_close(struct zs_node **self);

/* The node's name and id; valid as long as the node. [any thread] */
ZS_API const char *zs_node_name(const struct zs_node *node);
ZS_API const char *zs_node_id(const struct zs_node *node);

/* ---- Sending */

struct zs_delivery {
    struct zs_node *node;
    /* ZS_OK: the peer's node has the message; a publication: the node sends it
     * to all present receivers. Else the reason: ZS_UNKNOWN_PEER ...
     * ZS_TOO_LARGE, ZS_UNKNOWN_REQUEST, ZS_CLOSED. */
    enum zs_error error;
    enum zs_path path; /* of the message; not of a publication */
    int64_t rtt_us;    /* of that path (zs_ping: measured); < 0: unknown */
    uint32_t peers;    /* the number of receivers of a publication */
};

/* The loop calls it once for each call that returned ZS_OK. */
typedef void zs_delivered(void *context, const struct zs_delivery *delivery);
/* The same for a request: `reply` is NULL unless `error` is ZS_OK. */
typedef void zs_replied(void *context, enum zs_error error,
                        const struct zs_message *reply);

/*
 * These functions put the message into the node's queue and return ZS_OK,
 * ZS_BUSY, ZS_TOO_LARGE, ZS_BAD_REQUEST (the type is not 1 to 255 bytes of
 * UTF-8, ZS_JSON is not JSON, the group is not a name or not allowed by this
 * node's certificate) or ZS_CLOSED. `delivered` may be NULL. `to` is a name, an
 * id, or the first digits of an id, at least 8, if they are unique. Messages of
 * one thread to one peer arrive once each, in order.
 *
 * The queue holds accepted messages without a result: 65,536 messages or 64
 * MiB, whichever is less (or one message of any size). A message waits there
 * while its peer's window is full (a publication: while a receiver lags
 * behind). [any thread]
 */
ZS_API enum zs_error zs_send(struct zs_node *node, const char *to,
                             const char *type, struct zs_data data,
                             zs_delivered *delivered, void *context);
/* To the members of a group; NULL: to each present node. */
ZS_API enum zs_error zs_publish(struct zs_node *node, const char *group,
                                const char *type, struct zs_data data,
                                zs_delivered *delivered, void *context);
/* `replied` gets ZS_TIMEOUT after `timeout_ms`; <= 0: 5000. */
ZS_API enum zs_error zs_request(struct zs_node *node, const char *to,
                                const char *type, struct zs_data data,
                                int timeout_ms, zs_replied *replied,
                                void *context);
/* Measures the round trip to the peer's node: `delivered` gets the path and the
 * round trip, or ZS_TIMEOUT after `timeout_ms` (<= 0: 5000), or
 * ZS_NOT_DELIVERED if the path broke meanwhile. A ping overtakes queued
 * messages. It is lost with its path: the node does not resend it. */
ZS_API enum zs_error zs_ping(struct zs_node *node, const char *to,
                             int timeout_ms, zs_delivered *delivered,
                             void *context);
/* Replies to a request, in on_message or later. A second reply to one request
 * ends with ZS_UNKNOWN_REQUEST, and so does a reply to any other request than
 * those of on_message. */
ZS_API enum zs_error zs_reply(struct zs_node *node,
                              const struct zs_request *request,
                              const char *type, struct zs_data data,
                              zs_delivered *delivered, void *context);

/* Add or remove a group whose publications this node gets, besides node.groups.
 * To join twice, or to leave a group that the node is not in, has no effect.
 * ZS_BAD_REQUEST: not a name, not allowed by the certificate, or more than 64
 * groups. ZS_CLOSED. [any thread] */
ZS_API enum zs_error zs_join(struct zs_node *node, const char *group);
ZS_API enum zs_error zs_leave(struct zs_node *node, const char *group);

/* ---- Peers and relays */

/* A list of the present peers, in no order; free it. Groups, info and round
 * trips are about 250 ms old at most. NULL: malloc failed. [any thread] */
ZS_API struct zs_peers *zs_peers_get(struct zs_node *node);
ZS_API size_t zs_peers_count(const struct zs_peers *peers);
/* Valid until zs_peers_free; NULL beyond the end. */
ZS_API const struct zs_peer *zs_peers_at(const struct zs_peers *peers,
                                         size_t index);
/* NULL-safe; sets *self to NULL. */
ZS_API void zs_peers_free(struct zs_peers **self);

enum zs_relay_state { ZS_RELAY_DOWN, ZS_RELAY_CONNECTING, ZS_RELAY_UP };
/* "down", "connecting", "up". [any thread] */
ZS_API const char *zs_relay_state_name(enum zs_relay_state state);

/* A relay of the identity or the settings, as this node sees it. */
struct zs_relay {
    const char *url;
    const char *name; /* its own name; "" until it was connected */
    enum zs_relay_state state;
    const char *error; /* why it is not up, one word; "" if unknown */
    const char
        *outside;   /* this node's address as the relay sees it; "": unknown */
    int64_t rtt_us; /* < 0: unknown */
};

/* A list of the node's relays, in the order of its settings, about 250 ms old
 * at most; free it. NULL: malloc failed. [any thread] */
ZS_API struct zs_relays *zs_relays_get(struct zs_node *node);
ZS_API size_t zs_relays_count(const struct zs_relays *relays);
/* Valid until zs_relays_free; NULL beyond the end. */
ZS_API const struct zs_relay *zs_relays_at(const struct zs_relays *relays,
                                           size_t index);
/* NULL-safe; sets *self to NULL. */
ZS_API void zs_relays_free(struct zs_relays **self);

#ifdef __cplusplus
}
#endif

#endif
