/* QUIC connections over a simulated wire, in virtual time. */
#include "edge/shell/quic.h"
#include "tests/unit/kit.h"
#include "tests/unit/quic_kit.h"

#include <sodium.h>

/* ---- The handshake ------------------------------------------------------ */

static void both_ends_open(void **state)
{
    struct quic_wire *w = wire_connected(1);
    (void)state;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(w->sides[i].end, QUIC_GOES_ON);
        assert_in_range(quic_rtt(w->sides[i].q).us, 40 * 1000, 60 * 1000);
        assert_true(
            address_equal(quic_remote(w->sides[i].q), &w->sides[1 - i].here));
    }
    wire_free(w);
}

static void the_handshake_takes_one_and_a_half_round_trips(void **state)
{
    struct quic_wire *w = wire_new(1);
    (void)state;

    wire_open(w);
    assert_true(quic_rtt(w->sides[0].q).us < 0);
    wire_run(w, span_ms(41));
    assert_int_equal(w->sides[0].opened, 1);
    wire_run(w, span_ms(20));
    assert_int_equal(w->sides[1].opened, 1);
    wire_free(w);
}

static void a_handshake_survives_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct quic_wire *w = wire_new(seed);

        w->loss = 200 * 1000;
        wire_open(w);
        wire_run(w, span_s(5));
        assert_int_equal(w->sides[0].opened, 1);
        wire_free(w);
    }
}

static void nobody_answers(void **state)
{
    struct quic_wire *w = wire_new(1);
    struct quic_burst burst;
    (void)state;

    w->dead = true;
    wire_open(w);
    wire_run(w, span_ms(4900));
    assert_int_equal(w->sides[0].end, QUIC_GOES_ON);
    assert_int_equal(w->sides[1].end, QUIC_GOES_ON);
    wire_run(w, span_ms(200));
    assert_int_equal(w->sides[0].end, QUIC_SILENT);
    assert_int_equal(w->sides[1].end, QUIC_SILENT);
    assert_int_equal(w->sides[1].datagrams, 0);
    assert_false(quic_write_close(w->sides[0].q, w->now, w->buffer, &burst));
    wire_free(w);
}

/* The server refuses, and tells the client. */
static void assert_refused(struct quic_wire *w)
{
    wire_open(w);
    wire_run(w, span_ms(30));
    assert_int_equal(w->sides[1].end, QUIC_REFUSED);
    wire_close(w, 1);
    wire_run(w, span_ms(30));
    assert_int_equal(w->sides[0].end, QUIC_REFUSED);
    assert_int_equal(w->sides[0].opened + w->sides[1].opened, 0);
    wire_free(w);
}

/* Its first packets cannot be read. */
static void another_secret_is_not_heard(void **state)
{
    struct quic_wire *w = wire_new(1);
    (void)state;

    w->sides[0].conf.secret[31] ^= 1;
    wire_open(w);
    wire_run(w, span_s(6));
    for (int i = 0; i < 2; i++)
        assert_int_equal(w->sides[i].end, QUIC_SILENT);
    assert_int_equal(w->sides[1].datagrams, 0);
    wire_free(w);
}

static void another_identity_is_refused(void **state)
{
    struct quic_wire *w = wire_new(1);
    (void)state;

    w->sides[0].conf.identity[63] ^= 1;
    assert_refused(w);
}

static void two_servers_never_speak(void **state)
{
    struct quic_wire *w = wire_new(1);
    (void)state;

    w->sides[0].conf.client = false;
    wire_open(w);
    wire_run(w, span_s(6));
    assert_int_equal(w->sides[0].end, QUIC_SILENT);
    assert_int_equal(w->sides[0].datagrams + w->sides[1].datagrams, 0);
    wire_free(w);
}

static void two_clients_never_meet(void **state)
{
    struct quic_wire *w = wire_new(1);
    (void)state;

    w->sides[1].conf.client = true;
    for (int i = 0; i < 2; i++)
        wire_open_side(w, i);
    w->strangers = true; /* Neither learns the other's ids. */
    wire_run(w, span_s(6));
    assert_int_equal(w->sides[0].opened + w->sides[1].opened, 0);
    wire_free(w);
}

/* ---- Packets ------------------------------------------------------------ */

static void send_both_ways(struct quic_wire *w, size_t count)
{
    for (int i = 0; i < 2; i++)
        w->sides[i].to_send += count;
}

