/*
 * Two sessions and the packets between them, which a test may lose, repeat,
 * forge or keep for later. All tests run with each pair of ciphers offered.
 */
#include "kit.h"

#include "common/core/session.h"

#include <sodium.h>
#include <stdlib.h>

struct session_end {
    struct session session;
    struct curve_pair pair;
    struct entropy entropy;
    struct session_counters counters;
    uint64_t ask_counter, taken_counter;
    int messages, delivered, failed, pongs, group_acks, punches;
    int large; /* large messages that arrived unchanged */
    struct group_ack group_ack;
    char last[32];
    struct session_sink sink;
};

/* The ciphers that a and b offer. */
static uint8_t ciphers[2];

struct session_pair {
    struct session_end a, b;
    struct instant now;
    uint8_t psk[32];
    struct slabs slabs;
};

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + (i >> 8));
}

static void on_message(void *owner, struct bytes bytes)
{
    struct session_end *e = owner;
    struct message m;
    assert_true(message_decode(bytes, &m));
    e->messages++;
    if (m.data.size < sizeof e->last) {
        memset(e->last, 0, sizeof e->last);
        memcpy(e->last, m.data.data, m.data.size);
    }
    if (m.data.size < 8192 || m.data.data[0] != byte_at(0))
        return;
    for (size_t i = 0; i < m.data.size; i++)
        assert_int_equal(m.data.data[i], byte_at(i));
    e->large++;
}

static void on_settled(void *owner, uint64_t ref, enum session_settled how)
{
    struct session_end *e = owner;
    (void)ref;
    e->delivered += how == SESSION_DELIVERED;
    e->failed += how != SESSION_DELIVERED;
}

static void on_pong(void *owner, uint64_t token)
{
    struct session_end *e = owner;
    e->pongs += token == 42;
}

static void on_group_ack(void *owner, const struct group_ack *ack)
{
    struct session_end *e = owner;
    e->group_acks++;
    e->group_ack = *ack;
}

static void on_punch(void *owner, struct bytes punch)
{
    struct session_end *e = owner;
    assert_true(punch.size < sizeof e->last);
    e->punches++;
    memset(e->last, 0, sizeof e->last);
    memcpy(e->last, punch.data, punch.size);
}

static void open_end(struct session_pair *t, struct session_end *e,
                     const struct session_end *peer, uint8_t self_id,
                     uint8_t peer_id)
{
    struct session_keys keys = {
        .self = &e->pair,
        .psk = t->psk,
        .self_id = {{self_id}},
        .peer_id = {{peer_id}},
        .self_epoch = {self_id},
        .peer_epoch = {peer_id},
        .ask_counter = &e->ask_counter,
        .taken_counter = &e->taken_counter,
        .offers = ciphers[e == &t->b],
    };
    memcpy(keys.peer_key.key, peer->pair.public_key, KEY_SIZE);
    struct session_limits limits = {.window = 1 << 20, .message = 1 << 20};
    session_init(&e->session, &keys, &limits, &e->entropy, &e->counters,
                 &t->slabs);
    e->sink = (struct session_sink){e,       on_message,   on_settled,
                                    on_pong, on_group_ack, on_punch};
}

static void setup(struct session_pair *t)
{
    memset(t, 0, sizeof *t);
    uint8_t seed[32] = {1};
    entropy_init(&t->a.entropy, seed);
    curve_pair_generate(&t->a.pair, seed);
    seed[0] = 2;
    entropy_init(&t->b.entropy, seed);
    curve_pair_generate(&t->b.pair, seed);
    open_end(t, &t->a, &t->b, 1, 2);
    open_end(t, &t->b, &t->a, 2, 1);
}

static void teardown(struct session_pair *t)
{
    session_close(&t->a.session);
    session_close(&t->b.session);
    slabs_close(&t->slabs);
}

static void submit(struct session_pair *t, struct session_end *e,
                   const char *text)
{
    struct message m = {
        .kind = MESSAGE_SEND,
        .encoding = ENCODING_BYTES,
        .type = bytes_of("t", 1),
        .data = bytes_of_string(text),
    };
    assert_true(session_submit(&e->session, &m, 7, t->now));
}

struct packet {
    uint8_t bytes[PACKET_SIZE];
    size_t size;
};

/* Gets the next packet that an end wants to send; false: none. */
static bool next_packet(struct session_pair *t, struct session_end *e,
                        bool sealed, struct packet *p)
{
    struct writer w = writer_of(p->bytes, sizeof p->bytes);
    if (session_wants_handshake(&e->session, t->now)) {
        assert_true(session_ask(&e->session, &e->entropy, t->now, &w));
    } else {
        w.end = w.start + session_write_size(&e->session);
        if (!session_write(&e->session, sealed, t->now, &w))
            return false;
    }
    p->size = writer_bytes(&w).size;
    return true;
}

