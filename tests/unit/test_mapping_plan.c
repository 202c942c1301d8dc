#include "kit.h"

#include "edge/core/mapping_plan.h"

/* A router in virtual time: it answers each request at once. */
struct fake_router {
    struct mapping_plan plan;
    struct instant now;
    enum mapping_result find[MAPPING_PROTOCOLS], map[MAPPING_PROTOCOLS];
    struct address outside;
    struct span lease; /* 0: the lease that was asked for */
    int other_port;    /* granted instead of the port that was asked for; 0: no
                          other */
    int finds[MAPPING_PROTOCOLS], maps[MAPPING_PROTOCOLS];
    int unmaps;
    uint16_t unmapped;  /* the inside port of the last UNMAP */
    uint16_t asked_for; /* the port that the last MAP preferred */
};

static const struct mapping_conf both = {.ports = {4000, 4001},
                                         .served = {true, true}};

static struct address public_ip(uint8_t last)
{
    return (struct address){ADDRESS_V4, {5, 5, 5, last}, 0, 0};
}

static void start(struct fake_router *r, enum mapping_result nat_pmp,
                  enum mapping_result upnp)
{
    *r = (struct fake_router){.now = {1000000},
                              .find = {nat_pmp, upnp},
                              .map = {nat_pmp, upnp},
                              .outside = public_ip(1)};
    mapping_plan_init(&r->plan, &both, r->now);
}

static void answer(struct fake_router *r, const struct mapping_request *q)
{
    struct mapping_answer a = {.result = MAPPING_GRANTED};

    if (q->kind == MAPPING_FIND) {
        r->finds[q->protocol]++;
        a.result = r->find[q->protocol];
        a.outside = r->outside;
    } else if (q->kind == MAPPING_MAP) {
        r->maps[q->protocol]++;
        r->asked_for = q->outside;
        a.result = r->map[q->protocol];
        a.outside.port =
            r->other_port != 0 ? (uint16_t)r->other_port : q->outside;
        a.lease = r->lease.us != 0 ? r->lease : q->lease;
    } else {
        r->unmaps++;
        r->unmapped = q->inside;
    }
    mapping_plan_answer(&r->plan, r->now, &a);
}

static void settle(struct fake_router *r)
{
    struct mapping_request q;

    for (int i = 0; mapping_plan_next(&r->plan, r->now, &q); i++) {
        assert_true(i < 20);
        answer(r, &q);
    }
}

/* Lets the time pass, and handles all that becomes due meanwhile. */
static void pass(struct fake_router *r, struct span time)
{
    struct instant end = instant_after(r->now, time);

    settle(r);
    while (instant_reached(mapping_plan_deadline(&r->plan), end)) {
        assert_true(r->now.us <= mapping_plan_deadline(&r->plan).us);
        r->now = mapping_plan_deadline(&r->plan);
        settle(r);
    }
    r->now = end;
}

static uint16_t leased(const struct fake_router *r, enum mapping_port port)
{
    return r->plan.state.leases[port].outside.port;
}

static int granter(const struct fake_router *r, enum mapping_port port)
{
    return (int)r->plan.state.leases[port].protocol;
}

static int asked(const struct fake_router *r)
{
    int sum = 0;

    for (int p = 0; p < MAPPING_PROTOCOLS; p++)
        sum += r->finds[p] + r->maps[p];
    return sum;
}

static void nat_pmp_comes_first_and_upnp_is_only_looked_for(void **state)
{
    (void)state;
    struct fake_router r;
    struct address outside = public_ip(1);
    start(&r, MAPPING_GRANTED, MAPPING_GRANTED);
    settle(&r);
    outside.port = 4000;
    assert_true(
        address_equal(&r.plan.state.leases[MAPPING_TCP].outside, &outside));
    assert_int_equal(leased(&r, MAPPING_UDP), 4001);
    assert_int_equal(granter(&r, MAPPING_TCP), MAPPING_NAT_PMP);
    assert_int_equal(granter(&r, MAPPING_UDP), MAPPING_NAT_PMP);
    assert_int_equal(r.finds[MAPPING_UPNP], 1);
    assert_int_equal(r.maps[MAPPING_UPNP], 0);
    assert_int_equal(r.plan.state.findings[MAPPING_UPNP], FINDING_FOUND);
    assert_true(mapping_plan_changed(&r.plan));
    assert_false(mapping_plan_changed(&r.plan));
}

