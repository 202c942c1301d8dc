/*
 * api_internal - what the parts of the local API share; for api*.c only.
 *
 * api.c         opens and closes, and is the observer that tells the parts
 * api_accept.c  the listener
 * api_socket.c  the socket's path: folder, stale and living sockets
 * api_client.c  one client's bytes: lines in, batched answers out
 * api_turn.c    whose turn it is, and what all clients hold
 * api_slow.c    clients that read more slowly than they are written to
 * api_request.c a line taken apart; fields that its operation does not have
 * api_ref.c     the ref of one that cannot be
 * api_ops.c     the operations and their fields, by a table
 * api_pending.c requests of clients from their start to their answer
 * api_events.c  subscriptions, and events as text
 * api_groups.c  the groups that the node is in, for whom
 * api_revoke.c  revocation lists that clients gave, until they are kept
 * api_status.c  status and peers as text
 * api_health.c  what is amiss, and what helps, as text
 * api_refusals.c  who refuses whom, as text
 * api_metrics.c the node's counters as Prometheus reads them
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
    API_READS = 8,         /* of one client in a turn */
    API_LINE_SLACK = 4096, /* a line holds more than the message's data */
    /* Of one client: not read while it has more than this under way, ... */
    API_PENDING = 64 * 1024,
    API_PENDING_BYTES = 64 * 1024 * 1024,
    /* ... has so much more to say to those who are BUSY, ... */
    API_BEHIND = 256 * 1024,
    /* ... or leaves so many bytes unread, and then it is waited for; ... */
    API_UNREAD = 8 * 1024 * 1024,
    /* ... and cut off when it leaves more than this unread. */
    API_UNREAD_MOST = 32 * 1024 * 1024,
    /* A round of turns takes so long, if no turn is shorter than this. */
    API_ROUND_US = 8000,
    API_TURN_US = 250,
    API_FILTERS = 64,
    API_TYPE_SIZE = 255,
    API_NAME_SIZE = 2 * KEY_SIZE + 1, /* of a peer: name or hexadecimal id */
    API_ID_DIGITS = 8,                /* of an id, at the least */
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

struct filter { /* count 0: everything passes */
    size_t count;
    char *names[API_FILTERS];
};

