#include "kit.h"

#include "common/wire/stun.h"
#include "edge/core/outside.h"

#include <stdio.h>

/* The requests of sockets, as on the wire, and servers that answer them. */
enum { REQUESTS = 128 };

struct outside_world {
    struct entropy entropy;
    struct outside *outside;
    struct instant now;
    size_t count;
    struct outside_request requests[REQUESTS];
};

static struct address address(const char *text)
{
    struct address a;
    assert_true(address_parse(text, &a));
    return a;
}

static void set_servers(struct outside_world *w, const char *const *texts,
                        size_t count)
{
    struct address list[64];
    for (size_t i = 0; i < count; i++)
        list[i] = address(texts[i]);
    outside_servers(w->outside, list, count);
}
#define SERVERS(w, ...)                                                        \
    set_servers(w, (const char *const[]){__VA_ARGS__},                         \
                COUNT_OF(((const char *const[]){__VA_ARGS__})))

static void start(struct outside_world *w)
{
    static const uint8_t seed[32] = {7};
    *w = (struct outside_world){.now = {1000000}};
    entropy_init(&w->entropy, seed);
    w->outside = outside_new(&w->entropy);
}

static void stop(struct outside_world *w)
{
    outside_free(&w->outside);
    assert_null(w->outside);
}

/* Appends all requests that are due now. */
static size_t send_all(struct outside_world *w)
{
    size_t before = w->count;
    while (outside_next(w->outside, &w->requests[w->count], w->now)) {
        w->count++;
        assert_true(w->count < REQUESTS);
    }
    return w->count - before;
}

static void wait_ms(struct outside_world *w, int64_t ms)
{
    w->now = instant_after(w->now, span_ms(ms));
}

static bool answer_from(struct outside_world *w, size_t request,
                        const struct address *from, const char *mapped)
{
    uint8_t room[STUN_RESPONSE_SIZE];
    struct outside_request *r = &w->requests[request];
    struct stun_id id;
    struct address seen = address(mapped);
    assert_true(stun_read_request(bytes_of(r->bytes, sizeof r->bytes), &id));
    struct bytes response = stun_write_response(&id, &seen, room);
    return outside_take(w->outside, r->socket, from, response, w->now);
}

static bool answer(struct outside_world *w, size_t request, const char *mapped)
{
    return answer_from(w, request, &w->requests[request].to, mapped);
}

static struct outside_view view_of(struct outside_world *w, uint32_t socket)
{
    struct outside_view view;
    assert_true(outside_get(w->outside, socket, &view));
    return view;
}

static void assert_found(const struct outside_view *view, int at,
                         const char *text)
{
    char seen[ADDRESS_TEXT_SIZE];
    assert_true(at < view->count);
    assert_string_equal(address_format(&view->found[at], seen), text);
}

/* ---- Requests */

static void each_server_is_asked_three_times_and_then_it_ends(void **state)
{
    (void)state;
    struct outside_world w;
    start(&w);
    SERVERS(&w, "203.0.113.1:443", "203.0.113.1:3478");
    assert_int_equal(send_all(&w), 2);
    assert_false(outside_due(w.outside, w.now));
    assert_int_equal(instant_between(w.now, outside_deadline(w.outside)).us,
                     200 * 1000);
    wait_ms(&w, 199);
    assert_int_equal(send_all(&w), 0);
    wait_ms(&w, 1);
    assert_int_equal(send_all(&w), 2);
    wait_ms(&w, 200);
    assert_int_equal(send_all(&w), 2);
    wait_ms(&w, 200);
    assert_int_equal(send_all(&w), 0);
    assert_false(outside_due(w.outside, w.now));
    assert_false(view_of(&w, 0).done);
    assert_int_equal(instant_between(w.now, outside_deadline(w.outside)).us,
                     200 * 1000);
    wait_ms(&w, 200);
    assert_true(outside_due(w.outside, w.now));
    assert_false(outside_due(w.outside, w.now));
    struct outside_view view = view_of(&w, 0);
    assert_true(view.done);
    assert_false(view.answered_v4);
    assert_int_equal(view.mapping, MAPPING_UNKNOWN);
    assert_int_equal(view.servers, 0);
    assert_int_equal(view.count, 0);
    assert_true(view.rtt.us < 0);
    assert_true(instant_is_never(outside_deadline(w.outside)));
    assert_int_equal(send_all(&w), 0);
    stop(&w);
}

