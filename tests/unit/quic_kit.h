/*
 * quic_kit - two ends of a QUIC connection on a simulated wire, in virtual
 * time.
 *
 * The wire delays, loses, doubles and reorders datagrams by a seed, and drops
 * those that are larger than its MTU. It checks of each datagram what holds for
 * all: the fixed bit is set, and the label finds its receiver.
 */
#ifndef TESTS_UNIT_QUIC_KIT_H
#define TESTS_UNIT_QUIC_KIT_H

#include "common/wire/packet.h"
#include "edge/shell/quic.h"
#include "tests/unit/kit.h"

#include <stdlib.h>

enum { WIRE_DATAGRAMS = 16 * 1024, MILLION = 1000 * 1000 };

struct quic_side {
    struct quic *q;
    struct quic_conf conf;
    struct address here, outside; /* its own address, and what others see */
    enum quic_end end;
    int opened;
    /* What it sends, and got. */
    size_t to_send, sent, got;
    size_t sizes, got_sizes; /* of what it sends, and of what it gets */
    uint64_t sent_bytes, got_bytes, released;
    size_t datagrams, datagram_bytes, largest; /* that it sent */
    bool full;
};

struct kit_datagram {
    struct instant at;
    uint64_t order;
    int to;
    struct address from, seen_to;
    size_t size;
    uint8_t *bytes;
};

struct quic_wire {
    struct quic_side sides[2]; /* the client, the server */
    struct instant now;
    uint64_t random, order;
    struct span delay, jitter;
    uint32_t loss, doubles; /* in a million */
    size_t mtu;             /* the largest datagram's bytes */
    bool strangers;         /* labels are not looked at */
    bool dead;              /* nothing arrives */
    size_t count;
    struct kit_datagram flying[WIRE_DATAGRAMS];
    uint8_t buffer[QUIC_BURST_SIZE];
    /* Looks at each datagram that is sent; may be NULL. */
    void (*tap)(struct quic_wire *w, int from, const uint8_t *bytes,
                size_t size);
    uint8_t taped[64][2048]; /* for a tap to fill */
    size_t taped_size[64], taped_count;
};

static inline uint64_t wire_random(struct quic_wire *w)
{
    uint64_t z = w->random += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static inline bool wire_happens(struct quic_wire *w, uint32_t in_a_million)
{
    return wire_random(w) % MILLION < in_a_million;
}

/* ---- What the packets hold ---------------------------------------------- */

enum { SIZES_SMALL, SIZES_MIXED, SIZES_LARGE, SIZES_ONE_LARGE };

static inline size_t packet_size_of(size_t sizes, size_t number)
{
    static const size_t mixed[] = {1, 33, 34,    1000, 1200, PACKET_SIZE,
                                   5, 64, 65536, 2,    8191, 8192};

    if (sizes == SIZES_SMALL)
        return 1 + number % 100;
    if (sizes == SIZES_LARGE)
        return PACKET_SIZE;
    if (sizes == SIZES_ONE_LARGE)
        return number == 0 ? 1400 : 8;
    return mixed[number % COUNT_OF(mixed)];
}

/* The bytes of a packet. */
static inline const uint8_t *packet_bytes_of(size_t number)
{
    static uint8_t bytes[PACKET_SIZE + 256];

    if (bytes[1] == 0)
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i * 11 + i / 256);
    return bytes + number % 256;
}

static inline void side_opened(void *context)
{
    struct quic_side *side = context;

    side->opened++;
}

static inline void side_packet(void *context, struct packet_ref *packet)
{
    struct quic_side *side = context;
    size_t size = packet_ref_size(packet);

    assert_int_equal(size, packet_size_of(side->got_sizes, side->got));
    assert_memory_equal(packet_ref_data(packet), packet_bytes_of(side->got),
                        size);
    side->got++;
    side->got_bytes += size;
}

static inline void side_released(void *context, size_t bytes)
{
    struct quic_side *side = context;

    side->released += bytes;
    side->full = false;
}

static inline void side_send(struct quic_side *side)
{
    while (side->sent < side->to_send && side->end == QUIC_GOES_ON) {
        size_t size = packet_size_of(side->sizes, side->sent);
        struct packet_ref packet;
        bool taken;

        packet_ref_copy(&packet, bytes_of(packet_bytes_of(side->sent), size));
        taken = quic_send(side->q, &packet);
        side->full = !taken;
        assert_int_equal(packet_ref_size(&packet), taken ? 0 : size);
        packet_ref_release(&packet);
        if (!taken)
            return;
        side->sent++;
        side->sent_bytes += size;
    }
}

/* ---- The wire ----------------------------------------------------------- */

