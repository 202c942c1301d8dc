/*
 * punch_kit - two machines of punch over a tiny network, in virtual time.
 *
 * Each end has its sockets at one address. Records take 20 ms, datagrams 10 ms.
 * An end may have a filter, which lets in only what was sent to, or a hard NAT,
 * which has a filter and gives each remote address another port. A test may
 * lose records, and sees the last probe that each end got.
 */
#ifndef TESTS_UNIT_PUNCH_KIT_H
#define TESTS_UNIT_PUNCH_KIT_H

#include "edge/core/punch.h"
#include "tests/unit/kit.h"

#include <stdlib.h>

enum { LEADER, OTHER, KIT_FLIGHTS = 4096, KIT_SENDS = 8192, KIT_PORT = 2000 };

struct kit_send {
    uint32_t socket;
    struct address to;
    int ttl;
    struct instant at;
};

struct kit_end {
    struct punch *punch;
    struct entropy entropy;
    uint32_t next_socket;
    struct punch_side side;
    bool is_silent; /* does not answer PUNCH_LOOK */
    bool is_filtered, is_hard;
    int looks, records, won, failed, opened, closed;
    uint32_t looked; /* socket */
    struct punch_do last_won, last_record;
    struct kit_send sends[KIT_SENDS];
    int send_count;
};

struct kit_flight {
    struct instant at;
    int end; /* its receiver */
    bool is_record;
    uint32_t socket;
    struct address from;
    uint8_t bytes[PUNCH_RECORD_SIZE];
    size_t size;
};

struct punch_kit {
    struct instant now;
    struct kit_end ends[2];
    struct kit_flight flights[KIT_FLIGHTS];
    int count;
    bool no_records, no_datagrams;
    int lost_records;                /* how many of the next records are lost */
    struct kit_flight last_probe[2]; /* the last probe that each end got */
};

static inline struct address kit_address(int end, unsigned port)
{
    return (struct address){
        ADDRESS_V4, {203, 0, 113, (uint8_t)(end + 1)}, (uint16_t)port, 0};
}

static inline unsigned kit_port(const struct punch_kit *k, int end,
                                const struct kit_send *s)
{
    if (!k->ends[end].is_hard)
        return KIT_PORT + s->socket;
    return 1024 + (s->socket * 7919 + s->to.port * 31u) % 64512;
}

static inline bool kit_lets_in(const struct punch_kit *k, int end,
                               unsigned port, const struct address *from,
                               uint32_t *socket)
{
    const struct kit_end *e = &k->ends[end];
    *socket = port - KIT_PORT;
    if (!e->is_hard && !e->is_filtered)
        return port >= KIT_PORT && port < KIT_PORT + 10000;
    for (int i = e->send_count - 1; i >= 0; i--)
        if (kit_port(k, end, &e->sends[i]) == port &&
            address_equal(&e->sends[i].to, from)) {
            *socket = e->sends[i].socket;
            return true;
        }
    return false;
}

static inline void kit_fly(struct punch_kit *k, const struct kit_flight *f)
{
    assert_in_range(k->count, 0, KIT_FLIGHTS - 1);
    k->flights[k->count++] = *f;
}

static inline void kit_send(struct punch_kit *k, int end,
                            const struct punch_do *todo)
{
    struct kit_end *e = &k->ends[end];
    struct kit_send s = {todo->socket, todo->to, todo->ttl, k->now};
    struct kit_flight f = {.at = instant_after(k->now, span_ms(10)),
                           .end = 1 - end,
                           .size = todo->size};
    assert_in_range(e->send_count, 0, KIT_SENDS - 1);
    assert_int_equal(todo->size, PROBE_SIZE);
    e->sends[e->send_count++] = s;
    f.from = kit_address(end, kit_port(k, end, &s));
    struct address there = kit_address(1 - end, todo->to.port);
    memcpy(f.bytes, todo->bytes, todo->size);
    if (k->no_datagrams || todo->ttl != 0 || !address_equal(&there, &todo->to))
        return;
    f.socket = todo->to.port; /* Holds the port until the datagram arrives. */
    kit_fly(k, &f);
}

static inline void kit_settle(struct punch_kit *k, int end);

static inline void kit_do(struct punch_kit *k, int end,
                          const struct punch_do *todo)
{
    struct kit_end *e = &k->ends[end];
    struct kit_flight f = {.at = instant_after(k->now, span_ms(20)),
                           .end = 1 - end,
                           .is_record = true,
                           .size = todo->size};
    switch (todo->action) {
    case PUNCH_LOOK:
        e->looks++;
        e->looked = todo->socket;
        break;
    case PUNCH_RECORD:
        e->records++;
        e->last_record = *todo;
        memcpy(f.bytes, todo->bytes, todo->size);
        if (!k->no_records && k->lost_records-- <= 0)
            kit_fly(k, &f);
        break;
    case PUNCH_OPEN:
        e->opened += (int)todo->count;
        break;
    case PUNCH_CLOSE:
        e->closed += (int)todo->count;
        break;
    case PUNCH_SEND:
        kit_send(k, end, todo);
        break;
    case PUNCH_WON:
        e->won++;
        e->last_won = *todo;
        break;
    case PUNCH_FAILED:
        e->failed++;
        break;
    }
}

