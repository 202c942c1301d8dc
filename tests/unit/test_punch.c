/* Rounds of punch: records, probes, nomination, back-off. */
#include "tests/unit/punch_kit.h"

static void assert_won(const struct punch_kit *k, int count)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(k->ends[i].won, count);
        assert_int_equal(k->ends[i].last_won.lead, i == LEADER);
    }
    assert_memory_equal(k->ends[0].last_won.quic, k->ends[1].last_won.quic, 32);
}

/* --- a round that succeeds ----------------------------------------------- */

static void two_nodes_meet_and_the_smaller_id_leads(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    kit_want_both(k);
    assert_int_equal(k->ends[LEADER].looks, 1);
    assert_int_equal(k->ends[LEADER].records, 1);
    kit_run(k, span_ms(700));
    assert_won(k, 1);
    for (int i = 0; i < 2; i++) {
        const struct kit_end *e = &k->ends[i];
        struct address there = kit_address(1 - i, KIT_PORT);
        assert_int_equal(e->records, 1);
        assert_int_equal(e->looks, 1);
        assert_int_equal(e->last_won.socket, 0);
        assert_true(address_equal(&e->last_won.to, &there));
        assert_int_equal(e->opened + e->closed + e->failed, 0);
        assert_int_equal(punch_why(e->punch), PUNCH_WHY_TRYING);
        assert_int_equal(punch_mapping(e->punch), MAPPING_ENDPOINT_INDEPENDENT);
        assert_int_equal(punch_peer_mapping(e->punch),
                         MAPPING_ENDPOINT_INDEPENDENT);
        punch_connected(e->punch, k->now);
        kit_want(k, i, false);
        assert_true(instant_is_never(punch_deadline(e->punch)));
        assert_int_equal(punch_why(e->punch), PUNCH_WHY_NONE);
    }
    kit_free(k);
}

static void both_filters_open_and_the_first_probes_are_short(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    k->ends[LEADER].is_filtered = k->ends[OTHER].is_filtered = true;
    kit_want_both(k);
    kit_run(k, span_ms(700));
    assert_won(k, 1);
    const struct kit_send *s = k->ends[LEADER].sends;
    assert_int_equal(s[0].ttl, PUNCH_TTL_FIRST);
    assert_int_equal(s[1].ttl, PUNCH_TTL_FIRST);
    assert_int_equal(s[2].ttl, PUNCH_TTL);
    for (int n = 3; n < k->ends[LEADER].send_count; n++)
        assert_int_equal(s[n].ttl, 0);
    kit_free(k);
}

/* By the half of the session's round trip the answer arrives when its sender
 * begins. */
static void both_begin_at_one_moment(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    punch_rtt(k->ends[OTHER].punch, span_ms(40));
    kit_want_both(k);
    kit_run(k, span_ms(200));
    assert_int_equal(k->ends[LEADER].sends[0].at.us,
                     k->ends[OTHER].sends[0].at.us);
    kit_free(k);
}

/* Whatever the session measured, and whatever the peer says. */
static void none_begins_later_than_a_second(void **state)
{
    struct punch_kit *k = kit_new();
    struct punch_record answer;
    uint8_t room[PUNCH_RECORD_SIZE];
    struct writer w = writer_of(room, sizeof room);
    (void)state;

    k->no_datagrams = true;
    punch_rtt(k->ends[OTHER].punch, span_s(60));
    kit_want_both(k);
    k->lost_records = 1; /* ANSWER */
    kit_run(k, span_ms(60));
    const struct punch_do *last = &k->ends[OTHER].last_record;
    assert_true(
        punch_record_decode(bytes_of(last->bytes, last->size), &answer));
    answer.delay_ms = 30000;
    punch_record_encode(&answer, &w);
    assert_true(
        punch_take_record(k->ends[LEADER].punch, writer_bytes(&w), k->now));
    kit_settle(k, LEADER);
    kit_run(k, span_ms(1010));
    for (int i = 0; i < 2; i++)
        assert_true(k->ends[i].send_count > 0);
    kit_free(k);
}