static inline bool flies_before(const struct kit_datagram *a,
                                const struct kit_datagram *b)
{
    return a->at.us < b->at.us || (a->at.us == b->at.us && a->order < b->order);
}

static inline void wire_put(struct quic_wire *w, int to,
                            const struct address *from,
                            const struct address *seen_to, const uint8_t *bytes,
                            size_t size, struct instant at)
{
    struct kit_datagram d = {.at = at,
                             .order = w->order++,
                             .to = to,
                             .from = *from,
                             .seen_to = *seen_to,
                             .size = size,
                             .bytes = malloc(size)};
    size_t i = w->count++;

    assert_non_null(d.bytes);
    assert_true(i < WIRE_DATAGRAMS);
    memcpy(d.bytes, bytes, size);
    for (; i > 0 && flies_before(&d, &w->flying[(i - 1) / 2]); i = (i - 1) / 2)
        w->flying[i] = w->flying[(i - 1) / 2];
    w->flying[i] = d;
}

static inline struct kit_datagram wire_pop(struct quic_wire *w)
{
    struct kit_datagram first = w->flying[0];
    struct kit_datagram last = w->flying[--w->count];
    size_t i = 0, child;

    for (; (child = 2 * i + 1) < w->count; i = child) {
        if (child + 1 < w->count &&
            flies_before(&w->flying[child + 1], &w->flying[child]))
            child++;
        if (flies_before(&last, &w->flying[child]))
            break;
        w->flying[i] = w->flying[child];
    }
    w->flying[i] = last;
    return first;
}

static inline struct instant wire_arrival(struct quic_wire *w)
{
    int64_t late = w->jitter.us > 0
                       ? (int64_t)(wire_random(w) % (uint64_t)w->jitter.us)
                       : 0;

    return instant_after(w->now, span_us(w->delay.us + late));
}

/* A client's first datagrams have an id that the client invented. */
static inline void check_datagram(const struct quic_wire *w, int to,
                                  const uint8_t *bytes, size_t size)
{
    bool is_initial = (bytes[0] & 0xb0) == 0x80;
    uint32_t label = 0;

    assert_true(bytes[0] & 0x40);
    assert_true(quic_label(bytes, size, &label));
    if (!w->strangers && (to == 0 || !is_initial))
        assert_int_equal(label, w->sides[to].conf.label);
}

static inline void wire_datagram(struct quic_wire *w, int from,
                                 const struct address *target,
                                 const uint8_t *bytes, size_t size)
{
    struct quic_side *side = &w->sides[from], *peer = &w->sides[1 - from];

    check_datagram(w, 1 - from, bytes, size);
    side->datagrams++;
    side->datagram_bytes += size;
    if (size > side->largest)
        side->largest = size;
    if (w->tap != NULL)
        w->tap(w, from, bytes, size);
    if (w->dead || size > w->mtu || !address_equal(target, &peer->outside) ||
        wire_happens(w, w->loss))
        return;
    wire_put(w, 1 - from, &side->outside, &peer->here, bytes, size,
             wire_arrival(w));
    if (wire_happens(w, w->doubles))
        wire_put(w, 1 - from, &side->outside, &peer->here, bytes, size,
                 wire_arrival(w));
}

static inline void wire_burst(struct quic_wire *w, int from,
                              const struct quic_burst *b)
{
    assert_true(b->size > 0 && b->segment > 0 && b->segment <= b->size);
    assert_true(b->segment <= w->sides[from].conf.payload_most);
    assert_true(address_equal(&b->from, &w->sides[from].here));
    for (size_t at = 0; at < b->size; at += b->segment) {
        size_t left = b->size - at;

        wire_datagram(w, from, &b->to, w->buffer + at,
                      left < b->segment ? left : b->segment);
    }
}

static inline void wire_flush(struct quic_wire *w, int from)
{
    struct quic_side *side = &w->sides[from];
    struct quic_burst burst;

    if (side->q == NULL)
        return;
    side_send(side);
    while (quic_write(side->q, w->now, w->buffer, &burst))
        wire_burst(w, from, &burst);
}

static inline void wire_take(struct quic_wire *w, struct kit_datagram *d)
{
    struct quic_side *side = &w->sides[d->to];

    if (side->q != NULL)
        side->end = quic_take(side->q, &d->seen_to, &d->from, d->bytes, d->size,
                              w->now);
    free(d->bytes);
    wire_flush(w, d->to);
}

static inline void wire_close(struct quic_wire *w, int from)
{
    struct quic_side *side = &w->sides[from];
    struct quic_burst burst;

    if (quic_write_close(side->q, w->now, w->buffer, &burst))
        wire_burst(w, from, &burst);
    quic_free(&side->q);
}

