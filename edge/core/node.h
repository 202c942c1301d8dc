/*
 * node - one member of a mesh, as a state machine without I/O.
 *
 * The owner passes in what happened (struct node_event) and the time, and then
 * carries out the items of the todo list in their order. The node finds peers,
 * keeps links and sessions, delivers each message once and in order, and knows
 * which peers are present. The node opens no socket, reads no clock and takes
 * all randomness from its seed: the same events at the same times give the same
 * todo list.
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
#include "common/wire/relay_form.h"
#include "common/wire/revocation.h"
#include "edge/core/outside.h"

struct node;

enum { NODE_RELAYS = 8, NODE_ADDRESSES = ANNOUNCEMENT_CANDIDATES };

enum node_path { PATH_NONE, PATH_TCP, PATH_UDP, PATH_RELAY };
/* "none", "tcp", "udp", "relay" */
const char *node_path_name(enum node_path path);

/* What carries a link. The owner has sockets of each kind. */
enum node_transport {
    NODE_TRANSPORT_TCP,   /* CURVE over TCP, to a peer */
    NODE_TRANSPORT_RELAY, /* to a relay: what its URL names */
    NODE_TRANSPORT_UDP,   /* QUIC over a socket that a round opened [P-11] */
};

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
    bool multicast; /* send beacons; received beacons count in any case */
    bool tcp;
    bool udp;             /* paths over UDP [P-11]; the owner has sockets */
    bool udp_easy_only;   /* no rounds of many sockets [P-11.7] */
    bool share_addresses; /* false: host addresses only for the LAN [P-11.3] */
    bool relay;
    bool aes; /* this processor has AES-256-GCM, as libsodium says [P-6.2] */
    size_t relay_count;                       /* <= NODE_RELAYS */
    struct curve_key relay_keys[NODE_RELAYS]; /* expected keys, by index */
    /* The forms in which each may be reached: a bit for each enum relay_form;
       0: FORM_TCP alone [P-14.1]. */
    uint8_t relay_forms[NODE_RELAYS];
    struct span beacon_interval;
    struct span probe;
    struct span lost_after;
    struct {
        size_t message; /* bytes */
        size_t window;  /* bytes, for each session and direction */
        size_t stored;  /* bytes that a session buffers, sent or not; the
                           larger of this and the window counts */
        size_t peers;
        size_t links;
    } limits;
};

/* The caller's number for a message or a ping, below 2^63; the report carries
 * it. 0 in node_submit: the caller wants no report. */
struct node_ref {
    uint64_t value;
};

enum node_event_kind {
    NODE_TICK,          /* the time node_deadline was reached */
    NODE_ADDRESSES_ARE, /* this host's addresses, at start and on change */
    NODE_WOKE,          /* the host resumed from sleep: its clock stood still */
    NODE_PEERS_ARE,     /* discovery.peers, resolved; at start and on change */
    NODE_DATAGRAM,      /* received on the discovery socket or on the node's
                           own UDP socket */
    NODE_LINK_OPENED,   /* an outgoing link finished its CURVE handshake, or an
                           incoming one brought its first packet */
    NODE_LINK_CLOSED,   /* a link broke, or the dial failed or was refused */
    NODE_LINK_PACKET,
    NODE_LINK_BLOCKED,  /* the link's queue is full: no writes until */
    NODE_LINK_WRITABLE, /* this event */
    NODE_CLOCK,         /* wall-clock time; at start and every minute or so */
    NODE_PING,          /* measure a peer's round trip, over its session */
    NODE_SET_GROUPS,
    NODE_REVOCATION,   /* a revocation list from a file or a local client */
    NODE_LEAVE,        /* deliver what is queued, within a second, then say
                          goodbye to all peers and relays; DONE follows. The node
                          refuses later messages and pings as NOT_DELIVERED */
    NODE_UDP_OPENED,   /* sockets of UDP are open, or could not be opened; for
                          socket 0 at the start, and when it was opened anew */
    NODE_UDP_DATAGRAM, /* STUN or a probe came at one of them */
    NODE_STUN_SERVERS_ARE, /* their addresses, resolved; on change */
    NODE_PORT_MAPPED,      /* what the router maps to this host; on change */
    NODE_FORMS_ARE,        /* the form in which each relay was reached last on
                              the network that the host is in now; at start and
                              when the network changed */
};

