/*
 * Two nodes and a wire between them: the node's main behaviour, step by step.
 * The simulator has the many scenarios.
 */
#include "node_kit.h"

static void nodes_on_a_lan_meet_and_talk(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_ms(500));
    assert_int_equal(p.a.joined, 1);
    assert_int_equal(p.b.joined, 1);
    assert_int_equal(p.a.path, PATH_TCP);
    submit(&p, "hello");
    run(&p, span_ms(10));
    assert_int_equal(p.b.messages, 1);
    assert_string_equal(p.b.last, "hello");
    assert_int_equal(p.a.delivered, 1);
    run(&p, span_s(600));
    assert_int_equal(p.a.left + p.b.left, 0);
    teardown(&p);
}

static void traffic_is_counted_for_each_peer(void **state)
{
    (void)state;
    struct node_pair p;
    struct node_peer peer;
    setup(&p);
    run(&p, span_ms(500));
    submit(&p, "hello");
    submit(&p, "again");
    run(&p, span_ms(10));
    size_t cursor = 0;
    assert_true(node_peer_next(p.a.node, &cursor, &peer));
    struct node_traffic a = peer.traffic;
    cursor = 0;
    assert_true(node_peer_next(p.b.node, &cursor, &peer));
    struct node_traffic b = peer.traffic;
    assert_int_equal(a.sent, 2);
    assert_int_equal(a.received, 0);
    assert_int_equal(b.sent, 0);
    assert_int_equal(b.received, 2);
    assert_true(a.bytes_sent > strlen("hello") + strlen("again"));
    assert_int_equal(a.bytes_sent, b.bytes_received);
    assert_int_equal(b.bytes_sent, a.bytes_received);
    teardown(&p);
}

/* Multicasts and answers arrive at two sockets. */
static void an_answer_read_late_is_no_replay(void **state)
{
    (void)state;
    struct node_pair p;
    setup_as(&p, true);
    run(&p, span_s(5));
    assert_int_equal(p.a.joined, 1);
    assert_int_equal(p.b.joined, 1);
    teardown(&p);
}

static void a_silent_peer_is_lost(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_s(5));
    node_free(p.b.node);
    p.b.node = NULL;
    run(&p, span_ms(4000));
    assert_int_equal(p.a.left, 1);
    assert_int_equal(p.a.reason, DEPARTURE_LOST);
    teardown(&p);
}

/* No connection of the peer broke: it may be asleep, and gets everything when
 * it wakes. */
static void messages_to_a_silent_peer_wait_a_minute(void **state)
{
    (void)state;
    for (int back_after = 50; back_after <= 70; back_after += 20) {
        struct node_pair p;
        setup(&p);
        run(&p, span_s(5));
        struct node *bob = p.b.node;
        p.b.node = NULL;
        submit_to(&p, node_self(bob), "first");
        submit_to(&p, node_self(bob), "second");
        p.a.link = 0; /* The bytes in the peer's kernel are lost, too. */
        run(&p, span_s(back_after));
        assert_int_equal(p.a.left, 1);
        assert_int_equal(p.a.failed, back_after == 70 ? 2 : 0);
        p.b.node = bob;
        run(&p, span_s(5));
        assert_int_equal(p.a.delivered, back_after == 70 ? 0 : 2);
        assert_int_equal(p.a.joined, 2);
        teardown(&p);
    }
}

static void messages_to_a_broken_peer_wait_ten_seconds(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_s(5));
    struct node *bob = p.b.node;
    p.b.node = NULL;
    submit_to(&p, node_self(bob), "lost");
    struct node_event broken = {.kind = NODE_LINK_CLOSED};
    broken.link.id = p.a.link;
    broken.link.failure = LINK_BROKEN;
    p.a.link = 0;
    step(&p, &p.a, &broken);
    run(&p, span_s(9));
    assert_int_equal(p.a.left, 1);
    assert_int_equal(p.a.failed, 0);
    run(&p, span_s(2));
    assert_int_equal(p.a.failed, 1);
    p.b.node = bob;
    teardown(&p);
}

/* An eavesdropper kept the beacons of a node that is now dead [P-4.7]. */
static void replayed_beacons_keep_nobody_alive(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    p.record = true;
    run(&p, span_s(40));
    p.record = false;
    assert_true(p.recorded > 10);
    node_free(p.b.node);
    p.b.node = NULL;
    run(&p, span_ms(1950)); /* The link is not closed yet. */
    for (size_t i = 0; i < p.recorded; i++) {
        struct node_event e = {.kind = NODE_DATAGRAM};
        e.datagram.from = p.b.address;
        e.datagram.multicast = true;
        e.datagram.bytes = bytes_of(p.records[i].bytes, p.records[i].size);
        step(&p, &p.a, &e);
        run(&p, span_ms(10));
    }
    assert_int_equal(p.a.left, 1);
    assert_int_equal(p.a.joined, 1);
    teardown(&p);
}