/* The next thing that happens, at `limit` at the latest. */
static inline struct instant wire_next(const struct quic_wire *w,
                                       struct instant limit)
{
    struct instant next = limit;

    if (w->count > 0)
        next = instant_min(next, w->flying[0].at);
    for (int i = 0; i < 2; i++)
        if (w->sides[i].q != NULL && w->sides[i].end == QUIC_GOES_ON)
            next = instant_min(next, quic_deadline(w->sides[i].q));
    return instant_max(next, w->now);
}

/* One moment. False: `limit` is reached. */
static inline bool wire_step(struct quic_wire *w, struct instant limit)
{
    w->now = wire_next(w, limit);
    while (w->count > 0 && instant_reached(w->flying[0].at, w->now)) {
        struct kit_datagram d = wire_pop(w);

        wire_take(w, &d);
    }
    for (int i = 0; i < 2; i++) {
        struct quic_side *side = &w->sides[i];

        if (side->q != NULL && side->end == QUIC_GOES_ON &&
            instant_reached(quic_deadline(side->q), w->now)) {
            side->end = quic_due(side->q, w->now);
            wire_flush(w, i);
        }
    }
    return !instant_reached(limit, w->now);
}

static inline void wire_run(struct quic_wire *w, struct span time)
{
    struct instant limit = instant_after(w->now, time);

    for (int i = 0; i < 2; i++)
        wire_flush(w, i);
    while (wire_step(w, limit))
        ;
}

static inline bool wire_is_done(const struct quic_wire *w)
{
    return w->sides[0].got == w->sides[1].to_send &&
           w->sides[1].got == w->sides[0].to_send &&
           w->sides[0].released == w->sides[0].sent_bytes &&
           w->sides[1].released == w->sides[1].sent_bytes;
}

/* Until all packets are there and acknowledged; false: not in that time. */
static inline bool wire_run_done(struct quic_wire *w, struct span time)
{
    struct instant limit = instant_after(w->now, time);

    for (int i = 0; i < 2; i++)
        wire_flush(w, i);
    while (!wire_is_done(w) && wire_step(w, limit))
        ;
    return wire_is_done(w);
}

/* ---- Its ends ----------------------------------------------------------- */

static inline struct address kit_address(const char *text)
{
    struct address a;

    assert_true(address_parse(text, &a));
    return a;
}

static inline void wire_open_side(struct quic_wire *w, int i)
{
    struct quic_side *side = &w->sides[i];
    struct quic_owner owner = {side, side_opened, side_packet, side_released};

    side->q = quic_new(&side->conf, &owner, w->now);
    assert_non_null(side->q);
}

/* A wire of 20 ms each way without faults; the ends are set up, not opened. */
static inline struct quic_wire *wire_new(uint64_t seed)
{
    struct quic_wire *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->now = (struct instant){1000};
    w->random = seed;
    w->delay = span_ms(20);
    w->mtu = QUIC_PAYLOAD_MOST;
    w->sides[0].here = kit_address("192.0.2.1:1000");
    w->sides[1].here = kit_address("198.51.100.1:2000");
    for (int i = 0; i < 2; i++) {
        struct quic_side *side = &w->sides[i];

        side->outside = side->here;
        side->sizes = side->got_sizes = SIZES_MIXED;
        side->conf = (struct quic_conf){
            .client = i == 0,
            .label = (uint32_t)wire_random(w),
            .local = side->here,
            .remote = w->sides[1 - i].here,
            .payload_most = QUIC_PAYLOAD_MOST,
            .hold = 1024 * 1024,
            .idle = span_s(60),
        };
        side->conf.secret[0] = 7;
        memset(side->conf.identity, 0, sizeof side->conf.identity);
        side->conf.identity[5] = 1;
    }
    return w;
}

/* What packets the ends send. */
static inline void wire_sizes(struct quic_wire *w, size_t client, size_t server)
{
    w->sides[0].sizes = w->sides[1].got_sizes = client;
    w->sides[1].sizes = w->sides[0].got_sizes = server;
}

static inline void wire_open(struct quic_wire *w)
{
    for (int i = 0; i < 2; i++)
        wire_open_side(w, i);
}

/* Both ends, connected. */
static inline struct quic_wire *wire_connected(uint64_t seed)
{
    struct quic_wire *w = wire_new(seed);

    wire_open(w);
    wire_run(w, span_s(1));
    assert_int_equal(w->sides[0].opened, 1);
    assert_int_equal(w->sides[1].opened, 1);
    return w;
}

static inline void wire_free(struct quic_wire *w)
{
    for (int i = 0; i < 2; i++)
        quic_free(&w->sides[i].q);
    while (w->count > 0)
        free(wire_pop(w).bytes);
    free(w);
}

#endif
