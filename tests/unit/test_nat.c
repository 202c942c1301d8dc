#include "kit.h"

#include "tests/sim/nat.h"

/*
 * Inside are 10.0.0.1 and so on, outside is 192.0.2.1, remote is 203.0.113.1
 * and so on. A remote is written as host and port: 12 is port 2 of host 1.
 */
static struct address make_address(uint8_t a, uint8_t b, uint8_t c, int host,
                                   int port)
{
    return (struct address){.family = ADDRESS_V4,
                            .ip = {a, b, c, (uint8_t)host},
                            .port = (uint16_t)port};
}

static struct address inside(int host, int port)
{
    return make_address(10, 0, 0, host, port);
}

static struct address remote(int host_port)
{
    return make_address(203, 0, 113, host_port / 10, 9000 + host_port % 10);
}

static struct address outside(int port)
{
    return make_address(192, 0, 2, 1, port);
}

static struct instant at(int64_t s)
{
    return (struct instant){s * 1000000};
}

static struct nat_conf conf_of(enum nat_behaviour mapping,
                               enum nat_behaviour filtering,
                               enum nat_ports ports)
{
    return (struct nat_conf){
        .mapping = mapping,
        .filtering = filtering,
        .ports = ports,
        .outside = {make_address(192, 0, 2, 1, 0)},
        .outside_count = 1,
        .timeout = span_s(100),
    };
}

static const enum nat_behaviour independent = NAT_ENDPOINT_INDEPENDENT;
static const enum nat_behaviour by_address = NAT_ADDRESS_DEPENDENT;
static const enum nat_behaviour by_port = NAT_ADDRESS_AND_PORT_DEPENDENT;

/* A box and its random numbers. */
struct box {
    struct nat *nat;
    struct rng rng;
};

static struct box box_of(struct nat_conf conf)
{
    return (struct box){nat_new(&conf), {1}};
}

/* The outside port that a datagram gets; 0: it is dropped as FULL. */
static uint16_t out(struct box *b, struct address from, int to, int64_t s)
{
    struct address r = remote(to);

    if (nat_out(b->nat, &from, &r, at(s), &b->rng) == NAT_FULL)
        return 0;
    return from.port;
}

static enum nat_verdict in(struct box *b, int from, int port, int64_t s)
{
    struct address r = remote(from), to = outside(port);

    return nat_in(b->nat, &r, &to, at(s));
}

/* --- RFC 4787, 4.1 and RFC 5780, 4.3: mapping ---------------------------- */

