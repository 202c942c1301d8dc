/*
 * hub_kit - for tests of the hub: a hub, a mesh and nodes, functions that send
 * the hub a packet, and functions that read what the hub wants written.
 */
#ifndef TESTS_UNIT_HUB_KIT_H
#define TESTS_UNIT_HUB_KIT_H

#include "common/base/memory.h"
#include "relay/core/hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

enum { KIT_UNIX = 1800000000 };

struct kit_mesh {
    uint8_t secret_key[64];
    struct mesh_id id;
};

struct kit {
    struct hub *hub;
    struct hub_conf conf;
    struct hub_todos todos;
    struct instant now;
    struct kit_mesh mesh;
};

struct kit_node {
    uint8_t secret_key[64];
    struct node_id id;
    struct curve_key key;
    uint8_t certificate[CERTIFICATE_SIZE];
    size_t certificate_size;
    uint64_t conn;
    uint64_t epoch;
    uint64_t revocation_serial;
    uint32_t lost_after_ms;
    struct address address;
    struct bytes sealed;
};

static inline void kit_mesh_make(struct kit_mesh *m, uint8_t number)
{
    uint8_t seed[32] = {1, number};
    crypto_sign_seed_keypair(m->id.key, m->secret_key, seed);
}

static inline void kit_certify(struct kit_node *n, const struct kit_mesh *m,
                               const char *name, uint64_t not_after)
{
    struct certificate c = {.mesh = m->id,
                            .node = n->id,
                            .not_before = KIT_UNIX - 100,
                            .not_after = not_after};
    snprintf(c.name, sizeof c.name, "%s", name);
    n->certificate_size =
        certificate_sign(&c, m->secret_key, n->certificate).size;
}

/* Makes node `number` (from 1), whose connection has the same number. */
static inline void kit_node_make(struct kit_node *n, const struct kit_mesh *m,
                                 uint16_t number)
{
    uint8_t seed[32] = {2, (uint8_t)number, (uint8_t)(number >> 8)};
    char name[32];
    *n = (struct kit_node){.conn = number, .epoch = 7, .lost_after_ms = 3000};
    crypto_sign_seed_keypair(n->id.key, n->secret_key, seed);
    assert_true(node_curve_key(&n->id, &n->key));
    snprintf(name, sizeof name, "node-%u", number);
    kit_certify(n, m, name, KIT_UNIX + 86400);
    n->sealed = bytes_of("sealed", 6);
    n->address = (struct address){ADDRESS_V4, {192, 0, 2, seed[1]}, 1000, 0};
}

static inline void kit_step(struct kit *k, struct hub_event event)
{
    hub_todos_clear(&k->todos);
    hub_step(k->hub, k->now, &event, &k->todos);
}

static inline void kit_open(struct kit *k)
{
    assert_true(sodium_init() >= 0);
    *k = (struct kit){.now = {5000000}};
    kit_mesh_make(&k->mesh, 1);
    k->conf = (struct hub_conf){.name = "relay-1",
                                .boot = 99,
                                .meshes = &k->mesh.id,
                                .mesh_count = 1,
                                .limits = {.edges = 100,
                                           .edges_per_mesh = 100,
                                           .edges_per_address = 100,
                                           .queue = 1 << 20}};
    k->hub = hub_new(&k->conf, k->now);
    hub_todos_init(&k->todos);
    kit_step(k,
             (struct hub_event){.kind = HUB_CLOCK, .unix_seconds = KIT_UNIX});
}

/* Gives the hub k->conf as it is now. */
static inline void kit_reconfigure(struct kit *k)
{
    hub_todos_clear(&k->todos);
    hub_reconfigure(k->hub, &k->conf, k->now, &k->todos);
}

static inline void kit_close(struct kit *k)
{
    hub_free(k->hub);
    hub_todos_close(&k->todos);
}

static inline void kit_event(struct kit *k, enum hub_event_kind kind,
                             uint64_t conn)
{
    kit_step(k, (struct hub_event){.kind = kind, .conn = conn});
}

static inline void kit_packet(struct kit *k, const struct kit_node *n,
                              struct bytes packet)
{
    /* A copy in a block of its exact size, so that a sanitizer sees each
     * overrun. */
    uint8_t *data = malloc(packet.size ? packet.size : 1);
    if (packet.size)
        memcpy(data, packet.data, packet.size);
    kit_step(k, (struct hub_event){.kind = HUB_PACKET,
                                   .conn = n->conn,
                                   .key = n->key,
                                   .address = n->address,
                                   .data = data,
                                   .size = packet.size});
    free(data);
}

/* `room` has 64 KiB. */
static inline struct bytes kit_hello_bytes(const struct kit_node *n,
                                           uint8_t *room)
{
    struct relay_hello hello = {
        .version = PROTOCOL_VERSION,
        .certificate = bytes_of(n->certificate, n->certificate_size),
        .epoch = {n->epoch},
        .lost_after_ms = n->lost_after_ms,
        .revocation_serial = n->revocation_serial,
        .sealed = n->sealed};
    struct writer w = writer_of(room, 64 * 1024);
    relay_hello_encode(&hello, &w);
    assert_true(writer_ok(&w));
    return writer_bytes(&w);
}

