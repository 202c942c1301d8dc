/* Datagrams that a round does not take, and gives no answer. */
#include "tests/unit/punch_kit.h"

/* Leader and other in a round in which the other was probed. */
static struct punch_kit *probed(void)
{
    struct punch_kit *k = kit_new();
    k->ends[LEADER].is_filtered = true;
    kit_want_both(k);
    kit_run(k, span_ms(60)); /* OTHER knows the keys. */
    return k;
}

static int answers_of(const struct punch_kit *k, int end)
{
    return k->ends[end].send_count;
}

/* One that the leader made, and that no one got. */
static void make_question(struct punch_kit *k, uint8_t datagram[PROBE_SIZE])
{
    struct punch_do todo;
    k->now = instant_after(k->now, span_ms(200));
    punch_due(k->ends[LEADER].punch, k->now);
    do
        assert_true(punch_next(k->ends[LEADER].punch, &todo, k->now));
    while (todo.action != PUNCH_SEND);
    memcpy(datagram, todo.bytes, PROBE_SIZE);
    kit_settle(k, LEADER);
    kit_settle(k, OTHER);
}

static void a_replayed_probe_gets_no_answer(void **state)
{
    struct punch_kit *k = probed();
    uint8_t datagram[PROBE_SIZE];
    struct bytes bytes = bytes_of(datagram, PROBE_SIZE);
    struct address from = kit_address(LEADER, KIT_PORT);
    (void)state;

    make_question(k, datagram);
    int before = answers_of(k, OTHER);
    assert_true(kit_take_probe(k, OTHER, 0, &from, bytes));
    int sent = answers_of(k, OTHER);
    assert_in_range(sent - before, 1, 2);
    assert_false(kit_take_probe(k, OTHER, 0, &from, bytes));
    from.port++;
    assert_false(kit_take_probe(k, OTHER, 0, &from, bytes));
    assert_int_equal(answers_of(k, OTHER), sent);
    kit_free(k);
}

static void a_reflected_or_forged_probe_gets_no_answer(void **state)
{
    struct punch_kit *k = probed();
    uint8_t datagram[PROBE_SIZE];
    struct bytes bytes = bytes_of(datagram, PROBE_SIZE);
    struct address from = kit_address(OTHER, KIT_PORT);
    (void)state;

    make_question(k, datagram);
    int sent = answers_of(k, LEADER), others = answers_of(k, OTHER);
    assert_false(kit_take_probe(k, LEADER, 0, &from, bytes));
    for (size_t i = 0; i < PROBE_SIZE; i++) {
        datagram[i] ^= 0x80;
        assert_false(kit_take_probe(k, OTHER, 0, &from, bytes));
        datagram[i] ^= 0x80;
    }
    assert_false(kit_take_probe(k, OTHER, 5, &from, bytes)); /* socket */
    assert_int_equal(answers_of(k, LEADER), sent);
    assert_int_equal(answers_of(k, OTHER), others);
    assert_true(kit_take_probe(k, OTHER, 0, &from, bytes));
    kit_free(k);
}

/* Members have keys of their own for each pair, and for each round. */
static void a_probe_of_another_round_or_member_gets_no_answer(void **state)
{
    struct punch_kit *k = probed(), *other = kit_new();
    uint8_t datagram[PROBE_SIZE];
    struct bytes bytes = bytes_of(datagram, PROBE_SIZE);
    struct address from = kit_address(LEADER, KIT_PORT);
    (void)state;

    entropy_u64(&other->ends[LEADER].entropy);
    kit_want_both(other);
    kit_run(other, span_ms(60));
    make_question(other, datagram);
    assert_false(kit_take_probe(k, OTHER, 0, &from, bytes));
    make_question(k, datagram);
    k->no_datagrams = true;
    kit_run(k, span_s(12));
    assert_int_equal(k->ends[OTHER].looks, 2);
    int sent = answers_of(k, OTHER);
    uint32_t socket = k->ends[OTHER].looked;
    assert_false(kit_take_probe(k, OTHER, socket, &from, bytes));
    assert_int_equal(answers_of(k, OTHER), sent);
    kit_free(k);
    kit_free(other);
}