static void packets_of_all_sizes_arrive_in_order(void **state)
{
    (void)state;
    for (size_t sizes = SIZES_SMALL; sizes <= SIZES_LARGE; sizes++) {
        struct quic_wire *w = wire_connected(sizes);

        wire_sizes(w, sizes, sizes);
        send_both_ways(w, 200);
        assert_true(wire_run_done(w, span_s(60)));
        wire_free(w);
    }
}

static void packets_pass_a_bad_wire(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct quic_wire *w = wire_connected(seed);

        w->loss = 100 * 1000;
        w->doubles = 50 * 1000;
        w->jitter = span_ms(30);
        send_both_ways(w, 60);
        assert_true(wire_run_done(w, span_s(120)));
        wire_free(w);
    }
}

static void packets_that_are_sent_before_the_handshake_wait(void **state)
{
    struct quic_wire *w = wire_new(1);
    (void)state;

    wire_open(w);
    send_both_ways(w, 12);
    assert_true(wire_run_done(w, span_s(10)));
    wire_free(w);
}

/* The server may speak first. */
static void the_server_alone_sends(void **state)
{
    struct quic_wire *w = wire_connected(1);
    (void)state;

    w->sides[1].to_send = 30;
    assert_true(wire_run_done(w, span_s(10)));
    wire_free(w);
}

/* Acknowledgements would have to wait behind it. */
static void what_waits_for_the_path_has_a_limit(void **state)
{
    struct quic_wire *w = wire_connected(1);
    struct quic_side *client = &w->sides[0];
    (void)state;

    w->dead = true;
    wire_sizes(w, SIZES_LARGE, SIZES_LARGE);
    client->to_send = 1000;
    wire_run(w, span_ms(500));
    assert_true(client->full);
    assert_false(quic_has_room(client->q));
    assert_in_range(client->sent_bytes, 128 * 1024, 256 * 1024);
    w->dead = false;
    client->to_send = client->sent + 1;
    assert_true(wire_run_done(w, span_s(20)));
    assert_true(quic_has_room(client->q));
    assert_int_equal(client->released, client->sent_bytes);
    wire_free(w);
}

enum { HELD_MOST = 512 * 1024 };
static uint64_t held_most;

static void watch_held(struct quic_wire *w, int from, const uint8_t *bytes,
                       size_t size)
{
    const struct quic_side *client = &w->sides[0];
    uint64_t held = client->sent_bytes - client->released;

    (void)from;
    (void)bytes;
    (void)size;
    if (held > held_most)
        held_most = held;
}

static void what_is_held_has_a_limit(void **state)
{
    struct quic_wire *w = wire_new(1);
    (void)state;

    held_most = 0;
    w->delay = span_ms(300);
    w->tap = watch_held;
    w->sides[0].conf.hold = HELD_MOST;
    wire_sizes(w, SIZES_LARGE, SIZES_LARGE);
    wire_open(w);
    w->sides[0].to_send = 100;
    assert_true(wire_run_done(w, span_s(60)));
    assert_in_range(held_most, HELD_MOST - PACKET_SIZE - 2048, HELD_MOST);
    wire_free(w);
}

/* Small packets count with the memory that they take. */
static void many_small_packets_are_limited(void **state)
{
    struct quic_wire *w = wire_connected(1);
    struct quic_side *client = &w->sides[0];
    (void)state;

    w->dead = true;
    wire_sizes(w, SIZES_SMALL, SIZES_SMALL);
    client->to_send = 1000 * 1000;
    wire_run(w, span_ms(10));
    assert_true(client->sent < 25 * 1024);
    wire_free(w);
}

static void one_packet_may_be_larger_than_the_limit(void **state)
{
    struct quic_wire *w = wire_new(1);
    (void)state;

    w->sides[0].conf.hold = w->sides[1].conf.hold = 1000;
    wire_sizes(w, SIZES_LARGE, SIZES_LARGE);
    wire_open(w);
    send_both_ways(w, 3);
    assert_true(wire_run_done(w, span_s(10)));
    wire_free(w);
}