static void a_lost_request_is_sent_again(void **state)
{
    (void)state;
    struct outside_world w;
    start(&w);
    SERVERS(&w, "203.0.113.1:443");
    send_all(&w);
    wait_ms(&w, 200);
    send_all(&w);
    wait_ms(&w, 30);
    assert_true(answer(&w, 1, "198.51.100.7:1234"));
    assert_int_equal(outside_deadline(w.outside).us, INT64_MIN);
    assert_true(outside_due(w.outside, w.now));
    struct outside_view view = view_of(&w, 0);
    assert_true(view.done);
    assert_int_equal(view.rtt.us, 30 * 1000);
    assert_int_equal(view.count, 1);
    assert_found(&view, 0, "198.51.100.7:1234");
    wait_ms(&w, 1000);
    assert_int_equal(send_all(&w), 0);
    stop(&w);
}

static void a_late_answer_to_the_first_request_counts_once(void **state)
{
    (void)state;
    struct outside_world w;
    start(&w);
    SERVERS(&w, "203.0.113.1:443");
    send_all(&w);
    wait_ms(&w, 800);
    assert_true(outside_due(w.outside, w.now));
    wait_ms(&w, 100);
    assert_true(answer(&w, 0, "198.51.100.7:1234"));
    assert_true(answer(&w, 0, "198.51.100.7:9999")); /* A duplicate. */
    assert_false(outside_due(w.outside, w.now));
    struct outside_view view = view_of(&w, 0);
    assert_int_equal(view.count, 1);
    assert_found(&view, 0, "198.51.100.7:1234");
    assert_int_equal(view.rtt.us, 900 * 1000);
    stop(&w);
}

static void datagrams_that_no_server_sent_are_ignored(void **state)
{
    (void)state;
    struct outside_world w;
    start(&w);
    SERVERS(&w, "203.0.113.1:443", "203.0.113.2:443");
    send_all(&w);
    struct address wrong = address("203.0.113.9:443");
    struct address port = address("203.0.113.1:444");
    struct address other = address("203.0.113.2:443");
    assert_false(answer_from(&w, 0, &wrong, "198.51.100.7:1"));
    assert_false(answer_from(&w, 0, &port, "198.51.100.7:1"));
    assert_false(answer_from(
        &w, 0, &other,
        "198.51.100.7:1")); /* The id of a request to another server. */
    w.requests[0].bytes[12] ^= 1;
    assert_false(answer(&w, 0, "198.51.100.7:1"));
    w.requests[0].bytes[12] ^= 1;
    w.requests[0].bytes[19] = 1; /* The second request: not sent yet. */
    assert_false(answer(&w, 0, "198.51.100.7:1"));
    w.requests[0].bytes[19] = 0;
    w.requests[0].socket = 3; /* No request was made for this socket. */
    assert_false(answer(&w, 0, "198.51.100.7:1"));
    w.requests[0].socket = 0;
    assert_false(answer(&w, 0, "0.0.0.0:1"));
    assert_false(answer(&w, 0, "224.0.0.1:1"));
    assert_false(answer(&w, 0, "198.51.100.7:0"));
    assert_false(answer(&w, 0, "[2001:db8::1]:1"));
    assert_false(outside_take(w.outside, 0, &w.requests[0].to,
                              bytes_of("\1\1", 2), w.now));
    assert_int_equal(view_of(&w, 0).count, 0);
    assert_true(answer(&w, 0, "198.51.100.7:1"));
    stop(&w);
}