enum link_failure {
    LINK_BROKEN = 1,  /* an open connection ended */
    LINK_UNREACHABLE, /* no route; of a link to a peer also: the connection was
                         refused, or timed out */
    LINK_HANDSHAKE,   /* CURVE failed: a wrong key at one end, or no CURVE */
    LINK_NAMELESS,    /* DNS did not resolve the host's name in time */
    /* Of links to relays, which know more [P-14.6]. */
    LINK_REFUSED,        /* the host refused the TCP connection */
    LINK_TIMEOUT,        /* no answer in time, at any step */
    LINK_TLS,            /* TLS failed, or the certificate was not accepted */
    LINK_PROXY_AUTH,     /* the proxy wants another or a user and password */
    LINK_PROXY_REFUSED,  /* the proxy does not connect to that port or host */
    LINK_CAPTIVE_PORTAL, /* another page answers until somebody logs in */
    LINK_NOT_A_RELAY,    /* something else answers there */
    LINK_WRONG_KEY,      /* a relay, but not the one with the pinned key */
};

struct node_event {
    enum node_event_kind kind;
    union {
        struct {
            const struct address *list; /* port: the TCP listener's */
            size_t count;
        } addresses; /* ADDRESSES_ARE, PEERS_ARE, STUN_SERVERS_ARE */
        struct {
            uint32_t socket, count; /* UDP_OPENED: so many, from this number */
            uint16_t port;          /* UDP_OPENED: of the first; 0: failed */
            struct address from;    /* UDP_DATAGRAM */
            struct bytes bytes;     /* UDP_DATAGRAM; may be changed */
        } udp;
        struct {
            struct address tcp, udp; /* outside; NONE: not mapped */
        } mapped;
        struct {
            const int8_t *list; /* enum relay_form, by relay; -1: none */
            size_t count;
        } forms; /* FORMS_ARE */
        struct {
            struct address from;
            bool multicast; /* addressed to the multicast group */
            struct bytes bytes;
        } datagram;
        struct {
            uint32_t id;
            bool incoming;                 /* OPENED: the other end connected */
            enum node_transport transport; /* OPENED, incoming */
            struct curve_key key;   /* OPENED, incoming: the connector's CURVE
                                       key, proved by the handshake */
            struct address address; /* OPENED: the other end's */
            enum link_failure failure; /* CLOSED */
            struct bytes bytes;        /* PACKET; the node may decrypt in it */
        } link;
        uint64_t unix_seconds; /* CLOCK */
        struct {
            struct node_ref ref;
            struct node_id to;
        } ping;
        struct {
            const char *const *list;
            size_t count;
        } groups;
        struct bytes revocation;
    };
};

/* The node gives outgoing links odd ids and the owner gives incoming links even
 * ids, so that the two never choose the same one; an id is never used twice in
 * a process. Whether a link is incoming is told beside its id. */

