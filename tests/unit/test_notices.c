/*
 * Refusals over a relay [P-7.8]: two nodes, and a relay that the test plays. It
 * forwards packets, and can repeat, change and invent them.
 */
#include "kit.h"

#include "edge/core/node.h"

#include <sodium.h>
#include <stdlib.h>

enum { KEPT = 16, PACKET = 1024 };

struct notice_side {
    struct node *node;
    uint32_t link;
    uint8_t sealed[PACKET];
    size_t sealed_size;
    struct epoch epoch;
    bool up;
    int joined, left, refused_by_peer, failed, notices;
    enum departure reason;
};

struct relayed {
    uint8_t bytes[PACKET];
    size_t size;
};

struct notices_world {
    struct notice_side carol, bob;
    struct instant now;
    struct relayed notices[KEPT]; /* notices of carol */
    size_t notice_count;
};

static uint8_t mesh_secret_key[64];
static struct mesh_id mesh;

static struct node *make(const char *name, uint8_t seed, uint64_t epoch,
                         struct instant now, size_t peers)
{
    uint8_t public_key[32], secret_key[64], s[32] = {seed},
                                            room[CERTIFICATE_SIZE];
    crypto_sign_seed_keypair(public_key, secret_key, s);
    struct certificate c = {
        .mesh = mesh, .not_before = 5000, .not_after = 90000};
    memcpy(c.node.key, public_key, 32);
    strcpy(c.name, name);
    struct node_conf conf = {
        .certificate = certificate_sign(&c, mesh_secret_key, room),
        .epoch = {epoch},
        .relay = true,
        .relay_count = 1,
        .beacon_interval = span_s(1),
        .probe = span_s(1),
        .lost_after = span_s(3),
        .limits = {.message = 1 << 20,
                   .window = 1 << 18,
                   .peers = peers,
                   .links = 64},
    };
    memcpy(conf.secret_key, secret_key, 64);
    conf.seed[0] = (uint8_t)(seed + epoch);
    return node_new(&conf, now);
}

static struct notice_side *other(struct notices_world *w, struct notice_side *s)
{
    return s == &w->carol ? &w->bob : &w->carol;
}

static void step(struct notices_world *w, struct notice_side *s,
                 struct node_event *event);

static void give(struct notices_world *w, struct notice_side *to,
                 struct bytes packet)
{
    struct node_event e = {.kind = NODE_LINK_PACKET};
    uint8_t *copy = malloc(packet.size);
    memcpy(copy, packet.data, packet.size);
    e.link.id = to->link;
    e.link.bytes = bytes_of(copy, packet.size);
    if (to->node != NULL)
        step(w, to, &e);
    free(copy);
}

static void present(struct notices_world *w, struct notice_side *to)
{
    struct notice_side *o = other(w, to);
    uint8_t room[2 * PACKET];
    struct writer out = writer_of(room, sizeof room);
    if (!to->up || !o->up)
        return;
    write_u8(&out, RELAY_PRESENT);
    roster_entry_encode(
        &(struct roster_entry){node_self(o->node), o->epoch,
                               bytes_of(o->sealed, o->sealed_size)},
        &out);
    give(w, to, writer_bytes(&out));
}

static void welcome(struct notices_world *w, struct notice_side *s,
                    struct bytes packet)
{
    struct relay_hello hello;
    uint8_t room[256];
    struct writer out = writer_of(room, sizeof room);
    assert_true(relay_hello_decode(packet, &hello));
    memcpy(s->sealed, hello.sealed.data, hello.sealed.size);
    s->sealed_size = hello.sealed.size;
    s->epoch = hello.epoch;
    s->up = true;
    relay_welcome_encode(
        &(struct relay_welcome){.version = PROTOCOL_VERSION, .name = "relay"},
        &out);
    give(w, s, writer_bytes(&out));
    present(w, s);
    present(w, other(w, s));
}

static void forward(struct notices_world *w, struct notice_side *from,
                    struct bytes packet)
{
    uint8_t room[70 * 1024];
    struct node_id source = node_self(from->node);
    memcpy(room, packet.data, packet.size);
    room[0] = RELAY_FORWARDED;
    memcpy(room + 1, source.key, KEY_SIZE);
    if (room[FORWARD_HEADER_SIZE] == PACKET_NOTICE) {
        from->notices++;
        struct relayed *kept = &w->notices[w->notice_count % KEPT];
        if (from == &w->carol) {
            w->notice_count++;
            kept->size = packet.size;
            memcpy(kept->bytes, room, packet.size);
        }
    }
    give(w, other(w, from), bytes_of(room, packet.size));
}

static void say(struct notices_world *w, struct notice_side *s,
                struct bytes packet)
{
    struct bytes p = packet;
    uint8_t pong[9];
    if (p.data[0] == RELAY_HELLO) {
        welcome(w, s, p);
    } else if (p.data[0] == RELAY_FORWARD) {
        forward(w, s, p);
    } else if (p.data[0] == RELAY_PING) {
        memcpy(pong, p.data, 9);
        pong[0] = RELAY_PONG;
        give(w, s, bytes_of(pong, 9));
    }
}