static void nine_probes_in_four_seconds(void **state)
{
    static const int times[] = {0, 50, 150, 300, 600, 1000, 1600, 2500, 4000};
    struct punch_kit *k = kit_new();
    struct kit_end *e = &k->ends[LEADER];
    (void)state;

    k->no_datagrams = true;
    kit_want_both(k);
    kit_run(k, span_s(4));
    kit_run(k, span_ms(500));
    assert_int_equal(e->send_count, COUNT_OF(times));
    for (int i = 0; i < 9; i++)
        assert_int_equal(instant_between(e->sends[0].at, e->sends[i].at).us,
                         times[i] * 1000);
    kit_free(k);
}

static void the_address_of_a_host_is_preferred(void **state)
{
    struct punch_kit *k = kit_new();
    struct address host = kit_address(OTHER, KIT_PORT);
    struct punch_side side = {.candidate_count = 2};
    (void)state;

    /* The same host answers at both, and at this one 50 ms later. */
    side.candidates[0] =
        (struct candidate){CANDIDATE_STUN, kit_address(OTHER, KIT_PORT + 1)};
    side.candidates[1] = (struct candidate){CANDIDATE_HOST, host};
    k->ends[OTHER].is_silent = true;
    kit_want_both(k);
    kit_run(k, span_ms(100));
    punch_looked(k->ends[OTHER].punch, &side, k->now);
    kit_settle(k, OTHER);
    kit_run(k, span_ms(700));
    assert_int_equal(k->ends[LEADER].won, 1);
    assert_true(address_equal(&k->ends[LEADER].last_won.to, &host));
    kit_free(k);
}

/* The other's candidates are useless; it is found by where it probes from. */
static void an_address_that_shows_itself_becomes_a_candidate(void **state)
{
    struct punch_kit *k = kit_new();
    struct address there = kit_address(OTHER, KIT_PORT);
    (void)state;

    k->ends[OTHER].side.candidate_count = 0;
    kit_want_both(k);
    kit_run(k, span_ms(1300));
    assert_won(k, 1);
    assert_true(address_equal(&k->ends[LEADER].last_won.to, &there));
    kit_free(k);
}

/* --- records that are lost, doubled, late -------------------------------- */

static void an_offer_is_repeated_four_times_and_no_more(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    k->no_records = true;
    kit_want_both(k);
    kit_run(k, span_ms(1700));
    assert_int_equal(k->ends[LEADER].records, 4);
    assert_int_equal(k->ends[LEADER].failed, 0);
    kit_run(k, span_ms(2400));
    assert_int_equal(k->ends[LEADER].records, 4);
    assert_int_equal(k->ends[LEADER].failed, 1);
    assert_int_equal(k->ends[LEADER].send_count, 0);
    kit_free(k);
}

static void a_lost_offer_or_answer_costs_half_a_second(void **state)
{
    (void)state;
    for (int lost = 1; lost <= 3; lost++) {
        struct punch_kit *k = kit_new();
        k->lost_records = lost;
        kit_want_both(k);
        kit_run(k, span_ms(2300));
        assert_won(k, 1);
        kit_free(k);
    }
}

static void an_answer_that_comes_twice_changes_nothing(void **state)
{
    struct punch_kit *k = kit_new();
    struct punch_record record;
    uint8_t first[8], second[8];
    (void)state;

    kit_want_both(k);
    kit_run(k, span_ms(60));
    struct bytes answer = bytes_of(k->ends[OTHER].last_record.bytes,
                                   k->ends[OTHER].last_record.size);
    assert_true(punch_record_decode(answer, &record));
    assert_int_equal(record.kind, PUNCH_ANSWER);
    assert_true(punch_tag(k->ends[LEADER].punch, first));
    assert_true(punch_take_record(k->ends[LEADER].punch, answer, k->now));
    kit_settle(k, LEADER);
    assert_true(punch_tag(k->ends[LEADER].punch, second));
    assert_memory_equal(first, second, 8);
    kit_run(k, span_ms(700));
    assert_won(k, 1);
    assert_int_equal(k->ends[LEADER].records, 1);
    kit_free(k);
}