static void without_servers_it_ends_at_once(void **state)
{
    (void)state;
    struct outside_world w;
    struct outside_view view;
    start(&w);
    assert_false(outside_get(w.outside, 5, &view));
    outside_ask(w.outside, 5, span_s(20), w.now);
    assert_true(outside_due(w.outside, w.now));
    assert_true(view_of(&w, 5).done);
    stop(&w);
}

static void an_owner_that_is_late_still_sends(void **state)
{
    (void)state;
    struct outside_world w;
    start(&w);
    SERVERS(&w, "203.0.113.1:443");
    outside_ask(w.outside, 0, span_s(20), w.now);
    wait_ms(&w, 5000); /* The host slept. */
    assert_false(outside_due(w.outside, w.now));
    assert_int_equal(send_all(&w), 1);
    wait_ms(&w, 5);
    assert_true(answer(&w, 0, "198.51.100.7:1"));
    assert_true(outside_due(w.outside, w.now));
    stop(&w);
}

/* ---- When it asks */

static void fresh_answers_are_not_asked_for_again(void **state)
{
    (void)state;
    struct outside_world w;
    start(&w);
    SERVERS(&w, "203.0.113.1:443");
    send_all(&w);
    assert_true(answer(&w, 0, "198.51.100.7:1"));
    assert_true(outside_due(w.outside, w.now));
    wait_ms(&w, 19999);
    outside_ask(w.outside, 0, span_s(20), w.now);
    assert_int_equal(send_all(&w), 0);
    assert_true(outside_due(w.outside, w.now)); /* The owner is told. */
    wait_ms(&w, 1);
    outside_ask(w.outside, 0, span_s(20), w.now);
    assert_int_equal(send_all(&w), 1);
    outside_ask(w.outside, 0, span_s(0), w.now); /* The request is under way. */
    assert_int_equal(send_all(&w), 0);
    /* The earlier answer counts until there is a newer one. */
    assert_false(view_of(&w, 0).done);
    assert_int_equal(view_of(&w, 0).count, 1);
    assert_false(answer(
        &w, 0,
        "198.51.100.7:1")); /* An answer to the first round of requests. */
    assert_true(answer(&w, 1, "198.51.100.7:2"));
    struct outside_view view = view_of(&w, 0);
    assert_true(view.done);
    assert_int_equal(view.count, 1);
    assert_found(&view, 0, "198.51.100.7:2");
    /* A server that no longer answers does not count. */
    outside_ask(w.outside, 0, span_s(0), w.now);
    send_all(&w);
    wait_ms(&w, 800);
    assert_true(outside_due(w.outside, w.now));
    assert_int_equal(view_of(&w, 0).count, 0);
    stop(&w);
}

static void new_servers_are_asked(void **state)
{
    (void)state;
    struct outside_world w;
    start(&w);
    assert_int_equal(send_all(&w), 0);
    SERVERS(&w, "203.0.113.1:443");
    assert_int_equal(outside_deadline(w.outside).us, INT64_MIN);
    assert_int_equal(send_all(&w), 1);
    assert_true(answer(&w, 0, "198.51.100.7:1"));
    SERVERS(&w, "203.0.113.1:443");
    assert_int_equal(send_all(&w), 0);
    SERVERS(&w, "203.0.113.2:443", "203.0.113.1:443", "203.0.113.2:443",
            "0.0.0.0:1");
    assert_int_equal(send_all(&w), 2);
    assert_int_equal(view_of(&w, 0).count, 1);
    assert_true(answer(&w, 1, "198.51.100.7:1"));
    assert_true(answer(&w, 2, "198.51.100.7:1"));
    assert_int_equal(view_of(&w, 0).servers, 2);
    stop(&w);
}