enum node_todo_kind {
    NODE_MULTICAST,     /* bytes: send the beacon on every interface */
    NODE_SEND_TO,       /* address, bytes: send the beacon by unicast */
    NODE_CONNECT,       /* link, address, key (the other's CURVE key) */
    NODE_CONNECT_RELAY, /* link, relay index, form */
    NODE_DISCONNECT,    /* link: close it, or forget it if it is incoming */
    NODE_WRITE,         /* link, bytes */
    NODE_JOINED,        /* peer */
    NODE_LEFT,          /* peer, reason */
    NODE_PATH,          /* peer (with the new path), was */
    NODE_MESSAGE,       /* peer, message */
    NODE_REPORT,        /* ref, outcome: the result of a message or a ping */
    NODE_READY,         /* peer (id zero: publications): the session takes
                           messages again after BUSY */
    NODE_GAP,           /* peer, missed: this node will not receive that many
                           publications of the peer */
    NODE_RELAY,         /* relay: its state changed */
    NODE_LARGE_LOST,    /* peer: its direct link passed small packets only and
                           is closed: smaller TCP segments may help [P-5.7] */
    NODE_REFUSED, /* this node refused another, or was refused: log that */
    NODE_REVOKED, /* bytes: a newer revocation list; store it and forward it */
    NODE_DONE,    /* after LEAVE: goodbye is written, links may be closed */
    NODE_CONNECT_UDP, /* link, udp: QUIC on this socket and address */
    NODE_UDP_OPEN,    /* udp: open `count` sockets with these numbers */
    NODE_UDP_CLOSE,   /* udp: close them; links that use one keep it open
                         until they are closed */
    NODE_UDP_SEND,    /* udp: send the bytes from the socket */
};

enum node_outcome {
    OUTCOME_DELIVERED,     /* the peer's node has the message; PING: the peer
                              answered */
    OUTCOME_UNKNOWN_PEER,  /* no such peer is present */
    OUTCOME_NOT_DELIVERED, /* the peer left before it acknowledged */
    OUTCOME_PEER_RESTARTED,
    OUTCOME_BUSY, /* the window is full; READY will follow */
    OUTCOME_TOO_LARGE,
};
/* "delivered", "unknown_peer", ...: as the local API spells them. */
const char *node_outcome_name(enum node_outcome outcome);

/* DOWN: every form that is allowed failed since it worked last, or the relay
 * refused this node a moment ago. */
enum relay_state { RELAY_DOWN, RELAY_CONNECTING, RELAY_UP };

/* Why a relay is not up, apart from the refusals that it may have sent. If
 * several forms failed, this is the most telling of their failures. */
enum relay_error {
    RELAY_ERROR_LOST,           /* the connection to the relay ended */
    RELAY_ERROR_SILENT,         /* the relay was up, and sent nothing in time */
    RELAY_ERROR_UNREACHABLE,    /* there is no way to the host */
    RELAY_ERROR_DNS,            /* DNS did not resolve the host's name */
    RELAY_ERROR_REFUSED,        /* the host refused the connection */
    RELAY_ERROR_TIMEOUT,        /* no answer in time, at any step */
    RELAY_ERROR_TLS,            /* TLS failed */
    RELAY_ERROR_PROXY_AUTH,     /* the proxy wants a user and a password */
    RELAY_ERROR_PROXY_REFUSED,  /* the proxy does not connect to the relay */
    RELAY_ERROR_CAPTIVE_PORTAL, /* a page to log in answers instead */
    RELAY_ERROR_NOT_A_RELAY,    /* something else answers there */
    RELAY_ERROR_WRONG_KEY,      /* the other end has not the relay's key */
    RELAY_ERRORS
};
const char *relay_error_name(enum relay_error error);
/* What a failed link to a relay means. */
enum relay_error relay_error_of(enum link_failure failure);

struct node_relay {
    enum relay_state state;
    struct span rtt;      /* < 0: unknown */
    struct span hello;    /* from HELLO to WELCOME, when the link was made;
                             < 0: never */
    const char *error;    /* the last failure's name, "" for none */
    enum relay_form form; /* UP: the one that is used; else the best that is
                             allowed */
    uint8_t forms;        /* a bit for each form that is allowed */
    enum link_failure failures[RELAY_FORMS]; /* the last one of each form; 0:
                                                none since it worked last */
    const char *name;       /* from the relay's WELCOME, "" before */
    struct address outside; /* this node's address as the relay sees it */
    uint64_t unix_seconds;  /* the relay's wall clock at `at`; 0: unknown */
    struct instant at;
    /* Who ended the TLS of the link, as the relay told; UNTOLD by a relay that
     * does not tell it, by a plain link and while the relay is not up. */
    struct relay_tls tls;
    uint64_t bytes_sent; /* of packets, since the node began */
    uint64_t bytes_received;
};