/* The receiver reads a length that is larger than any packet. */
static void a_packet_that_is_too_large_ends_the_connection(void **state)
{
    struct quic_wire *w = wire_connected(1);
    struct packet_ref packet;
    (void)state;

    packet_ref_room(&packet, PACKET_SIZE + 1);
    memset(packet_ref_data(&packet), 0, PACKET_SIZE + 1);
    assert_true(quic_send(w->sides[0].q, &packet));
    packet_ref_release(&packet);
    wire_run(w, span_ms(100));
    assert_int_equal(w->sides[1].end, QUIC_VIOLATED);
    assert_int_equal(w->sides[1].got, 0);
    wire_close(w, 1);
    wire_run(w, span_ms(100));
    assert_int_equal(w->sides[0].end, QUIC_CLOSED);
    wire_free(w);
}

/* A path of 100 ms carries more than 100 Mbit/s. */
static void a_long_path_is_filled(void **state)
{
    struct quic_wire *w = wire_new(1);
    struct instant begun;
    (void)state;

    w->delay = span_ms(50);
    w->sides[0].conf.hold = 8 * 1024 * 1024;
    wire_sizes(w, SIZES_LARGE, SIZES_LARGE);
    wire_open(w);
    wire_run(w, span_s(1));
    begun = w->now;
    w->sides[0].to_send = 600; /* 40 MB */
    assert_true(wire_run_done(w, span_s(60)));
    assert_in_range(instant_between(begun, w->now).us, 0, 2000 * 1000);
    wire_free(w);
}

/* ---- Attacks ------------------------------------------------------------ */

static void keep(struct quic_wire *w, int from, const uint8_t *bytes,
                 size_t size)
{
    size_t i = w->taped_count % COUNT_OF(w->taped);

    if (from != 0)
        return;
    memcpy(w->taped[i], bytes, size);
    w->taped_size[i] = size;
    w->taped_count++;
}

static size_t taped(const struct quic_wire *w)
{
    return w->taped_count < COUNT_OF(w->taped) ? w->taped_count
                                               : COUNT_OF(w->taped);
}

/* Gives the server a datagram as if the client had sent it. */
static void inject(struct quic_wire *w, const uint8_t *bytes, size_t size,
                   const struct address *from)
{
    uint8_t copy[2048];

    memcpy(copy, bytes, size);
    w->sides[1].end =
        quic_take(w->sides[1].q, &w->sides[1].here, from, copy, size, w->now);
}

static void replayed_datagrams_change_nothing(void **state)
{
    struct quic_wire *w = wire_new(1);
    struct address other = kit_address("203.0.113.9:9");
    (void)state;

    w->tap = keep;
    wire_open(w);
    send_both_ways(w, 24);
    assert_true(wire_run_done(w, span_s(10)));
    for (size_t i = 0; i < taped(w); i++) {
        inject(w, w->taped[i], w->taped_size[i], &w->sides[0].here);
        inject(w, w->taped[i], w->taped_size[i], &other);
    }
    wire_run(w, span_s(1));
    assert_true(address_equal(quic_remote(w->sides[1].q), &w->sides[0].here));
    send_both_ways(w, 24);
    assert_true(wire_run_done(w, span_s(10)));
    wire_free(w);
}

