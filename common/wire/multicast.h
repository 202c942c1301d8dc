/*
 * multicast - the packets to a group, sealed once for all receivers, and the
 * START message that gives a receiver the key [P-9].
 *
 * A MULTICAST packet:
 *
 *     u8 0x06 | tag 16 | u32 key id | u64 number | sealed records
 *     | by a relay: signature 64 over "zs1 multicast" and the SHA-256 of all
 *       before
 *
 * The sealed records are DATA records. The data of START:
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
    /* The records of one packet, bytes. */
    MULTICAST_CONTENT_SIZE = PACKET_SIZE - FORWARD_HEADER_SIZE -
                             MULTICAST_HEADER_SIZE - MULTICAST_SEAL_SIZE -
                             SIGNATURE_SIZE,
    /* The most groups that a node can be in; 1 is the group of all nodes. */
    GROUP_TAGS = ANNOUNCEMENT_GROUPS + 1,
    GROUP_START_SIZE = GROUP_TAG_SIZE + 8 + 4 + 1 + 32 + 8 + 8 + 8,
};

/* The tag stands for the group's name on the wire [P-9.1]. */
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
    /* The id of the key that seals the packet; from 1. */
    uint32_t key;
    uint64_t number;          /* the packet's number under that key; from 1 */
    struct bytes header;      /* all before the seal; authenticated */
    struct bytes sealed;      /* borrowed */
    struct bytes signed_part; /* all before the signature */
    const uint8_t *signature; /* NULL: the packet came over a direct link */
};

/* Writes the header, without the sealed records. */
void multicast_header_encode(const struct multicast_packet *m,
                             struct writer *w);
/* Splits a packet into its fields; false if malformed. With `by_relay` it must
 * have a signature, else it must not. Checks neither seal nor signature. */
bool multicast_decode(struct bytes packet, bool by_relay,
                      struct multicast_packet *m) MUST_USE;

/* START: what a receiver needs to follow a stream [P-9.4]. */
struct group_start {
    struct group_tag tag;
    uint64_t stream;
    uint32_t key_id;
    bool aes; /* the key is for AES-256-GCM */
    uint8_t key[32];
    /* The first record to expect; 0: START only brings a key. */
    uint64_t record;
    uint64_t message; /* the number of the first message to expect */
    /* The first message meant for this receiver; if it is less than `message`,
     * those between are lost to it: a gap. */
    uint64_t since;
};

void group_start_encode(const struct group_start *s, struct writer *w);
/* False if malformed. */
bool group_start_decode(struct bytes data, struct group_start *s) MUST_USE;

#endif
