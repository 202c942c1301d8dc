/*
 * channel - what this node publishes to one group: a stream of sealed packets
 * [P-9], kept until every receiver that holds them has acknowledged them.
 *
 * Publications are gathered by channel_add and become packets by channel_seal.
 * Who receives, and how far each is, is receiver.h's. The owner does the
 * sending: a packet is uploaded once to each relay that is the way to a
 * receiver, and goes to the others one by one.
 */
#ifndef EDGE_CORE_CHANNEL_H
#define EDGE_CORE_CHANNEL_H

#include "common/core/entropy.h"
#include "common/core/group_seal.h"
#include "common/wire/record.h"
#include "edge/core/store.h"

struct receiver;

enum { CHANNEL_RELAYS = 8, CHANNEL_KEYS = 4 };

struct upload {       /* to a relay */
    size_t receivers; /* that it is the way to */
    uint64_t next;    /* the next packet to upload */
};

struct channel_key {
    bool aes;
    uint8_t key[32];
};

struct channel {
    struct group_tag tag;
    char group[NAME_MAX_SIZE + 1];
    uint64_t stream;
    uint32_t key_id;
    struct channel_key keys[CHANNEL_KEYS]; /* the last ones, by their id */
    struct aead newest;                    /* that of key_id, ready for use */
    uint64_t number;                       /* the next under it */
    bool rekey;                            /* before the next publication */
    uint64_t next_record;
    uint64_t next_message;
    struct store store;
    uint8_t *batch; /* records that are not sealed yet */
    size_t batch_size;
    struct store_content batch_content;
    struct receiver *receivers;
    size_t receiver_count;
    size_t present;               /* of them, those who are there */
    size_t holders;               /* receivers that hold what they lack */
    size_t at_tail;               /* holders that lack the first packet */
    size_t riders;                /* those that ride on uploads */
    size_t starting;              /* told, and not yet heard of */
    struct instant opening_until; /* so long the first uploads wait for them */
    size_t awaiting;              /* here since the last publication */
    size_t without_aes;           /* receivers, there or not */
    struct upload uploads[CHANNEL_RELAYS];
    bool wants_ready; /* a publication was BUSY */
    struct instant used_at;
};

/* `group`: NUL-terminated, copied. The stream's id and key are random; the key
 * is for ChaCha20-Poly1305. */
struct channel *channel_new(const char *group, const struct group_tag *tag,
                            size_t store_limit, struct entropy *entropy);
/* The receivers must be gone. */
void channel_free(struct channel *c);

/* Whether a message of this encoded size may be added. */
bool channel_has_room(const struct channel *c, size_t message_size);
/* Adds a message; full packets are sealed at once. False: there is no memory,
 * and it does not. */
bool channel_add(struct channel *c, const struct message *m,
                 struct instant now) MUST_USE;
/* Seals what was gathered; without holders it is forgotten. */
void channel_seal(struct channel *c, struct instant now);
/* Whether the next publication wants another key: somebody left, all receivers
 * have the cipher that is faster or one has not, or the key is worn [P-9.5].
 * `aes`: this node has it. */
bool channel_wants_key(const struct channel *c, bool aes);
/* A new key from now on, for the best cipher that all have. What was gathered
 * before goes under the old one. */
void channel_rekey(struct channel *c, bool aes, struct entropy *entropy,
                   struct instant now);
/* What to tell a receiver of a key alone; false: it is not kept any more. */
bool channel_tell_key(const struct channel *c, uint32_t key_id,
                      struct group_start *start) MUST_USE;

/* Drops the packets that no holder lacks. */
void channel_trim(struct channel *c);

/* The packet as it goes over a direct link. */
struct bytes channel_plain(const struct channel *c, uint64_t packet);
/* As it goes to a relay: FORWARD_HEADER_SIZE bytes for the header, the packet,
 * its signature (made now if it was not needed before). */
struct bytes channel_signed(struct channel *c, uint64_t packet,
                            const uint8_t node_secret_key[64]);

/* Whether the next packet for the relay may be uploaded now. */
bool channel_has_upload(struct channel *c, int relay, struct instant now);

/* When somebody's patience with a full store ends; NEVER if nobody waits. */
struct instant channel_patience_ends(const struct channel *c,
                                     struct instant now);
/* Leaves those behind whose time is up. */
void channel_leave_behind(struct channel *c, struct instant now);
/* What silence is measured from moves by the time that this node slept. */
void channel_excuse(struct channel *c, struct span late);
/* Whether a receiver that is there still has to get something. */
bool channel_is_delivering(const struct channel *c);

#endif
