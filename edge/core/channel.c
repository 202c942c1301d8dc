#include "edge/core/channel.h"

#include "common/base/memory.h"
#include "edge/core/receiver.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { SEALED_SIZE = MULTICAST_HEADER_SIZE + MULTICAST_SEAL_SIZE };

_Static_assert(RECORD_FRAGMENT_SIZE + RECORD_DATA_OVERHEAD <=
                   (int)MULTICAST_CONTENT_SIZE,
               "a packet must hold any record");

struct channel *channel_new(const char *group, const struct group_tag *tag,
                            size_t store_limit, struct entropy *entropy)
{
    struct channel *c = memory_new(sizeof(*c));

    c->tag = *tag;
    memcpy(c->group, group, strnlen(group, NAME_MAX_SIZE));
    c->stream = entropy_u64(entropy) | 1;
    c->next_record = 1;
    c->next_message = 1;
    c->opening_until = INSTANT_NEVER;
    store_init(&c->store, store_limit);
    channel_rekey(c, false, entropy, (struct instant){0});
    return c;
}

void channel_free(struct channel *c)
{
    ASSERT(c->receivers == NULL);
    store_close(&c->store);
    free(c->batch);
    aead_wipe(&c->newest);
    sodium_memzero(c, sizeof(*c));
    free(c);
}

/* --- the stream ----------------------------------------------------------- */

bool channel_has_room(const struct channel *c, size_t message_size)
{
    return (store_is_empty(&c->store) && c->batch_size == 0) ||
           store_has_room(&c->store, c->batch_size + message_size);
}

static struct writer batch_room(struct channel *c, size_t size,
                                struct instant now)
{
    if (c->batch == NULL)
        c->batch = memory_resize(NULL, MULTICAST_CONTENT_SIZE, 1);
    if (MULTICAST_CONTENT_SIZE - c->batch_size < size + RECORD_DATA_OVERHEAD)
        channel_seal(c, now);
    return writer_of(c->batch + c->batch_size,
                     MULTICAST_CONTENT_SIZE - c->batch_size);
}

static void batch_wrote(struct channel *c, const struct writer *w, bool first)
{
    struct store_content *content = &c->batch_content;

    ASSERT(writer_ok(w));
    if (c->batch_size == 0)
        *content = (struct store_content){.message = c->next_message};
    if (first && content->start_record == 0) {
        content->start_record = c->next_record;
        content->start_message = c->next_message;
    }
    content->last_record = c->next_record;
    c->batch_size += writer_bytes(w).size;
    c->next_record++;
}

/* Makes room for all packets that the batch and the message can become. */
static bool make_room(struct channel *c, size_t size)
{
    size_t packets = size / RECORD_FRAGMENT_SIZE + 2;
    size_t around = SEALED_SIZE + FORWARD_HEADER_SIZE + SIGNATURE_SIZE +
                    RECORD_DATA_OVERHEAD;

    return store_want(&c->store, c->batch_size + size + packets * around,
                      packets);
}

bool channel_add(struct channel *c, const struct message *m, struct instant now)
{
    size_t size = message_size(m);
    size_t done = 0;

    if (!make_room(c, size))
        return false;
    while (done < size) {
        size_t left = size - done;
        size_t part = left < RECORD_FRAGMENT_SIZE ? left : RECORD_FRAGMENT_SIZE;
        struct writer w = batch_room(c, part, now);
        struct data_record record = {
            .sequence = c->next_record,
            .next = c->batch_size > 0,
            .first = done == 0,
            .last = part == left,
            .total = size,
        };
        data_record_begin(&record, part, &w);
        message_encode_part(m, done, part, &w);
        batch_wrote(c, &w, done == 0);
        done += part;
    }
    c->next_message++;
    c->used_at = now;
    return true;
}

void channel_seal(struct channel *c, struct instant now)
{
    struct bytes content = bytes_of(c->batch, c->batch_size);

    if (content.size == 0)
        return;
    c->batch_size = 0;
    size_t size =
        FORWARD_HEADER_SIZE + SEALED_SIZE + content.size + SIGNATURE_SIZE;
    struct store_packet *p = store_put(&c->store, size);
    uint8_t *data = store_data(&c->store, p) + FORWARD_HEADER_SIZE;
    struct writer w = writer_of(data, SEALED_SIZE + content.size);
    struct multicast_packet header = {
        .tag = c->tag, .key = c->key_id, .number = c->number++};

    p->content = c->batch_content;
    p->content.key_id = c->key_id;
    p->at = now;
    group_seal(&header, &c->newest, content, &w);
    ASSERT(writer_ok(&w));
    channel_trim(c);
}

static enum cipher best_cipher(const struct channel *c, bool aes)
{
    return aes && c->without_aes == 0 ? CIPHER_AES : CIPHER_CHACHA;
}

