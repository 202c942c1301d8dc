/* Rounds of many sockets, and ports that are predicted. */
#include "tests/unit/punch_kit.h"

static struct punch_kit *hard_and_easy(int hard)
{
    struct punch_kit *k = kit_new();
    k->ends[hard].is_hard = true;
    k->ends[hard].side.mapping = MAPPING_DEPENDENT;
    k->ends[1 - hard].is_filtered = true;
    punch_allow_many(k->ends[LEADER].punch, true);
    punch_allow_many(k->ends[OTHER].punch, true);
    return k;
}

static void run_seconds(struct punch_kit *k, int seconds)
{
    for (int i = 0; i < seconds; i++)
        kit_run(k, span_s(1));
}

static void run_until_won(struct punch_kit *k)
{
    for (int i = 0; i < 150 && k->ends[0].won + k->ends[1].won < 2; i++)
        kit_run(k, span_ms(100));
    assert_int_equal(k->ends[LEADER].won, 1);
    assert_int_equal(k->ends[OTHER].won, 1);
}

static void many_sockets_find_a_hard_nat_in_both_roles(void **state)
{
    (void)state;
    for (int hard = 0; hard < 2; hard++) {
        struct punch_kit *k = hard_and_easy(hard);
        struct kit_end *e = &k->ends[hard];
        kit_want_both(k);
        run_until_won(k);
        assert_int_equal(e->opened, PUNCH_SOCKETS);
        assert_int_equal(e->closed, PUNCH_SOCKETS - 1);
        assert_false(punch_has_many(e->punch));
        assert_in_range(e->last_won.socket, 1, PUNCH_SOCKETS);
        assert_int_equal(k->ends[1 - hard].opened, 0);
        assert_int_equal(k->ends[1 - hard].last_won.socket, 0);
        assert_memory_equal(k->ends[0].last_won.quic, k->ends[1].last_won.quic,
                            32);
        kit_free(k);
    }
}

