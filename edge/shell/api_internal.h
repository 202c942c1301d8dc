/*
 * api_internal - declarations that the files of the local API share; for api*.c
 * only.
 *
 * api.c           opens and closes; observes the edge for the other files
 * api_accept.c    the listener
 * api_socket.c    the socket's path: its folder, stale and living sockets
 * api_client.c    one client's bytes: lines in, batched answers out
 * api_slices.c    time slices of the clients
 * api_memory.c    the memory of all clients, and each one's share
 * api_slow.c      clients that read too slowly
 * api_request.c   parses a line; reports fields unknown to its operation
 * api_ref.c       finds the ref of a line that is not valid
 * api_ops.c       the table of operations and their fields
 * api_pending.c   a client's operations from their start to their answer
 * api_events.c    subscriptions, and events as text
 * api_groups.c    the node's groups, and the clients that need them
 * api_revoke.c    revocation lists of clients, until they are stored
 * api_status.c    status and peers as text
 * api_health.c    problems and their remedies as text
 * api_refusals.c  refusals between this node and others, as text
 * api_netcheck.c  the netcheck that clients ask for, and its answer
 * api_metrics.c   the node's counters in Prometheus' format
 */
#ifndef EDGE_SHELL_API_INTERNAL_H
#define EDGE_SHELL_API_INTERNAL_H

#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/text.h"
#include "edge/shell/api.h"
#include "edge/shell/api_ref.h"
#include "edge/shell/operations.h"

enum {
    API_READ_SIZE = 64 * 1024,
    API_READS = 8,         /* of one client in its time slice */
    API_LINE_SLACK = 4096, /* for the other fields of a line than the data */
    /* The API does not read from a client with more than this: open operations
     * and their bytes, ... */
    API_PENDING = 64 * 1024,
    API_PENDING_BYTES = 64 * 1024 * 1024,
    /* ... bytes of operations behind others that wait for a busy peer, ... */
    API_BEHIND = 256 * 1024,
    /* ... or unread output. It then waits for the client, ... */
    API_UNREAD = 8 * 1024 * 1024,
    /* ... and cuts it off at this much. */
    API_UNREAD_MOST = 32 * 1024 * 1024,
    /* The time that all slices of one turn of the loop may take together. A
     * client that comes later still gets the shortest slice. */
    API_ROUND_US = 4000,
    API_SLICE_US = 100,
    API_FILTERS = 64,
    API_TYPE_SIZE = 255,
    API_NAME_SIZE = 2 * KEY_SIZE + 1, /* of a peer: name or hexadecimal id */
    API_ID_DIGITS = 8,                /* of an id, at least */
    API_TIMEOUT_MS = 5000,
};

/* The kinds of events, as bits of a subscription. */
enum api_event {
    EVENT_JOIN = 1,
    EVENT_LEAVE = 2,
    EVENT_MESSAGE = 4,
    EVENT_EVENT = 8,
    EVENT_PATH = 16,
    EVENT_GAP = 32,
    EVENT_ALL = 63,
};

struct filter { /* count 0: all names pass */
    size_t count;
    char *names[API_FILTERS];
};

struct client_subscription {
    bool on;
    unsigned events; /* enum api_event, or-ed */
    struct filter types;
    struct filter groups;
    struct filter member_of; /* groups that the node is in meanwhile; they do
                                not filter events */
};

/* The fields that requests have, as bits. */
enum request_field {
    FIELD_OP = 1 << 0,
    FIELD_REF = 1 << 1,
    FIELD_TO = 1 << 2,
    FIELD_TYPE = 1 << 3,
    FIELD_DATA = 1 << 4,
    FIELD_DATA_B64 = 1 << 5,
    FIELD_GROUP = 1 << 6,
    FIELD_GROUPS = 1 << 7,
    FIELD_TYPES = 1 << 8,
    FIELD_MEMBER_OF = 1 << 9,
    FIELD_EVENTS = 1 << 10,
    FIELD_WAIT = 1 << 11,
    FIELD_TIMEOUT = 1 << 12,
    FIELD_REQUEST = 1 << 13,
    FIELD_ALL = (1 << 14) - 1,
};

