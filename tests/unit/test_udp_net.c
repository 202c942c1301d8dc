#include "kit.h"

#include "tests/sim/udp_net.h"

#include <stdio.h>

/*
 *     Internet:  server 203.0.113.9 (host 9)
 *       carrier 198.51.100.1          other home 198.51.100.2
 *         home 100.64.0.2               192.168.1.2 (host 3)
 *           192.168.1.2 (host 1), 192.168.1.3 (host 2)
 */
enum { SERVER = 9, SERVER_PORT = 3478 };

struct lab {
    struct udp_net *net;
    int carrier, home, other_home;
    struct udp_delivery last;
    size_t count; /* deliveries */
    size_t fates[UDP_FATES];
};

static struct address make_address(const char *text)
{
    struct address a;

    assert_true(address_parse(text, &a));
    return a;
}

/* "192.0.2.1" */
static struct address make_ip(const char *text)
{
    char with_port[ADDRESS_TEXT_SIZE];
    struct address a;

    snprintf(with_port, sizeof(with_port), "%s:1", text);
    a = make_address(with_port);
    a.port = 0;
    return a;
}

static struct instant at(int64_t ms)
{
    return (struct instant){ms * 1000};
}

static void count_fates(void *context, const struct udp_seen *seen,
                        struct instant now)
{
    struct lab *l = context;

    (void)now;
    if (seen->step == UDP_ENDED)
        l->fates[seen->fate]++;
}

static int add_home(struct lab *l, int realm, const char *outside)
{
    struct nat_conf conf = nat_kind_conf(NAT_HOME);

    conf.outside[0] = make_ip(outside);
    conf.outside_count = 1;
    return udp_net_add_box(l->net, realm, &conf);
}

static void plug(struct lab *l, int host, int realm, const char *ip)
{
    struct address a = make_ip(ip);

    udp_net_plug(l->net, host, realm, &a);
}

static void make_lab(struct lab *l)
{
    *l = (struct lab){.net = udp_net_new(1)};
    udp_net_observe(l->net, count_fates, l);
    l->carrier = add_home(l, UDP_INTERNET, "198.51.100.1");
    l->home = add_home(l, l->carrier, "100.64.0.2");
    l->other_home = add_home(l, UDP_INTERNET, "198.51.100.2");
    plug(l, SERVER, UDP_INTERNET, "203.0.113.9");
    plug(l, 1, l->home, "192.168.1.2");
    plug(l, 2, l->home, "192.168.1.3");
    plug(l, 3, l->other_home, "192.168.1.2");
    assert_int_equal(udp_net_open(l->net, SERVER, SERVER_PORT), SERVER_PORT);
    for (int host = 1; host <= 3; host++)
        assert_int_equal(udp_net_open(l->net, host, 5000), 5000);
}

static void send_sized(struct lab *l, int host, const char *to, size_t size,
                       int ttl, struct instant now)
{
    static const uint8_t data[2000] = {1};
    struct address a = make_address(to);

    assert_true(udp_net_send(l->net, host, host == SERVER ? SERVER_PORT : 5000,
                             &a, bytes_of(data, size), ttl, now) > 0);
}

static void run(struct lab *l, struct instant until)
{
    struct udp_delivery d;

    while (udp_net_next(l->net, until, &d)) {
        l->last = d;
        l->count++;
    }
}

static void send(struct lab *l, int host, const char *to, int64_t ms)
{
    send_sized(l, host, to, 10, UDP_TTL, at(ms));
    run(l, at(ms + 999));
}

static void assert_last(const struct lab *l, int host, const char *from)
{
    struct address a = make_address(from);

    assert_int_equal(l->last.host, host);
    assert_true(address_equal(&l->last.from, &a));
}

/* --- ways -------------------------------------------------------------- */

static void neighbours_reach_each_other_without_a_box(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    send(&l, 1, "192.168.1.3:5000", 0);
    assert_int_equal(l.count, 1);
    assert_last(&l, 2, "192.168.1.2:5000");
    assert_int_equal(nat_mappings(udp_net_box(l.net, l.home), at(0)), 0);
    udp_net_free(&l.net);
}

static void two_boxes_translate_one_after_the_other(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    send(&l, 1, "203.0.113.9:3478", 0);
    assert_last(&l, SERVER, "198.51.100.1:5000");
    send(&l, SERVER, "198.51.100.1:5000", 1000);
    assert_last(&l, 1, "203.0.113.9:3478");
    assert_int_equal(l.last.to.port, 5000);
    assert_int_equal(nat_mappings(udp_net_box(l.net, l.home), at(0)), 1);
    assert_int_equal(nat_mappings(udp_net_box(l.net, l.carrier), at(0)), 1);
    assert_int_equal(l.count, 2);
    udp_net_free(&l.net);
}