static void upnp_serves_where_nat_pmp_is_silent_or_refuses(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_SILENT, MAPPING_GRANTED);
    settle(&r);
    assert_int_equal(granter(&r, MAPPING_TCP), MAPPING_UPNP);
    assert_int_equal(leased(&r, MAPPING_UDP), 4001);
    assert_int_equal(r.plan.state.findings[MAPPING_NAT_PMP], FINDING_NONE);

    start(&r, MAPPING_GRANTED, MAPPING_GRANTED);
    r.map[MAPPING_NAT_PMP] = MAPPING_DENIED;
    settle(&r);
    assert_int_equal(granter(&r, MAPPING_UDP), MAPPING_UPNP);
    assert_int_equal(r.plan.state.findings[MAPPING_NAT_PMP], FINDING_REFUSED);
}

static void protocols_and_ports_that_are_not_wanted_are_left_out(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_GRANTED, MAPPING_GRANTED);
    mapping_plan_init(
        &r.plan,
        &(struct mapping_conf){.ports = {4000}, .served = {false, true}},
        r.now);
    pass(&r, span_s(5000));
    assert_int_equal(r.finds[MAPPING_NAT_PMP], 0);
    assert_int_equal(leased(&r, MAPPING_TCP), 4000);
    assert_int_equal(leased(&r, MAPPING_UDP), 0);
    assert_int_equal(r.plan.state.findings[MAPPING_NAT_PMP], FINDING_OFF);
}

static void leases_are_renewed_at_half_of_their_life(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_GRANTED, MAPPING_GRANTED);
    settle(&r);
    assert_int_equal(mapping_plan_deadline(&r.plan).us, 301 * 1000000);
    pass(&r, span_s(3000));
    assert_int_equal(r.maps[MAPPING_NAT_PMP], 2 * 11);
    assert_int_equal(r.finds[MAPPING_UPNP],
                     1); /* UPnP holds no lease, so the round leaves it out. */

    start(&r, MAPPING_SILENT, MAPPING_GRANTED);
    r.lease = span_s(100);
    pass(&r, span_s(1000));
    assert_int_equal(r.maps[MAPPING_UPNP], 2 * 21);
    assert_int_equal(r.finds[MAPPING_NAT_PMP], 1);
}

static void without_a_router_the_rounds_grow_rare(void **state)
{
    (void)state;
    struct fake_router r;
    static const int pauses[] = {2, 6, 18, 54, 162, 486, 600, 600};
    start(&r, MAPPING_SILENT, MAPPING_SILENT);
    settle(&r);
    for (size_t i = 0; i < COUNT_OF(pauses); i++) {
        struct instant before = r.now;
        assert_int_equal(mapping_plan_deadline(&r.plan).us,
                         before.us + pauses[i] * 1000000);
        pass(&r, span_s(pauses[i]));
        assert_int_equal(r.finds[MAPPING_UPNP], i + 2);
    }
}

static void after_a_success_the_pauses_are_short_again(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_SILENT, MAPPING_SILENT);
    pass(&r, span_s(100));
    r.find[MAPPING_UPNP] = r.map[MAPPING_UPNP] = MAPPING_GRANTED;
    pass(&r, span_s(700));
    assert_int_equal(leased(&r, MAPPING_TCP), 4000);
    r.find[MAPPING_UPNP] = MAPPING_SILENT;
    while (leased(&r, MAPPING_TCP) != 0)
        pass(&r, span_s(1));
    r.find[MAPPING_UPNP] = MAPPING_GRANTED;
    pass(&r, span_s(2));
    assert_int_equal(leased(&r, MAPPING_TCP), 4000);
}

/* The next renewal would come after the end of the lease. */
static void a_lease_that_ends_is_asked_for_at_its_end(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_GRANTED, MAPPING_SILENT);
    r.lease = span_s(22);
    settle(&r);
    r.find[MAPPING_NAT_PMP] = MAPPING_SILENT;
    pass(&r, span_us(21999999));
    assert_int_equal(leased(&r, MAPPING_TCP), 4000);
    r.find[MAPPING_NAT_PMP] = MAPPING_GRANTED;
    int finds = r.finds[MAPPING_NAT_PMP];
    pass(&r, span_us(1));
    assert_int_equal(r.finds[MAPPING_NAT_PMP], finds + 1);
}

static void a_router_that_falls_silent_is_not_asked_further(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_GRANTED, MAPPING_SILENT);
    r.map[MAPPING_NAT_PMP] = MAPPING_SILENT;
    settle(&r);
    assert_int_equal(r.maps[MAPPING_NAT_PMP], 1);
}