static void a_goodbye_is_a_leave_at_once(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_s(1));
    struct node_event e = {.kind = NODE_LEAVE};
    step(&p, &p.b, &e);
    assert_int_equal(p.b.done, 1);
    assert_int_equal(p.a.left, 1);
    assert_int_equal(p.a.reason, DEPARTURE_CLOSED);
    teardown(&p);
}

static void leave(struct node_pair *p, struct node_side *s)
{
    struct node_event e = {.kind = NODE_LEAVE};
    step(p, s, &e);
}

/* The beacon of the leaving peer overtakes its packets on the link, which also
 * hold acknowledgements. */
static void a_goodbye_by_beacon_waits_for_the_link(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_s(1));
    uint32_t link = p.a.link;
    p.a.link = p.b.link =
        0; /* From now on the test holds back the packets of the link. */
    submit_to(&p, node_self(p.b.node), "heard, but not acknowledged yet");
    p.record = true;
    leave(&p, &p.b);
    assert_true(p.recorded > 0);
    assert_int_equal(p.b.done, 1);
    assert_int_equal(p.a.left, 0);
    assert_int_equal(p.a.failed, 0);
    struct node_event ended = {.kind = NODE_LINK_CLOSED};
    ended.link.id = link;
    ended.link.failure = LINK_BROKEN;
    step(&p, &p.a, &ended);
    assert_int_equal(p.a.left, 1);
    assert_int_equal(p.a.reason, DEPARTURE_CLOSED);
    assert_int_equal(p.a.failed, 1);
    teardown(&p);
}

/* The peer takes them slowly, but in time. */
static void queued_messages_are_delivered_before_goodbye(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_s(1));
    struct node *bob = p.b.node;
    p.b.node =
        NULL; /* The peer is frozen: packets to it are lost, and are resent. */
    submit_to(&p, node_self(bob), "last words");
    leave(&p, &p.a);
    run(&p, span_ms(300));
    assert_int_equal(p.a.done, 0);
    submit_to(&p, node_self(bob), "too late");
    assert_int_equal(p.a.failed, 1);
    p.b.node = bob;
    struct node_event broken = {.kind = NODE_LINK_CLOSED};
    broken.link.id = p.a.link;
    broken.link.failure = LINK_BROKEN;
    p.a.link = 0;
    step(&p, &p.a, &broken); /* The node may still make a new link. */
    run(&p, span_ms(400));
    assert_int_equal(p.b.messages, 1);
    assert_string_equal(p.b.last, "last words");
    assert_int_equal(p.a.delivered, 1);
    assert_int_equal(p.a.done, 1);
    assert_int_equal(p.b.left, 1);
    assert_int_equal(p.b.reason, DEPARTURE_CLOSED);
    teardown(&p);
}

static void a_leave_waits_for_a_second_at_the_most(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_s(1));
    struct node *bob = p.b.node;
    p.b.node = NULL;
    submit_to(&p, node_self(bob), "never heard");
    leave(&p, &p.a);
    run(&p, span_ms(990));
    assert_int_equal(p.a.done, 0);
    run(&p, span_ms(20));
    assert_int_equal(p.a.done, 1);
    assert_int_equal(p.a.failed, 1); /* reported before */
    run(&p, span_s(30));
    assert_int_equal(p.a.done, 1);
    p.b.node = bob;
    teardown(&p);
}

static void a_certificate_ends_on_its_second(void **state)
{
    (void)state;
    struct node_pair p;
    not_after = 5000;
    setup(&p);
    not_after = UINT64_MAX;
    struct node_event e = {.kind = NODE_CLOCK, .unix_seconds = 4990};
    step(&p, &p.a, &e);
    run(&p, span_ms(9900));
    assert_int_equal(p.a.joined, 1);
    assert_int_equal(p.a.left, 0);
    run(&p, span_ms(200));
    assert_int_equal(p.a.left, 1);
    assert_int_equal(p.a.reason, DEPARTURE_REVOKED);
    run(&p, span_s(30));
    assert_int_equal(p.a.joined, 1); /* The peer does not come back. */
    teardown(&p);
}