static void changed_datagrams_change_nothing(void **state)
{
    struct quic_wire *w = wire_connected(1);
    (void)state;

    w->tap = keep;
    send_both_ways(w, 24);
    w->loss = 500 * 1000; /* so that some never came unchanged */
    wire_run(w, span_ms(50));
    for (size_t i = 0; i < taped(w); i++)
        for (size_t bit = 0; bit < 8 * w->taped_size[i]; bit += 37) {
            w->taped[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
            inject(w, w->taped[i], w->taped_size[i], &w->sides[0].here);
            w->taped[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    assert_int_equal(w->sides[1].end, QUIC_GOES_ON);
    w->loss = 0;
    assert_true(wire_run_done(w, span_s(20)));
    wire_free(w);
}

/* Before and after the handshake; among it what resembles a stateless reset. */
static void garbage_changes_nothing(void **state)
{
    struct quic_wire *w = wire_new(1);
    uint8_t bytes[1400];
    (void)state;

    wire_open(w);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 3000; i++) {
            size_t size = wire_random(w) % sizeof bytes;

            for (size_t k = 0; k < size; k++)
                bytes[k] = (uint8_t)wire_random(w);
            if (size > 8 && i % 3 == 0)
                memcpy(bytes, "\xc0\0\0\0\1\x08", 6);
            if (size > 8 && i % 3 == 1)
                memcpy(bytes + 1, &w->sides[1].conf.label, 4);
            inject(w, bytes, size, &w->sides[0].here);
            assert_int_equal(w->sides[1].end, QUIC_GOES_ON);
        }
        send_both_ways(w, 12);
        assert_true(wire_run_done(w, span_s(10)));
    }
    wire_free(w);
}

/* ---- Quiet -------------------------------------------------------------- */

static void an_idle_connection_costs_little_and_stays(void **state)
{
    enum { MINUTES = 240 };
    struct quic_wire *w = wire_connected(1);
    size_t before;
    (void)state;

    wire_run(w, span_s(60)); /* the search for the largest datagram */
    before = w->sides[0].datagrams + w->sides[1].datagrams;
    wire_run(w, span_s(60 * MINUTES));
    assert_in_range(w->sides[0].datagrams + w->sides[1].datagrams - before,
                    MINUTES, 6 * MINUTES);
    assert_int_equal(w->sides[0].end, QUIC_GOES_ON);
    send_both_ways(w, 12);
    assert_true(wire_run_done(w, span_s(10)));
    wire_free(w);
}

/* The pauses between the client's datagrams. */
static struct span pauses[64];
static size_t pause_count;
static struct instant sent_at;

static void note_pause(struct quic_wire *w, int from, const uint8_t *bytes,
                       size_t size)
{
    (void)bytes;
    (void)size;
    if (from != 0)
        return;
    if (!instant_is_never(sent_at) && pause_count < COUNT_OF(pauses))
        pauses[pause_count++] = instant_between(sent_at, w->now);
    sent_at = w->now;
}

static void the_client_keeps_the_nat_open(void **state)
{
    struct quic_wire *w = wire_connected(1);
    size_t equal = 0;
    (void)state;

    wire_run(w, span_s(30));
    sent_at = INSTANT_NEVER;
    w->tap = note_pause;
    wire_run(w, span_s(600));
    assert_in_range(pause_count, 23, 40);
    for (size_t i = 0; i < pause_count; i++) {
        assert_true(pauses[i].us < span_ms(26200).us);
        if (pauses[i].us > span_ms(100).us) /* else an acknowledgement */
            assert_true(pauses[i].us > span_ms(19900).us);
        equal += i > 0 && pauses[i].us == pauses[i - 1].us;
    }
    assert_true(equal < 3);
    wire_free(w);
}

/* Afterwards nothing is taken. */
static void silence_ends_both(void **state)
{
    struct quic_wire *w = wire_connected(1);
    struct packet_ref packet;
    (void)state;

    w->dead = true;
    wire_run(w, span_s(90));
    assert_int_equal(w->sides[0].end, QUIC_SILENT);
    assert_int_equal(w->sides[1].end, QUIC_SILENT);
    packet_ref_copy(&packet, bytes_of((const uint8_t *)"x", 1));
    assert_false(quic_send(w->sides[0].q, &packet));
    packet_ref_release(&packet);
    wire_free(w);
}

static void a_close_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct quic_wire *w = wire_connected(1);

        wire_close(w, i);
        wire_run(w, span_ms(21));
        assert_int_equal(w->sides[1 - i].end, QUIC_CLOSED);
        wire_free(w);
    }
}

/* ---- Paths that change -------------------------------------------------- */

static void the_path_s_size_is_found(void **state)
{
    static const size_t mtus[] = {1200, 1300, 1410, 1452};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(mtus); i++) {
        struct quic_wire *w = wire_new(i);
        size_t before;

        w->mtu = mtus[i];
        wire_sizes(w, SIZES_LARGE, SIZES_LARGE);
        wire_open(w);
        wire_run(w, span_s(5));
        w->sides[0].largest = 0;
        before = w->sides[0].datagrams;
        w->sides[0].to_send = 20;
        assert_true(wire_run_done(w, span_s(20)));
        assert_true(w->sides[0].largest <= mtus[i]);
        assert_true(w->sides[0].largest + 110 > mtus[i]);
        assert_true((w->sides[0].datagrams - before) * mtus[i] <
                    24 * PACKET_SIZE);
        wire_free(w);
    }
}