static void a_repeated_offer_gets_the_same_answer(void **state)
{
    struct punch_kit *k = kit_new();
    struct punch_do first;
    (void)state;

    k->no_datagrams = true;
    kit_want_both(k);
    kit_run(k, span_ms(60));
    first = k->ends[OTHER].last_record;
    const struct punch_do *offer = &k->ends[LEADER].last_record;
    assert_true(punch_take_record(k->ends[OTHER].punch,
                                  bytes_of(offer->bytes, offer->size), k->now));
    kit_settle(k, OTHER);
    assert_int_equal(k->ends[OTHER].records, 2);
    assert_int_equal(first.size, k->ends[OTHER].last_record.size);
    assert_memory_equal(first.bytes, k->ends[OTHER].last_record.bytes,
                        first.size);
    for (int i = 0; i < 9; i++) { /* Not for ever. */
        (void)punch_take_record(k->ends[OTHER].punch,
                                bytes_of(offer->bytes, offer->size), k->now);
        kit_settle(k, OTHER);
    }
    assert_int_equal(k->ends[OTHER].records, 4);
    kit_free(k);
}

static void nobody_but_the_leader_offers(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    k->ends[OTHER].is_silent = true;
    kit_want_both(k);
    kit_run(k, span_ms(60));
    struct punch_record r = {.kind = PUNCH_OFFER, .round = 77};
    uint8_t room[PUNCH_RECORD_SIZE];
    struct writer w = writer_of(room, sizeof room);
    punch_record_encode(&r, &w);
    assert_true(
        punch_take_record(k->ends[LEADER].punch, writer_bytes(&w), k->now));
    kit_settle(k, LEADER);
    assert_int_equal(k->ends[LEADER].records, 1);
    room[0] = PUNCH_ANSWER; /* of a round that there is not */
    assert_true(
        punch_take_record(k->ends[LEADER].punch, writer_bytes(&w), k->now));
    kit_settle(k, LEADER);
    kit_run(k, span_ms(300));
    assert_int_equal(k->ends[LEADER].send_count, 0);
    assert_false(
        punch_take_record(k->ends[LEADER].punch, bytes_of(room, 7), k->now));
    kit_free(k);
}

static void offer_another(struct punch_kit *k)
{
    struct punch_record offer;
    uint8_t room[PUNCH_RECORD_SIZE];
    struct writer w = writer_of(room, sizeof room);
    const struct punch_do *last = &k->ends[LEADER].last_record;
    assert_true(punch_record_decode(bytes_of(last->bytes, last->size), &offer));
    offer.round++;
    punch_record_encode(&offer, &w);
    assert_true(
        punch_take_record(k->ends[OTHER].punch, writer_bytes(&w), k->now));
    kit_settle(k, OTHER);
}

static void rounds_begin_a_second_apart(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    k->no_datagrams = true;
    kit_want_both(k);
    kit_run(k, span_ms(900));
    offer_another(k);
    assert_int_equal(k->ends[OTHER].looks, 1);
    kit_run(k, span_ms(200));
    offer_another(k);
    assert_int_equal(k->ends[OTHER].looks, 2);
    kit_free(k);
}

/* The leader may have begun by the last OFFER. */
static void the_sender_of_answer_waits_for_a_late_leader(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    k->no_datagrams = true;
    kit_want_both(k);
    while (k->ends[LEADER].failed == 0)
        kit_run(k, span_ms(10));
    kit_run(k, span_ms(1400));
    assert_int_equal(k->ends[OTHER].failed, 0);
    kit_run(k, span_ms(200));
    assert_int_equal(k->ends[OTHER].failed, 1);
    kit_free(k);
}