/* Each of the easy side's probes to a closed port may take a tuple there. */
static void the_hard_side_sends_first_and_not_far(void **state)
{
    struct punch_kit *k = hard_and_easy(LEADER);
    const struct kit_end *e = &k->ends[LEADER];
    struct instant last_of_first_wave = {0}, first_guess = {INT64_MAX};
    int waves[3] = {0};
    (void)state;

    k->no_datagrams = true;
    kit_want_both(k);
    run_seconds(k, 14);
    for (int i = 0; i < e->send_count; i++) {
        const struct kit_send *s = &e->sends[i];
        if (s->socket == 0)
            continue;
        int wave = s->ttl == PUNCH_TTL_FIRST ? 0 : s->ttl == PUNCH_TTL ? 1 : 2;
        assert_in_range(s->ttl, 1, PUNCH_TTL_FAR);
        waves[wave]++;
        if (wave == 0)
            last_of_first_wave = instant_max(last_of_first_wave, s->at);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(waves[i], PUNCH_SOCKETS);
    e = &k->ends[OTHER];
    for (int i = 0; i < e->send_count; i++)
        if (e->sends[i].to.port != KIT_PORT + 40000)
            first_guess = instant_min(first_guess, e->sends[i].at);
    assert_in_range(instant_between(last_of_first_wave, first_guess).us, 100000,
                    400000);
    kit_free(k);
}

static void guesses_are_distinct_and_even(void **state)
{
    static bool guessed[65536];
    struct punch_kit *k = hard_and_easy(LEADER);
    const struct kit_end *e = &k->ends[OTHER];
    struct instant first = {0}, last = {0};
    int count = 0;
    (void)state;

    k->no_datagrams = true;
    memset(guessed, 0, sizeof guessed);
    kit_want_both(k);
    run_seconds(k, 14);
    for (int i = 0; i < e->send_count; i++) {
        const struct kit_send *s = &e->sends[i];
        if (s->to.port == KIT_PORT + 40000)
            continue;
        assert_false(guessed[s->to.port]);
        assert_in_range(s->to.port, 1024, 65535);
        guessed[s->to.port] = true;
        first = count++ == 0 ? s->at : first;
        last = s->at;
    }
    assert_int_equal(count, PUNCH_GUESSES);
    assert_in_range(instant_between(first, last).us, 9900000, 10000000);
    assert_int_equal(punch_why(k->ends[OTHER].punch), PUNCH_WHY_TRYING);
    kit_free(k);
}

static void it_is_done_once_for_a_pair_and_network(void **state)
{
    (void)state;
    for (int moved = 0; moved < 2; moved++) {
        struct punch_kit *k = hard_and_easy(OTHER);
        const struct kit_end *e = &k->ends[OTHER];
        k->no_datagrams = true;
        kit_want_both(k);
        run_seconds(k, 60);
        assert_int_equal(k->ends[LEADER].looks, 3);
        /* Two fresh sockets beside. */
        assert_int_equal(e->opened, PUNCH_SOCKETS + 2);
        if (moved == 0) {
            punch_network_changed(k->ends[OTHER].punch, k->now);
            kit_settle(k, OTHER);
        } else { /* The other node sees it by the address. */
            k->ends[LEADER].side.candidates[0].address.ip[3] = 77;
            punch_network_changed(k->ends[LEADER].punch, k->now);
            kit_settle(k, LEADER);
        }
        run_seconds(k, 5);
        assert_true(e->opened >= 2 * PUNCH_SOCKETS + 2);
        kit_free(k);
    }
}

/* A leader that started again does not know that it was done. */
static void it_is_refused_where_it_was_done(void **state)
{
    struct punch_kit *k = hard_and_easy(LEADER);
    struct punch_record answer = {.kind = PUNCH_ASK};
    (void)state;

    k->no_datagrams = true;
    kit_want_both(k);
    while (k->ends[OTHER].looks < 2)
        kit_run(k, span_ms(10));
    const struct punch_do *last = &k->ends[OTHER].last_record;
    assert_true(
        punch_record_decode(bytes_of(last->bytes, last->size), &answer));
    assert_int_equal(answer.kind, PUNCH_ANSWER);
    assert_true(answer.easy_only);
    kit_free(k);
}

static void it_is_not_done_where_it_is_not_allowed(void **state)
{
    (void)state;
    for (int end = 0; end < 2; end++) {
        struct punch_kit *k = hard_and_easy(LEADER);
        k->no_datagrams = true;
        punch_allow_many(k->ends[end].punch, false);
        kit_want_both(k);
        run_seconds(k, 6);
        assert_int_equal(k->ends[LEADER].opened, 0);
        assert_in_range(k->ends[OTHER].send_count, 9, 15);
        /* It was not tried, so it may be tried later. */
        punch_allow_many(k->ends[end].punch, true);
        run_seconds(k, 10);
        assert_true(k->ends[LEADER].opened >= PUNCH_SOCKETS);
        kit_free(k);
    }
}

static void one_pair_at_a_time_can_be_told(void **state)
{
    struct punch_kit *k = hard_and_easy(LEADER);
    (void)state;

    k->no_datagrams = true;
    assert_false(punch_has_many(k->ends[LEADER].punch));
    kit_want_both(k);
    assert_true(punch_has_many(k->ends[LEADER].punch)); /* It is offered. */
    assert_false(punch_has_many(k->ends[OTHER].punch));
    run_seconds(k, 8);
    assert_true(punch_has_many(k->ends[LEADER].punch));
    assert_true(punch_has_many(k->ends[OTHER].punch));
    run_seconds(k, 8);
    assert_false(punch_has_many(k->ends[LEADER].punch));
    kit_free(k);
    k = kit_new();
    punch_allow_many(k->ends[LEADER].punch, true);
    punch_allow_many(k->ends[OTHER].punch, true);
    kit_want_both(k);
    kit_run(k, span_ms(100));
    assert_false(punch_has_many(k->ends[LEADER].punch)); /* None is hard. */
    kit_free(k);
}

static void ordinary_probes_that_come_through_are_enough(void **state)
{
    struct punch_kit *k = hard_and_easy(LEADER);
    (void)state;

    k->ends[OTHER].is_filtered = false;
    kit_want_both(k);
    kit_run(k, span_ms(900));
    assert_int_equal(k->ends[LEADER].won, 1);
    assert_int_equal(k->ends[OTHER].won, 1);
    assert_int_equal(k->ends[LEADER].opened, 0);
    kit_free(k);
}

static void two_hard_nats_get_no_guesses(void **state)
{
    struct punch_kit *k = hard_and_easy(LEADER);
    (void)state;

    k->ends[OTHER].is_hard = true;
    k->ends[OTHER].side.mapping = MAPPING_DEPENDENT;
    kit_want_both(k);
    run_seconds(k, 60);
    assert_in_range(k->ends[LEADER].send_count, 27, 40);
    assert_in_range(k->ends[OTHER].send_count, 27, 40);
    assert_int_equal(punch_why(k->ends[LEADER].punch), PUNCH_WHY_NAT);
    kit_free(k);
}

/* If that fails, the sequence is not believed any more. */
static void ports_in_sequence_are_predicted_then_guessed(void **state)
{
    static const int steps[] = {1, 2, -1};
    (void)state;
    for (size_t t = 0; t < COUNT_OF(steps); t++) {
        struct punch_kit *k = hard_and_easy(LEADER);
        const struct kit_end *e = &k->ends[OTHER];
        int times[33] = {0}, seen = KIT_PORT + 40000;
        k->no_datagrams = true;
        k->ends[LEADER].side.step = (int8_t)steps[t];
        kit_want_both(k);
        run_seconds(k, 5);
        for (int i = 0; i < e->send_count; i++) {
            int distance = (e->sends[i].to.port - seen) / steps[t];
            assert_in_range(distance, 0, 32);
            times[distance]++;
        }
        for (int i = 1; i <= 32; i++)
            assert_int_equal(times[i], 3);
        assert_int_equal(k->ends[LEADER].opened, 0);
        run_seconds(k, 15);
        assert_true(k->ends[LEADER].opened > PUNCH_SOCKETS);
        kit_free(k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_sockets_find_a_hard_nat_in_both_roles),
        cmocka_unit_test(the_hard_side_sends_first_and_not_far),
        cmocka_unit_test(guesses_are_distinct_and_even),
        cmocka_unit_test(it_is_done_once_for_a_pair_and_network),
        cmocka_unit_test(it_is_refused_where_it_was_done),
        cmocka_unit_test(it_is_not_done_where_it_is_not_allowed),
        cmocka_unit_test(one_pair_at_a_time_can_be_told),
        cmocka_unit_test(ordinary_probes_that_come_through_are_enough),
        cmocka_unit_test(two_hard_nats_get_no_guesses),
        cmocka_unit_test(ports_in_sequence_are_predicted_then_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
