/* Pairs of addresses: which is asked when, and which probe counts. Some probes
 * here are those of a peer that is wrong, so they are given to the pairs
 * without their MAC. */
#include "edge/core/punch_private.h"
#include "tests/unit/punch_kit.h"

static struct punch_round *round_of(const struct punch_kit *k, int end)
{
    return k->ends[end].punch->round;
}

static bool take(struct punch_kit *k, int end, uint32_t socket,
                 const struct address *from, enum probe_type type,
                 uint32_t sequence)
{
    const struct probe probe = {.type = type, .sequence = sequence};
    bool good = pairs_take(k->ends[end].punch, socket, from, &probe, k->now);
    kit_settle(k, end);
    return good;
}

/* Both probe, and nothing arrives; the leader has sent so many. */
static struct punch_kit *probing(int sent)
{
    struct punch_kit *k = kit_new();
    k->no_datagrams = true;
    kit_want_both(k);
    while (k->ends[LEADER].send_count < sent)
        kit_run(k, span_ms(1));
    return k;
}

static const struct kit_send *last_send(const struct punch_kit *k, int end)
{
    return &k->ends[end].sends[k->ends[end].send_count - 1];
}

/* --- when a pair is asked ------------------------------------------------ */

/* The sender of ANSWER knows by the repeated OFFER that the leader begins only
 * now. */
static void a_repeated_offer_begins_the_timetable_anew(void **state)
{
    struct punch_kit *k = kit_new();
    const struct kit_end *e = &k->ends[OTHER];
    (void)state;

    k->no_datagrams = true;
    kit_want_both(k);
    k->lost_records = 1; /* ANSWER */
    kit_run(k, span_ms(500));
    assert_int_equal(e->send_count, 4);
    kit_run(k, span_ms(4200));
    assert_int_equal(e->send_count, 4 + 9);
    assert_int_equal(e->sends[4].ttl, PUNCH_TTL_FIRST);
    kit_free(k);
}

/* Unless nothing can be taken at the leader's NAT, or taking does no harm. */
static void the_sender_of_answer_stays_near_for_longer(void **state)
{
    static const struct {
        enum nat_mapping leader, other;
        int near;
    } cases[] = {
        {MAPPING_ENDPOINT_INDEPENDENT, MAPPING_ENDPOINT_INDEPENDENT, 5},
        {MAPPING_NONE, MAPPING_ENDPOINT_INDEPENDENT, 3},
        {MAPPING_ENDPOINT_INDEPENDENT, MAPPING_DEPENDENT, 3},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct punch_kit *k = kit_new();
        k->no_datagrams = true;
        k->ends[LEADER].side.mapping = cases[i].leader;
        k->ends[OTHER].side.mapping = cases[i].other;
        kit_want_both(k);
        kit_run(k, span_ms(4500));
        for (int n = 0; n < 9; n++)
            assert_int_equal(k->ends[OTHER].sends[n].ttl == 0,
                             n >= cases[i].near);
        kit_free(k);
    }
}

/* The peer comes through from there; so far all probes to there ended on their
 * way, the last one just now. */
static void a_pair_that_is_shown_is_asked_at_once(void **state)
{
    struct punch_kit *k = probing(3);
    struct address there = kit_address(OTHER, KIT_PORT);
    (void)state;

    assert_int_equal(last_send(k, LEADER)->ttl, PUNCH_TTL);
    assert_true(take(k, LEADER, 0, &there, PROBE_ASKS, 7));
    assert_int_equal(k->ends[LEADER].send_count, 5); /* and the answer */
    assert_int_equal(last_send(k, LEADER)->ttl, 0);
    kit_free(k);
}

/* The question passed, and another address answered: that one is asked. */
static void an_answer_from_elsewhere_shows_a_pair(void **state)
{
    struct punch_kit *k = probing(1);
    struct address there = kit_address(OTHER, 999);
    (void)state;

    assert_true(take(k, LEADER, 0, &there, PROBE_ANSWERS, SEQUENCE_PAIRS));
    assert_false(round_of(k, LEADER)->pairs[0].is_answered);
    assert_true(address_equal(&last_send(k, LEADER)->to, &there));
    assert_int_equal(last_send(k, LEADER)->ttl, 0);
    kit_free(k);
}

