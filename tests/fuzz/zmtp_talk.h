/*
 * zmtp_talk - what the fuzz targets of both ends of a ZMTP connection share.
 *
 * The first byte of an input chooses: all that the other end says, from its
 * greeting on; or what it says sealed, once the connection is open, as records
 * of flags, length and data. The random numbers of both ends are fixed, so a
 * sample can hold a whole conversation that is right.
 */
#ifndef TESTS_FUZZ_ZMTP_TALK_H
#define TESTS_FUZZ_ZMTP_TALK_H

#include "common/zmtp/frame.h"
#include "common/zmtp/zmtp.h"
#include "tests/fuzz/fuzz.h"

enum {
    TALK_LIMIT = 1024, /* of a packet */
    TALK_MOST = FRAME_HEAD_SIZE + INITIATE_SIZE + METADATA_SIZE,
    TALK_SIZE = 8192,
};
_Static_assert(TALK_MOST > TALK_LIMIT + ZMTP_OVERHEAD, "longest frame");

struct talk_end {
    struct zmtp z;
    struct curve_pair keys;
    struct entropy entropy;
};

/* All that came of some bytes. */
struct talk_results {
    crypto_generichash_state told;
    size_t count;
    enum zmtp_failure failure;
};

static inline void talk_begin(struct talk_end *e, enum zmtp_role role,
                              struct zmtp_reply *reply)
{
    static const uint8_t seeds[2][32] = {{0, 1}, {0, 2}};
    struct curve_pair server;
    struct zmtp_conf conf = {.role = role,
                             .keys = &e->keys,
                             .entropy = &e->entropy,
                             .packet_size = TALK_LIMIT};

    curve_pair_generate(&server, seeds[ZMTP_AS_SERVER]);
    curve_pair_generate(&e->keys, seeds[role]);
    entropy_init(&e->entropy, seeds[role]);
    memcpy(conf.server.key, server.public_key, KEY_SIZE);
    zmtp_init(&e->z, &conf, reply);
}

static inline void talk_add(struct talk_results *r, const void *data,
                            size_t size)
{
    if (size > 0)
        crypto_generichash_update(&r->told, data, size);
}

static inline void talk_tell(struct talk_results *r, enum zmtp_kind kind,
                             const struct zmtp_item *item,
                             const struct zmtp_reply *reply)
{
    ASSERT(reply->size <= ZMTP_REPLY_SIZE);
    ASSERT(item->packet.size <= TALK_LIMIT);
    ASSERT(item->context.size <= ZMTP_CONTEXT_SIZE);
    ASSERT(item->reason.size <= ZMTP_REASON_SIZE);
    r->count++;
    talk_add(r, &kind, sizeof(kind));
    talk_add(r, item->packet.data, item->packet.size);
    talk_add(r, item->context.data, item->context.size);
    talk_add(r, item->reason.data, item->reason.size);
    talk_add(r, reply->bytes, reply->size);
}

/* One read; false when it wants more or failed. */
static inline bool talk_step(struct talk_end *e, uint8_t **at, uint8_t *end,
                             struct talk_results *r)
{
    struct zmtp_item item;
    struct zmtp_reply reply;
    enum zmtp_kind kind = zmtp_read(&e->z, at, end, &item, &reply);

    ASSERT(*at <= end);
    if (kind == ZMTP_MORE) {
        ASSERT(item.need > (size_t)(end - *at));
        ASSERT(item.need <= TALK_MOST);
        return false;
    }
    talk_tell(r, kind, &item, &reply);
    if (kind == ZMTP_HELLO)
        zmtp_take_hello(&e->z);
    if (kind == ZMTP_CLIENT)
        zmtp_admit(&e->z, &reply);
    return kind != ZMTP_FAILED;
}

/* Reads the bytes as they come, `step` at a time. */
static inline struct talk_results talk_read(enum zmtp_role role,
                                            struct bytes in, size_t step)
{
    static uint8_t copy[TALK_SIZE];
    struct talk_results r = {0};
    struct talk_end e;
    struct zmtp_reply reply;
    uint8_t *at = copy;

    crypto_generichash_init(&r.told, NULL, 0, 32);
    memcpy(copy, in.data, in.size);
    talk_begin(&e, role, &reply);
    for (size_t there = 0; there < in.size && e.z.state != ZMTP_OVER;) {
        there = step < in.size - there ? there + step : in.size;
        while (talk_step(&e, &at, copy + there, &r))
            ;
    }
    r.failure = e.z.failure;
    return r;
}

/* In whatever pieces bytes come, they mean the same; except that a failure may
 * be told sooner, and then less of what came before was. */