/* Gives an end the packet, and its immediate answer to the sender. */
static enum session_verdict hand_in(struct session_pair *t,
                                    struct session_end *to,
                                    struct session_end *from, struct packet *p)
{
    struct bytes bytes = bytes_of(p->bytes, p->size);
    if (p->bytes[0] == PACKET_INIT) {
        struct packet reply;
        struct writer w = writer_of(reply.bytes, sizeof reply.bytes);
        if (session_take_init(&to->session, bytes, &to->entropy, t->now, &w) !=
            SESSION_ACCEPTED)
            return SESSION_DROPPED;
        return session_take_accept(&from->session, writer_bytes(&w), t->now,
                                   &from->sink)
                   ? SESSION_TAKEN
                   : SESSION_DROPPED;
    }
    return session_take(&to->session, p->bytes, p->size, t->now, &to->sink);
}

static void run(struct session_pair *t, bool sealed)
{
    struct packet *p = malloc(sizeof *p);
    for (bool moved = true; moved;) {
        moved = false;
        if (next_packet(t, &t->a, sealed, p)) {
            (void)hand_in(t, &t->b, &t->a, p);
            moved = true;
        }
        if (next_packet(t, &t->b, sealed, p)) {
            (void)hand_in(t, &t->a, &t->b, p);
            moved = true;
        }
    }
    free(p);
}

static void messages_arrive_sealed_and_plain(void **state)
{
    (void)state;
    for (int sealed = 0; sealed < 2; sealed++) {
        struct session_pair t;
        setup(&t);
        for (int i = 0; i < 1000; i++)
            submit(&t, &t.a, "hello");
        submit(&t, &t.b, "back");
        assert_true(session_ping(&t.a.session, 42));
        run(&t, sealed);
        assert_int_equal(t.b.messages, 1000);
        assert_int_equal(t.a.delivered, 1000);
        assert_int_equal(t.a.messages, 1);
        assert_string_equal(t.a.last, "back");
        assert_int_equal(t.a.pongs, 1);
        assert_int_equal(t.a.counters.records_resent, 0);
        teardown(&t);
    }
}

static struct group_ack group_ack_of(uint8_t tag, uint64_t cumulative)
{
    return (struct group_ack){
        .tag = {tag}, .stream = 9, .cumulative = cumulative};
}

/* One packet of the size asked for takes all that is due. */
static void one_packet_takes_all_that_is_due(void **state)
{
    (void)state;
    for (int sealed = 0; sealed < 2; sealed++) {
        struct session_pair t;
        struct packet *p = malloc(sizeof *p);
        setup(&t);
        submit(&t, &t.a, "hello");
        submit(&t, &t.b, "back");
        run(&t, sealed);
        for (uint8_t i = 0; i < 100; i++)
            submit(&t, &t.a, "again");
        for (uint8_t i = 0; i < SESSION_PINGS; i++) {
            assert_true(session_ping(&t.a.session, UINT64_MAX));
            assert_true(session_ping(&t.b.session, UINT64_MAX));
        }
        for (uint8_t tag = 0; tag < SESSION_GROUP_ACKS; tag++) {
            struct group_ack ack = group_ack_of(tag, UINT64_MAX);
            assert_true(session_group_ack(&t.a.session, &ack));
        }
        assert_true(next_packet(&t, &t.b, sealed, p));
        (void)hand_in(&t, &t.a, &t.b, p);
        assert_true(next_packet(&t, &t.a, sealed, p));
        assert_false(session_has_output(&t.a.session));
        (void)hand_in(&t, &t.b, &t.a, p);
        assert_int_equal(t.b.messages, 101);
        assert_int_equal(t.b.group_acks, SESSION_GROUP_ACKS);
        free(p);
        teardown(&t);
    }
}

static void both_offer_udp(struct session_pair *t)
{
    t->a.session.keys.offers |= SESSION_UDP;
    t->b.session.keys.offers |= SESSION_UDP;
}

/* The PUNCH causes the handshake, and the messages follow it. */
static void the_newest_punch_is_sent(void **state)
{
    (void)state;
    for (int sealed = 0; sealed < 2; sealed++) {
        struct session_pair t;
        setup(&t);
        both_offer_udp(&t);
        session_punch(&t.a.session, bytes_of_string("old"));
        session_punch(&t.a.session, bytes_of_string("new"));
        run(&t, sealed);
        assert_int_equal(t.b.punches, 1);
        assert_string_equal(t.b.last, "new");
        session_punch(&t.a.session, bytes_of_string("next"));
        submit(&t, &t.a, "hello");
        run(&t, sealed);
        assert_int_equal(t.b.punches, 2);
        assert_string_equal(t.b.last, "hello");
        assert_int_equal(t.a.delivered, 1);
        teardown(&t);
    }
}

