/* What a NAT lets in, as the answers of servers at two ports show it. */
#include "kit.h"

#include "edge/core/nat_filter.h"

#include <stdio.h>

enum { LONGEST_MS = 800 };

static const char outside_text[] = "198.51.100.7:40000";

/* A relay at two ports, and what stands before this node. */
struct filter_world {
    struct entropy entropy;
    struct nat_filter filter;
    struct outside_answer answers[OUTSIDE_SERVERS];
    size_t answer_count;
    struct instant now;
    int requests;
    bool is_old;        /* the relay knows nothing of TWO-PORTS */
    bool filters_ports; /* the second answer does not come in */
    bool is_deaf;       /* nothing reaches the relay */
};

static struct address address(const char *text)
{
    struct address a;

    assert_true(address_parse(text, &a));
    return a;
}

static void add_answer(struct filter_world *w, const char *server,
                       const char *seen, bool natted)
{
    w->answers[w->answer_count++] = (struct outside_answer){
        .server = address(server),
        .seen = seen != NULL ? address(seen) : (struct address){0},
        .natted = natted};
}

/* One server at two ports, of which both answered. */
static void start(struct filter_world *w)
{
    static const uint8_t seed[32] = {3};

    *w = (struct filter_world){.now = {5000000}};
    entropy_init(&w->entropy, seed);
    add_answer(w, "203.0.113.1:443", outside_text, true);
    add_answer(w, "203.0.113.1:3478", outside_text, true);
}

static void begin(struct filter_world *w, enum address_family family,
                  bool has_nat)
{
    nat_filter_begin(&w->filter, &w->entropy, w->answers, w->answer_count,
                     family, has_nat, w->now);
}

static void take(struct filter_world *w, const struct address *asked,
                 uint16_t port, struct bytes response)
{
    struct address from = *asked;

    from.port = port;
    nat_filter_take(&w->filter, &from, response);
}

/* The relay's answers to one request, as far as they come in. */
static void serve(struct filter_world *w, const struct address *asked,
                  struct bytes request)
{
    uint8_t room[STUN_TWO_RESPONSE_SIZE];
    struct address source = address(outside_text);
    uint16_t second = asked->port == 443 ? 3478 : 443;
    struct stun_id id;

    w->requests++;
    assert_true(stun_read_request(request, &id));
    assert_true(stun_asks_two_ports(request, &source));
    if (w->is_deaf)
        return;
    if (w->is_old) {
        take(w, asked, asked->port, stun_write_response(&id, &source, room));
        return;
    }
    struct bytes both = stun_write_two_response(&id, &source, second, room);
    take(w, asked, asked->port, both);
    if (!w->filters_ports)
        take(w, asked, second, both);
}

/* Until it is done; returns how long that took. */
static int64_t run(struct filter_world *w)
{
    struct instant began = w->now;
    struct address to;
    struct bytes request;

    for (;;) {
        while (nat_filter_next(&w->filter, &to, &request, w->now))
            serve(w, &to, request);
        if (nat_filter_is_done(&w->filter, w->now))
            return instant_between(began, w->now).us / 1000;
        assert_true(nat_filter_deadline(&w->filter).us > w->now.us);
        w->now = nat_filter_deadline(&w->filter);
    }
}

static void another_port_gets_through(void **state)
{
    struct filter_world w;
    (void)state;

    start(&w);
    begin(&w, ADDRESS_V4, true);
    assert_int_equal(run(&w), 0);
    assert_int_equal(w.requests, 1);
    assert_int_equal(nat_filter_verdict(&w.filter),
                     FILTERING_BY_ADDRESS_AT_MOST);
}

static void another_port_is_filtered(void **state)
{
    struct filter_world w;
    (void)state;

    start(&w);
    w.filters_ports = true;
    begin(&w, ADDRESS_V4, true);
    assert_int_equal(run(&w), LONGEST_MS);
    assert_int_equal(w.requests, 3);
    assert_int_equal(nat_filter_verdict(&w.filter), FILTERING_BY_PORT);
}