/* Traffic with one peer since this node knows the peer. A publication that a
 * relay fans out is counted once, at the relay. */
struct node_traffic {
    uint64_t sent, received; /* messages; received: its publications as well */
    uint64_t bytes_sent, bytes_received; /* of packets, by any path */
};

/* Why a peer is relayed. */
enum node_why {
    NODE_WHY_NONE,          /* it is not */
    NODE_WHY_TRYING,        /* a direct path is under way */
    NODE_WHY_NAT,           /* the NATs between do not let one open */
    NODE_WHY_UDP_BLOCKED,   /* one of the two gets no datagram through */
    NODE_WHY_PATHS_OFF,     /* one of the two has no UDP */
    NODE_WHY_NO_CANDIDATES, /* one of the two has no address to try */
    NODE_WHY_HELD_DOWN,     /* a direct path is up, and failed a while ago */
};
/* "none", "trying", "nat", ...: as `zs status` spells them. */
const char *node_why_name(enum node_why why);

/* A peer as the owner sees it. The pointers are valid until the next step; in a
 * todo list, until the list is cleared. Todo items of the kinds MESSAGE, READY
 * and GAP fill in only id and name. */
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
    enum node_why why;
    /* The NATs of this node and of the peer, as the last round found them. */
    enum nat_mapping mapping, peer_mapping;
};

struct node_todo {
    enum node_todo_kind kind;
    union {
        struct bytes bytes; /* MULTICAST, REVOKED */
        struct {
            uint32_t id;
            uint32_t relay;
            enum relay_form form; /* CONNECT_RELAY */
            struct address address;
            struct curve_key key;
            uint8_t transport; /* enum node_transport */
            bool incoming;
            bool lent; /* the list holds a reference to `block` until it is
                          cleared */
            struct bytes bytes;
            struct block *block; /* WRITE: the block that contains the bytes;
                                    the owner may hold a reference instead of
                                    copying. NULL: copy */
        } link; /* SEND_TO, CONNECT, CONNECT_RELAY, DISCONNECT, WRITE */
        struct {
            uint32_t link; /* CONNECT_UDP */
            uint32_t socket, count;
            struct address to;
            int ttl;                 /* SEND; 0: the system's */
            struct bytes bytes;      /* SEND */
            bool client;             /* CONNECT_UDP */
            const uint8_t *secret;   /* CONNECT_UDP: the pre-shared key, 32 */
            const uint8_t *identity; /* CONNECT_UDP: both ids, the client's
                                        first, 64 bytes */
        } udp; /* CONNECT_UDP, UDP_OPEN, UDP_CLOSE, UDP_SEND */
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
        } report;
        uint32_t relay; /* RELAY: its index */
        struct {
            bool by_peer;     /* the peer (or relay) refused this node */
            uint8_t reason;   /* enum refusal */
            int relay;        /* its index, or -1 */
            const char *name; /* of the refused or refusing node; may be "" */
            struct address from;
        } refused;
    };
};

/* The actions that a step asks for. The list owns the bytes of its items until
 * it is cleared. The bytes of a MESSAGE may point into the event's packet, so
 * the owner carries out the items before it frees the events. */
struct todo {
    struct node_todo *items;
    size_t count;
    size_t capacity;
    struct node_todo lost; /* the item for which there was no memory */
    size_t lent;           /* items whose block the list holds */
    struct arena arena;    /* the bytes */
};

void todo_init(struct todo *t);
void todo_clear(struct todo *t); /* keeps the memory for the next step */
void todo_close(struct todo *t);

/* Copies what it needs of conf. NULL if the certificate is malformed or is not
 * that of the secret key. */
struct node *node_new(const struct node_conf *conf, struct instant now);
void node_free(struct node *n);

/* Handles the events in order, then all deadlines reached, then writes queued
 * packets. Appends to `todo`. */
void node_step(struct node *n, struct instant now,
               const struct node_event *events, size_t count,
               struct todo *todo);