/* A version that does not know the record would close the session. */
static void no_punch_goes_to_a_peer_that_offered_no_udp(void **state)
{
    struct session_pair t;
    uint8_t offers;
    (void)state;
    setup(&t);
    t.a.session.keys.offers |= SESSION_UDP;
    session_punch(&t.a.session, bytes_of_string("before the handshake"));
    assert_false(session_peer_offers(&t.a.session, &offers));
    run(&t, true);
    assert_true(session_peer_offers(&t.a.session, &offers));
    assert_int_equal(offers & SESSION_UDP, 0);
    session_punch(&t.a.session, bytes_of_string("after it"));
    assert_false(session_has_output(&t.a.session));
    run(&t, true);
    assert_int_equal(t.b.punches, 0);
    assert_true(session_peer_offers(&t.b.session, &offers));
    assert_int_not_equal(offers & SESSION_UDP, 0);
    teardown(&t);
}

static void both_ends_measure_the_handshake(void **state)
{
    struct session_pair t;
    struct packet init, accept, first;
    struct writer w = writer_of(accept.bytes, sizeof accept.bytes);
    (void)state;
    setup(&t);
    submit(&t, &t.a, "hello");
    assert_true(next_packet(&t, &t.a, true, &init));
    t.now = instant_after(t.now, span_ms(20));
    assert_int_equal(session_take_init(&t.b.session,
                                       bytes_of(init.bytes, init.size),
                                       &t.b.entropy, t.now, &w),
                     SESSION_ACCEPTED);
    t.now = instant_after(t.now, span_ms(20));
    assert_true(
        session_take_accept(&t.a.session, writer_bytes(&w), t.now, &t.a.sink));
    assert_int_equal(t.a.session.handshake_rtt.us, 40000);
    assert_true(next_packet(&t, &t.a, true, &first));
    t.now = instant_after(t.now, span_ms(30));
    assert_int_equal(hand_in(&t, &t.b, &t.a, &first), SESSION_TAKEN);
    assert_int_equal(t.b.session.handshake_rtt.us, 50000);
    teardown(&t);
}

static void the_newest_acknowledgement_of_a_group_is_sent(void **state)
{
    (void)state;
    struct session_pair t;
    setup(&t);
    for (uint8_t tag = 0; tag < SESSION_GROUP_ACKS; tag++) {
        struct group_ack old = group_ack_of(tag, 1);
        struct group_ack new = group_ack_of(tag, 2);
        assert_true(session_group_ack(&t.a.session, &old));
        assert_true(session_group_ack(&t.a.session, &new));
    }
    struct group_ack more = group_ack_of(SESSION_GROUP_ACKS, 1);
    assert_false(session_group_ack(&t.a.session, &more));
    run(&t, true);
    assert_int_equal(t.b.group_acks, SESSION_GROUP_ACKS);
    assert_int_equal(t.b.group_ack.cumulative, 2);
    assert_true(session_group_ack(&t.a.session, &more));
    teardown(&t);
}

static void submit_large(struct session_pair *t, struct session_end *e,
                         size_t size)
{
    uint8_t *data = malloc(size);
    for (size_t i = 0; i < size; i++)
        data[i] = byte_at(i);
    struct message m = {.kind = MESSAGE_SEND,
                        .encoding = ENCODING_BYTES,
                        .type = bytes_of("t", 1),
                        .data = bytes_of(data, size)};
    assert_true(session_submit(&e->session, &m, 7, t->now));
    free(data);
}

/* Lends a packet, and copies it as another thread would read it. */
static bool lend(struct session_pair *t, struct session_end *e,
                 struct packet *p, struct bytes *lent, struct block **block)
{
    if (!session_lend(&e->session, t->now, lent, block))
        return false;
    assert_true(lent->size <= sizeof p->bytes);
    memcpy(p->bytes, lent->data, lent->size);
    p->size = lent->size;
    return true;
}