static void a_network_change_asks_anew_and_at_once(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_SILENT, MAPPING_SILENT);
    pass(&r, span_s(3600));
    r.find[MAPPING_UPNP] = r.map[MAPPING_UPNP] = MAPPING_GRANTED;
    mapping_plan_network_changed(&r.plan, r.now, false);
    settle(&r);
    assert_int_equal(leased(&r, MAPPING_TCP), 4000);

    /* The router is the same: all leases are renewed, and none is lost
     * meanwhile. */
    int maps = r.maps[MAPPING_UPNP];
    pass(&r, span_s(10));
    mapping_plan_network_changed(&r.plan, r.now, false);
    assert_int_equal(leased(&r, MAPPING_TCP), 4000);
    settle(&r);
    assert_int_equal(r.maps[MAPPING_UPNP], maps + 2);

    pass(&r, span_s(10));
    mapping_plan_changed(&r.plan);
    mapping_plan_network_changed(&r.plan, r.now, true);
    assert_true(mapping_plan_changed(&r.plan));
    assert_int_equal(leased(&r, MAPPING_TCP), 0);
    settle(&r);
    assert_int_equal(leased(&r, MAPPING_TCP), 4000);
}

static void many_network_changes_are_no_flood(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_GRANTED, MAPPING_GRANTED);
    settle(&r);
    int before = r.finds[MAPPING_NAT_PMP];
    for (int i = 0; i < 100; i++) {
        mapping_plan_network_changed(&r.plan, r.now, i % 2 == 0);
        pass(&r, span_ms(20));
    }
    assert_int_equal(r.finds[MAPPING_NAT_PMP], before + 2);
}

static void an_answer_from_the_network_before_does_not_count(void **state)
{
    (void)state;
    struct fake_router r;
    struct mapping_request q;
    start(&r, MAPPING_GRANTED, MAPPING_GRANTED);
    assert_true(mapping_plan_next(&r.plan, r.now, &q));
    answer(&r, &q);
    assert_true(mapping_plan_next(&r.plan, r.now, &q));
    assert_int_equal(q.kind, MAPPING_MAP);
    mapping_plan_network_changed(&r.plan, r.now, true);
    answer(&r, &q);
    assert_int_equal(leased(&r, MAPPING_TCP), 0);
    assert_false(mapping_plan_next(&r.plan, r.now, &q));
    pass(&r, span_s(1));
    assert_int_equal(leased(&r, MAPPING_TCP), 4000);
    assert_int_equal(r.finds[MAPPING_NAT_PMP], 2);
}

static void a_router_that_restarts_is_found_again(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_GRANTED, MAPPING_SILENT);
    settle(&r);
    r.find[MAPPING_NAT_PMP] = MAPPING_SILENT;
    pass(&r, span_s(599));
    assert_int_equal(leased(&r, MAPPING_TCP),
                     4000); /* The lease has not ended yet. */
    pass(&r, span_s(1));
    assert_int_equal(leased(&r, MAPPING_TCP), 0);
    r.find[MAPPING_NAT_PMP] = MAPPING_GRANTED;
    pass(&r, span_s(2));
    assert_int_equal(leased(&r, MAPPING_TCP), 4000);

    /* A router that was away only at the moment of the renewal costs no lease.
     */
    pass(&r, span_s(2));
    r.find[MAPPING_NAT_PMP] = MAPPING_SILENT;
    pass(&r, span_s(300));
    r.find[MAPPING_NAT_PMP] = MAPPING_GRANTED;
    mapping_plan_changed(&r.plan);
    for (int i = 0; i < 300; i++) {
        pass(&r, span_s(1));
        assert_int_equal(leased(&r, MAPPING_TCP), 4000);
    }
}

static void another_protocol_takes_over_where_a_renewal_fails(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_SILENT, MAPPING_GRANTED);
    settle(&r);
    r.find[MAPPING_NAT_PMP] = r.map[MAPPING_NAT_PMP] = MAPPING_GRANTED;
    pass(&r, span_s(300));
    assert_int_equal(granter(&r, MAPPING_TCP),
                     MAPPING_UPNP); /* UPnP still holds the lease. */
    r.map[MAPPING_UPNP] = MAPPING_DENIED;
    pass(&r, span_s(300));
    assert_int_equal(granter(&r, MAPPING_TCP), MAPPING_NAT_PMP);
    assert_int_equal(granter(&r, MAPPING_UDP), MAPPING_NAT_PMP);
}