static void an_old_relay_shows_nothing(void **state)
{
    struct filter_world w;
    (void)state;

    start(&w);
    w.is_old = true;
    begin(&w, ADDRESS_V4, true);
    assert_int_equal(run(&w), LONGEST_MS);
    assert_int_equal(nat_filter_verdict(&w.filter), FILTERING_UNKNOWN);
}

static void lost_requests_show_nothing(void **state)
{
    struct filter_world w;
    (void)state;

    start(&w);
    w.is_deaf = true;
    begin(&w, ADDRESS_V4, true);
    assert_int_equal(run(&w), LONGEST_MS);
    assert_int_equal(nat_filter_verdict(&w.filter), FILTERING_UNKNOWN);
}

/* Then a firewall may drop all that comes from there. */
static void a_second_port_that_never_answers_shows_nothing(void **state)
{
    struct filter_world w;
    (void)state;

    start(&w);
    w.answers[1].seen = (struct address){0};
    w.filters_ports = true;
    begin(&w, ADDRESS_V4, true);
    run(&w);
    assert_int_equal(nat_filter_verdict(&w.filter), FILTERING_UNKNOWN);
}

/* The server on this side of the NAT, those of the other family, and those that
 * did not answer are not asked. */
static void only_servers_beyond_the_nat_are_asked(void **state)
{
    struct filter_world w;
    (void)state;

    start(&w);
    w.answer_count = 0;
    add_answer(&w, "192.168.1.9:443", "192.168.1.2:5000", false);
    add_answer(&w, "203.0.113.2:443", NULL, true);
    add_answer(&w, "[2001:db8::1]:443", "[2001:db8::2]:5000", true);
    begin(&w, ADDRESS_V4, true);
    assert_int_equal(w.filter.count, 0);
    assert_int_equal(run(&w), 0);
    assert_int_equal(nat_filter_verdict(&w.filter), FILTERING_UNKNOWN);
    begin(&w, ADDRESS_V4, false);
    assert_int_equal(w.filter.count, 1);
    begin(&w, ADDRESS_V6, true);
    assert_int_equal(w.filter.count, 1);
}

/* Both ports of none, and further addresses are left out. */
static void each_address_is_asked_at_one_port(void **state)
{
    struct filter_world w;
    (void)state;

    start(&w);
    for (int i = 2; i < 8; i++) {
        char server[32];
        snprintf(server, sizeof server, "203.0.113.%d:3478", i);
        add_answer(&w, server, outside_text, true);
    }
    w.is_deaf = true;
    begin(&w, ADDRESS_V4, true);
    run(&w);
    assert_int_equal(w.requests, 3 * NAT_FILTER_SERVERS);
    for (size_t i = 0; i < NAT_FILTER_SERVERS; i++)
        for (size_t k = 0; k < i; k++)
            assert_false(address_same_ip(&w.filter.servers[i].asked,
                                         &w.filter.servers[k].asked));
}

/* An answer to another request, or from another host, is nobody's. */
static void what_was_not_asked_for_does_not_count(void **state)
{
    static const uint8_t other[12] = {9};
    uint8_t request[STUN_TWO_REQUEST_SIZE], room[STUN_TWO_RESPONSE_SIZE];
    struct address source = address(outside_text);
    struct address stranger = address("203.0.113.66:3478");
    struct filter_world w;
    struct stun_id id;
    (void)state;

    start(&w);
    begin(&w, ADDRESS_V4, true);
    stun_write_two_request(other, &id, request);
    take(&w, &w.filter.servers[0].asked, 3478,
         stun_write_two_response(&id, &source, 3478, room));
    nat_filter_take(
        &w.filter, &stranger,
        stun_write_two_response(&w.filter.servers[0].id, &source, 3478, room));
    assert_int_equal(nat_filter_verdict(&w.filter), FILTERING_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_port_gets_through),
        cmocka_unit_test(another_port_is_filtered),
        cmocka_unit_test(an_old_relay_shows_nothing),
        cmocka_unit_test(lost_requests_show_nothing),
        cmocka_unit_test(a_second_port_that_never_answers_shows_nothing),
        cmocka_unit_test(only_servers_beyond_the_nat_are_asked),
        cmocka_unit_test(each_address_is_asked_at_one_port),
        cmocka_unit_test(what_was_not_asked_for_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