static void many_bytes_are_lent_with_all_that_is_due(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(sizeof *p);
    struct bytes lent;
    struct block *block;
    setup(&t);
    submit_large(&t, &t.a, 60000);
    assert_false(
        session_lend(&t.a.session, t.now, &lent, &block)); /* no keys */
    submit(&t, &t.b, "back");
    run(&t, false);
    assert_int_equal(t.b.large, 1);
    submit(&t, &t.a, "few bytes");
    assert_false(session_lend(&t.a.session, t.now, &lent, &block));
    run(&t, false);
    submit_large(&t, &t.a, 200000);
    for (uint8_t i = 0; i < SESSION_PINGS; i++)
        assert_true(session_ping(&t.a.session, 42));
    for (uint8_t tag = 0; tag < SESSION_GROUP_ACKS; tag++) {
        struct group_ack ack = group_ack_of(tag, UINT64_MAX);
        assert_true(session_group_ack(&t.a.session, &ack));
    }
    int packets = 0;
    for (; lend(&t, &t.a, p, &lent, &block); packets++)
        assert_int_equal(hand_in(&t, &t.b, &t.a, p), SESSION_TAKEN);
    assert_int_equal(packets, 3);
    run(&t, false); /* The end of the message is too short to be lent. */
    assert_int_equal(t.b.large, 2);
    assert_int_equal(t.b.group_acks, SESSION_GROUP_ACKS);
    assert_int_equal(t.a.pongs, SESSION_PINGS);
    assert_int_equal(t.a.delivered, 3);
    assert_int_equal(t.a.counters.records_resent, 0);
    free(p);
    teardown(&t);
}

static void lent_bytes_stay_unchanged_during_a_resend(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(sizeof *p), *first = malloc(sizeof *first);
    struct bytes lent, second;
    struct block *block;
    setup(&t);
    submit(&t, &t.a, "hello");
    run(&t, false);
    submit_large(&t, &t.a, 60000);
    assert_true(lend(&t, &t.a, first, &lent, &block));
    block_hold(block);

    /* The packet is lost, and the path changes to and fro. */
    for (int sealed = 0; sealed < 2; sealed++) {
        session_rewind(&t.a.session);
        assert_true(session_ping(&t.a.session, 42));
        assert_false(session_lend(&t.a.session, t.now, &second, &block));
        assert_true(next_packet(&t, &t.a, sealed, p));
        assert_memory_equal(lent.data, first->bytes, lent.size);
    }
    assert_int_equal(hand_in(&t, &t.b, &t.a, p), SESSION_TAKEN);
    assert_int_equal(t.b.large, 1);
    assert_int_equal(hand_in(&t, &t.b, &t.a, first), SESSION_TAKEN);
    assert_int_equal(t.b.counters.records_duplicate, 1);
    run(&t, false); /* The packet is acknowledged while it is read. */
    assert_int_equal(t.a.delivered, 2);
    submit_large(&t, &t.a, 60000);
    assert_memory_equal(lent.data, first->bytes, lent.size);
    block_release(block);

    /* After the reading ends the slab is lent again, or the session seals from
     * it. */
    assert_true(lend(&t, &t.a, p, &lent, &block));
    for (int again = 0; again < 2; again++) {
        session_rewind(&t.a.session);
        assert_true(next_packet(&t, &t.a, true, p));
    }
    session_rewind(&t.a.session);
    assert_true(lend(&t, &t.a, p, &lent, &block));
    assert_int_equal(hand_in(&t, &t.b, &t.a, p), SESSION_TAKEN);
    assert_int_equal(t.b.large, 2);
    run(&t, true);
    assert_int_equal(t.a.delivered, 3);
    free(first);
    free(p);
    teardown(&t);
}

static void many_bytes_arrive_by_either_path(void **state)
{
    (void)state;
    for (int sealed = 0; sealed < 2; sealed++) {
        struct session_pair t;
        setup(&t);
        for (size_t size = 8192; size < 80000; size += 4567) {
            submit(&t, &t.a, "small");
            submit_large(&t, &t.a, size);
        }
        run(&t, sealed);
        assert_int_equal(t.b.large, 16);
        assert_int_equal(t.a.delivered, 32);
        teardown(&t);
    }
}

static void a_lost_packet_comes_again(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(sizeof *p);
    setup(&t);
    submit(&t, &t.a, "one");
    run(&t, true);
    submit(&t, &t.a, "two");
    assert_true(next_packet(&t, &t.a, true, p)); /* Lost. */
    submit(&t, &t.a, "three");
    run(&t, true);
    assert_int_equal(t.b.messages, 1);
    t.now = session_stall_at(&t.a.session);
    session_stalled(&t.a.session, t.now);
    while (next_packet(&t, &t.a, true, p)) /* Lost, too. */
        ;
    submit(&t, &t.b, "back"); /* By another path. */
    run(&t, true);
    assert_int_equal(session_stall_at(&t.a.session).us, t.now.us);
    session_stalled(&t.a.session, t.now);
    run(&t, true);
    assert_int_equal(t.b.messages, 3);
    assert_string_equal(t.b.last, "three");
    assert_int_equal(t.a.delivered, 3);
    free(p);
    teardown(&t);
}