/* An offer of the round before that was delayed does not end this one. */
static void a_late_offer_of_an_old_round_is_ignored(void **state)
{
    struct punch_kit *k = kit_new();
    struct punch_do old;
    uint8_t tag[8], same[8];
    (void)state;

    k->no_datagrams = true;
    kit_want_both(k);
    kit_run(k, span_ms(60));
    old = k->ends[LEADER].last_record;
    kit_run(k, span_s(7));
    kit_run(k, span_s(5));
    assert_int_equal(k->ends[LEADER].looks, 2);
    assert_true(punch_tag(k->ends[OTHER].punch, tag));
    assert_true(punch_take_record(k->ends[OTHER].punch,
                                  bytes_of(old.bytes, old.size), k->now));
    kit_settle(k, OTHER);
    assert_true(punch_tag(k->ends[OTHER].punch, same));
    assert_memory_equal(tag, same, 8);
    kit_free(k);
}

static void the_larger_id_asks_if_no_offer_comes(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    /* The leader's first offers are lost, all of them. */
    k->lost_records = 4;
    kit_want_both(k);
    kit_run(k, span_ms(1900));
    assert_int_equal(k->ends[OTHER].records, 0);
    kit_run(k, span_ms(200));
    assert_int_equal(k->ends[OTHER].records, 1);
    assert_int_equal(k->ends[OTHER].last_record.bytes[0], PUNCH_ASK);
    kit_run(k, span_s(2));
    assert_int_equal(k->ends[LEADER].failed, 1);
    /* The leader would wait until 9 s. */
    punch_network_changed(k->ends[OTHER].punch, k->now);
    kit_settle(k, OTHER);
    kit_run(k, span_ms(2500)); /* ASK at most each 5 s. */
    assert_int_equal(k->ends[OTHER].records, 1);
    kit_run(k, span_ms(1000));
    assert_won(k, 1);
    kit_free(k);
}

/* Its own questions of the same time: a round is under way. */
static void an_ask_that_crosses_an_offer_changes_nothing(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    kit_want(k, OTHER, true);
    kit_run(k, span_ms(1990));
    kit_want(k, LEADER, true);
    kit_run(k, span_ms(700));
    assert_int_equal(k->ends[OTHER].records, 2); /* ASK, ANSWER */
    assert_int_equal(k->ends[LEADER].looks, 1);
    assert_won(k, 1);
    kit_free(k);
}

/* --- rounds that fail ---------------------------------------------------- */

static void pauses_grow_and_each_round_has_a_fresh_socket(void **state)
{
    static const int pauses[] = {5, 30, 300, 300};
    struct punch_kit *k = kit_new();
    struct kit_end *e = &k->ends[LEADER];
    (void)state;

    k->no_datagrams = true;
    kit_want_both(k);
    for (int i = 0; i < 4; i++) {
        while (e->failed == i)
            kit_run(k, span_ms(100));
        assert_int_equal(e->looked, i);
        assert_int_equal(punch_why(e->punch), PUNCH_WHY_NAT);
        assert_int_equal(e->opened, i);
        assert_int_equal(e->closed, i);
        struct span pause = instant_between(k->now, punch_deadline(e->punch));
        assert_in_range(pause.us, pauses[i] * 1000000 - 200000,
                        pauses[i] * 1130000);
        kit_run(k, pause);
        kit_run(k, span_ms(10));
        assert_int_equal(e->looks, i + 2);
        assert_int_equal(punch_why(e->punch), PUNCH_WHY_TRYING);
    }
    kit_free(k);
}

static void a_change_of_the_network_begins_a_round_at_once(void **state)
{
    (void)state;
    for (int end = 0; end < 2; end++) {
        struct punch_kit *k = kit_new();
        k->no_datagrams = true;
        kit_want_both(k);
        for (int i = 0; i < 60; i++)
            kit_run(k, span_s(1));
        assert_int_equal(k->ends[LEADER].failed, 3);
        k->no_datagrams = false;
        punch_network_changed(k->ends[end].punch, k->now);
        kit_settle(k, end);
        kit_run(k, span_ms(800));
        assert_won(k, 1);
        assert_int_equal(k->ends[end].looked, 0);
        kit_free(k);
    }
}

