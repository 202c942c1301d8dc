/*
 * multicast - what groups have on the wire: packets that are sealed once for
 * all receivers, and the message that gives a receiver their key [P-9].
 *
 * A packet:
 *
 *     u8 0x06 | tag 16 | u32 key id | u64 number | sealed records
 *     | by a relay: signature 64 over "zs1 multicast" and the SHA-256 of all
 *       before
 *
 * Under the seal are DATA records. START's data:
 *
 *     tag 16 | u64 stream | u32 key id | u8 cipher (0: ChaCha20-Poly1305,
 *     1: AES-256-GCM) | key 32 | u64 record | u64 message | u64 since
 */
#ifndef COMMON_WIRE_MULTICAST_H
#define COMMON_WIRE_MULTICAST_H

#include "common/wire/packet.h"

enum {
    GROUP_TAG_SIZE = 16,
    MULTICAST_HEADER_SIZE = 1 + GROUP_TAG_SIZE + 4 + 8,
    MULTICAST_SEAL_SIZE = 16,
    /* What fits under the seal of one packet. */
    MULTICAST_CONTENT_SIZE = PACKET_SIZE - FORWARD_HEADER_SIZE -
                             MULTICAST_HEADER_SIZE - MULTICAST_SEAL_SIZE -
                             SIGNATURE_SIZE,
    /* All groups of a node, and the one of all nodes. */
    GROUP_TAGS = ANNOUNCEMENT_GROUPS + 1,
    GROUP_START_SIZE = GROUP_TAG_SIZE + 8 + 4 + 1 + 32 + 8 + 8 + 8,
};

/* A group as a relay sees it [P-9.1]. */
struct group_tag {
    uint8_t bytes[GROUP_TAG_SIZE];
};

static inline bool group_tag_equal(const struct group_tag *a,
                                   const struct group_tag *b)
{
    return memcmp(a->bytes, b->bytes, GROUP_TAG_SIZE) == 0;
}

struct multicast_packet {
    struct group_tag tag;
    uint32_t key;             /* which of the stream's keys seals it; from 1 */
    uint64_t number;          /* under that key; from 1 */
    struct bytes header;      /* all before the seal: it is authenticated too */
    struct bytes sealed;      /* borrowed */
    struct bytes signed_part; /* all before the signature */
    const uint8_t *signature; /* NULL: it came over a direct link */
};

/* Only what stands before the seal. */
void multicast_header_encode(const struct multicast_packet *m,
                             struct writer *w);
/* `by_relay`: it must have a signature. Checks bounds only. */
bool multicast_decode(struct bytes packet, bool by_relay,
                      struct multicast_packet *m) MUST_USE;

/* What a receiver needs to take part in a stream [P-9.4]. */
struct group_start {
    struct group_tag tag;
    uint64_t stream;
    uint32_t key_id;
    bool aes; /* the key's cipher is AES-256-GCM */
    uint8_t key[32];
    uint64_t record;  /* the first that it gets; 0: only the key is new */
    uint64_t message; /* the first that it gets, which that record begins */
    uint64_t since;   /* the first that was for it, if it never was told */
};

void group_start_encode(const struct group_start *s, struct writer *w);
bool group_start_decode(struct bytes data, struct group_start *s) MUST_USE;

#endif
