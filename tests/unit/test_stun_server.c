/* The relay's STUN on loopback: valid requests are answered from the address
 * that was asked, others are not, and no network is answered without end. */
#include "relay/shell/stun_server.h"

#include "common/io/udp.h"
#include "common/wire/stun.h"
#include "tests/unit/patience.h"

enum { ASKED = 2000, BURST = 64 };

static struct world_of_stun {
    uv_loop_t loop;
    struct stun_server *server;
    struct udp *client;
    struct address there;
    struct stun_id id;
    uint8_t request[STUN_REQUEST_SIZE];
    struct address mapped; /* the address in the last valid response */
    int responses;
    int seconds; /* valid ones from another port, which says its number */
    int others;
} w;

/* From the same host, and another port than was asked. */
static bool is_second(const struct udp_datagram *d)
{
    return address_same_ip(&d->from, &w.there) &&
           d->from.port != w.there.port &&
           d->from.port == stun_second_port(d->bytes) &&
           stun_read_response(d->bytes, &w.id, &w.mapped);
}

static void on_response(void *context, const struct udp_datagram *d)
{
    (void)context;
    if (address_equal(&d->from, &w.there) &&
        stun_read_response(d->bytes, &w.id, &w.mapped))
        w.responses++;
    else if (is_second(d))
        w.seconds++;
    else
        w.others++;
}

static const uint8_t transaction[12] = {1, 2, 3};

/* `endpoint`: one, or two with a space between. */
static void begin(const char *endpoint, const char *client)
{
    char item[64];
    char *items[] = {item, NULL};
    struct conf_list endpoints = {.count = 1, .items = items};
    struct address here;

    w = (struct world_of_stun){0};
    strcpy(item, endpoint);
    if ((items[1] = strchr(item, ' ')) != NULL) {
        *items[1]++ = '\0';
        endpoints.count = 2;
    }
    assert_int_equal(uv_loop_init(&w.loop), 0);
    w.server = stun_server_open(&w.loop, &endpoints);
    assert_true(address_parse(client, &here));
    w.client = udp_open(&w.loop, &here, false, on_response, NULL);
    assert_non_null(w.client);
    w.there = here;
    w.there.port = stun_server_port(w.server);
    stun_write_request(transaction, &w.id, w.request);
}

static void end(void)
{
    udp_close(&w.client);
    stun_server_close(&w.server);
    assert_null(w.server);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w.loop), 0);
}

static void ask(const void *data, size_t size)
{
    assert_true(udp_send(w.client, &w.there, bytes_of(data, size), 0, NULL));
}

/* Datagrams on loopback mostly arrive at once, and two turns of the loop bring
 * a request to the server and its response to the client. Under load the kernel
 * may leave them to a thread. */