static void a_private_address_is_another_host_in_each_home(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    send(&l, 2, "192.168.1.2:5000", 0);
    assert_last(&l, 1, "192.168.1.3:5000");
    /* No host of this home has the address: the datagram leaves the home, and
     * nobody outside has it either. */
    send(&l, 3, "192.168.1.3:5000", 1000);
    assert_int_equal(l.fates[UDP_NO_ROUTE], 1);
    udp_net_free(&l.net);
}

static void each_end_of_a_datagram_has_its_name(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    send(&l, SERVER, "198.51.100.1:5000", 0);
    assert_int_equal(l.fates[UDP_UNMAPPED], 1);
    send(&l, 1, "203.0.113.9:1", 1000);
    assert_int_equal(l.fates[UDP_NO_SOCKET], 1);
    send(&l, 3, "198.51.100.1:5000", 2000);
    assert_int_equal(l.fates[UDP_FILTERED], 1);
    send(&l, 3, "198.51.100.2:5000", 3000);
    assert_int_equal(l.fates[UDP_NO_HAIRPIN], 1);
    udp_net_unplug(l.net, SERVER, UDP_INTERNET);
    send(&l, 3, "203.0.113.9:3478", 4000);
    assert_int_equal(l.fates[UDP_NO_ROUTE], 1);
    assert_int_equal(l.count, 0);
    assert_true(instant_is_never(udp_net_deadline(l.net)));
    udp_net_free(&l.net);
}

static void a_firewall_shares_the_addresses_outside(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    struct nat_conf conf = nat_kind_conf(NAT_FIREWALL);
    int firewall = udp_net_add_box(l.net, UDP_INTERNET, &conf);
    plug(&l, 4, firewall, "203.0.113.4");
    assert_int_equal(udp_net_open(l.net, 4, 5000), 5000);
    send(&l, SERVER, "203.0.113.4:5000", 0);
    assert_int_equal(l.fates[UDP_UNMAPPED], 1);
    send(&l, 4, "203.0.113.9:3478", 1000);
    assert_last(&l, SERVER, "203.0.113.4:5000");
    send(&l, SERVER, "203.0.113.4:5000", 2000);
    assert_last(&l, 4, "203.0.113.9:3478");
    udp_net_free(&l.net);
}

static void a_host_of_two_realms_uses_the_one_that_has_the_address(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    plug(&l, 1, UDP_INTERNET, "203.0.113.1");
    send(&l, 1, "203.0.113.9:3478", 0);
    assert_last(&l, SERVER, "203.0.113.1:5000");
    send(&l, 1, "192.168.1.3:5000", 1000);
    assert_last(&l, 2, "192.168.1.2:5000");
    udp_net_free(&l.net);
}

/* Two boxes on the way out, then the Internet, then a box. */
static void the_time_to_live_ends_on_the_way(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    send(&l, 3, "203.0.113.9:3478",
         0); /* The port of the receiver is open now. */
    send_sized(&l, 3, "198.51.100.1:5000", 1, UDP_TTL, at(1000));
    for (int ttl = 1; ttl < 12; ttl++)
        send_sized(&l, 1, "198.51.100.2:5000", 1, ttl, at(2000));
    run(&l, at(3000));
    assert_int_equal(l.fates[UDP_TTL_ENDED], 11);
    /* The datagrams that passed the sender's own boxes opened them. */
    assert_int_equal(nat_mappings(udp_net_box(l.net, l.carrier), at(3000)), 1);
    send_sized(&l, 1, "198.51.100.2:5000", 1, 12, at(3000));
    run(&l, at(4000));
    assert_last(&l, 3, "198.51.100.1:5000");
    udp_net_free(&l.net);
}

/* --- links ------------------------------------------------------------- */

static struct udp_link *link_of(const struct lab *l, int host)
{
    return udp_net_link(
        l->net, udp_net_plug_of_host(l->net, host, UDP_INTERNET), UDP_DOWN);
}