/* The sender cannot know of the loss: it was the receiver's path that ended. */
static size_t write_all(struct session_pair *t, struct session_end *e,
                        struct packet *p)
{
    size_t bytes = 0;
    while (next_packet(t, e, true, p))
        bytes += p->size;
    return bytes;
}

/* Otherwise all unacknowledged bytes would meet the same full queue again. */
static void a_full_queue_halves_the_bytes_in_flight(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(sizeof *p);
    char *text = calloc(1, 10001);
    setup(&t);
    submit(&t, &t.a, "hello");
    run(&t, true);
    memset(text, 'x', 10000);
    for (int i = 0; i < 60; i++)
        submit(&t, &t.a, text);
    assert_true(write_all(&t, &t.a, p) >
                600 * 1000); /* The relay refuses all of them. */
    session_refused(&t.a.session, true, t.now);
    session_refused(&t.a.session, true,
                    t.now); /* A refusal of the same flight. */
    assert_int_equal(write_all(&t, &t.a, p), 0);
    t.now = session_stall_at(&t.a.session);
    session_stalled(&t.a.session, t.now);
    size_t half = write_all(&t, &t.a, p);
    assert_true(half > 250 * 1000 && half < 350 * 1000);

    session_rewind(&t.a.session);
    run(&t, true);
    assert_int_equal(t.b.messages, 61);
    assert_true(t.a.session.congestion_window > half);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 60; k++)
            submit(&t, &t.a, text);
        if (i == 0)
            assert_true(write_all(&t, &t.a, p) > half);
        if (i == 1)
            session_path_changed(&t.a.session, t.now);
        session_rewind(&t.a.session);
        run(&t, true);
    }
    assert_int_equal(t.b.messages, 61 + 180);
    /* A new path begins without a known limit. */
    assert_true(t.a.session.congestion_window >= t.a.session.limits.window);
    teardown(&t);
    free(text);
    free(p);
}

static void a_lost_acknowledgement_comes_again(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(sizeof *p);
    setup(&t);
    submit(&t, &t.a, "one");
    run(&t, false);
    submit(&t, &t.a, "two");
    assert_true(next_packet(&t, &t.a, false, p));
    assert_int_equal(hand_in(&t, &t.b, &t.a, p), SESSION_TAKEN);
    assert_true(next_packet(&t, &t.b, false, p)); /* Lost. */
    run(&t, false);
    assert_int_equal(t.a.delivered, 1);
    session_rewind(&t.b.session);
    run(&t, false);
    assert_int_equal(t.a.delivered, 2);
    free(p);
    teardown(&t);
}

/* The acknowledgement goes by the path of the data, and by the receiver's own
 * path. */
static void an_acknowledgement_can_go_twice(void **state)
{
    struct session_pair t;
    (void)state;
    setup(&t);
    submit(&t, &t.a, "first");
    run(&t, true);
    submit(&t, &t.a, "second");
    struct packet *p = malloc(sizeof *p);
    assert_true(next_packet(&t, &t.a, false, p));
    assert_int_equal(hand_in(&t, &t.b, &t.a, p), SESSION_TAKEN);

    struct writer w = writer_of(p->bytes, SESSION_ACK_SIZE);
    assert_true(session_write_ack(&t.b.session, true, &w));
    assert_true(session_has_output(&t.b.session)); /* due on its own path */
    p->size = writer_bytes(&w).size;
    assert_int_equal(hand_in(&t, &t.a, &t.b, p), SESSION_TAKEN);
    free(p);
    assert_int_equal(t.a.delivered, 2);
    run(&t, true);
    assert_int_equal(t.a.delivered, 2);
    teardown(&t);
}

static void repeated_and_forged_packets_are_dropped(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(2 * sizeof *p);
    setup(&t);
    submit(&t, &t.a, "one");
    run(&t, true);
    submit(&t, &t.a, "two");
    assert_true(next_packet(&t, &t.a, true, p));
    p[1] = p[0];
    p[1].bytes[p->size - 1] ^= 1;
    assert_int_equal(hand_in(&t, &t.b, &t.a, &p[1]), SESSION_DROPPED);
    p[1] = p[0];
    assert_int_equal(hand_in(&t, &t.b, &t.a, &p[0]), SESSION_TAKEN);
    assert_int_equal(hand_in(&t, &t.b, &t.a, &p[1]), SESSION_DROPPED);
    assert_int_equal(t.b.messages, 2);
    free(p);
    teardown(&t);
}