static void turn(void)
{
    for (int i = 0; i < 8; i++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
}

/* Turns until so many responses came, and as long as one too many takes. */
static void await(int responses, int seconds)
{
    PATIENCE_UNTIL(w.responses >= responses && w.seconds >= seconds, turn());
    turn();
    assert_int_equal(w.responses, responses);
    assert_int_equal(w.seconds, seconds);
}

static void asks_at(const char *endpoint, const char *client)
{
    begin(endpoint, client);
    assert_true(w.there.port > 0);
    ask(w.request, sizeof w.request);
    await(1, 0);
    assert_int_equal(w.mapped.port, udp_port(w.client));
    assert_true(
        address_same_ip(&w.mapped, &w.there)); /* both are on loopback */
    end();
}

static void a_client_is_answered(void **state)
{
    (void)state;
    asks_at("127.0.0.1:0", "127.0.0.1:0");
    asks_at("[::1]:0", "[::1]:0");
    asks_at("*:0", "127.0.0.1:0");
    asks_at("localhost:0", "127.0.0.1:0");
}

/* The answer leaves from the address that was asked, though the socket is bound
 * to all of them. */
static void the_answer_comes_from_the_address_asked(void **state)
{
    (void)state;
    begin("*:0", "127.0.0.1:0");
    w.there.ip[3] = 77;
    ask(w.request, sizeof w.request);
    await(1, 0);
    assert_int_equal(w.others, 0);
    end();
}

static void garbage_is_not_answered(void **state)
{
    uint8_t garbage[UDP_SIZE];
    uint32_t random = 7;
    (void)state;

    begin("127.0.0.1:0", "127.0.0.1:0");
    for (size_t i = 0; i < 1000; i++) {
        for (size_t at = 0; at < sizeof garbage; at++)
            garbage[at] = (uint8_t)((random = random * 1664525 + 1) >> 24);
        ask(garbage, i % 100);
        if (i % 20 == 0)
            turn();
    }
    for (size_t size = 0; size < sizeof w.request; size++)
        ask(w.request, size);
    turn();
    assert_int_equal(w.responses + w.others, 0);
    ask(w.request,
        sizeof w.request); /* Garbage does not use up the rate of answers. */
    await(1, 0);
    assert_int_equal(w.others, 0);
    end();
}

static void a_network_has_a_rate(void **state)
{
    (void)state;
    begin("127.0.0.1:0", "127.0.0.1:0");
    for (int i = 0; i < ASKED; i++) {
        ask(w.request, sizeof w.request);
        turn();
    }
    PATIENCE_UNTIL(w.responses >= BURST, turn());
    assert_true(w.responses < ASKED);
    end();
}

static void asks_two_ports(const char *endpoints, const char *client,
                           size_t size, int seconds)
{
    uint8_t request[STUN_TWO_REQUEST_SIZE];

    begin(endpoints, client);
    stun_write_two_request(transaction, &w.id, request);
    request[3] = (uint8_t)(size - 20);
    request[23] = (uint8_t)(size - 24);
    ask(request, size);
    await(1, seconds);
    assert_int_equal(w.others, 0);
    end();
}

/* [P-10.4] */
static void a_second_answer_leaves_from_another_port(void **state)
{
    const size_t size = STUN_TWO_REQUEST_SIZE;
    (void)state;

    asks_two_ports("127.0.0.1:0 127.0.0.1:0", "127.0.0.1:0", size, 1);
    asks_two_ports("*:0 *:0", "127.0.0.1:0", size, 1);
    asks_two_ports("*:0 127.0.0.1:0", "127.0.0.1:0", size, 1);
    asks_two_ports("[::1]:0 [::1]:0", "[::1]:0", size, 1);
    asks_two_ports("127.0.0.1:0", "127.0.0.1:0", size, 0);
    asks_two_ports("127.0.0.1:0 127.0.0.2:0", "127.0.0.1:0", size, 0);
    asks_two_ports("127.0.0.1:0 [::1]:0", "127.0.0.1:0", size, 0);
    asks_two_ports("*:0 *:0", "127.0.0.1:0", 80, 1);
    asks_two_ports("*:0 *:0", "127.0.0.1:0", 76, 0); /* too short for both */
}

/* A network gets no more answers by asking for two: a burst, then one each
 * 30 ms [P-10.3]. */
static void a_second_answer_counts(void **state)
{
    uint8_t request[STUN_TWO_REQUEST_SIZE];
    uint64_t began = uv_hrtime();
    (void)state;

    begin("127.0.0.1:0 127.0.0.1:0", "127.0.0.1:0");
    stun_write_two_request(transaction, &w.id, request);
    for (int i = 0; i < 4 * BURST; i++) {
        ask(request, sizeof request);
        turn();
    }
    PATIENCE_UNTIL(w.seconds > 0 && w.responses + w.seconds >= BURST, turn());
    uint64_t ms = (uv_hrtime() - began) / 1000000;
    assert_true((uint64_t)(w.responses + w.seconds) <= BURST + 1 + ms / 30);
    end();
}

static void a_relay_does_without_a_port_that_is_taken(void **state)
{
    char taken[64];
    (void)state;

    begin("127.0.0.1:0", "127.0.0.1:0");
    snprintf(taken, sizeof taken, "127.0.0.1:%u", udp_port(w.client));
    char *items[] = {taken};
    struct conf_list endpoints = {.count = 1, .items = items};
    struct stun_server *other = stun_server_open(&w.loop, &endpoints);
    assert_int_equal(stun_server_port(other), 0);
    stun_server_close(&other);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_answered),
        cmocka_unit_test(the_answer_comes_from_the_address_asked),
        cmocka_unit_test(garbage_is_not_answered),
        cmocka_unit_test(a_network_has_a_rate),
        cmocka_unit_test(a_second_answer_leaves_from_another_port),
        cmocka_unit_test(a_second_answer_counts),
        cmocka_unit_test(a_relay_does_without_a_port_that_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