static void another_protocol_takes_over_where_one_falls_silent(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_SILENT, MAPPING_GRANTED);
    settle(&r);
    r.find[MAPPING_NAT_PMP] = r.map[MAPPING_NAT_PMP] = MAPPING_GRANTED;
    r.find[MAPPING_UPNP] = MAPPING_SILENT;
    pass(&r, span_s(300));
    assert_int_equal(granter(&r, MAPPING_TCP), MAPPING_NAT_PMP);
    assert_int_equal(leased(&r, MAPPING_UDP), 4001);
}

static void a_new_outside_address_is_seen_with_the_renewal(void **state)
{
    (void)state;
    struct fake_router r;
    struct address outside = public_ip(2);
    start(&r, MAPPING_GRANTED, MAPPING_GRANTED);
    settle(&r);
    mapping_plan_changed(&r.plan);
    r.outside = outside;
    pass(&r, span_s(300));
    assert_true(mapping_plan_changed(&r.plan));
    outside.port = 4001;
    assert_true(
        address_equal(&r.plan.state.leases[MAPPING_UDP].outside, &outside));
}

/* The router forwards nothing to the port that the node had. */
static void a_lease_follows_a_port_that_moves(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_GRANTED, MAPPING_SILENT);
    pass(&r, span_s(100));
    mapping_plan_port_moved(&r.plan, r.now, MAPPING_UDP, 5001);
    settle(&r);
    assert_int_equal(r.unmaps, 1);
    assert_int_equal(r.unmapped, 4001);
    assert_int_equal(leased(&r, MAPPING_UDP), 5001);
    assert_int_equal(r.plan.state.leases[MAPPING_UDP].inside, 5001);
    assert_int_equal(r.maps[MAPPING_NAT_PMP], 3); /* The other one stays. */
    assert_int_equal(leased(&r, MAPPING_TCP), 4000);

    int before = asked(&r);
    mapping_plan_port_moved(&r.plan, r.now, MAPPING_UDP, 5001);
    pass(&r, span_s(2));
    assert_int_equal(asked(&r), before);

    mapping_plan_port_moved(&r.plan, r.now, MAPPING_UDP, 0);
    pass(&r, span_s(1000));
    assert_int_equal(r.unmaps, 2);
    assert_int_equal(leased(&r, MAPPING_UDP), 0);
}

/* What was asked for the port before is given back, once it is granted. */
static void a_port_moves_while_its_lease_is_asked_for(void **state)
{
    (void)state;
    struct fake_router r;
    struct mapping_request q;
    start(&r, MAPPING_GRANTED, MAPPING_SILENT);
    assert_true(mapping_plan_next(&r.plan, r.now, &q));
    answer(&r, &q);
    assert_true(mapping_plan_next(&r.plan, r.now, &q));
    assert_int_equal(q.port, MAPPING_TCP);
    mapping_plan_port_moved(&r.plan, r.now, MAPPING_TCP, 5000);
    answer(&r, &q);
    pass(&r, span_s(1));
    assert_int_equal(r.unmaps, 1);
    assert_int_equal(r.unmapped, 4000);
    assert_int_equal(leased(&r, MAPPING_TCP), 5000);
    assert_int_equal(leased(&r, MAPPING_UDP), 4001);
}

static void nonsense_is_a_refusal(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_GRANTED, MAPPING_SILENT);
    r.lease = span_us(1);
    pass(&r, span_s(3600));
    assert_int_equal(leased(&r, MAPPING_TCP), 0);
    assert_int_equal(r.plan.state.findings[MAPPING_NAT_PMP], FINDING_REFUSED);
    assert_true(asked(&r) < 60);

    start(&r, MAPPING_GRANTED, MAPPING_SILENT);
    r.outside = (struct address){.family = ADDRESS_NONE};
    settle(&r);
    assert_int_equal(r.maps[MAPPING_NAT_PMP], 0);

    start(&r, MAPPING_GRANTED, MAPPING_SILENT);
    r.other_port = 0x10000; /* Makes the router grant port 0. */
    settle(&r);
    assert_int_equal(r.plan.state.findings[MAPPING_NAT_PMP], FINDING_REFUSED);

    /* Another port, and a lease without an end, are acceptable. */
    start(&r, MAPPING_GRANTED, MAPPING_SILENT);
    r.other_port = 50000;
    r.lease = span_s(UINT32_MAX);
    pass(&r, span_s(1000));
    assert_int_equal(leased(&r, MAPPING_TCP), 50000);
    assert_int_equal(r.maps[MAPPING_NAT_PMP], 2 * 4);
    assert_int_equal(r.asked_for, 50000);
}

