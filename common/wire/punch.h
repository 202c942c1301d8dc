/*
 * punch - the records and datagrams by which two nodes open a UDP path through
 * their NATs [P-11].
 *
 * A record travels sealed in the session of the two nodes, and agrees on a
 * round:
 *
 *     u8 kind | u32 round | ASK: nothing more
 *     | secret 32 | u8 mapping | u8 flags | i8 step | u16 delay_ms
 *     | u8 count, (u8 kind, u8 family, ip 4 or 16, u16 port)*
 *
 * A probe is a datagram between their UDP sockets. All probes have one size, so
 * an answer is never larger than its question:
 *
 *     u8 type | tag 8 | u32 sequence | u8 family, ip 16, u16 port | mac 16
 *
 * The address is the one from which the question was seen; in a question it is
 * zeros. The tag names the round and the direction, and is random to everybody
 * else. The mac is keyed BLAKE2b-128 over all bytes before it.
 */
#ifndef COMMON_WIRE_PUNCH_H
#define COMMON_WIRE_PUNCH_H

#include "common/wire/announcement.h"

enum {
    PUNCH_CANDIDATES = 16,
    PUNCH_RECORD_SIZE = 1 + 4 + 32 + 1 + 1 + 1 + 2 + 1 + PUNCH_CANDIDATES * 20,
    PROBE_SIZE = 1 + 8 + 4 + 1 + 16 + 2 + 16,
    PUNCH_SECRET_SIZE = 32,
    PROBE_SEQUENCES = 4096, /* a receiver remembers which it has answered */
};

enum punch_kind {
    PUNCH_OFFER = 1,  /* by the node with the smaller id: a round begins */
    PUNCH_ANSWER = 2, /* the other node takes part */
    PUNCH_ASK = 3,    /* by the larger id: it would like a round */
};

/* How a NAT chooses the outside port of a socket [P-11.2]. */
enum nat_mapping {
    MAPPING_UNKNOWN,
    MAPPING_NONE, /* no NAT */
    MAPPING_ENDPOINT_INDEPENDENT,
    MAPPING_DEPENDENT, /* another one for each remote address, or port */
};

struct punch_record {
    enum punch_kind kind;
    uint32_t round;
    uint8_t
        secret[PUNCH_SECRET_SIZE]; /* the sender's half of the round's key */
    enum nat_mapping mapping;      /* the sender's */
    bool easy_only; /* the sender takes no part in a round of many sockets, not
                       now or never */
    int8_t step;    /* DEPENDENT: the next mapping's port is so much larger;
                       0: not predictable */
    uint16_t delay_ms; /* the receiver begins so long after it got this */
    uint8_t candidate_count;
    struct candidate candidates[PUNCH_CANDIDATES]; /* of UDP */
};

/* Writes at most PUNCH_RECORD_SIZE bytes. */
void punch_record_encode(const struct punch_record *r, struct writer *w);
/* False if malformed. Candidates that nobody can send to are left out. */
bool punch_record_decode(struct bytes bytes, struct punch_record *r) MUST_USE;

/* The first byte of a datagram. 0x40 is clear: with it QUIC begins; 0x00 to
 * 0x03 are STUN's. */
enum probe_type {
    PROBE_ASKS = 0x10,
    PROBE_ANSWERS = 0x11,
    PROBE_NOMINATES = 0x12, /* the leader has chosen this pair */
    PROBE_AGREES = 0x13,    /* the answer to that */
};

struct probe {
    enum probe_type type;
    uint8_t tag[8];
    uint32_t sequence;   /* of the question, below PROBE_SEQUENCES */
    struct address seen; /* answers: the source of the question */
};

/* The keys of a round, the same at both ends. [0]: of what the leader sends. */
struct probe_keys {
    struct {
        uint8_t key[32];
        uint8_t tag[8];
    } of[2];
    uint8_t quic[32]; /* the pre-shared key of the connection [P-11.8] */
};
/* From both halves of the secret, the ids (the leader's first) and the round.
 */
void probe_keys_derive(struct probe_keys *k,
                       const uint8_t leader_secret[PUNCH_SECRET_SIZE],
                       const uint8_t other_secret[PUNCH_SECRET_SIZE],
                       const struct node_id *leader,
                       const struct node_id *other, uint32_t round);

void probe_encode(const struct probe *p, const uint8_t key[32],
                  uint8_t datagram[static PROBE_SIZE]);
/* Reads type and tag only, to find the round. False: it is no probe. */
bool probe_peek(struct bytes datagram, uint8_t tag[static 8]) MUST_USE;
/* False if it is malformed or was not made with this key. */
bool probe_decode(struct bytes datagram, const uint8_t key[32],
                  struct probe *p) MUST_USE;

#endif