static void a_replayed_init_changes_nothing(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(2 * sizeof *p);
    setup(&t);
    submit(&t, &t.a, "one");
    assert_true(next_packet(&t, &t.a, true, p));
    assert_int_equal(p->bytes[0], PACKET_INIT);
    p[1] = p[0];
    assert_int_equal(hand_in(&t, &t.b, &t.a, p), SESSION_TAKEN);
    assert_int_equal(hand_in(&t, &t.b, &t.a, &p[1]), SESSION_DROPPED);
    run(&t, true);
    assert_int_equal(hand_in(&t, &t.b, &t.a, &p[1]), SESSION_DROPPED);
    submit(&t, &t.a, "two");
    run(&t, true);
    assert_int_equal(t.b.messages, 2);
    free(p);
    teardown(&t);
}

static void of_two_inits_that_cross_one_goes_on(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(2 * sizeof *p);
    setup(&t);
    submit(&t, &t.a, "from a");
    submit(&t, &t.b, "from b");
    assert_true(next_packet(&t, &t.a, true, &p[0]));
    assert_true(next_packet(&t, &t.b, true, &p[1]));
    /* b's id is the larger: a ignores its INIT, b takes a's. */
    assert_int_equal(hand_in(&t, &t.a, &t.b, &p[1]), SESSION_DROPPED);
    assert_int_equal(hand_in(&t, &t.b, &t.a, &p[0]), SESSION_TAKEN);
    run(&t, true);
    assert_int_equal(t.a.messages, 1);
    assert_int_equal(t.b.messages, 1);
    assert_int_equal(t.a.counters.handshakes, 1);
    free(p);
    teardown(&t);
}

/* b loses its session, but not its process: RESET tells a [P-6.8, P-6.9]. */
static void an_end_that_lost_its_state_begins_anew(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(sizeof *p);
    setup(&t);
    submit(&t, &t.a, "one");
    run(&t, true);
    submit(&t, &t.a, "lost");
    session_close(&t.b.session);
    open_end(&t, &t.b, &t.a, 2, 1);
    assert_true(next_packet(&t, &t.a, true, p));
    assert_int_equal(hand_in(&t, &t.b, &t.a, p), SESSION_UNKNOWN);
    uint8_t reset[5] = {PACKET_RESET};
    memcpy(reset + 1, p->bytes + 1, 4);
    submit(&t, &t.a, "not sent yet");
    session_take_reset(&t.a.session, bytes_of(reset, 5), t.now);
    /* Not at once: a RESET after each handshake would otherwise cause endless
     * handshakes. */
    assert_false(session_wants_handshake(&t.a.session, t.now));
    t.now = instant_after(t.now, span_ms(500));
    run(&t, true);
    assert_int_equal(t.a.failed, 1);
    assert_int_equal(t.a.delivered, 2);
    assert_string_equal(t.b.last, "not sent yet");
    free(p);
    teardown(&t);
}

/* A packet of the old streams comes late. Its numbers must not be taken for
 * numbers of the new streams. */
static void packets_of_old_streams_are_ignored(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *late = malloc(sizeof *late);
    setup(&t);
    submit(&t, &t.b, "hello");
    run(&t, true);
    submit(&t, &t.a, "late");
    assert_true(next_packet(&t, &t.a, true, late));
    session_close(&t.a.session);
    open_end(&t, &t.a, &t.b, 1, 2);
    assert_true(session_ping(&t.a.session, 42));
    run(&t, true);
    assert_int_equal(t.a.pongs, 1);
    assert_int_equal(hand_in(&t, &t.b, &t.a, late), SESSION_UNKNOWN);
    assert_int_equal(t.b.messages, 0);
    free(late);
    teardown(&t);
}

static void new_keys_go_on_with_the_same_streams(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(sizeof *p);
    setup(&t);
    submit(&t, &t.a, "one");
    run(&t, true);
    submit(&t, &t.a, "two");
    assert_true(next_packet(&t, &t.a, true, p)); /* Lost. */
    t.now = instant_after(t.now, span_s(3601));
    assert_true(session_wants_handshake(&t.a.session, t.now));
    run(&t, true);
    assert_int_equal(t.a.counters.handshakes, 2);
    assert_int_equal(t.b.messages, 2);
    assert_int_equal(t.a.failed, 0);
    assert_int_equal(t.a.delivered, 2);
    t.now = instant_after(t.now, span_s(3601));
    submit(&t, &t.a, "three");
    run(&t, true);
    assert_int_equal(t.a.counters.handshakes, 3);
    assert_int_equal(t.b.messages, 3);
    free(p);
    teardown(&t);
}

/* The cipher of both directions, whose keys always differ. */
static enum cipher cipher_of(const struct session_end *e)
{
    const struct seal *seal = &e->session.current.seal;
    assert_int_equal(seal->send.cipher, seal->receive.cipher);
    assert_memory_not_equal(&seal->send.aes, &seal->receive.aes,
                            sizeof seal->send.aes);
    return seal->send.cipher;
}