static void an_answer_at_another_socket_does_not_count(void **state)
{
    struct punch_kit *k = probing(1);
    struct address there = kit_address(OTHER, KIT_PORT);
    (void)state;

    assert_false(take(k, LEADER, 7, &there, PROBE_ANSWERS, SEQUENCE_PAIRS));
    assert_false(round_of(k, LEADER)->pairs[0].is_answered);
    assert_true(take(k, LEADER, 0, &there, PROBE_ANSWERS, SEQUENCE_PAIRS));
    assert_true(round_of(k, LEADER)->pairs[0].is_answered);
    kit_free(k);
}

/* --- the choice ---------------------------------------------------------- */

static void the_quickest_pair_is_chosen(void **state)
{
    (void)state;
    for (int quick = 0; quick < 2; quick++) {
        struct punch_kit *k = probing(1);
        struct punch_round *r = round_of(k, LEADER);
        struct address elsewhere = kit_address(OTHER, 999);
        assert_non_null(pairs_find(r, 0, &elsewhere, k->now));
        assert_int_equal(r->pair_count, 2);
        for (int i = 0; i < 2; i++)
            pairs_answered(k->ends[LEADER].punch, &r->pairs[i],
                           span_ms(i == quick ? 20 : 50), k->now);
        kit_run(k, span_ms(100));
        assert_int_equal(r->state, ROUND_NOMINATES);
        assert_int_equal(r->chosen, quick);
        kit_free(k);
    }
}

/* From the chosen address, at the chosen socket. */
static void only_the_nominated_pair_is_agreed_on(void **state)
{
    struct punch_kit *k = probing(1);
    struct punch_round *r = round_of(k, LEADER);
    struct address there = kit_address(OTHER, KIT_PORT), elsewhere = there;
    (void)state;

    elsewhere.port++;
    pairs_answered(k->ends[LEADER].punch, &r->pairs[0], span_ms(20), k->now);
    kit_run(k, span_ms(100));
    assert_false(
        take(k, LEADER, 0, &elsewhere, PROBE_AGREES, SEQUENCE_NOMINATES));
    assert_false(take(k, LEADER, 7, &there, PROBE_AGREES, SEQUENCE_NOMINATES));
    assert_int_equal(k->ends[LEADER].won, 0);
    assert_true(take(k, LEADER, 0, &there, PROBE_AGREES, SEQUENCE_NOMINATES));
    assert_int_equal(k->ends[LEADER].won, 1);
    kit_free(k);
}

static void the_first_nomination_stays(void **state)
{
    struct punch_kit *k = probing(1);
    struct address there = kit_address(LEADER, KIT_PORT), elsewhere = there;
    uint32_t sequence = SEQUENCE_NOMINATES;
    (void)state;

    elsewhere.port++;
    assert_true(take(k, OTHER, 0, &there, PROBE_NOMINATES, sequence++));
    assert_int_equal(k->ends[OTHER].won, 1);
    assert_false(take(k, OTHER, 0, &elsewhere, PROBE_NOMINATES, sequence++));
    assert_false(take(k, OTHER, 7, &there, PROBE_NOMINATES, sequence++));
    assert_true(take(k, OTHER, 0, &there, PROBE_NOMINATES, sequence++));
    assert_int_equal(k->ends[OTHER].won, 1);
    kit_free(k);
}

/* The others are closed, or serve other peers. */
static void only_the_socket_that_won_takes_probes(void **state)
{
    struct punch_kit *k = probing(1);
    struct punch_round *r = round_of(k, OTHER);
    struct address there = kit_address(LEADER, KIT_PORT);
    struct probe probe = {.type = PROBE_ASKS, .sequence = 9};
    uint8_t datagram[PROBE_SIZE];
    (void)state;

    assert_true(take(k, OTHER, 5, &there, PROBE_NOMINATES, SEQUENCE_NOMINATES));
    memcpy(probe.tag, r->keys.of[0].tag, sizeof probe.tag);
    probe_encode(&probe, r->keys.of[0].key, datagram);
    assert_false(
        kit_take_probe(k, OTHER, 0, &there, bytes_of(datagram, PROBE_SIZE)));
    assert_true(
        kit_take_probe(k, OTHER, 5, &there, bytes_of(datagram, PROBE_SIZE)));
    kit_free(k);
}

/* --- the networks of a burst --------------------------------------------- */