static inline void talk_raw(enum zmtp_role role, struct bytes in)
{
    static const size_t steps[] = {1, 7, 100};
    struct talk_results whole = talk_read(role, in, TALK_SIZE);
    struct talk_results parts = talk_read(role, in, steps[in.size % 3]);
    uint8_t a[32], b[32];

    crypto_generichash_final(&whole.told, a, sizeof(a));
    crypto_generichash_final(&parts.told, b, sizeof(b));
    ASSERT(whole.failure == parts.failure && whole.count == parts.count);
    ASSERT(memcmp(a, b, sizeof(a)) == 0);
}

/* An end whose handshake is over, with the other's box for what it will read.
 */
static inline void talk_open(struct talk_end *e, enum zmtp_role role,
                             struct message_box *other)
{
    static const uint8_t shared[32] = {5};
    bool server = role == ZMTP_AS_SERVER;
    struct zmtp_reply reply;

    talk_begin(e, role, &reply);
    message_box_init(other, shared,
                     server ? "CurveZMQMESSAGEC" : "CurveZMQMESSAGES", NULL);
    e->z.in = *other;
    message_box_init(&e->z.out, shared,
                     server ? "CurveZMQMESSAGES" : "CurveZMQMESSAGEC", NULL);
    e->z.state = ZMTP_OPEN;
}

static inline size_t talk_message(const struct message_box *box, uint64_t nonce,
                                  uint8_t flags, struct bytes data,
                                  uint8_t *out)
{
    size_t head = frame_head_write(out, 0, 33 + data.size);

    memcpy(out + head, "\7MESSAGE", 8);
    put_be64(out + head + 8, nonce);
    message_box_seal(box, nonce, flags, data, out + head + 16);
    return head + 33 + data.size;
}

static inline void talk_sealed(enum zmtp_role role, struct bytes in)
{
    struct reader r = reader_of(in);
    struct talk_results results = {0};
    struct message_box other;
    struct talk_end e;

    crypto_generichash_init(&results.told, NULL, 0, 32);
    talk_open(&e, role, &other);
    for (uint64_t nonce = 1; reader_left(&r) > 0; nonce++) {
        uint8_t out[300], flags = read_u8(&r);
        uint8_t *at = out;
        struct bytes data = read_bytes(&r, read_u8(&r));
        size_t size = talk_message(&other, nonce, flags, data, out);
        bool good = talk_step(&e, &at, out + size, &results);
        ASSERT(good == (e.z.state == ZMTP_OPEN));
        /* Whatever is in the box, the box itself is right. */
        ASSERT(good || e.z.failure == ZMTP_BAD_FLAGS ||
               e.z.failure == ZMTP_BAD_MORE || e.z.failure == ZMTP_BAD_FORM);
        if (!good)
            return;
        ASSERT(at == out + size);
    }
}

static inline int talk_input(enum zmtp_role role, const uint8_t *data,
                             size_t size)
{
    if (size < 2 || size > TALK_SIZE)
        return 0;
    if (data[0] % 2 == 0)
        talk_raw(role, bytes_of(data + 1, size - 1));
    else
        talk_sealed(role, bytes_of(data + 1, size - 1));
    return 0;
}

/* Moves one end's replies to the other until both are silent. `heard` gets all
 * that came to the end of that role. */
static inline size_t talk_record(enum zmtp_role role, uint8_t *heard,
                                 size_t room)
{
    struct talk_end ends[2];
    uint8_t in[2][TALK_SIZE];
    uint8_t *at[2] = {in[0], in[1]}, *end[2] = {in[0], in[1]};
    struct zmtp_reply reply;
    struct zmtp_item item;

    for (int i = 0; i < 2; i++) {
        talk_begin(&ends[i], (enum zmtp_role)i, &reply);
        memcpy(end[!i], reply.bytes, reply.size);
        end[!i] += reply.size;
    }
    for (int i = 0; at[0] < end[0] || at[1] < end[1]; i = !i) {
        enum zmtp_kind kind =
            zmtp_read(&ends[i].z, &at[i], end[i], &item, &reply);
        if (kind == ZMTP_HELLO)
            zmtp_take_hello(&ends[i].z);
        if (kind == ZMTP_CLIENT)
            zmtp_admit(&ends[i].z, &reply);
        memcpy(end[!i], reply.bytes, reply.size);
        end[!i] += reply.size;
    }
    end[role] += zmtp_seal(&ends[!role].z, bytes_of("packet", 6), end[role]);
    zmtp_ping(&ends[!role].z, 9, bytes_of("context", 7), &reply);
    memcpy(end[role], reply.bytes, reply.size);
    end[role] += reply.size;
    return fuzz_keep(bytes_of(in[role], (size_t)(end[role] - in[role])), heard,
                     room);
}

#endif
