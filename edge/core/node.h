/*
 * node - one member of a mesh, as a machine without I/O.
 *
 * The owner tells it what happened (struct node_event) and when, and then does
 * what the todo list says, in its order. The node finds peers, keeps links and
 * sessions, delivers messages once and in order, and knows who is there. It
 * makes no socket, reads no clock and draws no randomness but from its seed:
 * the same events at the same times give the same list.
 *
 *     todo_clear(&todo);
 *     node_step(node, now, &event, 1, &todo);
 *     ... do each item of todo ...
 *     ... and step with NODE_TICK at node_deadline(node) ...
 */
#ifndef EDGE_CORE_NODE_H
#define EDGE_CORE_NODE_H

#include "common/base/arena.h"
#include "common/base/instant.h"
#include "common/core/secrets.h"
#include "common/wire/packet.h"
#include "common/wire/record.h"
#include "common/wire/revocation.h"

struct node;

enum { NODE_RELAYS = 8, NODE_ADDRESSES = ANNOUNCEMENT_CANDIDATES };

enum node_path { PATH_NONE, PATH_TCP, PATH_UDP, PATH_RELAY };
/* "none", "tcp", "udp", "relay" */
const char *node_path_name(enum node_path path);

struct node_conf {
    uint8_t secret_key[64];   /* the node's Ed25519 key; copied */
    struct bytes certificate; /* encoded; copied */
    struct mesh_secret mesh_secret;
    struct bytes revocations; /* encoded list or empty; copied */
    struct epoch epoch;       /* larger than any earlier process's [P-3.3] */
    uint8_t seed[32];         /* fresh randomness */
    struct bytes info;        /* JSON text; copied */
    const char *const *groups;
    size_t group_count;
    bool multicast; /* send beacons; what is heard counts in any case */
    bool tcp;
    bool relay;
    bool aes; /* this processor has AES-256-GCM, as libsodium says [P-6.2] */
    size_t relay_count;                       /* <= NODE_RELAYS */
    struct curve_key relay_keys[NODE_RELAYS]; /* pinned; by relay index */
    struct span beacon_interval;
    struct span probe;
    struct span lost_after;
    struct {
        size_t message; /* bytes */
        size_t window;  /* bytes, for each session and direction */
        size_t stored;  /* bytes that a session keeps, sent or not, if that is
                           more than the window */
        size_t peers;
        size_t links;
    } limits;
};

/* What a caller names a request by, below 2^63; comes back in its report. 0, in
 * node_submit: there is to be none. */
struct node_ref {
    uint64_t value;
};

enum node_event_kind {
    NODE_TICK,          /* time passed: node_deadline was reached */
    NODE_ADDRESSES_ARE, /* this host's addresses, at start and on change */
    NODE_WOKE,          /* the host slept: its clock stood still */
    NODE_PEERS_ARE,     /* discovery.peers, resolved; at start and on change */
    NODE_DATAGRAM,      /* came to the discovery or the node's own UDP socket */
    NODE_LINK_OPENED,   /* an outgoing link finished its CURVE handshake, or an
                           incoming one brought its first packet */
    NODE_LINK_CLOSED,   /* it broke, could not be made, or was refused */
    NODE_LINK_PACKET,
    NODE_LINK_BLOCKED,  /* takes no more writes until */
    NODE_LINK_WRITABLE, /* this */
    NODE_CLOCK,         /* wall-clock time; at start and every minute or so */
    NODE_SUBMIT,        /* a local message to send */
    NODE_PUBLISH,       /* a local message to every peer, or to a group's */
    NODE_PING,          /* measure a peer's round trip, over its session */
    NODE_SET_GROUPS,
    NODE_REVOCATION, /* a revocation list from a file or a local client */
    NODE_LEAVE,      /* deliver what is queued, within a second, then say
                        goodbye everywhere; DONE follows. What is submitted
                        from now on is NOT_DELIVERED */
};

enum link_failure {
    LINK_BROKEN = 1,  /* an open connection ended */
    LINK_UNREACHABLE, /* refused, timed out, no route */
    LINK_HANDSHAKE,   /* CURVE failed: a wrong key at one end, or no CURVE */
    LINK_NAMELESS,    /* its host's name was not resolved, or not in time */
};

struct node_event {
    enum node_event_kind kind;
    union {
        struct {
            const struct address *list; /* port: the TCP listener's */
            size_t count;
        } addresses; /* ADDRESSES_ARE, PEERS_ARE */
        struct {
            struct address from;
            bool multicast; /* it was sent to the group */
            struct bytes bytes;
        } datagram;
        struct {
            uint32_t id;
            struct curve_key key;   /* OPENED, incoming: the connector's CURVE
                                       key, proved by the handshake */
            struct address address; /* OPENED: the other end's */
            enum link_failure failure; /* CLOSED */
            struct bytes bytes;        /* PACKET; the node may decrypt in it */
        } link;
        uint64_t unix_seconds; /* CLOCK */
        struct {
            struct node_ref ref;
            struct node_id to;      /* SUBMIT, PING */
            struct message message; /* SUBMIT, PUBLISH; borrowed */
        } submit;
        struct {
            const char *const *list;
            size_t count;
        } groups;
        struct bytes revocation;
    };
};