static void do_item(struct notices_world *w, struct notice_side *s,
                    const struct node_todo *t)
{
    struct node_event e = {.kind = NODE_LINK_OPENED};
    if (t->kind == NODE_CONNECT_RELAY) {
        s->link = e.link.id = t->link.id;
        step(w, s, &e);
    } else if (t->kind == NODE_WRITE) {
        say(w, s, t->link.bytes);
    } else if (t->kind == NODE_JOINED) {
        s->joined++;
    } else if (t->kind == NODE_LEFT) {
        s->left++;
        s->reason = t->peer.reason;
    } else if (t->kind == NODE_REFUSED) {
        s->refused_by_peer += t->refused.by_peer;
    } else if (t->kind == NODE_REPORT) {
        s->failed += t->report.outcome == OUTCOME_NOT_DELIVERED;
    }
}

static void step(struct notices_world *w, struct notice_side *s,
                 struct node_event *event)
{
    struct todo todo;
    todo_init(&todo);
    node_step(s->node, w->now, event, event != NULL, &todo);
    for (size_t i = 0; i < todo.count; i++)
        do_item(w, s, &todo.items[i]);
    todo_close(&todo);
}

static void run(struct notices_world *w, struct span how_long)
{
    struct instant end = instant_after(w->now, how_long);
    for (;;) {
        struct notice_side *next = NULL;
        struct instant at = end;
        struct notice_side *sides[] = {&w->carol, &w->bob};
        for (int i = 0; i < 2; i++)
            if (sides[i]->node != NULL &&
                node_deadline(sides[i]->node).us < at.us) {
                at = node_deadline(sides[i]->node);
                next = sides[i];
            }
        w->now = instant_max(w->now, at);
        if (next == NULL)
            return;
        step(w, next, NULL);
    }
}

static void set_clock(struct notices_world *w, struct notice_side *s,
                      uint64_t unix_seconds)
{
    step(
        w, s,
        &(struct node_event){.kind = NODE_CLOCK, .unix_seconds = unix_seconds});
}

/* `carols` is the time of carol's clock. bob's clock says 6000; his certificate
 * begins at 5000. */
static void setup(struct notices_world *w, uint64_t carols)
{
    uint8_t seed[32] = {7};
    crypto_sign_seed_keypair(mesh.key, mesh_secret_key, seed);
    *w = (struct notices_world){.now = {1000000}};
    w->carol.node = make("carol", 1, 1, w->now, 64);
    w->bob.node = make("bob", 2, 1, w->now, 64);
    set_clock(w, &w->carol, carols);
    set_clock(w, &w->bob, 6000);
}

static void teardown(struct notices_world *w)
{
    node_free(w->carol.node);
    node_free(w->bob.node);
}

static bool refuses(const struct notice_side *s, bool by_peer, enum refusal why,
                    int64_t skew)
{
    struct node_refusals cursor = {0};
    struct node_refusal r;
    return node_refusal_next(s->node, &cursor, &r) && r.by_peer == by_peer &&
           r.reason == (uint8_t)why && r.skew_known && r.skew_s == skew;
}

static void a_notice_brings_the_difference_of_the_clocks(void **state)
{
    (void)state;
    struct notices_world w;
    setup(&w, 4000);
    run(&w, span_s(1));
    assert_int_equal(w.carol.joined, 0);
    assert_int_equal(w.bob.left, w.bob.joined);
    assert_int_equal(node_peer_count(w.bob.node), 0);
    assert_int_equal(w.bob.refused_by_peer, 1);
    assert_true(refuses(&w.bob, true, REFUSAL_NOT_YET, -2000));
    assert_true(refuses(&w.carol, false, REFUSAL_NOT_YET, 2000));
    teardown(&w);
}

static void a_clock_that_is_set_ends_the_refusal(void **state)
{
    (void)state;
    struct notices_world w;
    setup(&w, 4000);
    run(&w, span_s(300));
    assert_int_equal(node_peer_count(w.bob.node), 0);
    set_clock(&w, &w.carol, 6300);
    run(&w, span_ms(500));
    assert_int_equal(node_peer_count(w.bob.node), 1);
    assert_int_equal(node_peer_count(w.carol.node), 1);
    struct node_refusals cursor = {0};
    struct node_refusal r;
    assert_false(node_refusal_next(w.bob.node, &cursor, &r));
    teardown(&w);
}

static struct relayed first_notice(const struct notices_world *w)
{
    assert_true(w->notice_count > 0);
    return w->notices[0];
}

static void an_old_notice_is_not_believed_again(void **state)
{
    (void)state;
    struct notices_world w;
    setup(&w, 4000);
    run(&w, span_s(3));
    struct relayed old = first_notice(&w);
    set_clock(&w, &w.carol, 6003);
    run(&w, span_s(1));
    assert_int_equal(node_peer_count(w.bob.node), 1);
    for (int i = 0; i < 10; i++) {
        give(&w, &w.bob, bytes_of(old.bytes, old.size));
        run(&w, span_s(1));
    }
    assert_int_equal(node_peer_count(w.bob.node), 1);
    teardown(&w);
}