/* Addresses of hosts do not count: they change, and the NATs are the same. */
static void networks_are_known_by_their_outside_addresses(void **state)
{
    struct punch_kit *k = probing(1);
    struct punch_round *r = round_of(k, LEADER);
    uint64_t before = burst_networks(r);
    (void)state;

    r->side.candidates[1] =
        (struct candidate){CANDIDATE_HOST, kit_address(7, 1)};
    r->side.candidate_count = 2;
    assert_true(burst_networks(r) == before);
    r->side.candidates[0].address.ip[3] ^= 64;
    assert_false(burst_networks(r) == before);
    r->side.candidates[0].address.ip[3] ^= 64;
    r->peer.candidates[0].address.ip[3] ^= 64;
    assert_false(burst_networks(r) == before);
    kit_free(k);
}

/* The NAT gave the furthest one last. */
static void a_sequence_goes_on_from_its_furthest_port(void **state)
{
    static const uint16_t ports[] = {5000, 4990, 5010, 4995};
    static const struct {
        int8_t step;
        uint16_t last;
    } cases[] = {{2, 5010}, {-2, 4990}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct punch_kit *k = probing(1);
        struct punch_round *r = round_of(k, LEADER);
        r->peer.mapping = MAPPING_DEPENDENT;
        r->peer.step = cases[i].step;
        r->peer.candidate_count = COUNT_OF(ports);
        for (size_t c = 0; c < COUNT_OF(ports); c++)
            r->peer.candidates[c] = (struct candidate){
                CANDIDATE_STUN, kit_address(OTHER, ports[c])};
        burst_choose(k->ends[LEADER].punch);
        assert_int_equal(r->burst.kind, BURST_SEQUENCE);
        assert_int_equal(r->burst.to.port, cases[i].last);
        kit_free(k);
    }
}

static int sent_to(const struct punch_kit *k, int port)
{
    int times = 0;
    for (int i = 0; i < k->ends[LEADER].send_count; i++)
        times += k->ends[LEADER].sends[i].to.port == port;
    return times;
}

/* After 65535 comes 1024, and the other way round. */
static void predicted_ports_begin_anew_at_their_end(void **state)
{
    static const struct {
        int8_t step;
        uint16_t seen;
        uint16_t next[3];
    } cases[] = {{2, 65531, {65533, 65535, 1025}},
                 {-2, 1028, {1026, 1024, 65534}}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct punch_kit *k = probing(1);
        struct punch_round *r = round_of(k, LEADER);
        r->burst = (struct punch_burst){.kind = BURST_SEQUENCE,
                                        .to = kit_address(OTHER, cases[i].seen),
                                        .step = cases[i].step};
        kit_run(k, span_ms(100));
        for (int n = 0; n < 3; n++)
            assert_int_equal(sent_to(k, cases[i].next[n]), 1);
        kit_free(k);
    }
}

static void an_answer_to_a_guess_counts_once(void **state)
{
    struct punch_kit *k = probing(1);
    struct punch_round *r = round_of(k, LEADER);
    struct address there = kit_address(OTHER, 5001);
    (void)state;

    r->burst = (struct punch_burst){.kind = BURST_SEQUENCE,
                                    .to = kit_address(OTHER, 5000),
                                    .step = 1,
                                    .sent = 2};
    assert_false(take(k, LEADER, 0, &there, PROBE_ANSWERS, SEQUENCE_BURST + 1));
    assert_true(take(k, LEADER, 0, &there, PROBE_ANSWERS, SEQUENCE_BURST));
    assert_false(take(k, LEADER, 0, &there, PROBE_ANSWERS, SEQUENCE_BURST));
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repeated_offer_begins_the_timetable_anew),
        cmocka_unit_test(the_sender_of_answer_stays_near_for_longer),
        cmocka_unit_test(a_pair_that_is_shown_is_asked_at_once),
        cmocka_unit_test(an_answer_from_elsewhere_shows_a_pair),
        cmocka_unit_test(an_answer_at_another_socket_does_not_count),
        cmocka_unit_test(the_quickest_pair_is_chosen),
        cmocka_unit_test(only_the_nominated_pair_is_agreed_on),
        cmocka_unit_test(the_first_nomination_stays),
        cmocka_unit_test(only_the_socket_that_won_takes_probes),
        cmocka_unit_test(networks_are_known_by_their_outside_addresses),
        cmocka_unit_test(a_sequence_goes_on_from_its_furthest_port),
        cmocka_unit_test(predicted_ports_begin_anew_at_their_end),
        cmocka_unit_test(an_answer_to_a_guess_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