static void
a_connection_that_fails_ends_the_round_like_a_failed_one(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    kit_want_both(k);
    kit_run(k, span_ms(700));
    assert_won(k, 1);
    for (int i = 0; i < 2; i++) {
        punch_not_connected(k->ends[i].punch, k->now);
        kit_settle(k, i);
        assert_int_equal(k->ends[i].failed, 1);
        assert_int_equal(punch_why(k->ends[i].punch), PUNCH_WHY_NAT);
    }
    kit_run(k, span_ms(4900));
    assert_won(k, 1);
    kit_run(k, span_s(2));
    assert_won(k, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(k->ends[i].last_won.socket, 1);
        assert_int_equal(k->ends[i].opened, 1);
        assert_int_equal(k->ends[i].closed, 0); /* It is the connection's. */
    }
    kit_free(k);
}

/* The next round takes the shared socket, after the pause that is due, and
 * what changed before counts no more. */
static void a_connection_that_opens_ends_its_round(void **state)
{
    struct punch_kit *k = kit_new();
    struct kit_end *e = &k->ends[LEADER];
    (void)state;

    k->no_datagrams = true;
    kit_want_both(k);
    while (e->failed == 0)
        kit_run(k, span_ms(100));
    k->no_datagrams = false;
    while (e->won == 0)
        kit_run(k, span_ms(100));
    assert_int_equal(e->looked, 1);
    k->no_datagrams = true;
    for (int i = 0; i < 2; i++) {
        punch_network_changed(k->ends[i].punch, k->now);
        punch_connected(k->ends[i].punch, k->now);
        assert_int_equal(punch_why(k->ends[i].punch), PUNCH_WHY_TRYING);
        kit_want(k, i, false);
    }
    kit_want_both(k);
    kit_run(k, span_s(29));
    assert_int_equal(e->looks, 2);
    while (e->looks == 2)
        kit_run(k, span_ms(100));
    assert_int_equal(e->looked, 0);
    while (e->failed == 1)
        kit_run(k, span_ms(100));
    kit_run(k, span_s(60));
    assert_int_equal(e->looks, 3);
    kit_free(k);
}

static void a_change_meanwhile_counts_if_the_connection_fails(void **state)
{
    struct punch_kit *k = kit_new();
    struct kit_end *e = &k->ends[LEADER];
    (void)state;

    kit_want_both(k);
    while (e->won == 0)
        kit_run(k, span_ms(10));
    punch_network_changed(e->punch, k->now);
    kit_settle(k, LEADER);
    assert_int_equal(e->looks, 1);
    punch_not_connected(e->punch, k->now);
    kit_settle(k, LEADER);
    assert_int_equal(e->looks, 2);
    assert_int_equal(e->looked, 0);
    kit_free(k);
}

static void what_is_not_wanted_ends_quietly(void **state)
{
    struct punch_kit *k = kit_new();
    uint8_t tag[8];
    (void)state;

    k->no_datagrams = true;
    kit_want_both(k);
    for (int i = 0; i < 12; i++)
        kit_run(k, span_s(1));
    assert_int_equal(k->ends[LEADER].looks, 2);
    for (int i = 0; i < 2; i++) {
        int failed = k->ends[i].failed;
        kit_want(k, i, false);
        assert_int_equal(k->ends[i].failed, failed);
        assert_int_equal(k->ends[i].opened, 1);
        assert_int_equal(k->ends[i].closed, 1);
        assert_false(punch_tag(k->ends[i].punch, tag));
    }
    int records = k->ends[LEADER].records + k->ends[OTHER].records;
    kit_run(k, span_s(600));
    assert_int_equal(k->ends[LEADER].records + k->ends[OTHER].records, records);
    kit_free(k);
}

static void an_offer_to_a_node_that_wants_none_is_not_answered(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    kit_want(k, LEADER, true);
    kit_run(k, span_ms(600));
    assert_int_equal(k->ends[OTHER].records, 0);
    kit_want(k, OTHER, true);
    kit_run(k, span_ms(1100));
    assert_won(k, 1);
    kit_free(k);
}