/* A message that fits must not overtake the one that was BUSY. */
static void after_busy_nothing_goes_before_ready(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_s(1));
    struct node *bob = p.b.node;
    char *large = calloc(1, (1 << 18) + 1);
    memset(large, 'x', 200000);
    p.b.node = NULL; /* The peer stops, so nothing is acknowledged. */
    submit_to(&p, node_self(bob), large);
    submit_to(&p, node_self(bob), large);
    assert_int_equal(p.a.busy, 1);
    submit_to(&p, node_self(bob), "small");
    assert_int_equal(p.a.busy, 2);
    p.b.node = bob;
    free(large);
    teardown(&p);
}

static bool hand_over_as(struct node_pair *p, uint64_t ref, size_t size,
                         enum node_outcome *why)
{
    static const char text[200000];
    struct node_id to = node_self(p->b.node);
    struct message m = {.kind = MESSAGE_SEND,
                        .encoding = ENCODING_BYTES,
                        .type = bytes_of("t", 1),
                        .data = bytes_of(text, size)};
    return node_submit(p->a.node, p->now, (struct node_ref){ref}, &to, &m, why);
}

static bool hand_over(struct node_pair *p, size_t size, enum node_outcome *why)
{
    return hand_over_as(p, 7, size, why);
}

/* Between two steps the node accepts or refuses a message at once. The next
 * step is due at once; it sends the message, and a later one reports it. */
static void a_message_is_taken_at_once(void **state)
{
    (void)state;
    struct node_pair p;
    enum node_outcome why;
    setup(&p);
    run(&p, span_ms(1050));
    assert_true(node_deadline(p.a.node).us > p.now.us);
    assert_true(hand_over(&p, 200000, &why));
    assert_int_equal(node_deadline(p.a.node).us, p.now.us);
    assert_false(hand_over(&p, 200000, &why));
    assert_int_equal(why, OUTCOME_BUSY);
    assert_int_equal(p.b.messages, 0);
    run(&p, span_s(1));
    assert_int_equal(p.b.messages, 1);
    assert_int_equal(p.a.delivered, 1);
    assert_int_equal(p.a.failed, 0); /* A refused message gets no report. */
    assert_int_equal(p.a.ready, 1);
    p.lan = false;
    step(&p, &p.b, &(struct node_event){.kind = NODE_LEAVE});
    assert_int_equal(p.a.left, 1);
    assert_false(hand_over(&p, 5, &why));
    assert_int_equal(why, OUTCOME_UNKNOWN_PEER);
    step(&p, &p.a, &(struct node_event){.kind = NODE_LEAVE});
    assert_false(hand_over(&p, 5, &why));
    assert_int_equal(why, OUTCOME_NOT_DELIVERED);
    teardown(&p);
}

/* Bytes that the todo list lends stay until the list is cleared, even if the
 * session and the node end. */
static void lent_bytes_outlive_their_session_and_node(void **state)
{
    (void)state;
    struct node_pair p;
    struct todo todo;
    enum node_outcome why;
    setup(&p);
    run(&p, span_s(1));
    submit(&p, "hello"); /* makes the session agree on keys */
    run(&p, span_ms(50));
    assert_true(hand_over(&p, 60000, &why));
    todo_init(&todo);
    node_step(p.a.node, p.now, NULL, 0, &todo);
    assert_int_equal(todo.lent, 1);
    struct bytes packet = {0};
    for (size_t i = 0; i < todo.count; i++)
        if (todo.items[i].kind == NODE_WRITE && todo.items[i].link.lent)
            packet = todo.items[i].link.bytes;
    assert_true(packet.size > 60000);
    node_free(p.a.node);
    p.a.node = NULL;
    assert_int_equal(packet.data[0], PACKET_PLAIN);
    assert_int_equal(packet.data[packet.size - 1], 0);
    todo_clear(&todo);
    assert_int_equal(todo.lent, 0);
    todo_close(&todo);
    node_free(p.b.node);
}

static void a_publication_is_taken_at_once(void **state)
{
    (void)state;
    struct node_pair p;
    enum node_outcome why;
    uint32_t peers;
    struct message m = {.kind = MESSAGE_EVENT,
                        .encoding = ENCODING_BYTES,
                        .type = bytes_of("t", 1),
                        .data = bytes_of("news", 4)};
    setup(&p);
    run(&p, span_ms(1050));
    assert_true(node_publish(p.a.node, p.now, &m, &peers, &why));
    assert_int_equal(peers, 1);
    assert_int_equal(node_deadline(p.a.node).us, p.now.us);
    run(&p, span_s(1));
    assert_string_equal(p.b.last, "news");
    step(&p, &p.a, &(struct node_event){.kind = NODE_LEAVE});
    assert_false(node_publish(p.a.node, p.now, &m, &peers, &why));
    assert_int_equal(why, OUTCOME_NOT_DELIVERED);
    teardown(&p);
}