static inline void kit_settle(struct punch_kit *k, int end)
{
    struct kit_end *e = &k->ends[end];
    struct punch_do todo;
    int looks = e->looks;
    if (instant_reached(punch_deadline(e->punch), k->now))
        punch_due(e->punch, k->now);
    while (punch_next(e->punch, &todo, k->now))
        kit_do(k, end, &todo);
    if (e->looks == looks || e->is_silent)
        return;
    for (int i = 0; i < e->side.candidate_count; i++)
        e->side.candidates[i].address.port =
            (uint16_t)(KIT_PORT + (e->is_hard ? 40000u : 0u) + e->looked);
    punch_looked(e->punch, &e->side, k->now);
    kit_settle(k, end);
}

static inline bool kit_take_probe(struct punch_kit *k, int end, uint32_t socket,
                                  const struct address *from,
                                  struct bytes datagram)
{
    bool good =
        punch_take_probe(k->ends[end].punch, socket, from, datagram, k->now);
    kit_settle(k, end);
    return good;
}

static inline void kit_arrive(struct punch_kit *k, const struct kit_flight *f)
{
    struct kit_flight here = *f;
    struct bytes bytes = bytes_of(f->bytes, f->size);
    if (f->is_record) {
        assert_true(punch_take_record(k->ends[f->end].punch, bytes, k->now));
        kit_settle(k, f->end);
        return;
    }
    if (!kit_lets_in(k, f->end, f->socket, &f->from, &here.socket))
        return;
    k->last_probe[f->end] = here;
    (void)kit_take_probe(k, f->end, here.socket, &f->from, bytes);
}

/* Index of the earliest flight, or -1. */
static inline int kit_first(const struct punch_kit *k)
{
    int first = -1;
    for (int i = 0; i < k->count; i++)
        if (first < 0 || k->flights[i].at.us < k->flights[first].at.us)
            first = i;
    return first;
}

static inline void kit_run(struct punch_kit *k, struct span span)
{
    struct instant until = instant_after(k->now, span);
    for (;;) {
        int first = kit_first(k);
        struct instant at = first < 0 ? INSTANT_NEVER : k->flights[first].at;
        for (int i = 0; i < 2; i++)
            at = instant_min(at, punch_deadline(k->ends[i].punch));
        if (!instant_reached(at, until))
            break;
        k->now = instant_max(k->now, at);
        if (first >= 0 && instant_reached(k->flights[first].at, k->now)) {
            struct kit_flight f = k->flights[first];
            memmove(&k->flights[first], &k->flights[first + 1],
                    (size_t)(--k->count - first) * sizeof f);
            kit_arrive(k, &f);
            continue;
        }
        for (int i = 0; i < 2; i++)
            if (instant_reached(punch_deadline(k->ends[i].punch), k->now)) {
                kit_settle(k, i);
                assert_false(
                    instant_reached(punch_deadline(k->ends[i].punch), k->now));
            }
    }
    k->now = until;
}

static inline struct punch_kit *kit_new(void)
{
    struct punch_kit *k = calloc(1, sizeof *k);
    assert_non_null(k);
    k->now = (struct instant){1000000};
    for (int i = 0; i < 2; i++) {
        struct kit_end *e = &k->ends[i];
        const uint8_t seed[32] = {(uint8_t)(i + 1)};
        struct punch_conf conf = {.self.key = {(uint8_t)(i + 1)},
                                  .peer.key = {(uint8_t)(2 - i)},
                                  .entropy = &e->entropy,
                                  .next_socket = &e->next_socket};
        e->next_socket = 1;
        entropy_init(&e->entropy, seed);
        e->punch = punch_new(&conf);
        e->side.mapping = MAPPING_ENDPOINT_INDEPENDENT;
        e->side.candidate_count = 1;
        e->side.candidates[0] =
            (struct candidate){CANDIDATE_STUN, kit_address(i, KIT_PORT)};
    }
    return k;
}

static inline void kit_free(struct punch_kit *k)
{
    for (int i = 0; i < 2; i++)
        punch_free(&k->ends[i].punch);
    free(k);
}

static inline void kit_want(struct punch_kit *k, int end, bool wanted)
{
    punch_want(k->ends[end].punch, wanted, k->now);
    kit_settle(k, end);
}

static inline void kit_want_both(struct punch_kit *k)
{
    kit_want(k, LEADER, true);
    kit_want(k, OTHER, true);
}

#endif