/* The members of a request as JSON values in the line; empty: missing. */
struct request {
    struct bytes op, ref, to, type, data, data_b64, group, groups, types;
    struct bytes member_of, events, wait, timeout;
    struct bytes request; /* a reply's token, or the ref to cancel */
    unsigned given;       /* enum request_field, or-ed */
    struct bytes unknown; /* the first unknown key, in the line */
    bool has_unknown;     /* there is one; it may be empty */
    bool twice;           /* a member is there twice */
};

/* A request of a client until it is answered. */
struct pending {
    struct operation operation;
    struct client *client;
    struct bytes ref; /* that the answer repeats; in `room` */
    uint8_t room[];   /* also for data that came as base64 */
};

struct client {
    struct api *api;
    struct client *previous, *next;
    int fd;
    bool attached; /* by api_attach: ignores a last line without an end */
    struct api_carrier carrier; /* if attached; fd is NULL without one */
    uv_poll_t poll;
    int events;              /* of the poll */
    struct text in;          /* the beginning of a line */
    bool skipping;           /* the rest of a line that is too long */
    struct ref_scan skipped; /* of that line */
    struct text todo;        /* read, and not handled from `taken` on */
    size_t taken;
    bool waits; /* for its time slice */
    struct client *next_waiting;
    bool hung;    /* the other side closed while `todo` has lines */
    size_t held;  /* bytes of memory, when last counted */
    bool deaf;    /* the other side does not read any more */
    bool ended;   /* the API does not read from it any more */
    bool cut;     /* cut off: its last line is the end of `out` */
    bool closing; /* libuv closes its handle, then it is freed */
    struct text out;
    size_t sent;        /* of `out` */
    struct span waited; /* the API, for it, without progress */
    bool dirty;         /* it is in the API's list of clients to flush */
    struct client *dirty_next;
    struct operation_owner pending;
    size_t netchecks; /* that it waits for */
    struct client_subscription subscription;
    /* A cache: the last peer by the name that the client uses. */
    char to[API_NAME_SIZE];
    struct node_id to_id;
    uint64_t to_generation;
};

struct group_list {
    size_t count;
    char names[ANNOUNCEMENT_GROUPS][NAME_MAX_SIZE + 1];
};

struct api {
    struct edge *edge;
    uv_loop_t *loop;
    struct edge_observer observer;
    char *socket;
    int socket_lock; /* -1: none */
    char *info;
    char *http_url; /* "" without HTTP */
    char *http_page;
    char *http_token;
    size_t message_limit;
    size_t line_limit;
    size_t memory; /* the limit of all clients */
    size_t held;   /* bytes of all clients */
    size_t freed;  /* bytes of closed clients since the last malloc_trim */
    struct client *waiting_first, **waiting_end; /* for a time slice */
    size_t waiting;                              /* their number */
    struct instant slice_until;                  /* end of the current slice */
    struct instant round_until; /* and of all slices of the round */
    uint64_t round; /* the loop's time (uv_now) when the round began */
    struct mesh_id mesh;
    uint64_t not_before, not_after;
    int fd;    /* of the listener; -1: none */
    int spare; /* a descriptor in reserve, to refuse a client; or -1 */
    uv_poll_t listener;
    uv_timer_t rest; /* of the listener, while there are no descriptors */
    struct instant starved_at; /* when they ran out; or NEVER */
    uv_idle_t flusher;
    size_t handles; /* open ones: these and the timer of `operations` */
    bool closing;
    struct client *clients;
    size_t client_count;
    size_t client_limit; /* at most API_CLIENTS */
    struct client *dirty;
    struct operations operations;
    uint64_t generation;      /* of the set of peers; never 0 */
    struct group_list groups; /* of the configuration, or added by `join` */
    struct text line;         /* an event that is being written */
    enum api_keep (*keep)(void *context, const struct revocation *list,
                          struct bytes encoded);
    void *keep_context;
    struct keeping *keepings;
    size_t keeping_count;
    struct netcheck *netcheck; /* NULL: none runs */
    struct netcheck_ask *netcheck_asks;
    size_t netcheck_ask_count;
    char read_room[API_READ_SIZE];
};