/* What the peer itself would send if it were wrong. */
static bool take_made(struct punch_kit *k, int end, enum probe_type type,
                      uint32_t sequence)
{
    static struct probe_keys keys;
    struct punch_record records[2];
    struct node_id ids[2] = {{{1}}, {{2}}};
    struct address from = kit_address(1 - end, KIT_PORT);
    uint8_t datagram[PROBE_SIZE];
    for (int i = 0; i < 2; i++)
        assert_true(punch_record_decode(
            bytes_of(k->ends[i].last_record.bytes, k->ends[i].last_record.size),
            &records[i]));
    probe_keys_derive(&keys, records[0].secret, records[1].secret, &ids[0],
                      &ids[1], records[0].round);
    struct probe p = {
        .type = type, .sequence = sequence, .seen = kit_address(end, KIT_PORT)};
    memcpy(p.tag, keys.of[1 - end].tag, sizeof p.tag);
    probe_encode(&p, keys.of[1 - end].key, datagram);
    return kit_take_probe(k, end, 0, &from, bytes_of(datagram, PROBE_SIZE));
}

static void an_answer_to_no_question_changes_nothing(void **state)
{
    struct punch_kit *k = probed();
    (void)state;

    k->no_datagrams = true;
    kit_run(k, span_ms(100));
    assert_int_equal(k->ends[LEADER].send_count, 2);
    for (uint32_t i = 2; i < PROBE_SEQUENCES; i++)
        assert_false(take_made(k, LEADER, PROBE_ANSWERS, i));
    for (uint32_t i = 0; i < PROBE_SEQUENCES; i++) {
        assert_false(take_made(k, LEADER, PROBE_AGREES, i));
        assert_false(take_made(k, OTHER, PROBE_AGREES, i));
        assert_false(take_made(k, LEADER, PROBE_NOMINATES, i));
    }
    kit_run(k, span_ms(300));
    assert_int_equal(k->ends[LEADER].won + k->ends[OTHER].won, 0);
    assert_true(take_made(k, LEADER, PROBE_ANSWERS, 1));
    assert_false(take_made(k, LEADER, PROBE_ANSWERS, 1));
    kit_free(k);
}

static void answers_are_few_in_a_second(void **state)
{
    struct punch_kit *k = probed();
    uint32_t good = 0;
    (void)state;

    k->no_datagrams = true;
    for (uint32_t i = 0; i < 1000; i++)
        good += take_made(k, OTHER, PROBE_ASKS, i);
    assert_int_equal(good, 64);
    kit_run(k, span_s(1));
    for (uint32_t i = 0; i < 1000; i++)
        good += take_made(k, OTHER, PROBE_ASKS, i);
    assert_int_equal(good, 128);
    kit_free(k);
}

/* AGREES is lost: the other has won, and still agrees, to that pair. */
static void a_nomination_is_repeated_until_it_is_agreed(void **state)
{
    struct punch_kit *k = probed();
    (void)state;

    k->no_datagrams = true;
    assert_true(take_made(k, OTHER, PROBE_NOMINATES, 1024));
    assert_int_equal(k->ends[OTHER].won, 1);
    int sent = answers_of(k, OTHER);
    assert_false(take_made(k, OTHER, PROBE_NOMINATES, 1024));
    assert_int_equal(answers_of(k, OTHER), sent);
    assert_true(take_made(k, OTHER, PROBE_NOMINATES, 1025));
    assert_int_equal(answers_of(k, OTHER), sent + 1);
    assert_int_equal(k->ends[OTHER].won, 1);
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replayed_probe_gets_no_answer),
        cmocka_unit_test(a_reflected_or_forged_probe_gets_no_answer),
        cmocka_unit_test(a_probe_of_another_round_or_member_gets_no_answer),
        cmocka_unit_test(an_answer_to_no_question_changes_nothing),
        cmocka_unit_test(answers_are_few_in_a_second),
        cmocka_unit_test(a_nomination_is_repeated_until_it_is_agreed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