struct client_subscription {
    bool on;
    unsigned events; /* enum api_event, or-ed */
    struct filter types;
    struct filter groups;
    struct filter
        member_of; /* groups that the node is in meanwhile, without
                      a filter: as one of several listeners hears all */
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

/* The members of a request as JSON values, in the line; empty: missing. */
struct request {
    struct bytes op, ref, to, type, data, data_b64, group, groups, types;
    struct bytes member_of, events, wait, timeout;
    struct bytes request; /* a reply's token, or the ref to cancel */
    unsigned given;       /* enum request_field, or-ed */
    struct bytes unknown; /* the first key that is none of them, in the line */
    bool has_unknown;     /* there is one; it may be empty */
    bool twice;           /* one of them stands there twice */
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
    bool attached;              /* by api_attach: only whole lines count */
    struct api_carrier carrier; /* of an attached one; fd is NULL without */
    uv_poll_t poll;
    int events;              /* that are polled for */
    struct text in;          /* a line's begin that came without its end */
    bool skipping;           /* the rest of a line that is too long */
    struct ref_scan skipped; /* of that line */
    struct text todo;        /* read, but its turn was over, from `taken` on */
    size_t taken;
    bool waits; /* for its turn */
    struct client *turn_next;
    bool hung;    /* the other side hung up while there is something to do */
    size_t held;  /* bytes of memory, as last counted */
    bool deaf;    /* nobody reads what it is told */
    bool ended;   /* it will not send more, or is not listened to */
    bool cut;     /* off: it gets its last line, and no more */
    bool closing; /* freed once libuv is done with it */
    struct text out;
    size_t sent;        /* of `out` */
    struct span waited; /* for it, while it took nothing */
    bool dirty;         /* is in the api's list of those to be flushed */
    struct client *dirty_next;
    struct operation_owner pending;
    struct client_subscription subscription;
    /* The peer last named, as one sender mostly names one peer. */
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
    size_t memory; /* that all clients may hold */
    size_t held;   /* that they do */
    size_t freed;  /* by those that are gone; the system may not have it yet */
    struct client *turn_first, **turn_end; /* those that wait for their turn */
    size_t turns;                          /* how many */
    struct instant turn_until;             /* the one that goes on */
    struct mesh_id mesh;
    uint64_t not_before, not_after;
    int fd;    /* listens; -1: not yet, or no more */
    int spare; /* a descriptor kept to refuse one client with; or -1 */
    uv_poll_t listener;
    uv_timer_t rest; /* of the listener, while there are no descriptors, */
    struct instant starved_at; /* since then; or NEVER */
    uv_idle_t flusher;
    size_t handles; /* of these, and the timer of the operations, those that are
                       not closed yet */
    bool closing;
    struct client *clients;
    size_t client_count;
    size_t client_limit; /* at most API_CLIENTS */
    struct client *dirty;
    struct operations operations;
    uint64_t generation;      /* of the peers' names; never 0 */
    struct group_list groups; /* configured or joined, for everyone */
    struct text line;         /* an event while it is put together */
    enum api_keep (*keep)(void *context, const struct revocation *list,
                          struct bytes encoded);
    void *keep_context;
    struct keeping *keepings;
    size_t keeping_count;
    char read_room[API_READ_SIZE];
};

/* api_socket.c: makes `path` free to be bound, with a lock on a file beside it,
 * which is to be held as long as the socket is there; -1 with a line in error.
 */
int api_socket_claim(const char *path, char error[API_ERROR_SIZE]) MUST_USE;
/* The socket and the lock's file are gone. */
void api_socket_release(const char *path, int lock);
/* The usual path for a node's name, to be freed. */
char *api_socket_default(const char *name);

/* api_accept.c: listens on the socket's path; 0, or a number of libuv's. */
int api_listen(struct api *a);
/* Once the listener's handle is closed. */
void api_unlisten(struct api *a);

/* api_client.c */
/* A client on this connected socket, which it takes over. */
void client_attach(struct api *a, int fd, const struct api_carrier *carrier);
void client_close(struct client *c);
/* Reads the client or leaves it, as its bounds say; ends it when it is done.
 * To be called when something of it was answered. */
void client_review(struct client *c);
void clients_review(struct api *a);
/* Where answers and events are appended; flushed at the end of the turn. */
struct text *client_out(struct client *c);
size_t client_unread(const struct client *c);
/* Writes what its socket takes. */
void client_flush(struct client *c);
/* Does what waits for its turn, and writes what all clients have to get. */
void clients_flush(struct api *a);
/* That will be done before the loop sleeps. */
void clients_awake(struct api *a);
/* Its groups are left, too. */
void client_unsubscribe(struct client *c);

/* It has something to do, as its bounds allow. */
void client_turn(struct client *c);

/* api_turn.c: a client does what it has sent by turns, so that one that sends
 * without end costs the others no more than a turn each round. */
void turn_begin(struct api *a);
bool turn_over(const struct api *a);
/* At the end of the queue, if it is not in it. */
void turn_wait(struct client *c);
void turn_leave(struct client *c);
/* A turn for each that waits. */
void turns_take(struct api *a);
/* To be called when the client's buffers changed, and when it goes. */
void memory_count(struct client *c);
void memory_forget(struct client *c);
/* To the system, what those that are gone have held, if that was much. */
void memory_give_back(struct api *a);
/* What one client may have unread or under way before it is not read any more:
 * the less, the more all of them hold. */
size_t memory_share(const struct api *a);

/* api_slow.c: waits a little for those who have much unread. */
void slow_wait(struct api *a);
/* Cuts off who has too much unread, and the largest while all together hold too
 * much, with a line that says so. */
void slow_cut(struct api *a);

/* api_request.c: false if the line is no JSON object. */
bool request_parse(struct bytes line, struct request *r) MUST_USE;
/* True if the request has no fields but these, and `op` and `ref`. */
bool request_has_only(const struct request *r, unsigned fields) MUST_USE;
/* Says which field is too many, and the nearest of those that the operation
 * has; NULL for `op`: the request names none. */
void request_tell_unknown(const struct request *r, unsigned fields,
                          const char *op, struct text *why);
/* A list of strings, or one string; false if it is anything else or has more
 * than API_FILTERS. On success the filter is to be closed. */
bool filter_parse(struct bytes value, struct filter *f) MUST_USE;
bool filter_passes(const struct filter *f, struct bytes name);
void filter_close(struct filter *f);
/* Milliseconds as a number, or a duration as text. Missing: `fallback`. */
bool timeout_parse(struct bytes value, struct span fallback,
                   struct span *s) MUST_USE;

/* api_ops.c: does what a line asks for. */
void client_line(struct client *c, struct bytes line);
/* Begins {"ref":...,"ok":true or ends with }\n; members go in between. */
struct text *answer_begin(struct client *c, struct bytes ref);
void answer_end(struct text *out);
void answer_error(struct client *c, struct bytes ref, const char *error,
                  const char *message);

/* api_pending.c */
struct pending_ask {
    enum operation_kind kind;
    struct node_id to;
    struct message message; /* borrowed, but for the data */
    struct bytes data;      /* JSON, or with `base64` what it encodes */
    bool base64;
    struct bytes ref;
    struct span timeout; /* 0: none */
    bool wait;
};

/* Base64 without line breaks, padded or not, as it stands in a JSON string.
 * `to` has room for as many bytes as the text has. */
bool base64_decode(struct bytes text, uint8_t *to, size_t *size) MUST_USE;
/* Starts the operation, or answers why it cannot be (bad base64, too large). */
void pending_ask(struct client *c, const struct pending_ask *ask);
/* Answers the client: the callback of struct operations. */
void pending_ended(void *context, struct operation *op,
                   const struct operation_end *end);
/* Answers the client's own request of this ref as `cancelled`. A message that
 * the node has cannot be taken back; but its reply need not be awaited. */
enum pending_cancelled {
    PENDING_CANCELLED,
    PENDING_TOO_LATE,
    PENDING_UNKNOWN
} pending_cancel(struct client *c, struct bytes ref) MUST_USE;
/* Forgets all of a client that goes. */
void pending_drop(struct client *c);

/* api_events.c */
bool subscription_parse(const struct request *r, struct client_subscription *s,
                        const char **wrong) MUST_USE;
void subscription_close(struct client_subscription *s);
/* A join for each peer present, and `synced`. */
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

/* api_revoke.c: the edge gets the list; answered once it is kept. */
void revoke_given(struct client *c, struct bytes ref,
                  const struct revocation *list, struct bytes encoded);
/* The client goes. */
void revoke_forget(struct client *c);
void revoke_close(struct api *a);

/* api_groups.c: false if the name is none, or there are too many. */
bool groups_add(struct group_list *list, const char *name) MUST_USE;
void groups_remove(struct group_list *list, const char *name);
/* Tells the node who is in what now. */
void groups_tell(struct api *a);
/* All that the node is in. */
void groups_collect(const struct api *a, struct group_list *list);

/* api_status.c: the counters of struct node_counters, ended by a NULL name. */
struct api_counter {
    const char *name;
    size_t offset;
};
extern const struct api_counter api_counters[];
uint64_t api_counter_of(const struct node_counters *values,
                        const struct api_counter *counter);

/* A line of health: what a person would want to know, and what to do. */
struct health {
    const char *severity; /* ok info warning error */
    const char *code;
    const char *remedy;
};
/* Appends it to the list; `what` is its text, and empty afterwards. */
void health_add(struct text *t, const struct health *h, struct text *what);
/* All lines there are. */
void health_write(const struct api *a, struct text *t, struct text *what);

/* ,"key":"value" */
void member_add(struct text *t, const char *key, const char *value);

/* api_refusals.c */
void refusals_write(const struct api *a, struct text *t);
void health_refusals(const struct api *a, struct text *t, struct text *what);
/* "carol refuses this node: full." */
void refusal_say_it(struct text *t, const struct node_refusal *r);
/* Whether the node (by its id, or its name) refuses this one or is refused. */
bool refusal_of_peer(const struct api *a, const char *name,
                     const struct node_id *id, struct node_refusal *r) MUST_USE;

/* Members of the answer, each with a comma before it. */
void status_write(const struct api *a, struct text *t, bool by_http);
void peers_write(const struct api *a, struct text *t);
/* "id":..,"name":..,"info":..,"groups":..,"path":.. without a comma before. */
void peer_write(struct text *t, const struct node_peer *peer);
/* "endpoint":"..." of the path, the relay's URL where nothing else is known */
void endpoint_write(const struct api *a, struct text *t,
                    const struct node_peer *peer);

#endif