/* api_socket.c: frees `path` for a new socket. Returns a lock on a file beside
 * it, to be held as long as the socket exists; or -1 with a line in `error`. */
int api_socket_claim(const char *path, char error[API_ERROR_SIZE]) MUST_USE;
/* Removes the socket and the lock's file. */
void api_socket_release(const char *path, int lock);
/* The default path for a node's name; the caller frees it. */
char *api_socket_default(const char *name);

/* api_accept.c: listens on the socket's path. Returns 0 or a libuv error. */
int api_listen(struct api *a);
/* When the listener's handle is closed. */
void api_unlisten(struct api *a);

/* api_client.c */
/* Adds a client on a connected socket, which the client then owns. */
void client_attach(struct api *a, int fd, const struct api_carrier *carrier);
void client_close(struct client *c);
/* Polls the client for reading if its limits allow; closes it when it has ended
 * and all is answered. Call it after each answer. */
void client_review(struct client *c);
void clients_review(struct api *a);
/* The output, to append answers and events; flushed at the end of the turn. */
struct text *client_out(struct client *c);
size_t client_unread(const struct client *c);
/* Writes as much output as the socket takes. */
void client_flush(struct client *c);
/* Gives the waiting clients their time slices, and writes all output. */
void clients_flush(struct api *a);
/* clients_flush will run before the loop sleeps. */
void clients_awake(struct api *a);
/* The node leaves the groups of the subscription, too. */
void client_unsubscribe(struct client *c);

/* Handles lines of `todo`, as far as the time slice and the limits allow. */
void client_run(struct client *c);

/* api_slices.c: each client gets a time slice per round, so that a client that
 * sends without end delays the others by one slice only. */
void slice_begin(struct api *a);
bool slice_over(const struct api *a);
/* Appends the client to the queue for slices, if it is not there. */
void slice_wait(struct client *c);
void slice_leave(struct client *c);
/* Runs each client that waits for one slice. */
void slices_run(struct api *a);

/* api_memory.c */
/* Call it when the client's buffers changed, and when it closes. */
void memory_count(struct client *c);
void memory_forget(struct client *c);
/* Gives much freed memory back to the system. */
void memory_give_back(struct api *a);
/* The bytes that one client may have unread or in open operations before the
 * API stops reading from it: the more all clients hold, the less. */
size_t memory_share(const struct api *a);

/* api_slow.c: waits a little for clients with much unread output. */
void slow_wait(struct api *a);
/* Cuts off clients with too much unread output, and the largest client while
 * all together hold too much. The last line that they get says why. */
void slow_cut(struct api *a);

/* api_request.c: false if the line is not a JSON object. */
bool request_parse(struct bytes line, struct request *r) MUST_USE;
/* True if the request has no fields but these, and `op` and `ref`. */
bool request_has_only(const struct request *r, unsigned fields) MUST_USE;
/* Writes which field is unknown, and the nearest field of the operation. `op`
 * may be NULL: the request names no operation. */
void request_tell_unknown(const struct request *r, unsigned fields,
                          const char *op, struct text *why);
/* Parses a list of strings, or one string. False: it is anything else, or
 * longer than API_FILTERS. On success the caller must close the filter. */
bool filter_parse(struct bytes value, struct filter *f) MUST_USE;
bool filter_passes(const struct filter *f, struct bytes name);
void filter_close(struct filter *f);
/* Parses milliseconds or a duration as text; an empty value is `fallback`. */
bool timeout_parse(struct bytes value, struct span fallback,
                   struct span *s) MUST_USE;

/* api_ops.c: carries out the request of a line. */
void client_line(struct client *c, struct bytes line);
/* Write {"ref":...,"ok":true and }\n; the caller adds members in between. */
struct text *answer_begin(struct client *c, struct bytes ref);
void answer_end(struct text *out);
void answer_error(struct client *c, struct bytes ref, const char *error,
                  const char *message);

/* api_pending.c */
struct pending_ask {
    enum operation_kind kind;
    struct node_id to;
    struct message message; /* borrowed, but for the data */
    struct bytes data;      /* JSON; if `base64`, that text */
    bool base64;
    struct bytes ref;
    struct span timeout; /* 0: none */
    bool wait;
};