static void take_link_packet(struct node_pair *p, struct node_side *s,
                             const char *text)
{
    struct node_event e = {.kind = NODE_LINK_PACKET};
    e.link.id = s->link;
    e.link.bytes = bytes_of_string(text);
    step(p, s, &e);
}

/* Neither end takes the closed link for a loss, or dials until there is
 * something to send. */
static void a_spared_link_is_made_again_when_needed(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_s(1));
    take_link_packet(&p, &p.a, "\x19");
    take_link_packet(&p, &p.b, "\x19");
    p.a.link = p.b.link = 0;
    run(&p, span_s(100));
    assert_int_equal(p.a.left + p.b.left, 0);
    assert_int_equal(p.a.path, PATH_NONE);
    assert_int_equal(p.b.path, PATH_NONE);
    assert_int_equal(p.a.link, 0);
    submit(&p, "after all");
    run(&p, span_ms(10));
    assert_int_equal(p.a.delivered, 1);
    assert_int_equal(p.a.path, PATH_TCP);
    teardown(&p);
}

static void nobody_beacons_for_a_dead_peer_without_a_link(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_s(1));
    take_link_packet(&p, &p.a, "\x19");
    struct node *bob = p.b.node;
    p.b.node = NULL;
    run(&p, span_ms(2900));
    assert_int_equal(p.a.left, 0);
    run(&p, span_ms(200));
    assert_int_equal(p.a.left, 1);
    assert_int_equal(p.a.reason, DEPARTURE_LOST);
    p.b.node = bob;
    teardown(&p);
}

static void a_malformed_spare_changes_nothing(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_s(1));
    take_link_packet(&p, &p.a, "\x19 and more");
    run(&p, span_s(1));
    assert_int_equal(p.a.path, PATH_TCP);
    teardown(&p);
}

/* The message is delivered, or given up because the peer restarts. */
static void a_message_without_a_ref_is_not_reported(void **state)
{
    (void)state;
    struct node_pair p;
    enum node_outcome why;
    setup(&p);
    run(&p, span_ms(1050));
    assert_true(hand_over_as(&p, 0, 5, &why));
    assert_true(hand_over_as(&p, 7, 5, &why));
    run(&p, span_s(1));
    assert_int_equal(p.b.messages, 2);
    assert_int_equal(p.a.delivered, 1);
    p.lan = false;
    assert_true(hand_over_as(&p, 0, 5, &why));
    step(&p, &p.b, &(struct node_event){.kind = NODE_LEAVE});
    run(&p, span_s(1));
    assert_int_equal(p.a.left, 1);
    assert_int_equal(p.a.delivered + p.a.failed, 1);
    teardown(&p);
}

static void a_message_to_nobody_fails(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    p.a.joined = 0;
    run(&p, span_s(1));
    submit_to(&p, (struct node_id){{0}}, "");
    assert_int_equal(p.a.failed, 1);
    teardown(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_on_a_lan_meet_and_talk),
        cmocka_unit_test(traffic_is_counted_for_each_peer),
        cmocka_unit_test(an_answer_read_late_is_no_replay),
        cmocka_unit_test(a_silent_peer_is_lost),
        cmocka_unit_test(a_spared_link_is_made_again_when_needed),
        cmocka_unit_test(nobody_beacons_for_a_dead_peer_without_a_link),
        cmocka_unit_test(a_malformed_spare_changes_nothing),
        cmocka_unit_test(messages_to_a_silent_peer_wait_a_minute),
        cmocka_unit_test(messages_to_a_broken_peer_wait_ten_seconds),
        cmocka_unit_test(replayed_beacons_keep_nobody_alive),
        cmocka_unit_test(a_goodbye_is_a_leave_at_once),
        cmocka_unit_test(a_goodbye_by_beacon_waits_for_the_link),
        cmocka_unit_test(queued_messages_are_delivered_before_goodbye),
        cmocka_unit_test(a_leave_waits_for_a_second_at_the_most),
        cmocka_unit_test(a_certificate_ends_on_its_second),
        cmocka_unit_test(after_busy_nothing_goes_before_ready),
        cmocka_unit_test(a_message_is_taken_at_once),
        cmocka_unit_test(lent_bytes_outlive_their_session_and_node),
        cmocka_unit_test(a_publication_is_taken_at_once),
        cmocka_unit_test(a_message_without_a_ref_is_not_reported),
        cmocka_unit_test(a_message_to_nobody_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