/*
 * Accepts a message for a peer between two steps, and copies it into the peer's
 * session. True: its report follows. False: the node refused it for the reason
 * in `*why`, and no report follows; after BUSY a READY follows. The owner must
 * then step: the node's deadline is now. The owner may call this while it works
 * through a todo list.
 */
bool node_submit(struct node *n, struct instant now, struct node_ref ref,
                 const struct node_id *to, const struct message *m,
                 enum node_outcome *why) MUST_USE;
/* The same for a publication, to every peer or to the members of its group.
 * True: it is under way to `*peers` of them [P-9.10]. No report follows. */
bool node_publish(struct node *n, struct instant now, const struct message *m,
                  uint32_t *peers, enum node_outcome *why) MUST_USE;

/* When to step with TICK if nothing else happens before. */
struct instant node_deadline(const struct node *n);

/* This node's id, name and CURVE keys: link keys for direct links (listening
 * and connecting), identity keys for links to relays. */
struct node_id node_self(const struct node *n);
const char *node_name(const struct node *n);
const struct curve_pair *node_link_keys(const struct node *n);
const struct curve_pair *node_identity_keys(const struct node *n);

/* Whether this node's certificate lets it join the group and publish to it. */
bool node_group_is_allowed(const struct node *n, const char *group);

/* Peers that joined and did not leave. To walk them set *cursor = 0; false:
 * there is no further peer. */
size_t node_peer_count(const struct node *n);
bool node_peer_next(const struct node *n, size_t *cursor, struct node_peer *p);
/* Finds a peer by id, name, or a unique prefix of 8 or more hexadecimal digits
 * of the id; false if no peer or more than one matches. */
bool node_peer_find(const struct node *n, const char *text,
                    struct node_peer *p);
bool node_peer_get(const struct node *n, const struct node_id *id,
                   struct node_peer *p);
void node_relay_get(const struct node *n, size_t index, struct node_relay *r);

/* What the node knows of its own way out over UDP. */
struct node_udp {
    bool on;       /* the configuration has it, and socket 0 is open */
    uint16_t port; /* of socket 0 */
    struct outside_view seen;              /* of socket 0 */
    struct address mapped_tcp, mapped_udp; /* NONE: not mapped */
};
void node_udp_get(const struct node *n, struct node_udp *view);

/* A refusal that holds now: this node refuses another one, or a peer refuses
 * this node and so does not count as present. */
struct node_refusal {
    struct node_id id; /* the other node's */
    const char *name;
    bool by_peer;    /* the other node refuses this one */
    uint8_t reason;  /* enum refusal */
    bool skew_known; /* false: skew_s is not set */
    int64_t skew_s;  /* the other node's clock minus this node's, seconds */
};
struct node_refusals { /* the cursor of a walk; zeros: at the beginning */
    size_t refused_nodes, peers;
};
bool node_refusal_next(const struct node *n, struct node_refusals *cursor,
                       struct node_refusal *r);
/* Whether a later process with this node's key was heard within the last
 * minute: the peers then refuse this process as superseded. */
bool node_is_replaced(const struct node *n, struct instant now);

/* Counters since the start, for status and metrics. */
struct node_counters {
    uint64_t sent, delivered, received, published, events_received;
    uint64_t events_missed;              /* reported as GAP */
    uint64_t multicasts;                 /* packets uploaded for fan-out */
    uint64_t multicasts_alone;           /* packets sent to one receiver */
    uint64_t group_acks;                 /* received from subscribers */
    uint64_t group_asks;                 /* probes for a missing group_ack */
    uint64_t bytes_sent, bytes_received; /* of messages */
    uint64_t records_sent, records_resent, records_duplicate;
    uint64_t packets_sent, packets_received, packets_dropped;
    uint64_t beacons_sent, beacons_received, beacons_dropped;
    uint64_t handshakes, refusals, path_changes, path_suspicions;
    uint64_t handshakes_aes; /* those that agreed on AES-256-GCM */
    uint64_t store_bytes;    /* now: unacknowledged and queued, all sessions */
};
void node_counters_get(const struct node *n, struct node_counters *c);

#endif