/* Decodes base64 without line breaks, padded or not, from inside a JSON string.
 * `to` has room for text.size bytes. */
bool base64_decode(struct bytes text, uint8_t *to, size_t *size) MUST_USE;
/* Starts the operation, or answers an error (bad base64, too large). */
void pending_ask(struct client *c, const struct pending_ask *ask);
/* Answers the client: the callback of struct operations. */
void pending_ended(void *context, struct operation *op,
                   const struct operation_end *end);
/* Ends the client's operation with this ref, with the answer `cancelled`. Too
 * late: the node has the message already, and there is no reply to wait for. */
enum pending_cancelled {
    PENDING_CANCELLED,
    PENDING_TOO_LATE,
    PENDING_UNKNOWN
} pending_cancel(struct client *c, struct bytes ref) MUST_USE;
/* Forgets all operations of a client that closes. */
void pending_drop(struct client *c);

/* api_events.c */
bool subscription_parse(const struct request *r, struct client_subscription *s,
                        const char **wrong) MUST_USE;
void subscription_close(struct client_subscription *s);
/* Writes a join event for each present peer, then `synced`. */
void events_snapshot(struct client *c);
void events_joined(struct api *a, const struct node_peer *peer);
void events_left(struct api *a, const struct node_peer *peer,
                 enum departure reason);
void events_path(struct api *a, const struct node_peer *peer,
                 enum node_path was);
void events_message(struct api *a, const struct node_peer *peer,
                    const struct message *message);
void events_gap(struct api *a, const struct node_peer *peer, uint64_t missed);
/* ,"data":... or ,"data_b64":"..." */
void text_add_data(struct text *t, const struct message *message);

/* api_revoke.c: passes the list to the edge; the answer follows when it is
 * stored. */
void revoke_given(struct client *c, struct bytes ref,
                  const struct revocation *list, struct bytes encoded);
/* The client closes. */
void revoke_forget(struct client *c);
void revoke_close(struct api *a);

/* api_netcheck.c: looks at the network and answers when that is done. Clients
 * that ask meanwhile get the same answer. */
void netcheck_ask(struct client *c, struct bytes ref);
/* The client closes. */
void netcheck_forget(struct client *c);

/* api_groups.c: false if the name is not valid, or the list is full. */
bool groups_add(struct group_list *list, const char *name) MUST_USE;
void groups_remove(struct group_list *list, const char *name);
/* Passes the current groups to the node. */
void groups_tell(struct api *a);
/* All groups that the node is in. */
void groups_collect(const struct api *a, struct group_list *list);

/* api_status.c: the counters of struct node_counters; the last name is NULL. */
struct api_counter {
    const char *name;
    size_t offset;
};
extern const struct api_counter api_counters[];
uint64_t api_counter_of(const struct node_counters *values,
                        const struct api_counter *counter);

/* A line of health: a problem, and what to do. */
struct health {
    const char *severity; /* ok info warning error */
    const char *code;
    const char *remedy;
};
/* Appends a line to the list; `what` is its text, and empty afterwards. */
void health_add(struct text *t, const struct health *h, struct text *what);
/* Writes all lines. */
void health_write(const struct api *a, struct text *t, struct text *what);

/* ,"key":"value" */
void member_add(struct text *t, const char *key, const char *value);

/* api_refusals.c */
void refusals_write(const struct api *a, struct text *t);
void health_refusals(const struct api *a, struct text *t, struct text *what);
/* "carol refuses this node: full." */
void refusal_say_it(struct text *t, const struct node_refusal *r);
/* Finds a refusal between this node and another one (by id, or by name). */
bool refusal_of_peer(const struct api *a, const char *name,
                     const struct node_id *id, struct node_refusal *r) MUST_USE;

/* Write members of an answer, each with a comma before it. */
void status_write(const struct api *a, struct text *t, bool by_http);
void peers_write(const struct api *a, struct text *t);
/* "id":..,"name":..,"info":..,"groups":..,"path":.. without a comma before. */
void peer_write(struct text *t, const struct node_peer *peer);
/* "endpoint":"..." of the path; of a relay whose address is unknown, its URL */
void endpoint_write(const struct api *a, struct text *t,
                    const struct node_peer *peer);

#endif