static void at_the_stop_each_lease_is_given_back_once(void **state)
{
    (void)state;
    struct fake_router r;
    start(&r, MAPPING_GRANTED, MAPPING_GRANTED);
    settle(&r);
    mapping_plan_stop(&r.plan);
    assert_false(mapping_plan_is_done(&r.plan));
    settle(&r);
    assert_int_equal(r.unmaps, 2);
    assert_true(mapping_plan_is_done(&r.plan));
    assert_true(instant_is_never(mapping_plan_deadline(&r.plan)));
}

static void a_lease_asked_for_at_the_stop_is_given_back_too(void **state)
{
    (void)state;
    struct fake_router r;
    struct mapping_request q;
    start(&r, MAPPING_GRANTED, MAPPING_GRANTED);
    assert_true(mapping_plan_next(&r.plan, r.now, &q));
    mapping_plan_stop(&r.plan);
    assert_false(mapping_plan_is_done(&r.plan));
    answer(&r, &q);
    assert_true(mapping_plan_is_done(&r.plan)); /* No port was mapped. */

    start(&r, MAPPING_GRANTED, MAPPING_GRANTED);
    assert_true(mapping_plan_next(&r.plan, r.now, &q));
    answer(&r, &q);
    assert_true(mapping_plan_next(&r.plan, r.now, &q));
    mapping_plan_stop(&r.plan);
    mapping_plan_answer(&r.plan, r.now,
                        &(struct mapping_answer){.result = MAPPING_SILENT});
    assert_true(mapping_plan_next(&r.plan, r.now, &q));
    assert_int_equal(q.kind, MAPPING_UNMAP);
    assert_int_equal(q.inside, 4000);
    assert_int_equal(q.outside, 4000);
    answer(&r, &q);
    assert_true(mapping_plan_is_done(&r.plan));
}

static void private_and_shared_addresses_are_not_public(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool is_public;
    } cases[] = {
        {"5.5.5.1:1", true},          {"5.5.5.1:0", false},
        {"0.0.0.0:1", false},         {"10.0.0.1:1", false},
        {"9.255.255.255:1", true},    {"11.0.0.0:1", true},
        {"100.63.255.255:1", true},   {"100.64.0.0:1", false},
        {"100.127.255.255:1", false}, {"100.128.0.0:1", true},
        {"127.0.0.1:1", false},       {"169.254.1.1:1", false},
        {"172.15.255.255:1", true},   {"172.16.0.0:1", false},
        {"172.31.255.255:1", false},  {"172.32.0.0:1", true},
        {"192.0.0.8:1", false},       {"192.168.1.1:1", false},
        {"192.169.0.0:1", true},      {"223.255.255.255:1", true},
        {"224.0.0.1:1", false},       {"255.255.255.255:1", false},
        {"[2001:db8::1]:1", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mapping_lease lease = {.inside = 1};
        assert_true(address_parse(cases[i].address, &lease.outside));
        assert_int_equal(mapping_lease_is_public(&lease), cases[i].is_public);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nat_pmp_comes_first_and_upnp_is_only_looked_for),
        cmocka_unit_test(upnp_serves_where_nat_pmp_is_silent_or_refuses),
        cmocka_unit_test(protocols_and_ports_that_are_not_wanted_are_left_out),
        cmocka_unit_test(leases_are_renewed_at_half_of_their_life),
        cmocka_unit_test(without_a_router_the_rounds_grow_rare),
        cmocka_unit_test(after_a_success_the_pauses_are_short_again),
        cmocka_unit_test(a_lease_that_ends_is_asked_for_at_its_end),
        cmocka_unit_test(a_router_that_falls_silent_is_not_asked_further),
        cmocka_unit_test(a_network_change_asks_anew_and_at_once),
        cmocka_unit_test(many_network_changes_are_no_flood),
        cmocka_unit_test(an_answer_from_the_network_before_does_not_count),
        cmocka_unit_test(a_router_that_restarts_is_found_again),
        cmocka_unit_test(another_protocol_takes_over_where_a_renewal_fails),
        cmocka_unit_test(another_protocol_takes_over_where_one_falls_silent),
        cmocka_unit_test(a_new_outside_address_is_seen_with_the_renewal),
        cmocka_unit_test(a_lease_follows_a_port_that_moves),
        cmocka_unit_test(a_port_moves_while_its_lease_is_asked_for),
        cmocka_unit_test(nonsense_is_a_refusal),
        cmocka_unit_test(at_the_stop_each_lease_is_given_back_once),
        cmocka_unit_test(a_lease_asked_for_at_the_stop_is_given_back_too),
        cmocka_unit_test(private_and_shared_addresses_are_not_public),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