static void why_it_failed_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct punch_kit *k = kit_new();
        k->no_datagrams = true;
        k->ends[i].side.mapping = MAPPING_UNKNOWN;
        k->ends[i].side.candidates[0].kind = CANDIDATE_HOST;
        kit_want_both(k);
        for (int s = 0; s < 8; s++)
            kit_run(k, span_s(1));
        for (int end = 0; end < 2; end++)
            assert_int_equal(punch_why(k->ends[end].punch),
                             PUNCH_WHY_UDP_BLOCKED);
        kit_free(k);
        k = kit_new();
        k->no_datagrams = true;
        k->ends[i].side.candidate_count = 0;
        kit_want_both(k);
        for (int s = 0; s < 8; s++)
            kit_run(k, span_s(1));
        for (int end = 0; end < 2; end++)
            assert_int_equal(punch_why(k->ends[end].punch),
                             PUNCH_WHY_NO_CANDIDATES);
        kit_free(k);
    }
}

static void two_families_have_no_address_to_try(void **state)
{
    (void)state;
    struct punch_kit *k = kit_new();
    k->no_datagrams = true;
    for (int i = 0; i < k->ends[OTHER].side.candidate_count; i++)
        k->ends[OTHER].side.candidates[i].address =
            (struct address){ADDRESS_V6, {0x20, 1, 0xd, 0xb8, 1}, 4000, 0};
    kit_want_both(k);
    for (int s = 0; s < 8; s++)
        kit_run(k, span_s(1));
    for (int end = 0; end < 2; end++)
        assert_int_equal(punch_why(k->ends[end].punch),
                         PUNCH_WHY_NO_CANDIDATES);
    kit_free(k);
}

/* An owner that never says what it found out does not stop the machine. */
static void a_round_goes_on_without_candidates(void **state)
{
    struct punch_kit *k = kit_new();
    (void)state;

    k->ends[LEADER].is_silent = true;
    kit_want_both(k);
    kit_run(k, span_ms(2900));
    assert_won(k, 1);
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_meet_and_the_smaller_id_leads),
        cmocka_unit_test(both_filters_open_and_the_first_probes_are_short),
        cmocka_unit_test(both_begin_at_one_moment),
        cmocka_unit_test(none_begins_later_than_a_second),
        cmocka_unit_test(nine_probes_in_four_seconds),
        cmocka_unit_test(the_address_of_a_host_is_preferred),
        cmocka_unit_test(an_address_that_shows_itself_becomes_a_candidate),
        cmocka_unit_test(an_offer_is_repeated_four_times_and_no_more),
        cmocka_unit_test(a_lost_offer_or_answer_costs_half_a_second),
        cmocka_unit_test(an_answer_that_comes_twice_changes_nothing),
        cmocka_unit_test(a_repeated_offer_gets_the_same_answer),
        cmocka_unit_test(nobody_but_the_leader_offers),
        cmocka_unit_test(rounds_begin_a_second_apart),
        cmocka_unit_test(the_sender_of_answer_waits_for_a_late_leader),
        cmocka_unit_test(a_late_offer_of_an_old_round_is_ignored),
        cmocka_unit_test(the_larger_id_asks_if_no_offer_comes),
        cmocka_unit_test(an_ask_that_crosses_an_offer_changes_nothing),
        cmocka_unit_test(pauses_grow_and_each_round_has_a_fresh_socket),
        cmocka_unit_test(a_change_of_the_network_begins_a_round_at_once),
        cmocka_unit_test(
            a_connection_that_fails_ends_the_round_like_a_failed_one),
        cmocka_unit_test(a_connection_that_opens_ends_its_round),
        cmocka_unit_test(a_change_meanwhile_counts_if_the_connection_fails),
        cmocka_unit_test(what_is_not_wanted_ends_quietly),
        cmocka_unit_test(an_offer_to_a_node_that_wants_none_is_not_answered),
        cmocka_unit_test(why_it_failed_is_told),
        cmocka_unit_test(two_families_have_no_address_to_try),
        cmocka_unit_test(a_round_goes_on_without_candidates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