static void the_least_size_needs_no_search(void **state)
{
    struct quic_wire *w = wire_new(1);
    (void)state;

    w->sides[0].conf.payload_most = QUIC_PAYLOAD_LEAST;
    wire_open(w);
    send_both_ways(w, 12);
    assert_true(wire_run_done(w, span_s(20)));
    wire_run(w, span_s(5));
    assert_int_equal(w->sides[0].largest, QUIC_PAYLOAD_LEAST);
    wire_free(w);
}

static void large_datagrams_vanish_in_mid_stream(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct quic_wire *w = wire_connected(seed);

        wire_run(w, span_s(5));
        send_both_ways(w, 60);
        wire_run(w, span_ms(100));
        assert_false(quic_swallows(w->sides[0].q));
        w->mtu = 1300;
        assert_true(wire_run_done(w, span_ms(700)));
        assert_true(quic_swallows(w->sides[0].q));
        wire_free(w);
    }
}

/* Sends until the peer has all, and tells whether a large datagram was among
 * what left. */
static bool tries_large_ones(struct quic_wire *w)
{
    w->sides[0].largest = 0;
    w->sides[0].to_send += 12;
    assert_true(wire_run_done(w, span_s(20)));
    return w->sides[0].largest > QUIC_PAYLOAD_LEAST;
}

/* After a minute, then after two, then four. */
static void large_datagrams_are_tried_again_after_longer_times(void **state)
{
    struct quic_wire *w = wire_connected(1);
    (void)state;

    wire_run(w, span_s(5));
    w->mtu = 1300;
    for (int minutes = 1; minutes <= 4; minutes *= 2) {
        assert_true(tries_large_ones(w)); /* and they vanish */
        wire_run(w, span_s(60 * minutes - 10));
        assert_false(tries_large_ones(w));
        wire_run(w, span_s(10));
    }
    w->mtu = QUIC_PAYLOAD_MOST;
    assert_true(tries_large_ones(w));
    assert_false(quic_swallows(w->sides[0].q));
    wire_free(w);
}

/* A small datagram follows each 2 ms and is acknowledged, so that no PTO ever
 * passes. */
static void large_datagrams_vanish_among_small_ones(void **state)
{
    struct quic_wire *w = wire_new(1);
    (void)state;

    wire_sizes(w, SIZES_ONE_LARGE, SIZES_SMALL);
    wire_open(w);
    wire_run(w, span_s(5));
    w->mtu = 1250;
    for (int i = 0; i < 1000; i++) {
        w->sides[0].to_send++;
        wire_run(w, span_ms(2));
    }
    assert_in_range(w->sides[1].got, 900, 1000);
    assert_true(quic_swallows(w->sides[0].q));
    assert_true(wire_run_done(w, span_s(1)));
    wire_free(w);
}

static void a_lossy_path_is_not_taken_for_a_narrow_one(void **state)
{
    struct quic_wire *w = wire_connected(3);
    (void)state;

    wire_run(w, span_s(5));
    w->loss = 20 * 1000;
    wire_sizes(w, SIZES_LARGE, SIZES_LARGE);
    send_both_ways(w, 300);
    assert_true(wire_run_done(w, span_s(60)));
    assert_false(quic_swallows(w->sides[0].q));
    wire_free(w);
}

static void the_client_s_address_changes_in_mid_stream(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct quic_wire *w = wire_connected(seed);

        send_both_ways(w, 100);
        wire_run(w, span_ms((int64_t)seed * 20));
        w->sides[0].outside = seed % 2 == 0 ? kit_address("192.0.2.1:1001")
                                            : kit_address("192.0.2.9:1000");
        assert_true(wire_run_done(w, span_s(20)));
        assert_true(
            address_equal(quic_remote(w->sides[1].q), &w->sides[0].outside));
        assert_int_equal(w->sides[0].end, QUIC_GOES_ON);
        wire_free(w);
    }
}

static void an_idle_client_s_address_changes(void **state)
{
    struct quic_wire *w = wire_connected(1);
    (void)state;

    wire_run(w, span_s(5));
    w->sides[0].outside = kit_address("192.0.2.1:1001");
    wire_run(w, span_s(60));
    assert_true(
        address_equal(quic_remote(w->sides[1].q), &w->sides[0].outside));
    send_both_ways(w, 12);
    assert_true(wire_run_done(w, span_s(10)));
    wire_free(w);
}