static void both_ends_seal_with_the_best_that_both_have(void **state)
{
    (void)state;
    bool aes = (ciphers[0] & ciphers[1] & SESSION_AES) != 0;
    for (int asker = 0; asker < 2; asker++) {
        struct session_pair t;
        setup(&t);
        submit(&t, asker == 0 ? &t.a : &t.b, "one");
        run(&t, true);
        assert_int_equal(t.a.messages + t.b.messages, 1);
        assert_int_equal(cipher_of(&t.a), aes ? CIPHER_AES : CIPHER_CHACHA);
        assert_int_equal(cipher_of(&t.b), cipher_of(&t.a));
        assert_int_equal(t.a.counters.handshakes_aes, aes);
        assert_int_equal(t.b.counters.handshakes_aes, aes);
        teardown(&t);
    }
}

/* A later version may know more ciphers. */
static void unknown_offers_are_ignored(void **state)
{
    (void)state;
    struct session_pair t;
    setup(&t);
    t.a.session.keys.offers |= 0xfe;
    t.b.session.keys.offers |= 0xfe;
    submit(&t, &t.a, "one");
    run(&t, true);
    assert_int_equal(t.b.messages, 1);
    assert_int_equal(cipher_of(&t.a), ciphers[0] & ciphers[1] & SESSION_AES
                                          ? CIPHER_AES
                                          : CIPHER_CHACHA);
    assert_int_equal(cipher_of(&t.b), cipher_of(&t.a));
    teardown(&t);
}

/* The initiator sends little, but it is the end that must replace the keys. */
static void keys_are_replaced_when_either_is_worn(void **state)
{
    (void)state;
    for (int sender = 0; sender < 2; sender++) {
        struct session_pair t;
        setup(&t);
        submit(&t, &t.a, "one");
        run(&t, true);
        struct session_end *e = sender == 0 ? &t.a : &t.b;
        e->session.current.seal.next_number = aead_limit(cipher_of(e)) - 1;
        submit(&t, e, "two");
        run(&t, true);
        assert_int_equal(t.a.counters.handshakes, 1);
        submit(&t, e, "three");
        run(&t, true);
        assert_int_equal(t.a.counters.handshakes, 2);
        assert_true(seal_number(&e->session.current.seal) < 10);
        assert_int_equal(t.a.messages + t.b.messages, 3);
        assert_int_equal(t.a.failed + t.b.failed, 0);
        teardown(&t);
    }
}

/* A resent record is sealed again, under another number or other keys. */
static void no_number_is_used_twice(void **state)
{
    enum { PACKETS = 300, NAME = 12 };
    static uint8_t names[PACKETS][NAME];
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(sizeof *p);
    setup(&t);
    submit(&t, &t.a, "first");
    run(&t, true);
    for (size_t i = 0; i < PACKETS; i++) {
        if (i == PACKETS / 2) {
            t.now = instant_after(t.now, span_s(3601));
            run(&t, true);
        }
        if (i % 10 == 0)
            submit(&t, &t.a, "more");
        session_rewind(&t.a.session);
        assert_true(next_packet(&t, &t.a, true, p));
        assert_int_equal(p->bytes[0], PACKET_SEALED);
        memcpy(names[i], p->bytes + 1, NAME);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(names[k], names[i], NAME);
        if (i % 7 == 0)
            (void)hand_in(&t, &t.b, &t.a, p);
    }
    run(&t, true);
    assert_int_equal(t.a.counters.handshakes, 2);
    assert_int_equal(t.b.messages, 1 + PACKETS / 10);
    free(p);
    teardown(&t);
}

/* An ACCEPT is lost: the initiator repeats the INIT, and no message is given
 * up. */
static void an_unconfirmed_handshake_is_repeated(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(sizeof *p);
    setup(&t);
    submit(&t, &t.a, "one");
    for (int i = 0; i < 3; i++) {
        assert_true(next_packet(&t, &t.a, true, p));
        assert_int_equal(p->bytes[0], PACKET_INIT);
        struct packet reply;
        struct writer w = writer_of(reply.bytes, sizeof reply.bytes);
        assert_int_equal(session_take_init(&t.b.session,
                                           bytes_of(p->bytes, p->size),
                                           &t.b.entropy, t.now, &w),
                         SESSION_ACCEPTED);
        assert_false(next_packet(&t, &t.a, true, p));
        t.now = session_deadline(&t.a.session);
    }
    run(&t, true);
    assert_int_equal(t.b.messages, 1);
    assert_int_equal(t.a.failed, 0);
    free(p);
    teardown(&t);
}