bool channel_wants_key(const struct channel *c, bool aes)
{
    return c->rekey || c->newest.cipher != best_cipher(c, aes) ||
           c->number > aead_limit(c->newest.cipher);
}

void channel_rekey(struct channel *c, bool aes, struct entropy *entropy,
                   struct instant now)
{
    channel_seal(c, now);
    struct channel_key *key = &c->keys[++c->key_id % CHANNEL_KEYS];
    entropy_fill(entropy, key->key, sizeof(key->key));
    aead_wipe(&c->newest);
    aead_init(&c->newest, best_cipher(c, aes), key->key);
    key->aes = c->newest.cipher == CIPHER_AES;
    c->number = 1;
    c->rekey = false;
}

bool channel_tell_key(const struct channel *c, uint32_t key_id,
                      struct group_start *start)
{
    if (key_id == 0 || key_id > c->key_id || c->key_id - key_id >= CHANNEL_KEYS)
        return false;
    const struct channel_key *key = &c->keys[key_id % CHANNEL_KEYS];
    *start = (struct group_start){
        .tag = c->tag,
        .stream = c->stream,
        .key_id = key_id,
        .aes = key->aes,
    };
    memcpy(start->key, key->key, sizeof(start->key));
    return true;
}

/* --- the store ------------------------------------------------------------ */

/* The first packet that a holder lacks; store.next without holders. */
static uint64_t first_lacked(const struct channel *c)
{
    uint64_t first = c->store.next;

    for (const struct receiver *r = c->receivers; r != NULL; r = r->next)
        if (receiver_holds(r) && r->unacknowledged < first)
            first = r->unacknowledged;
    return first;
}

static size_t count_at(const struct channel *c, uint64_t packet)
{
    size_t count = 0;

    for (const struct receiver *r = c->receivers; r != NULL; r = r->next)
        count += receiver_holds(r) && r->unacknowledged == packet;
    return count;
}

void channel_trim(struct channel *c)
{
    if (c->at_tail > 0 || store_is_empty(&c->store))
        return;
    uint64_t first = first_lacked(c);
    while (c->store.base < first)
        store_drop_first(&c->store);
    c->at_tail = count_at(c, first);
}

struct bytes channel_plain(const struct channel *c, uint64_t packet)
{
    const struct store_packet *p = store_at(&c->store, packet);

    return bytes_of(store_data(&c->store, p) + FORWARD_HEADER_SIZE,
                    p->size - FORWARD_HEADER_SIZE - SIGNATURE_SIZE);
}

struct bytes channel_signed(struct channel *c, uint64_t packet,
                            const uint8_t node_secret_key[64])
{
    struct store_packet *p = store_at(&c->store, packet);
    uint8_t *data = store_data(&c->store, p);

    if (!p->is_signed)
        group_sign(channel_plain(c, packet), node_secret_key,
                   data + p->size - SIGNATURE_SIZE);
    p->is_signed = true;
    return bytes_of(data, p->size);
}

bool channel_has_upload(struct channel *c, int relay, struct instant now)
{
    struct upload *u = &c->uploads[relay];

    if (u->receivers == 0 ||
        (c->starting > 0 && !instant_reached(c->opening_until, now)))
        return false;
    if (u->next < c->store.base)
        u->next = c->store.base; /* The receivers were left behind. */
    return u->next < c->store.next;
}

/* --- pace ----------------------------------------------------------------- */

struct instant channel_patience_ends(const struct channel *c,
                                     struct instant now)
{
    struct instant ends = INSTANT_NEVER;

    if (!c->wants_ready || store_is_empty(&c->store))
        return ends;
    struct instant at = store_at(&c->store, c->store.base)->at;
    for (const struct receiver *r = c->receivers; r != NULL; r = r->next)
        if (receiver_holds(r) && r->unacknowledged == c->store.base)
            ends =
                instant_min(ends, instant_after(at, receiver_patience(r, now)));
    return ends;
}

void channel_leave_behind(struct channel *c, struct instant now)
{
    uint64_t base = c->store.base;
    struct instant at = store_at(&c->store, base)->at;

    for (struct receiver *r = c->receivers; r != NULL; r = r->next)
        if (receiver_holds(r) && r->unacknowledged == base &&
            !instant_is_recent(at, receiver_patience(r, now), now))
            receiver_leave_behind(r, now);
    channel_trim(c);
}

void channel_excuse(struct channel *c, struct span late)
{
    for (uint64_t i = c->store.base; i < c->store.next; i++) {
        struct store_packet *p = store_at(&c->store, i);
        p->at = instant_after(p->at, late);
    }
}

bool channel_is_delivering(const struct channel *c)
{
    if (c->batch_size > 0 && c->holders > 0)
        return true;
    for (const struct receiver *r = c->receivers; r != NULL; r = r->next)
        if (r->present && receiver_holds(r) &&
            r->unacknowledged < c->store.next)
            return true;
    return false;
}