static void an_mtu_cuts_one_direction(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    link_of(&l, SERVER)->mtu = 1200;
    send_sized(&l, 1, "203.0.113.9:3478", 1200, UDP_TTL, at(0));
    send_sized(&l, 1, "203.0.113.9:3478", 1201, UDP_TTL, at(0));
    run(&l, at(999));
    assert_int_equal(l.count, 1);
    assert_int_equal(l.fates[UDP_TOO_LARGE], 1);
    send_sized(&l, SERVER, "198.51.100.1:5000", 1400, UDP_TTL, at(1000));
    run(&l, at(1999));
    assert_int_equal(l.last.bytes.size, 1400);
    udp_net_free(&l.net);
}

/* Returns the number of the last datagram so far; 0: they did not come in
 * order. */
static int received_in_order(struct lab *l, int count)
{
    struct udp_delivery d;
    uint64_t last = 0;
    bool in_order = true;

    for (int i = 0; i < count; i++)
        send_sized(l, 1, "203.0.113.9:3478", 10, UDP_TTL, at(i));
    while (udp_net_next(l->net, at(100000), &d)) {
        in_order = in_order && d.id >= last;
        last = d.id;
        l->count++;
    }
    return in_order ? (int)last : 0;
}

static void a_link_delays_and_keeps_the_order(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    link_of(&l, SERVER)->delay = span_ms(50);
    link_of(&l, SERVER)->jitter = span_ms(20);
    send_sized(&l, 1, "203.0.113.9:3478", 10, UDP_TTL, at(0));
    run(&l, at(50)); /* The host's own link delays by 1 ms. */
    assert_int_equal(l.count, 0);
    run(&l, at(71));
    assert_int_equal(l.count, 1);
    assert_int_equal(received_in_order(&l, 1000), 1001);
    udp_net_free(&l.net);
}

static void a_link_reorders(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    link_of(&l, SERVER)->reorder_percent = 10;
    link_of(&l, SERVER)->reorder_by = span_ms(20);
    assert_int_equal(received_in_order(&l, 1000), 0);
    assert_int_equal(l.count, 1000);
    udp_net_free(&l.net);
}

static void a_link_loses_and_doubles_its_part(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    link_of(&l, SERVER)->loss_percent = 20;
    (void)received_in_order(&l, 10000);
    assert_in_range(l.count, 7800, 8200);
    assert_int_equal(l.fates[UDP_LOST], 10000 - l.count);
    l.count = 0;
    link_of(&l, SERVER)->loss_percent = 0;
    link_of(&l, SERVER)->double_percent = 20;
    (void)received_in_order(&l, 10000);
    assert_in_range(l.count, 11800, 12200);
    link_of(&l, SERVER)->down = true;
    send(&l, 1, "203.0.113.9:3478", 100000);
    assert_int_equal(l.fates[UDP_NO_LINK], 1);
    udp_net_free(&l.net);
}

/* --- sockets ----------------------------------------------------------- */

static void a_port_is_open_once_at_a_host(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    assert_int_equal(udp_net_open(l.net, 1, 5000), 0);
    uint16_t a = udp_net_open(l.net, 1, 0), b = udp_net_open(l.net, 1, 0);
    assert_true(a >= UDP_EPHEMERAL && b >= UDP_EPHEMERAL && a != b);
    udp_net_close(l.net, 1, 5000);
    assert_int_equal(udp_net_open(l.net, 1, 5000), 5000);
    udp_net_free(&l.net);
}

/* The host has no link of this family. */
static void without_a_plug_nothing_is_sent(void **state)
{
    (void)state;
    struct lab l;
    make_lab(&l);
    struct address v6 = make_address("[2001:db8::1]:1");
    assert_int_equal(
        udp_net_send(l.net, 1, 5000, &v6, bytes_of("x", 1), UDP_TTL, at(0)), 0);
    udp_net_free(&l.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_reach_each_other_without_a_box),
        cmocka_unit_test(two_boxes_translate_one_after_the_other),
        cmocka_unit_test(a_private_address_is_another_host_in_each_home),
        cmocka_unit_test(each_end_of_a_datagram_has_its_name),
        cmocka_unit_test(a_firewall_shares_the_addresses_outside),
        cmocka_unit_test(
            a_host_of_two_realms_uses_the_one_that_has_the_address),
        cmocka_unit_test(the_time_to_live_ends_on_the_way),
        cmocka_unit_test(an_mtu_cuts_one_direction),
        cmocka_unit_test(a_link_delays_and_keeps_the_order),
        cmocka_unit_test(a_link_reorders),
        cmocka_unit_test(a_link_loses_and_doubles_its_part),
        cmocka_unit_test(a_port_is_open_once_at_a_host),
        cmocka_unit_test(without_a_plug_nothing_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
