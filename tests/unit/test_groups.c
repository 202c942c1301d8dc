/*
 * Two nodes, of which one publishes.
 */
#include "node_kit.h"

#include "edge/core/node_private.h"

static void publish_text(struct node_pair *p, const char *group,
                         const char *text)
{
    publish(p, group, bytes_of_string(text));
}

static void set_groups(struct node_pair *p, struct node_side *s,
                       const char *group)
{
    struct node_event e = {.kind = NODE_SET_GROUPS};
    e.groups.list = &group;
    e.groups.count = group != NULL;
    step(p, s, &e);
    run(p, span_ms(10));
}

static void members_get_what_is_published_to_their_group(void **state)
{
    (void)state;
    struct node_pair p;
    setup(&p);
    run(&p, span_ms(500));

    publish_text(&p, "", "for all");
    assert_int_equal(p.a.peers, 1);
    run(&p, span_ms(10));
    assert_int_equal(p.b.messages, 1);
    assert_string_equal(p.b.last, "for all");

    publish_text(&p, "lab", "not for it");
    assert_int_equal(p.a.peers, 0);
    set_groups(&p, &p.b, "lab");
    publish_text(&p, "lab", "for it");
    assert_int_equal(p.a.peers, 1);
    run(&p, span_ms(10));
    assert_int_equal(p.b.messages, 2);
    set_groups(&p, &p.b, NULL);
    publish_text(&p, "lab", "not any more");
    run(&p, span_ms(10));
    assert_int_equal(p.b.messages, 2);
    assert_int_equal(p.b.missed, 0);
    set_groups(&p, &p.b, "lab");
    publish_text(&p, "lab", "again");
    run(&p, span_ms(10));
    assert_string_equal(p.b.last, "again");
    assert_int_equal(p.b.messages, 3);
    assert_int_equal(p.b.missed, 0);
    teardown(&p);
}

/* The receiver takes nothing any more. It stays present, and learns later how
 * much it missed. */
static void a_full_store_is_busy_until_its_receiver_is_left(void **state)
{
    (void)state;
    static const uint8_t data[40 * 1000];
    struct node_pair p;
    setup(&p);
    run(&p, span_ms(500));
    publish_text(&p, "", "begin");
    run(&p, span_ms(100));
    struct node_event link = {.kind = NODE_LINK_BLOCKED};
    link.link.id = p.a.link;
    step(&p, &p.a, &link);
    size_t published = 0;
    while (p.a.busy == 0) {
        publish(&p, "", bytes_of(data, sizeof data));
        published += p.a.busy == 0;
    }
    assert_true(published * sizeof data <= 1 << 18);
    publish_text(&p, "", "small, and not before");
    assert_int_equal(p.a.busy, 2);
    assert_int_equal(p.a.ready, 0);
    run(&p, span_ms(2100));
    assert_int_equal(p.a.ready, 1);
    link.kind = NODE_LINK_WRITABLE;
    step(&p, &p.a, &link);
    run(&p, span_ms(300));
    assert_int_equal(p.a.left, 0);
    assert_int_equal(p.b.missed, published);
    publish_text(&p, "", "after");
    run(&p, span_ms(100));
    assert_string_equal(p.b.last, "after");
    assert_int_equal(p.b.messages, 2);
    teardown(&p);
}

static void publications_are_delivered_before_goodbye(void **state)
{
    (void)state;
    struct node_pair p;
    struct node_event leave = {.kind = NODE_LEAVE};
    setup(&p);
    run(&p, span_ms(500));
    publish_text(&p, "", "the first");
    step(&p, &p.a, &leave);
    run(&p, span_ms(900));
    assert_int_equal(p.a.done, 1);
    assert_string_equal(p.b.last, "the first");
    assert_int_equal(p.b.left, 1);
    teardown(&p);
}

static enum cipher cipher_of(const struct node_side *s)
{
    return s->node->outflows[0]->channel->newest.cipher;
}

static void a_stream_is_sealed_with_what_both_have(void **state)
{
    (void)state;
    if (!crypto_aead_aes256gcm_is_available())
        skip();
    for (with_aes = 0; with_aes <= 6; with_aes += 2) {
        struct node_pair p;
        setup(&p);
        run(&p, span_ms(500));
        for (int i = 0; i < 3; i++)
            publish_text(&p, "", "for all");
        run(&p, span_ms(10));
        assert_int_equal(cipher_of(&p.a),
                         with_aes == 6 ? CIPHER_AES : CIPHER_CHACHA);
        assert_int_equal(p.b.messages, 3);
        teardown(&p);
    }
    with_aes = 0;
}

/* Using AES on a processor without it would end the process. */
static void a_key_without_use_is_dropped(void **state)
{
    (void)state;
    if (!crypto_aead_aes256gcm_is_available())
        skip();
    struct node_pair p;
    with_aes = 6;
    setup(&p);
    with_aes = 0;
    run(&p, span_ms(500));
    p.b.node->aes = false; /* The node announced that it has AES. */
    struct node_counters before, after;
    node_counters_get(p.b.node, &before);
    publish_text(&p, "", "for all");
    run(&p, span_ms(10));
    node_counters_get(p.b.node, &after);
    assert_int_equal(p.b.messages, 0);
    assert_true(after.packets_dropped > before.packets_dropped);
    assert_int_equal(p.b.left, 0);
    teardown(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_get_what_is_published_to_their_group),
        cmocka_unit_test(a_full_store_is_busy_until_its_receiver_is_left),
        cmocka_unit_test(publications_are_delivered_before_goodbye),
        cmocka_unit_test(a_stream_is_sealed_with_what_both_have),
        cmocka_unit_test(a_key_without_use_is_dropped),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