static void a_change_of_the_network_voids_all_answers(void **state)
{
    (void)state;
    struct outside_world w;
    start(&w);
    SERVERS(&w, "203.0.113.1:443");
    outside_ask(w.outside, 9, span_s(0), w.now);
    send_all(&w);
    assert_int_equal(w.count, 2);
    assert_true(answer(&w, 0, "198.51.100.7:1"));
    outside_network_changed(w.outside, w.now);
    assert_false(answer(
        &w, 1,
        "198.51.100.7:1")); /* An answer to a request from before the change. */
    assert_false(view_of(&w, 0).done);
    assert_false(view_of(&w, 9).done);
    assert_int_equal(view_of(&w, 0).count + view_of(&w, 9).count, 0);
    assert_int_equal(send_all(&w), 2);
    assert_true(answer(&w, 2, "192.0.2.1:1"));
    assert_true(answer(&w, 3, "192.0.2.1:1"));
    assert_true(outside_due(w.outside, w.now));
    assert_true(view_of(&w, 0).done);
    struct outside_view view = view_of(&w, 9);
    assert_found(&view, 0, "192.0.2.1:1");
    stop(&w);
}

static void sockets_are_asked_for_side_by_side(void **state)
{
    (void)state;
    struct outside_world w;
    start(&w);
    SERVERS(&w, "203.0.113.1:443");
    send_all(&w);
    outside_ask(w.outside, 4, span_s(20), w.now);
    outside_ask(w.outside, 7, span_s(20), w.now);
    send_all(&w);
    assert_int_equal(w.count, 3);
    for (size_t i = 0; i < 3; i++) {
        char mapped[ADDRESS_TEXT_SIZE];
        snprintf(mapped, sizeof mapped, "198.51.100.7:%u",
                 100 + (unsigned)w.requests[i].socket);
        assert_true(answer(&w, i, mapped));
    }
    struct outside_view four = view_of(&w, 4), seven = view_of(&w, 7);
    assert_found(&four, 0, "198.51.100.7:104");
    assert_found(&seven, 0, "198.51.100.7:107");
    outside_forget(w.outside, 4);
    assert_false(outside_get(w.outside, 4, &four));
    assert_false(answer(&w, 1, "198.51.100.7:1"));
    outside_forget(w.outside, 4);
    stop(&w);
}

static void sockets_and_servers_have_a_limit(void **state)
{
    (void)state;
    struct outside_world w;
    struct outside_view view;
    struct address list[OUTSIDE_SERVERS + 1];
    start(&w);
    for (size_t i = 0; i < COUNT_OF(list); i++) {
        list[i] = address("203.0.113.1:1");
        list[i].port = (uint16_t)(1 + i);
    }
    outside_servers(w.outside, list, COUNT_OF(list));
    outside_hosts(w.outside, list, COUNT_OF(list));
    assert_int_equal(send_all(&w), OUTSIDE_SERVERS);
    SERVERS(&w, "203.0.113.1:443");
    for (uint32_t socket = 1; socket <= OUTSIDE_SOCKETS; socket++) {
        wait_ms(&w, 1);
        outside_ask(w.outside, socket, span_s(20), w.now);
        send_all(&w);
    }
    size_t known = 0;
    for (uint32_t socket = 0; socket <= OUTSIDE_SOCKETS; socket++)
        known += outside_get(w.outside, socket, &view);
    assert_int_equal(known, OUTSIDE_SOCKETS);
    assert_true(outside_get(w.outside, OUTSIDE_SOCKETS, &view));
    assert_true(outside_get(
        w.outside, 0,
        &view)); /* Socket 0 was asked again, when the servers changed. */
    assert_false(outside_get(w.outside, 1, &view));
    stop(&w);
}

/* ---- Kinds of NAT */

struct nat_case {
    const char *name;
    const char *host;          /* an address of this host */
    const char *answers[4][2]; /* server, what it sees; NULL: no answer */
    enum nat_mapping mapping;
    int servers;
    int step;
    int found;
};

