/*
 * zmtp_kit - a ZMTP server and client in memory, and what each sent the other.
 *
 * Their random numbers come from fixed seeds, so every run sends the same
 * bytes.
 */
#ifndef TESTS_UNIT_ZMTP_KIT_H
#define TESTS_UNIT_ZMTP_KIT_H

#include "common/zmtp/frame.h"
#include "common/zmtp/zmtp.h"
#include "tests/unit/kit.h"

enum { ZMTP_KIT_ROOM = 256 * 1024, ZMTP_KIT_LIMIT = 100 * 1000 };

/* Bytes under way to an end, and what reading them led to. */
struct zmtp_end {
    struct zmtp z;
    struct curve_pair keys;
    struct entropy entropy;
    uint8_t in[ZMTP_KIT_ROOM];
    size_t in_read, in_size;
    struct zmtp_item item;
    struct zmtp_reply reply;
};

struct zmtp_two {
    struct zmtp_end server, client;
};

static inline void zmtp_kit_keys(struct zmtp_end *e, uint8_t number)
{
    const uint8_t seed[32] = {0, number}; /* X25519 ignores the lowest bits */

    curve_pair_generate(&e->keys, seed);
    entropy_init(&e->entropy, seed);
}

static inline void zmtp_kit_begin(struct zmtp_end *e, enum zmtp_role role,
                                  const struct curve_pair *server)
{
    struct zmtp_conf conf = {.role = role,
                             .keys = &e->keys,
                             .entropy = &e->entropy,
                             .packet_size = ZMTP_KIT_LIMIT};

    memcpy(conf.server.key, server->public_key, KEY_SIZE);
    e->in_read = e->in_size = 0;
    zmtp_init(&e->z, &conf, &e->reply);
}

/* Bytes come in at an end. */
static inline void zmtp_kit_put(struct zmtp_end *e, const void *data,
                                size_t size)
{
    assert_true(size <= sizeof(e->in) - e->in_size);
    memcpy(e->in + e->in_size, data, size);
    e->in_size += size;
}

static inline void zmtp_kit_give(struct zmtp_end *e,
                                 const struct zmtp_reply *reply)
{
    zmtp_kit_put(e, reply->bytes, reply->size);
}

/* Reads once; the reply, if any, goes to `peer` unless that is NULL. */
static inline enum zmtp_kind zmtp_kit_read(struct zmtp_end *e,
                                           struct zmtp_end *peer)
{
    uint8_t *at = e->in + e->in_read;
    enum zmtp_kind kind =
        zmtp_read(&e->z, &at, e->in + e->in_size, &e->item, &e->reply);

    e->in_read = (size_t)(at - e->in);
    assert_true(e->in_read <= e->in_size);
    if (peer)
        zmtp_kit_give(peer, &e->reply);
    return kind;
}

/* Both ends anew; their greetings are under way. */
static inline void zmtp_kit_start(struct zmtp_two *t)
{
    zmtp_kit_keys(&t->server, 1);
    zmtp_kit_keys(&t->client, 2);
    zmtp_kit_begin(&t->server, ZMTP_AS_SERVER, &t->server.keys);
    zmtp_kit_begin(&t->client, ZMTP_AS_CLIENT, &t->server.keys);
    zmtp_kit_give(&t->client, &t->server.reply);
    zmtp_kit_give(&t->server, &t->client.reply);
}

#define assert_reads(kind, end, peer)                                          \
    assert_int_equal(kind, zmtp_kit_read(end, peer))

/* The steps of a handshake, each ending when the bytes of the next one are
 * under way. */
enum zmtp_step {
    STEP_GREETINGS, /* to both */
    STEP_HELLO,     /* to the server */
    STEP_WELCOME,   /* to the client */
    STEP_INITIATE,  /* to the server */
    STEP_READY,     /* to the client */
    STEP_OPEN,
};

/* From the start to the given step. */
static inline void zmtp_kit_go(struct zmtp_two *t, enum zmtp_step step)
{
    zmtp_kit_start(t);
    if (step == STEP_GREETINGS)
        return;
    assert_reads(ZMTP_NEXT, &t->server, &t->client);
    assert_reads(ZMTP_NEXT, &t->client, &t->server);
    if (step == STEP_HELLO)
        return;
    assert_reads(ZMTP_HELLO, &t->server, &t->client);
    zmtp_take_hello(&t->server.z);
    assert_reads(ZMTP_NEXT, &t->server, &t->client);
    if (step == STEP_WELCOME)
        return;
    assert_reads(ZMTP_NEXT, &t->client, &t->server);
    if (step == STEP_INITIATE)
        return;
    assert_reads(ZMTP_CLIENT, &t->server, &t->client);
    zmtp_admit(&t->server.z, &t->server.reply);
    zmtp_kit_give(&t->client, &t->server.reply);
    if (step == STEP_READY)
        return;
    assert_reads(ZMTP_READY, &t->client, &t->server);
}

/* Seals a packet at one end and puts it before the other. */
static inline void zmtp_kit_seal(struct zmtp_end *from, struct zmtp_end *to,
                                 struct bytes packet)
{
    size_t size = zmtp_sealed_size(packet.size);

    assert_true(size <= sizeof(to->in) - to->in_size);
    assert_int_equal(zmtp_seal(&from->z, packet, to->in + to->in_size), size);
    to->in_size += size;
}

#endif