static void a_notice_of_or_to_another_node_is_not_believed(void **state)
{
    (void)state;
    struct notices_world w;
    setup(&w, 4000);
    run(&w, span_s(1));
    struct relayed good = first_notice(&w), bad;
    for (size_t i = FORWARD_HEADER_SIZE + 1; i < good.size; i += 7) {
        teardown(&w);
        setup(&w, 6000); /* The keys and epochs are the same, and nobody is
                            refused. */
        run(&w, span_s(1));
        bad = good;
        bad.bytes[i] ^= 1;
        give(&w, &w.bob, bytes_of(bad.bytes, bad.size));
        run(&w, span_s(1));
        assert_int_equal(node_peer_count(w.bob.node), 1);
    }
    struct relayed mine =
        good; /* A notice that says that carol refuses herself. */
    struct node_id bob = node_self(w.bob.node);
    memcpy(mine.bytes + 1, bob.key, KEY_SIZE);
    give(&w, &w.carol, bytes_of(mine.bytes, mine.size));
    assert_int_equal(node_peer_count(w.carol.node), 1);
    node_free(w.bob.node); /* A notice to another process of bob. */
    w.bob = (struct notice_side){.node = make("bob", 2, 2, w.now, 64)};
    set_clock(&w, &w.bob, 6010);
    run(&w, span_s(1));
    assert_int_equal(node_peer_count(w.bob.node), 1);
    give(&w, &w.bob, bytes_of(good.bytes, good.size));
    assert_int_equal(node_peer_count(w.bob.node), 1);
    teardown(&w);
}

static void a_node_that_asks_often_gets_few_answers(void **state)
{
    (void)state;
    struct notices_world w;
    setup(&w, 4000);
    run(&w, span_s(1));
    uint8_t ask[FORWARD_HEADER_SIZE + 200] = {RELAY_FORWARDED};
    struct node_id bob = node_self(w.bob.node);
    memcpy(ask + 1, bob.key, KEY_SIZE);
    ask[FORWARD_HEADER_SIZE] = PACKET_INIT;
    int before = w.carol.notices;
    for (int i = 0; i < 1000; i++) {
        give(&w, &w.carol, bytes_of(ask, sizeof ask));
        run(&w, span_ms(5));
    }
    assert_in_range(w.carol.notices - before, 4, 6); /* in 5 s */
    teardown(&w);
}

static void open_operations_end(void **state)
{
    (void)state;
    struct notices_world w;
    setup(&w, 6000);
    run(&w, span_s(1));
    struct node *carol = w.carol.node;
    const struct node_id to = node_self(carol);
    const struct message m = {.kind = MESSAGE_SEND,
                              .encoding = ENCODING_BYTES,
                              .type = bytes_of("t", 1),
                              .data = bytes_of("x", 1)};
    enum node_outcome why;
    w.carol.node = NULL; /* carol takes no packets for a while. */
    assert_true(
        node_submit(w.bob.node, w.now, (struct node_ref){1}, &to, &m, &why));
    step(&w, &w.bob, NULL);
    assert_int_equal(w.bob.failed, 0);
    w.carol.node = carol;
    set_clock(&w, &w.carol, 100000);
    run(&w, span_ms(100));
    assert_int_equal(w.bob.failed, 1);
    assert_int_equal(w.bob.left, 1);
    assert_int_equal(w.bob.reason, DEPARTURE_REFUSED);
    assert_false(
        node_submit(w.bob.node, w.now, (struct node_ref){1}, &to, &m, &why));
    assert_int_equal(why, OUTCOME_UNKNOWN_PEER);
    teardown(&w);
}

/* The relay lost the packet that shows that carol accepts bob. bob asks once a
 * minute. */
static void a_lost_end_of_a_refusal_is_asked_for(void **state)
{
    (void)state;
    struct notices_world w;
    setup(&w, 4000);
    run(&w, span_s(1));
    struct node *bob = w.bob.node;
    w.bob.node = NULL;
    set_clock(&w, &w.carol, 6001);
    run(&w, span_s(2));
    node_free(w.carol.node); /* And carol has nothing more to say about it. */
    w.carol.node = make("carol", 1, 1, w.now, 64);
    w.bob.node = bob;
    set_clock(&w, &w.carol, 6003);
    run(&w, span_s(70));
    assert_int_equal(node_peer_count(w.bob.node), 1);
    teardown(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_notice_brings_the_difference_of_the_clocks),
        cmocka_unit_test(a_clock_that_is_set_ends_the_refusal),
        cmocka_unit_test(an_old_notice_is_not_believed_again),
        cmocka_unit_test(a_notice_of_or_to_another_node_is_not_believed),
        cmocka_unit_test(a_node_that_asks_often_gets_few_answers),
        cmocka_unit_test(open_operations_end),
        cmocka_unit_test(a_lost_end_of_a_refusal_is_asked_for),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