/* Keys that were not confirmed give way: the ACCEPT was lost, and the initiator
 * lost its session. */
static void a_handshake_of_its_own_ends_the_pending(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(sizeof *p);
    setup(&t);
    submit(&t, &t.a, "one");
    assert_true(next_packet(&t, &t.a, true, p));
    struct packet reply;
    struct writer w = writer_of(reply.bytes, sizeof reply.bytes);
    assert_int_equal(session_take_init(&t.b.session,
                                       bytes_of(p->bytes, p->size),
                                       &t.b.entropy, t.now, &w),
                     SESSION_ACCEPTED);
    assert_true(t.b.session.pending.live);
    session_close(&t.a.session);
    open_end(&t, &t.a, &t.b, 1, 2);
    submit(&t, &t.b, "two");
    t.now = session_deadline(&t.b.session);
    run(&t, true);
    assert_int_equal(t.a.messages, 1);
    assert_false(t.b.session.pending.live);
    free(p);
    teardown(&t);
}

static void another_mesh_gets_no_handshake(void **state)
{
    (void)state;
    struct session_pair t;
    struct packet *p = malloc(sizeof *p);
    setup(&t);
    uint8_t other_psk[32] = {9};
    t.b.session.keys.psk = other_psk;
    submit(&t, &t.a, "one");
    assert_true(next_packet(&t, &t.a, true, p));
    assert_int_equal(hand_in(&t, &t.b, &t.a, p), SESSION_DROPPED);
    free(p);
    teardown(&t);
}

static void authentic_nonsense_is_a_violation(void **state)
{
    (void)state;
    struct session_pair t;
    setup(&t);
    submit(&t, &t.a, "one");
    run(&t, false);
    uint8_t packet[] = {PACKET_PLAIN, 0, 0, 0, 0, 0xff};
    uint32_t index = t.b.session.current.index;
    memcpy(packet + 1, &index, 4);
    assert_int_equal(
        session_take(&t.b.session, packet, sizeof packet, t.now, &t.b.sink),
        SESSION_VIOLATION);
    teardown(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_sealed_and_plain),
        cmocka_unit_test(one_packet_takes_all_that_is_due),
        cmocka_unit_test(the_newest_punch_is_sent),
        cmocka_unit_test(no_punch_goes_to_a_peer_that_offered_no_udp),
        cmocka_unit_test(both_ends_measure_the_handshake),
        cmocka_unit_test(the_newest_acknowledgement_of_a_group_is_sent),
        cmocka_unit_test(many_bytes_are_lent_with_all_that_is_due),
        cmocka_unit_test(lent_bytes_stay_unchanged_during_a_resend),
        cmocka_unit_test(many_bytes_arrive_by_either_path),
        cmocka_unit_test(a_lost_packet_comes_again),
        cmocka_unit_test(a_full_queue_halves_the_bytes_in_flight),
        cmocka_unit_test(a_lost_acknowledgement_comes_again),
        cmocka_unit_test(an_acknowledgement_can_go_twice),
        cmocka_unit_test(repeated_and_forged_packets_are_dropped),
        cmocka_unit_test(a_replayed_init_changes_nothing),
        cmocka_unit_test(of_two_inits_that_cross_one_goes_on),
        cmocka_unit_test(an_end_that_lost_its_state_begins_anew),
        cmocka_unit_test(packets_of_old_streams_are_ignored),
        cmocka_unit_test(new_keys_go_on_with_the_same_streams),
        cmocka_unit_test(both_ends_seal_with_the_best_that_both_have),
        cmocka_unit_test(unknown_offers_are_ignored),
        cmocka_unit_test(keys_are_replaced_when_either_is_worn),
        cmocka_unit_test(no_number_is_used_twice),
        cmocka_unit_test(an_unconfirmed_handshake_is_repeated),
        cmocka_unit_test(a_handshake_of_its_own_ends_the_pending),
        cmocka_unit_test(another_mesh_gets_no_handshake),
        cmocka_unit_test(authentic_nonsense_is_a_violation),
    };
    static const char *const names[] = {"neither has aes", "a has aes",
                                        "b has aes", "both have aes"};
    if (sodium_init() < 0)
        return 1;
    int pairs = crypto_aead_aes256gcm_is_available() ? 4 : 1;
    int failed = 0;
    for (int i = 0; i < pairs; i++) {
        ciphers[0] = i & 1 ? SESSION_AES : 0;
        ciphers[1] = i & 2 ? SESSION_AES : 0;
        failed += cmocka_run_group_tests_name(names[i], tests, NULL, NULL);
    }
    return failed;
}