static void a_mapping_depends_on_what_its_behaviour_says(void **state)
{
    (void)state;
    static const struct {
        enum nat_behaviour mapping;
        bool is_same_by_port,
            is_same_by_address; /* to another port, or address, of the remote */
    } rows[] = {
        {NAT_ENDPOINT_INDEPENDENT, true, true},
        {NAT_ADDRESS_DEPENDENT, true, false},
        {NAT_ADDRESS_AND_PORT_DEPENDENT, false, false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (int ports = NAT_PORTS_PRESERVED; ports <= NAT_PORTS_RANDOM;
             ports++) {
            struct box b = box_of(
                conf_of(rows[i].mapping, by_port, (enum nat_ports)ports));
            uint16_t first = out(&b, inside(1, 5000), 11, 0);

            assert_int_equal(out(&b, inside(1, 5000), 11, 1), first);
            assert_int_equal(out(&b, inside(1, 5000), 12, 1) == first,
                             rows[i].is_same_by_port);
            assert_int_equal(out(&b, inside(1, 5000), 21, 1) == first,
                             rows[i].is_same_by_address);
            assert_int_not_equal(out(&b, inside(1, 5001), 11, 1), first);
            assert_int_not_equal(out(&b, inside(2, 5000), 11, 1), first);
            nat_free(&b.nat);
        }
}

/* --- RFC 4787, 5 and RFC 5780, 4.4: filtering ---------------------------- */

static void a_filter_lets_in_what_its_behaviour_says(void **state)
{
    (void)state;
    static const struct {
        enum nat_behaviour filtering;
        enum nat_verdict same, other_port, other_address;
    } rows[] = {
        {NAT_ENDPOINT_INDEPENDENT, NAT_PASSED, NAT_PASSED, NAT_PASSED},
        {NAT_ADDRESS_DEPENDENT, NAT_PASSED, NAT_PASSED, NAT_FILTERED},
        {NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_PASSED, NAT_FILTERED,
         NAT_FILTERED},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (int mapping = NAT_ENDPOINT_INDEPENDENT;
             mapping <= NAT_ADDRESS_AND_PORT_DEPENDENT; mapping++) {
            struct box b = box_of(conf_of((enum nat_behaviour)mapping,
                                          rows[i].filtering, NAT_PORTS_RANDOM));
            uint16_t port = out(&b, inside(1, 5000), 11, 0);

            assert_int_equal(in(&b, 11, port, 1), rows[i].same);
            assert_int_equal(in(&b, 12, port, 1), rows[i].other_port);
            assert_int_equal(in(&b, 21, port, 1), rows[i].other_address);
            assert_int_equal(in(&b, 11, port == 2000 ? 2001 : 2000, 1),
                             NAT_UNMAPPED);
            nat_free(&b.nat);
        }
}

static void admitted_datagrams_go_to_the_inside_endpoint(void **state)
{
    (void)state;
    struct box b = box_of(conf_of(independent, by_port, NAT_PORTS_RANDOM));
    struct address from = remote(11), to = inside(1, 5000);

    to = outside(out(&b, to, 11, 0));
    assert_int_equal(nat_in(b.nat, &from, &to, at(1)), NAT_PASSED);
    struct address first = inside(1, 5000);
    assert_true(address_equal(&to, &first));
    from = inside(2, 5000);
    to = remote(21);
    assert_int_equal(nat_out(b.nat, &from, &to, at(1), &b.rng), NAT_PASSED);
    struct address own = outside(0);
    assert_true(address_same_ip(&from, &own));
    nat_free(&b.nat);
}

/* --- RFC 4787, 4.2: ports ------------------------------------------------ */

static void ports_are_preserved_while_they_are_free(void **state)
{
    (void)state;
    struct box b = box_of(conf_of(independent, by_port, NAT_PORTS_PRESERVED));

    assert_int_equal(out(&b, inside(1, 5000), 11, 0), 5000);
    uint16_t other = out(&b, inside(2, 5000), 11, 0);
    assert_int_not_equal(other, 5000);
    assert_true(other >= NAT_PORT_FIRST);
    assert_int_equal(out(&b, inside(3, 6000), 11, 0), 6000);
    assert_true(out(&b, inside(3, 80), 11, 0) >= NAT_PORT_FIRST);
    nat_free(&b.nat);
}

static void sequential_ports_pass_over_the_taken_ones(void **state)
{
    (void)state;
    struct nat_conf c = conf_of(by_port, by_port, NAT_PORTS_SEQUENTIAL);
    c.first_port = 7000;
    c.last_port = 7002;
    struct box b = box_of(c);

    assert_int_equal(out(&b, inside(1, 5000), 11, 0), 7000);
    assert_int_equal(out(&b, inside(1, 5000), 12, 60), 7001);
    assert_int_equal(out(&b, inside(1, 5000), 13, 60), 7002);
    /* The first mapping has ended, and the range begins again. */
    assert_int_equal(out(&b, inside(1, 5000), 14, 110), 7000);
    assert_int_equal(out(&b, inside(1, 5000), 15, 110), 0);
    assert_int_equal(nat_mappings(b.nat, at(110)), 3);
    nat_free(&b.nat);
}

/* Linux: the tuple is unique, the port alone is not. */
static void shared_ports_are_preserved_for_each_remote(void **state)
{
    (void)state;
    struct nat_conf c = conf_of(by_port, by_port, NAT_PORTS_PRESERVED);
    c.shares_ports = true;
    struct box b = box_of(c);

    assert_int_equal(out(&b, inside(1, 5000), 11, 0), 5000);
    assert_int_equal(out(&b, inside(1, 5000), 12, 0), 5000);
    assert_int_equal(out(&b, inside(2, 5000), 21, 0), 5000);
    assert_int_not_equal(out(&b, inside(2, 5000), 11, 0), 5000);
    struct address from = remote(21), to = outside(5000);
    assert_int_equal(nat_in(b.nat, &from, &to, at(1)), NAT_PASSED);
    struct address second = inside(2, 5000);
    assert_true(address_equal(&to, &second));
    nat_free(&b.nat);
}

static void limits_hold_for_the_box_and_for_each_host(void **state)
{
    (void)state;
    struct nat_conf c = conf_of(independent, by_port, NAT_PORTS_PRESERVED);
    c.mappings_max = 3;
    c.mappings_per_host_max = 2;
    struct box b = box_of(c);

    assert_int_equal(out(&b, inside(1, 5001), 11, 0), 5001);
    assert_int_equal(out(&b, inside(1, 5002), 11, 0), 5002);
    assert_int_equal(out(&b, inside(1, 5003), 11, 0), 0);
    assert_int_equal(out(&b, inside(2, 5004), 11, 50), 5004);
    assert_int_equal(out(&b, inside(3, 5005), 11, 50), 0);
    assert_int_equal(out(&b, inside(1, 5002), 12, 50), 5002);
    assert_int_equal(out(&b, inside(3, 5005), 11, 100), 5005);
    nat_free(&b.nat);
}

static void paired_pooling_keeps_one_address_for_a_host(void **state)
{
    (void)state;
    struct nat_conf c = conf_of(independent, by_port, NAT_PORTS_RANDOM);
    c.outside_count = 3;
    c.outside[1] = make_address(192, 0, 2, 2, 0);
    c.outside[2] = make_address(192, 0, 2, 3, 0);
    for (int paired = 0; paired < 2; paired++) {
        c.paired = paired == 1;
        struct box b = box_of(c);
        size_t others = 0;
        struct address first = inside(1, 5000), to = remote(11);

        assert_int_equal(nat_out(b.nat, &first, &to, at(0), &b.rng),
                         NAT_PASSED);
        for (int i = 1; i < 20; i++) {
            struct address from = inside(1, 5000 + i);

            assert_int_equal(nat_out(b.nat, &from, &to, at(0), &b.rng),
                             NAT_PASSED);
            assert_true(nat_has(b.nat, &from));
            others += !address_same_ip(&from, &first);
        }
        assert_int_equal(others == 0, c.paired);
        nat_free(&b.nat);
    }
}

/* --- RFC 4787, 4.3: time ------------------------------------------------- */

static void a_mapping_lives_while_it_is_refreshed(void **state)
{
    (void)state;
    static const struct {
        bool inbound_refreshes;
        enum nat_verdict after_inbound;
    } rows[] = {{false, NAT_UNMAPPED}, {true, NAT_PASSED}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct nat_conf c = conf_of(independent, by_port, NAT_PORTS_RANDOM);
        c.inbound_refreshes = rows[i].inbound_refreshes;
        struct box b = box_of(c);
        uint16_t port = out(&b, inside(1, 5000), 11, 0);

        assert_int_equal(out(&b, inside(1, 5000), 11, 99), port);
        assert_int_equal(in(&b, 11, port, 198), NAT_PASSED);
        assert_int_equal(in(&b, 11, port, 250), rows[i].after_inbound);
        assert_int_equal(in(&b, 11, port, 350), NAT_UNMAPPED);
        assert_int_not_equal(out(&b, inside(1, 5000), 11, 350), port);
        nat_free(&b.nat);
    }
}

/* A session that ends closes the filter, not the mapping. */
static void a_filter_entry_ends_by_itself(void **state)
{
    (void)state;
    struct box b = box_of(conf_of(independent, by_port, NAT_PORTS_RANDOM));
    uint16_t port = out(&b, inside(1, 5000), 11, 0);

    assert_int_equal(out(&b, inside(1, 5000), 21, 60), port);
    assert_int_equal(in(&b, 11, port, 99), NAT_PASSED);
    assert_int_equal(in(&b, 11, port, 100), NAT_FILTERED);
    assert_int_equal(in(&b, 21, port, 100), NAT_PASSED);
    nat_free(&b.nat);
}

static void a_restart_forgets_all(void **state)
{
    (void)state;
    struct box b = box_of(conf_of(independent, independent, NAT_PORTS_RANDOM));
    uint16_t port = out(&b, inside(1, 5000), 11, 0);
    struct address other = make_address(192, 0, 2, 9, 0), own = outside(0);

    nat_restart(b.nat, NULL);
    assert_int_equal(in(&b, 11, port, 1), NAT_UNMAPPED);
    assert_true(nat_has(b.nat, &own));
    nat_restart(b.nat, &other);
    assert_false(nat_has(b.nat, &own));
    assert_true(nat_has(b.nat, &other));
    nat_free(&b.nat);
}

/* --- RFC 4787, 6: hairpinning -------------------------------------------- */

static void a_hairpin_shows_the_outside_source(void **state)
{
    (void)state;
    struct nat_conf c = conf_of(independent, by_address, NAT_PORTS_PRESERVED);
    struct address from = inside(1, 5000), to = outside(6000);
    struct address second = inside(2, 6000), seen = outside(5000);

    struct box b = box_of(c);
    assert_int_equal(nat_out(b.nat, &from, &to, at(0), &b.rng), NAT_NO_HAIRPIN);
    assert_int_equal(nat_mappings(b.nat, at(0)), 0);
    nat_free(&b.nat);

    c.hairpins = true;
    b = box_of(c);
    assert_int_equal(out(&b, second, 11, 0), 6000);
    assert_int_equal(nat_out(b.nat, &from, &to, at(0), &b.rng), NAT_TURNED);
    assert_true(address_equal(&from, &seen));
    /* The filter applies to a hairpin as to all other datagrams. */
    assert_int_equal(nat_in(b.nat, &from, &to, at(0)), NAT_FILTERED);
    struct address back = second, other = outside(5000);
    assert_int_equal(nat_out(b.nat, &back, &other, at(0), &b.rng), NAT_TURNED);
    assert_int_equal(nat_in(b.nat, &from, &to, at(0)), NAT_PASSED);
    assert_true(address_equal(&to, &second));
    nat_free(&b.nat);
}

/* --- Linux: a probe that comes first takes the tuple --------------------- */

static struct nat_conf plain_conf(bool takes_tuples)
{
    struct nat_conf c = nat_kind_conf(NAT_PLAIN);

    c.outside[0] = outside(0);
    c.outside_count = 1;
    c.takes_tuples = takes_tuples;
    return c;
}

static void a_probe_that_comes_first_takes_the_tuple(void **state)
{
    (void)state;
    struct box b = box_of(plain_conf(true));

    assert_int_equal(out(&b, inside(1, 5000), 11, 0), 5000);
    assert_int_equal(in(&b, 21, 5000, 0), NAT_TAKEN);
    uint16_t port = out(&b, inside(1, 5000), 21, 1);
    assert_int_not_equal(port, 5000);
    /* The remote's probes continue, go to the box itself, and keep the box's
     * entry. */
    for (int64_t s = 1; s <= 500; s += 20)
        assert_int_equal(in(&b, 21, 5000, s), NAT_TAKEN);
    assert_int_equal(out(&b, inside(1, 5000), 31, 501), 5000);
    assert_int_not_equal(out(&b, inside(1, 5000), 21, 501), 5000);
    /* Another port of the inside host is not affected. */
    assert_int_equal(out(&b, inside(1, 5001), 21, 501), 5001);
    nat_free(&b.nat);
}

static void the_taken_tuple_is_free_after_its_time(void **state)
{
    (void)state;
    struct box b = box_of(plain_conf(true));

    assert_int_equal(in(&b, 21, 5000, 0), NAT_TAKEN);
    assert_int_not_equal(out(&b, inside(1, 5000), 21, 29), 5000);
    assert_int_equal(out(&b, inside(2, 5000), 21, 30), 5000);
    nat_free(&b.nat);
}

static void a_box_that_drops_new_input_takes_no_tuple(void **state)
{
    (void)state;
    struct box b = box_of(plain_conf(false));

    assert_int_equal(out(&b, inside(1, 5000), 11, 0), 5000);
    assert_int_equal(in(&b, 21, 5000, 0), NAT_FILTERED);
    assert_int_equal(in(&b, 21, 5001, 0), NAT_UNMAPPED);
    assert_int_equal(out(&b, inside(1, 5000), 21, 1), 5000);
    assert_int_equal(in(&b, 21, 5000, 1), NAT_PASSED);
    nat_free(&b.nat);
}

/* --- RFC 6092: a firewall ------------------------------------------------ */

static void a_firewall_filters_and_changes_nothing(void **state)
{
    (void)state;
    struct nat_conf c = nat_kind_conf(NAT_FIREWALL);
    struct box b = box_of(c);
    struct address own, from, to;

    assert_true(address_parse("[2001:db8:1::2]:5000", &own));
    assert_true(address_parse("[2001:db8:2::2]:6000", &to));
    assert_int_equal(nat_in(b.nat, &to, &own, at(0)), NAT_UNMAPPED);
    from = own;
    assert_int_equal(nat_out(b.nat, &from, &to, at(0), &b.rng), NAT_PASSED);
    assert_true(address_equal(&from, &own));
    assert_int_equal(nat_in(b.nat, &to, &from, at(1)), NAT_PASSED);
    assert_true(address_equal(&from, &own));
    to.port++;
    assert_int_equal(nat_in(b.nat, &to, &from, at(1)), NAT_FILTERED);
    nat_free(&b.nat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_depends_on_what_its_behaviour_says),
        cmocka_unit_test(a_filter_lets_in_what_its_behaviour_says),
        cmocka_unit_test(admitted_datagrams_go_to_the_inside_endpoint),
        cmocka_unit_test(ports_are_preserved_while_they_are_free),
        cmocka_unit_test(sequential_ports_pass_over_the_taken_ones),
        cmocka_unit_test(shared_ports_are_preserved_for_each_remote),
        cmocka_unit_test(limits_hold_for_the_box_and_for_each_host),
        cmocka_unit_test(paired_pooling_keeps_one_address_for_a_host),
        cmocka_unit_test(a_mapping_lives_while_it_is_refreshed),
        cmocka_unit_test(a_filter_entry_ends_by_itself),
        cmocka_unit_test(a_restart_forgets_all),
        cmocka_unit_test(a_hairpin_shows_the_outside_source),
        cmocka_unit_test(a_probe_that_comes_first_takes_the_tuple),
        cmocka_unit_test(the_taken_tuple_is_free_after_its_time),
        cmocka_unit_test(a_box_that_drops_new_input_takes_no_tuple),
        cmocka_unit_test(a_firewall_filters_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