static const struct nat_case nat_cases[] = {
    {"one server, two ports that agree",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.1:3478", "198.51.100.7:500"}},
     MAPPING_UNKNOWN,
     1,
     0,
     1},
    {"one server, two ports that differ",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.1:3478", "198.51.100.7:12000"}},
     MAPPING_DEPENDENT,
     1,
     0,
     2},
    {"one server, one port",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"}, {"203.0.113.1:3478", NULL}},
     MAPPING_UNKNOWN,
     1,
     0,
     1},
    {"two servers that agree",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.1:3478", "198.51.100.7:500"},
      {"203.0.113.2:443", "198.51.100.7:500"}},
     MAPPING_ENDPOINT_INDEPENDENT,
     2,
     0,
     1},
    {"two servers that see different ports",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.2:443", "198.51.100.7:7000"}},
     MAPPING_DEPENDENT,
     2,
     0,
     2},
    {"two servers that see different addresses",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.2:443", "198.51.100.8:500"}},
     MAPPING_DEPENDENT,
     2,
     0,
     2},
    {"the third server differs",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.2:443", "198.51.100.7:500"},
      {"203.0.113.3:443", "198.51.100.7:900"}},
     MAPPING_DEPENDENT,
     3,
     0,
     2},
    {"ports in sequence",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.1:3478", "198.51.100.7:502"},
      {"203.0.113.2:443", "198.51.100.7:504"}},
     MAPPING_DEPENDENT,
     2,
     2,
     2},
    {"two answers show no sequence",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.1:3478", "198.51.100.7:501"}},
     MAPPING_DEPENDENT,
     1,
     0,
     2},
    {"steps that differ",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.1:3478", "198.51.100.7:501"},
      {"203.0.113.2:443", "198.51.100.7:503"}},
     MAPPING_DEPENDENT,
     2,
     0,
     2},
    {"the largest step",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.1:3478", "198.51.100.7:516"},
      {"203.0.113.2:443", "198.51.100.7:532"},
      {"203.0.113.2:3478", "198.51.100.7:548"}},
     MAPPING_DEPENDENT,
     2,
     16,
     2},
    {"steps too large",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.1:3478", "198.51.100.7:517"},
      {"203.0.113.2:443", "198.51.100.7:534"}},
     MAPPING_DEPENDENT,
     2,
     0,
     2},
    {"a sequence downwards",
     "10.0.0.2:0",
     {{"203.0.113.1:443", "198.51.100.7:502"},
      {"203.0.113.1:3478", "198.51.100.7:501"},
      {"203.0.113.2:443", "198.51.100.7:500"}},
     MAPPING_DEPENDENT,
     2,
     0,
     2},
    {"no NAT",
     "198.51.100.7:0",
     {{"203.0.113.1:443", "198.51.100.7:500"}, {"203.0.113.2:443", NULL}},
     MAPPING_NONE,
     1,
     0,
     1},
    {"a server on this side of the NAT",
     "10.0.0.2:0",
     {{"10.0.0.1:443", "10.0.0.2:500"},
      {"203.0.113.1:443", "198.51.100.7:900"},
      {"203.0.113.2:443", "198.51.100.7:900"}},
     MAPPING_ENDPOINT_INDEPENDENT,
     3,
     0,
     2},
    {"IPv6 alone",
     "[2001:db8::2]:0",
     {{"[2001:db8::1]:443", "[2001:db8::2]:500"}},
     MAPPING_NONE,
     1,
     0,
     1},
    {"IPv4 counts before IPv6",
     "[2001:db8::2]:0",
     {{"[2001:db8::1]:443", "[2001:db8::2]:500"},
      {"203.0.113.1:443", "198.51.100.7:500"},
      {"203.0.113.1:3478", "198.51.100.7:600"}},
     MAPPING_DEPENDENT,
     1,
     0,
     3},
    {"IPv4 asked in vain",
     "[2001:db8::2]:0",
     {{"203.0.113.1:443", NULL}, {"[2001:db8::1]:443", "[2001:db8::2]:500"}},
     MAPPING_NONE,
     1,
     0,
     1},
};