/* Outgoing links are named by the node with odd ids, incoming ones by the
 * owner with even ids, never twice in a process. */

enum node_todo_kind {
    NODE_MULTICAST,     /* bytes: a beacon, on every interface */
    NODE_SEND_TO,       /* address, bytes: a beacon by unicast */
    NODE_CONNECT,       /* link, address, key (the other's CURVE key) */
    NODE_CONNECT_RELAY, /* link, relay index */
    NODE_DISCONNECT,    /* link: outgoing: close it; incoming: forget it */
    NODE_WRITE,         /* link, bytes */
    NODE_JOINED,        /* peer */
    NODE_LEFT,          /* peer, reason */
    NODE_PATH,          /* peer (its path is the new one), was */
    NODE_MESSAGE,       /* peer, message */
    NODE_REPORT,        /* ref, outcome; what became of SUBMIT, PUBLISH, PING */
    NODE_READY,         /* peer (id zero: publications): takes messages again
                           after BUSY */
    NODE_GAP,           /* peer, missed: so many publications of its will not
                           come */
    NODE_RELAY,         /* relay: its state changed */
    NODE_LARGE_LOST,    /* peer: a direct link to it passed small packets alone,
                           and    is given up: smaller segments may help [P-5.7] */
    NODE_REFUSED, /* someone was refused, or this node was: to be logged */
    NODE_REVOKED, /* bytes: a newer revocation list; keep and pass it on */
    NODE_DONE,    /* after LEAVE: all is said, the links may be closed */
};

enum node_outcome {
    OUTCOME_DELIVERED,     /* the peer's node has it; PING: it answered;
                              PUBLISH: it is under way [P-9.10] */
    OUTCOME_UNKNOWN_PEER,  /* not present */
    OUTCOME_NOT_DELIVERED, /* the peer left before it acknowledged */
    OUTCOME_PEER_RESTARTED,
    OUTCOME_BUSY, /* the window is full; READY will follow */
    OUTCOME_TOO_LARGE,
};
/* "delivered", "unknown_peer", ...: the local API's words. */
const char *node_outcome_name(enum node_outcome outcome);

enum relay_state { RELAY_DOWN, RELAY_CONNECTING, RELAY_UP };

/* Why a relay is down, beside the refusals that it may have said. */
enum relay_error {
    RELAY_ERROR_LOST,        /* it was up, and the connection ended */
    RELAY_ERROR_SILENT,      /* it was up, and nothing came for a while */
    RELAY_ERROR_UNREACHABLE, /* no TCP connection */
    RELAY_ERROR_DNS,         /* its host's name was not resolved */
    RELAY_ERROR_HANDSHAKE,   /* connected, but not to who has its key */
    RELAY_ERROR_TIMEOUT,     /* the handshake was good, no welcome came */
    RELAY_ERRORS
};
const char *relay_error_name(enum relay_error error);

struct node_relay {
    enum relay_state state;
    struct span rtt;        /* < 0: unknown */
    const char *error;      /* the last failure: a word, "" for none */
    const char *name;       /* what it calls itself, "" until it did */
    struct address outside; /* where it sees this node come from */
    uint64_t bytes_sent;    /* of packets, since the node began */
    uint64_t bytes_received;
};

/* What went to a peer and came from it, since this node knows it. What goes to
 * many by one upload to a relay is counted there, not at each of them. */
struct node_traffic {
    uint64_t sent, received; /* messages; received: its publications as well */
    uint64_t bytes_sent, bytes_received; /* of packets, by any path */
};

/* A peer as the owner sees it. Views: valid until the next step, in a todo list
 * until it is cleared. With MESSAGE, READY and GAP only id and name are filled
 * in. */
struct node_peer {
    struct node_id id;
    const char *name;
    struct bytes info; /* JSON text; may be empty; not checked to be JSON */
    size_t group_count;
    const char (*groups)[NAME_MAX_SIZE + 1];
    enum node_path path;
    struct address endpoint; /* the other end of the path's link */
    uint32_t relay;          /* PATH_RELAY: which */
    struct span rtt;         /* < 0: unknown */
    struct instant since;    /* joined */
    struct node_traffic traffic;
};

struct node_todo {
    enum node_todo_kind kind;
    union {
        struct bytes bytes; /* MULTICAST, REVOKED */
        struct {
            uint32_t id;
            uint32_t relay;
            struct address address;
            struct curve_key key;
            bool lent; /* the list itself holds `block` until it is cleared */
            struct bytes bytes;
            struct block *block; /* WRITE: that the bytes lie in, to be
                                    held instead of a copy; or NULL */
        } link; /* SEND_TO, CONNECT, CONNECT_RELAY, DISCONNECT, WRITE */
        struct {
            const struct node_peer *peer;
            union {
                enum departure reason;  /* LEFT */
                enum node_path was;     /* PATH */
                struct message message; /* MESSAGE */
                uint64_t missed;        /* GAP */
            };
        } peer; /* JOINED, LEFT, PATH, MESSAGE, READY, GAP, LARGE_LOST */
        struct {
            struct node_ref ref;
            enum node_outcome outcome;
            enum node_path path;
            struct span rtt;
            uint32_t peers; /* PUBLISH: it goes to so many */
        } report;
        uint32_t relay; /* RELAY: its index */
        struct {
            bool by_peer;     /* the peer (or relay) refused this node */
            uint8_t reason;   /* enum refusal */
            int relay;        /* its index, or -1 */
            const char *name; /* whose, as far as it is known */
            struct address from;
        } refused;
    };
};

