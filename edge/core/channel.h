/*
 * channel - what this node publishes to one group: a stream of sealed packets
 * [P-9], kept until every receiver that holds them has acknowledged them.
 *
 * channel_add gathers publications in a batch, channel_seal makes packets of
 * the batch. receiver.h says which peers receive, and which packets each has
 * acknowledged. The owner sends the packets: it uploads each one once to every
 * relay that leads to receivers, and the relay fans it out; the other receivers
 * get it by unicast.
 *
 * A receiver that "holds" packets keeps in the store those that it has not
 * acknowledged; see receiver_holds.
 */
#ifndef EDGE_CORE_CHANNEL_H
#define EDGE_CORE_CHANNEL_H

#include "common/core/entropy.h"
#include "common/core/group_seal.h"
#include "common/wire/record.h"
#include "edge/core/store.h"

struct receiver;

enum { CHANNEL_RELAYS = 8, CHANNEL_KEYS = 4 };

struct upload {       /* to one relay */
    size_t receivers; /* that the relay leads to */
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
    struct channel_key keys[CHANNEL_KEYS]; /* the newest, by id modulo size */
    struct aead newest;                    /* the key key_id, ready for use */
    uint64_t number;                       /* next packet number under key_id */
    bool rekey; /* make a new key before the next publication */
    uint64_t next_record;
    uint64_t next_message;
    struct store store;
    uint8_t *batch; /* records that are not sealed yet */
    size_t batch_size;
    struct store_content batch_content;
    struct receiver *receivers;
    size_t receiver_count;
    size_t present;               /* receivers whose peer is present */
    size_t holders;               /* receivers that hold packets */
    size_t at_tail;               /* holders that lack the first packet */
    size_t fanout_count;          /* receivers served by fan-out */
    size_t starting;              /* receivers in RECEIVER_STARTING */
    struct instant opening_until; /* the first uploads wait for the STARTING
                                     ones, until then at the longest */
    size_t awaiting;              /* receivers in RECEIVER_AWAITING */
    size_t without_aes;           /* receivers without AES, present or not */
    struct upload uploads[CHANNEL_RELAYS];
    bool wants_ready; /* a publication was BUSY, so the owner owes a READY */
    struct instant used_at;
};

/* Copies `group`, a NUL-terminated name. Makes a random stream id and a random
 * key for ChaCha20-Poly1305. */
struct channel *channel_new(const char *group, const struct group_tag *tag,
                            size_t store_limit, struct entropy *entropy);
/* The receivers must be gone. */
void channel_free(struct channel *c);

/* Whether a message of this encoded size may be added. */
bool channel_has_room(const struct channel *c, size_t message_size);
/* Adds a message to the batch, and seals each packet that is full. False: there
 * is no memory, and nothing was added. */
bool channel_add(struct channel *c, const struct message *m,
                 struct instant now) MUST_USE;
/* Makes a packet of the batch. If no receiver holds packets, the packet is
 * dropped at once. */
void channel_seal(struct channel *c, struct instant now);
/* Whether the next publication needs a new key: a receiver left, the fastest
 * cipher that all receivers have changed, or the key reached its usage limit
 * [P-9.5]. `aes`: this node's processor has AES-256-GCM. */
bool channel_wants_key(const struct channel *c, bool aes);
/* Seals the batch under the old key, then makes a new key for the fastest
 * cipher that all receivers have. */
void channel_rekey(struct channel *c, bool aes, struct entropy *entropy,
                   struct instant now);
/* Fills in a START that carries the key only, no position in the stream. False:
 * the channel does not keep that key any more. */
bool channel_tell_key(const struct channel *c, uint32_t key_id,
                      struct group_start *start) MUST_USE;

/* Drops the packets that every holder has acknowledged. */
void channel_trim(struct channel *c);

/* The packet for a direct link. Valid until the store changes. */
struct bytes channel_plain(const struct channel *c, uint64_t packet);
/* The packet for a relay: FORWARD_HEADER_SIZE bytes for the header, the packet,
 * and its signature, which the first call makes. */
struct bytes channel_signed(struct channel *c, uint64_t packet,
                            const uint8_t node_secret_key[64]);

/* Whether the next packet for the relay may be uploaded now. */
bool channel_has_upload(struct channel *c, int relay, struct instant now);

/* When the store is full: the deadline of the receivers that still lack the
 * first packet. NEVER if no publisher waits for room. */
struct instant channel_patience_ends(const struct channel *c,
                                     struct instant now);
/* Enters RECEIVER_BEHIND (or CATCHING) for each receiver past that deadline, so
 * that the store can drop its packets. */
void channel_leave_behind(struct channel *c, struct instant now);
/* Moves the send times of all packets by `late`, the time that this node
 * slept: the receivers could not acknowledge meanwhile. */
void channel_excuse(struct channel *c, struct span late);
/* Whether a present receiver has yet to acknowledge a packet. */
bool channel_is_delivering(const struct channel *c);

#endif