/* A NAT with two outside addresses that takes them in turn. */
static void an_address_that_goes_to_and_fro_does_no_harm(void **state)
{
    struct address outside[] = {kit_address("192.0.2.1:1001"),
                                kit_address("192.0.2.9:1000"),
                                kit_address("192.0.2.1:1000")};
    (void)state;

    for (uint64_t seed = 0; seed < 20; seed++) {
        struct quic_wire *w = wire_new(seed);

        wire_sizes(w, SIZES_SMALL, SIZES_SMALL);
        wire_open(w);
        wire_run(w, span_ms(100));
        for (int i = 0; i < 100 && w->sides[0].end == QUIC_GOES_ON; i++) {
            w->sides[0].outside = outside[wire_random(w) % 3];
            w->sides[0].to_send += 1;
            w->sides[1].to_send += 1;
            wire_run(w, span_ms((int64_t)(wire_random(w) % 300)));
        }
        if (w->sides[0].end == QUIC_GOES_ON)
            wire_run_done(w, span_s(20));
        wire_free(w);
    }
}

/* ---- Labels ------------------------------------------------------------- */

static void a_label_is_read_of_whole_ids_only(void **state)
{
    uint8_t bytes[64] = {0x40, 1, 2, 3, 4, 5, 6, 7, 8};
    uint32_t label = 0;
    (void)state;

    assert_true(quic_label(bytes, 9, &label));
    assert_int_equal(label, 0x04030201);
    assert_false(quic_label(bytes, 8, &label));
    assert_false(quic_label(bytes, 0, &label));
    bytes[0] = 0;
    assert_false(quic_label(bytes, 9, &label));
    memcpy(bytes, "\xc0\0\0\0\1\4\1\2\3\4", 10);
    assert_true(quic_label(bytes, 10, &label));
    assert_false(quic_label(bytes, 9, &label));
    bytes[5] = 3;
    assert_false(quic_label(bytes, 10, &label));
    bytes[5] = 60;
    assert_false(quic_label(bytes, sizeof bytes, &label));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_open),
        cmocka_unit_test(the_handshake_takes_one_and_a_half_round_trips),
        cmocka_unit_test(a_handshake_survives_loss),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(another_secret_is_not_heard),
        cmocka_unit_test(another_identity_is_refused),
        cmocka_unit_test(two_servers_never_speak),
        cmocka_unit_test(two_clients_never_meet),
        cmocka_unit_test(packets_of_all_sizes_arrive_in_order),
        cmocka_unit_test(packets_pass_a_bad_wire),
        cmocka_unit_test(packets_that_are_sent_before_the_handshake_wait),
        cmocka_unit_test(the_server_alone_sends),
        cmocka_unit_test(what_waits_for_the_path_has_a_limit),
        cmocka_unit_test(what_is_held_has_a_limit),
        cmocka_unit_test(many_small_packets_are_limited),
        cmocka_unit_test(one_packet_may_be_larger_than_the_limit),
        cmocka_unit_test(a_packet_that_is_too_large_ends_the_connection),
        cmocka_unit_test(a_long_path_is_filled),
        cmocka_unit_test(replayed_datagrams_change_nothing),
        cmocka_unit_test(changed_datagrams_change_nothing),
        cmocka_unit_test(garbage_changes_nothing),
        cmocka_unit_test(an_idle_connection_costs_little_and_stays),
        cmocka_unit_test(the_client_keeps_the_nat_open),
        cmocka_unit_test(silence_ends_both),
        cmocka_unit_test(a_close_is_told),
        cmocka_unit_test(the_path_s_size_is_found),
        cmocka_unit_test(the_least_size_needs_no_search),
        cmocka_unit_test(large_datagrams_vanish_in_mid_stream),
        cmocka_unit_test(large_datagrams_are_tried_again_after_longer_times),
        cmocka_unit_test(large_datagrams_vanish_among_small_ones),
        cmocka_unit_test(a_lossy_path_is_not_taken_for_a_narrow_one),
        cmocka_unit_test(the_client_s_address_changes_in_mid_stream),
        cmocka_unit_test(an_idle_client_s_address_changes),
        cmocka_unit_test(an_address_that_goes_to_and_fro_does_no_harm),
        cmocka_unit_test(a_label_is_read_of_whole_ids_only),
    };
    const struct CMUnitTest without[] = {
        cmocka_unit_test(a_label_is_read_of_whole_ids_only),
    };
    if (sodium_init() < 0)
        return 1;
    if (!quic_is_available())
        return cmocka_run_group_tests(without, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