static void check_nat(const struct nat_case *c)
{
    struct outside_world w;
    const char *servers[COUNT_OF(c->answers)];
    size_t count = 0;
    struct address host = address(c->host);

    start(&w);
    while (count < COUNT_OF(c->answers) && c->answers[count][0] != NULL) {
        servers[count] = c->answers[count][0];
        count++;
    }
    outside_hosts(w.outside, &host, 1);
    set_servers(&w, servers, count);
    assert_int_equal(send_all(&w), count);
    wait_ms(&w, 10);
    /* The order of the answers does not matter. */
    for (size_t i = count; i-- > 0;)
        if (c->answers[i][1] != NULL)
            assert_true(answer(&w, i, c->answers[i][1]));
    wait_ms(&w, 790);
    assert_true(outside_due(w.outside, w.now));
    struct outside_view view = view_of(&w, 0);
    assert_true(view.done);
    assert_int_equal(view.mapping, c->mapping);
    assert_int_equal(view.servers, c->servers);
    assert_int_equal(view.step, c->step);
    assert_int_equal(view.count, c->found);
    assert_int_equal(view.rtt.us, 10 * 1000);
    stop(&w);
}

static void the_answers_tell_the_kind_of_nat(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(nat_cases); i++) {
        print_message("  %s\n", nat_cases[i].name);
        check_nat(&nat_cases[i]);
    }
}

/* The port that the last server saw is the best guess for the next one. */
static void addresses_of_both_families_are_told(void **state)
{
    (void)state;
    struct outside_world w;
    start(&w);
    SERVERS(&w, "203.0.113.1:1", "[2001:db8::1]:1", "203.0.113.1:2",
            "203.0.113.1:3");
    send_all(&w);
    assert_true(answer(&w, 2, "198.51.100.7:12"));
    assert_true(answer(&w, 3, "198.51.100.7:13"));
    assert_true(answer(&w, 0, "198.51.100.7:11"));
    assert_true(answer(&w, 1, "[2001:db8::9]:7"));
    struct outside_view view = view_of(&w, 0);
    assert_true(view.answered_v4 && view.answered_v6);
    assert_int_equal(view.count, 3);
    assert_found(&view, 0, "198.51.100.7:13");
    assert_found(&view, 1, "198.51.100.7:12");
    assert_found(&view, 2, "[2001:db8::9]:7");
    assert_int_equal(view.step, 1);
    struct outside_answer answers[OUTSIDE_SERVERS];
    assert_int_equal(outside_answers(w.outside, 0, answers), 4);
    assert_int_equal(answers[1].seen.port, 7);
    assert_int_equal(answers[3].server.port, 3);
    assert_int_equal(outside_answers(w.outside, 1, answers), 0);
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_is_asked_three_times_and_then_it_ends),
        cmocka_unit_test(a_lost_request_is_sent_again),
        cmocka_unit_test(a_late_answer_to_the_first_request_counts_once),
        cmocka_unit_test(datagrams_that_no_server_sent_are_ignored),
        cmocka_unit_test(without_servers_it_ends_at_once),
        cmocka_unit_test(an_owner_that_is_late_still_sends),
        cmocka_unit_test(fresh_answers_are_not_asked_for_again),
        cmocka_unit_test(new_servers_are_asked),
        cmocka_unit_test(a_change_of_the_network_voids_all_answers),
        cmocka_unit_test(sockets_are_asked_for_side_by_side),
        cmocka_unit_test(sockets_and_servers_have_a_limit),
        cmocka_unit_test(the_answers_tell_the_kind_of_nat),
        cmocka_unit_test(addresses_of_both_families_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