/* What a step wants done. The bytes in it live in the list until it is
 * cleared; bytes of MESSAGE may lie in the event's packet, so items are done
 * before the events' memory goes. */
struct todo {
    struct node_todo *items;
    size_t count;
    size_t capacity;
    struct node_todo lost; /* there was no memory for it */
    size_t lent;           /* items with blocks that the list holds */
    struct arena arena;    /* the bytes */
};

void todo_init(struct todo *t);
void todo_clear(struct todo *t); /* keeps the memory for the next step */
void todo_close(struct todo *t);

/* Copies what it needs of conf. NULL if the identity does not fit together
 * (certificate malformed, another key's). */
struct node *node_new(const struct node_conf *conf, struct instant now);
void node_free(struct node *n);

/* Handles the events in order, then all that is due, then writes what waits.
 * Appends to `todo`. */
void node_step(struct node *n, struct instant now,
               const struct node_event *events, size_t count,
               struct todo *todo);

/*
 * Takes a message for a peer at once, as NODE_SUBMIT does in a step, and copies
 * it. True: its report follows. False: it was refused, `*why` tells (with BUSY
 * a READY follows); there is no report. Then the node wants a step: its
 * deadline is now. It may be called while a todo list is worked off.
 */
bool node_submit(struct node *n, struct instant now, struct node_ref ref,
                 const struct node_id *to, const struct message *m,
                 enum node_outcome *why) MUST_USE;
/* The same for a publication. True: it is under way to `*peers`. */
bool node_publish(struct node *n, struct instant now, const struct message *m,
                  uint32_t *peers, enum node_outcome *why) MUST_USE;

/* When to step with TICK if nothing else happens before. */
struct instant node_deadline(const struct node *n);

/* This node: its id, name and the CURVE keys of its links: `link` for direct
 * ones (both listening and connecting), `identity` to relays. */
struct node_id node_self(const struct node *n);
const char *node_name(const struct node *n);
const struct curve_pair *node_link_keys(const struct node *n);
const struct curve_pair *node_identity_keys(const struct node *n);

/* Whether this node's certificate lets it join the group and publish to it. */
bool node_group_is_allowed(const struct node *n, const char *group);

/* Peers that joined and did not leave. Walk: *cursor = 0 at first; false at
 * the end. */
size_t node_peer_count(const struct node *n);
bool node_peer_next(const struct node *n, size_t *cursor, struct node_peer *p);
/* By id, name, or a unique prefix of 8 or more hexadecimal digits of the id;
 * false if none or not unique. */
bool node_peer_find(const struct node *n, const char *text,
                    struct node_peer *p);
bool node_peer_get(const struct node *n, const struct node_id *id,
                   struct node_peer *p);
void node_relay_get(const struct node *n, size_t index, struct node_relay *r);

/* Who refuses whom, as of now: nodes that this one refuses, and peers that
 * refuse it and so are not there for it. */
struct node_refusal {
    struct node_id id;
    const char *name;
    bool by_peer;    /* it refuses this node */
    uint8_t reason;  /* enum refusal */
    bool skew_known; /* else the next says nothing */
    int64_t skew_s;  /* its clock less this node's, seconds */
};
struct node_refusals { /* zeros: at the begin */
    size_t outsiders, peers;
};
bool node_refusal_next(const struct node *n, struct node_refusals *cursor,
                       struct node_refusal *r);
/* A later process of this very node was heard within the last minute: the
 * others take that one. */
bool node_is_replaced(const struct node *n, struct instant now);

/* Counters since the start, for status and metrics. */
struct node_counters {
    uint64_t sent, delivered, received, published, events_received;
    uint64_t events_missed;              /* told as GAP */
    uint64_t multicasts;                 /* packets uploaded for all */
    uint64_t multicasts_alone;           /* packets for one receiver alone */
    uint64_t group_acks;                 /* what receivers said they have */
    uint64_t group_asks;                 /* receivers asked for it */
    uint64_t bytes_sent, bytes_received; /* of messages */
    uint64_t records_sent, records_resent, records_duplicate;
    uint64_t packets_sent, packets_received, packets_dropped;
    uint64_t beacons_sent, beacons_received, beacons_dropped;
    uint64_t handshakes, refusals, path_changes, doubts;
    uint64_t handshakes_aes; /* those that agreed on AES-256-GCM */
    uint64_t store_bytes;    /* now: unacknowledged and queued, all sessions */
};
void node_counters_get(const struct node *n, struct node_counters *c);

#endif
