/*
 * packet - the types of packets and their layouts [P-5, P-6, P-7].
 *
 * The first byte of a packet is its type. Session packets travel between two
 * nodes: as they are on a direct link, inside FORWARD by a relay. MULTICAST
 * travels the same ways, or the relay copies it to many edges. Link packets
 * stay on one direct link, relay packets between an edge and its relay.
 */
#ifndef COMMON_WIRE_PACKET_H
#define COMMON_WIRE_PACKET_H

#include "common/wire/beacon.h"
#include "common/wire/version.h"

enum packet_type {
    /* Session packets [P-6]. */
    PACKET_INIT = 0x01,   /* u32 sender index | noise message 1 */
    PACKET_ACCEPT = 0x02, /* u32 sender index | u32 receiver index | noise 2 */
    PACKET_SEALED = 0x03, /* u32 receiver index | u64 number | sealed records */
    PACKET_PLAIN = 0x04,  /* u32 receiver index | records; direct links only */
    /* u32 receiver index, which the sender of RESET does not know */
    PACKET_RESET = 0x05,
    PACKET_MULTICAST = 0x06, /* see wire/multicast.h */
    PACKET_NOTICE = 0x07,    /* see wire/notice.h; by a relay only */

    /* Link packets [P-5]. */
    LINK_HELLO = 0x10,      /* u8 version | u16 n, announcement */
    LINK_REFUSE = 0x11,     /* u8 reason | from version 2: u64 unix seconds */
    LINK_PING = 0x12,       /* u64 token */
    LINK_PONG = 0x13,       /* u64 token */
    LINK_BYE = 0x14,        /* (nothing) */
    LINK_ANNOUNCE = 0x15,   /* u16 n, announcement */
    LINK_REVOCATION = 0x16, /* a revocation list; see wire/revocation.h */
    LINK_PROBE = 0x17,      /* u64 token | zeros, 16 KiB in all [P-5.7] */
    LINK_PROBED = 0x18,     /* the same, in answer to PROBE */
    LINK_SPARE = 0x19,      /* (nothing) [P-5.8] */

    /* From an edge to its relay [P-7]. */
    RELAY_HELLO = 0x20,      /* see relay_hello */
    RELAY_ANNOUNCE = 0x21,   /* sealed announcement */
    RELAY_FORWARD = 0x22,    /* destination 32 | session packet */
    RELAY_PING = 0x23,       /* u64 token */
    RELAY_BYE = 0x24,        /* (nothing) */
    RELAY_REVOCATION = 0x25, /* a revocation list; both directions */
    RELAY_GROUPS = 0x26,     /* (tag 16)*: all groups that the edge wants */
    RELAY_MULTICAST = 0x27,  /* 32 zeros | MULTICAST packet, signed */
    /* (u8 1: spare, 0: not any more | id 32)+: edges that need not get a copy
     * of the sender's multicasts */
    RELAY_SPARE = 0x28,
    /* u16 ms: if this connection breaks, the edge makes another within this
     * time [P-14.9] */
    RELAY_RETURNS = 0x29,

    /* From the relay to an edge. */
    RELAY_WELCOME = 0x30,   /* see relay_welcome */
    RELAY_PRESENT = 0x31,   /* (id 32 | u64 epoch | u32 n, sealed)+ */
    RELAY_SYNCED = 0x32,    /* the roster is complete */
    RELAY_GONE = 0x33,      /* id 32 | u64 epoch | u8 reason: enum departure */
    RELAY_FORWARDED = 0x34, /* source 32 | session packet */
    RELAY_REFUSED = 0x35,   /* u8 reason | destination 32 or zeros */
    RELAY_PONG = 0x36,      /* u64 token */
    RELAY_MULTICASTED = 0x37, /* source 32 | MULTICAST packet, signed */
    RELAY_CLOCK = 0x38,       /* u64 unix seconds [P-7.9] */
    RELAY_CERTIFICATE = 0x39, /* see relay_tls */
};

enum {
    /* The size of a session packet's records (the largest record, with as many
     * small ones as may go with it), and what the packet adds to them at most.
     */
    PACKET_RECORDS_SIZE = 66 * 1024,
    PACKET_OVERHEAD = 13 + 16,
    /* The largest frame on any link; larger ones are dropped [P-5.2]. */
    PACKET_SIZE = PACKET_RECORDS_SIZE + PACKET_OVERHEAD + 33,
    FORWARD_HEADER_SIZE = 33,
};

enum departure {
    DEPARTURE_CLOSED = 1, /* the node said goodbye */
    /* Its connection broke; to the node's owner also for SILENT. */
    DEPARTURE_LOST = 2,
    DEPARTURE_REVOKED = 3,
    DEPARTURE_SILENT = 4, /* in GONE: it fell silent, no connection broke */
    /* To the node's owner only: the peer refuses this node. */
    DEPARTURE_REFUSED = 5,
};
/* "closed", "lost", "revoked", "refused", as logs and the local API have it;
 * "unknown" for a number that is none. */
const char *departure_name(enum departure reason);

struct relay_hello {
    uint8_t version;
    struct bytes certificate; /* borrowed: encoded */
    struct epoch epoch;
    /* The edge counts as lost after this much silence. */
    uint32_t lost_after_ms;
    uint64_t revocation_serial;
    struct bytes sealed; /* borrowed: the sealed announcement */
};

/* u8 0x20 | u8 version | u16 n, certificate | u64 epoch | u32 lost_after_ms |
 * u64 revocation serial | u32 n, sealed announcement | in later versions: more
 */
void relay_hello_encode(const struct relay_hello *h, struct writer *w);
bool relay_hello_decode(struct bytes packet, struct relay_hello *h) MUST_USE;

struct relay_welcome {
    uint8_t version;
    uint64_t boot; /* random, new at each start of the relay */
    char name[NAME_MAX_SIZE + 1];
    /* The address that the relay sees the edge come from. */
    struct address outside;
    uint64_t revocation_serial;
};

/* u8 0x30 | u8 version | u64 boot | u8 n, name | u8 family (4, 6 or 0: none),
 * ip, u16 port | u64 revocation serial */
void relay_welcome_encode(const struct relay_welcome *m, struct writer *w);
bool relay_welcome_decode(struct bytes packet,
                          struct relay_welcome *m) MUST_USE;

/* Who ended the TLS around a connection to a relay, as the relay tells it
 * [P-14.4]. */
enum relay_tls_end {
    RELAY_TLS_UNTOLD = 0,
    /* Not the relay: a web server in front of it did, or there is no TLS. */
    RELAY_TLS_BEFORE,
    RELAY_TLS_HERE, /* the relay, with this certificate */
};

enum { CERTIFICATE_HASH_SIZE = 32 };

struct relay_tls {
    enum relay_tls_end end;
    uint8_t hash[CERTIFICATE_HASH_SIZE]; /* HERE: SHA-256 of its DER */
};

/* u8 0x39 | HERE: the hash; BEFORE: nothing. `t->end` is not UNTOLD. */
void relay_certificate_encode(const struct relay_tls *t, struct writer *w);
bool relay_certificate_decode(struct bytes packet,
                              struct relay_tls *t) MUST_USE;

struct roster_entry {
    struct node_id node;
    struct epoch epoch;
    struct bytes sealed; /* borrowed */
};

/* Appends an entry to a PRESENT packet; its type byte is written already. */
void roster_entry_encode(const struct roster_entry *e, struct writer *w);
/* Reads the next entry. False at the end and at malformed bytes (then
 * r->failed). */
bool roster_entry_next(struct reader *r, struct roster_entry *e) MUST_USE;

#endif