static inline void kit_hello(struct kit *k, const struct kit_node *n)
{
    static uint8_t room[64 * 1024];
    kit_packet(k, n, kit_hello_bytes(n, room));
}

/* The i-th packet of this type that the last step wrote to the connection. */
static inline struct bytes kit_written(const struct kit *k, uint64_t conn,
                                       uint8_t type, size_t i)
{
    for (size_t at = 0; at < k->todos.count; at++) {
        const struct hub_todo *t = &k->todos.items[at];
        if (t->kind == HUB_WRITE && t->conn == conn && t->bytes.size > 0 &&
            t->bytes.data[0] == type && i-- == 0)
            return t->bytes;
    }
    return (struct bytes){0};
}

static inline size_t kit_count(const struct kit *k, enum hub_todo_kind kind,
                               uint64_t conn)
{
    size_t count = 0;
    for (size_t at = 0; at < k->todos.count; at++) {
        count +=
            k->todos.items[at].kind == kind && k->todos.items[at].conn == conn;
    }
    return count;
}

static inline bool kit_wrote(const struct kit *k, uint64_t conn, uint8_t type)
{
    return kit_written(k, conn, type, 0).size > 0;
}

/* The reason for which the connection was refused, or NONE. */
static inline uint8_t kit_refusal(const struct kit *k, uint64_t conn)
{
    struct bytes packet = kit_written(k, conn, RELAY_REFUSED, 0);
    if (packet.size == 0)
        return REFUSAL_NONE;
    assert_int_equal(packet.size, 2 + KEY_SIZE);
    return packet.data[1];
}

static inline const struct hub_todo *kit_log(const struct kit *k, uint64_t conn)
{
    for (size_t at = 0; at < k->todos.count; at++) {
        if (k->todos.items[at].kind == HUB_LOG &&
            k->todos.items[at].conn == conn)
            return &k->todos.items[at];
    }
    return NULL;
}

/* Expects that the hub refused the connection for this reason, dropped it, and
 * logged that once. */
static inline void kit_expect_refused(const struct kit *k, uint64_t conn,
                                      enum refusal reason)
{
    assert_int_equal(kit_refusal(k, conn), reason);
    assert_int_equal(kit_count(k, HUB_DROP, conn), 1);
    assert_int_equal(kit_count(k, HUB_LOG, conn), 1);
    assert_int_equal(kit_log(k, conn)->log.what, HUB_EDGE_REFUSED);
    assert_int_equal(kit_log(k, conn)->log.reason, reason);
    assert_false(kit_wrote(k, conn, RELAY_WELCOME));
}

/* Tells whether a GONE of this node, for this reason, was written to the
 * connection. */
static inline bool kit_told_gone(const struct kit *k, uint64_t conn,
                                 const struct kit_node *n,
                                 enum departure reason)
{
    struct bytes packet;
    for (size_t i = 0; (packet = kit_written(k, conn, RELAY_GONE, i)).size > 0;
         i++) {
        assert_int_equal(packet.size, 1 + KEY_SIZE + 8 + 1);
        if (memcmp(packet.data + 1, n->id.key, KEY_SIZE) == 0)
            return packet.data[packet.size - 1] == reason;
    }
    return false;
}

/* Counts how often PRESENT packets to the connection contain the node. */
static inline size_t kit_told_present(const struct kit *k, uint64_t conn,
                                      const struct kit_node *n)
{
    size_t count = 0;
    struct bytes packet;
    for (size_t i = 0;
         (packet = kit_written(k, conn, RELAY_PRESENT, i)).size > 0; i++) {
        assert_true(packet.size <= PACKET_SIZE);
        struct reader r = reader_of(packet);
        struct roster_entry entry;
        read_u8(&r);
        while (roster_entry_next(&r, &entry))
            count += node_id_equal(&entry.node, &n->id);
        assert_true(reader_ok(&r));
    }
    return count;
}

static inline uint64_t kit_edges(const struct kit *k)
{
    struct hub_counters c;
    hub_counters_get(k->hub, &c);
    return c.edges;
}

/* Lets time pass, with a step at each deadline of the hub; the todos of all
 * steps accumulate. Returns when `conn` was dropped, or NEVER. */
static inline struct instant kit_pass(struct kit *k, struct span span,
                                      uint64_t conn)
{
    struct instant end = instant_after(k->now, span);
    hub_todos_clear(&k->todos);
    for (int i = 0; i < 100000; i++) {
        struct instant at = hub_deadline(k->hub);
        if (!instant_reached(at, end))
            break;
        k->now = instant_max(k->now, at);
        hub_step(k->hub, k->now, &(struct hub_event){.kind = HUB_TICK},
                 &k->todos);
        if (kit_count(k, HUB_DROP, conn) > 0)
            return k->now;
    }
    k->now = end;
    return INSTANT_NEVER;
}

static inline struct hub_counters kit_counters(const struct kit *k)
{
    struct hub_counters c;
    hub_counters_get(k->hub, &c);
    return c;
}

#endif
