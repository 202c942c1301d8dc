/*
 * The door behind load balancers: who is the client, and what counts for it.
 */
#include "door_kit.h"
#include "relay/shell/door.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define LINK                                                                   \
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"                      \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                     \
    "Sec-WebSocket-Protocol: zeroservices\r\n"                                 \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static void expect_away(const char *text)
{
    assert_string_equal(kit.away, text);
}

static void trust(const char *prefix)
{
    struct address_prefix *p = &kit.conf.proxies[kit.conf.proxy_count++];
    assert_true(address_prefix_parse(prefix, p));
    door_reconfigure(kit.door, &kit.conf);
}

static void is_from(const char *ip)
{
    char text[ADDRESS_TEXT_SIZE];
    assert_string_equal(address_format_ip(&kit.last_address, text), ip);
}

/* A member behind the header says a packet. */
static struct door_client *behind(uint8_t number, const char *header,
                                  size_t size)
{
    struct door_client *c = kit_client(number);
    size_t before = kit.packets;
    kit_send(c, header, size);
    kit_go(c, KIT_READY);
    kit_say(c, kit_make('e', 0, 0, 10));
    kit_until(kit.packets == before + 1);
    return c;
}

static const struct door_proxy_row {
    const char *header;
    size_t size;
    const char *client;
} rows[] = {
    {"PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n", 0, "203.0.113.7"},
    {"PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n", 0, "2001:db8::7"},
    {"PROXY UNKNOWN\r\n", 0, "127.0.0.1"},
    {V2 "\x21\x11\0\14\xcb\0\x71\7\xc0\0\2\1\xdc\4\1\xbb", 28, "203.0.113.7"},
    {V2 "\x20\0\0\0", 16, "127.0.0.1"},
};

static size_t size_of(const struct door_proxy_row *row)
{
    return row->size > 0 ? row->size : strlen(row->header);
}

static void the_header_names_the_client(void **state)
{
    (void)state;
    trust("127.0.0.0/8");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct door_client *c = behind(2, rows[i].header, size_of(&rows[i]));
        is_from(rows[i].client);
        kit_free(c);
    }
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.turned_away, 0);
    assert_int_equal(kit.door->partial_bytes, 0);
}

static void it_may_come_in_pieces(void **state)
{
    (void)state;
    trust("127.0.0.1");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct door_client *c = kit_client(2);
        size_t before = kit.packets;
        for (size_t at = 0; at < size_of(&rows[i]); at++) {
            kit_send(c, rows[i].header + at, 1);
            kit_turn();
            kit_turn();
        }
        kit_go(c, KIT_READY);
        kit_say(c, kit_make('e', 0, 0, 10));
        kit_until(kit.packets == before + 1);
        is_from(rows[i].client);
        kit_free(c);
    }
}

/* All in one segment, with the first bytes of ZMTP. */
static void more_may_come_with_it(void **state)
{
    struct door_client *c = kit_client(2);
    uint8_t both[512];
    size_t size = strlen(rows[0].header);
    (void)state;

    trust("127.0.0.1");
    memcpy(both, rows[0].header, size);
    memcpy(both + size, c->reply.bytes, c->reply.size);
    kit_send(c, both, size + c->reply.size);
    assert_int_equal(kit_next(c), ZMTP_NEXT);
    kit_free(c);
}

static void turned_away(const char *sent, size_t size, const char *text)
{
    struct door_client *c = kit_client(2);
    size_t before = kit.turned_away;
    kit_send(c, sent, size);
    kit_until(kit.turned_away == before + 1);
    expect_away(text);
    kit_until(kit_is_ended(c));
    kit_free(c);
}

static void others_may_send_none(void **state)
{
    (void)state;
    turned_away("PROXY ", 6, "handshake_failed proxy_not_allowed 127.0.0.1");
    trust("192.0.2.0/24");
    turned_away(V2, 12, "handshake_failed proxy_not_allowed 127.0.0.1");
    /* What HTTP says of it means nothing then. */
    struct door_client *c = kit_client(2);
    static const char request[] = LINK "X-Forwarded-For: junk\r\n\r\n";
    uint8_t byte;
    kit_send(c, request, sizeof request - 1);
    kit_until(recv(c->fd, &byte, 1, MSG_DONTWAIT) == 1);
    assert_int_equal(kit.turned_away, 2);
    kit_free(c);
}

static void a_load_balancer_must_send_a_good_one(void **state)
{
    static const char twice[] = "PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n"
                                "PROXY TCP4 203.0.113.8 192.0.2.1 1 2\r\n";
    struct door_client *c = kit_client(3);
    (void)state;

    trust("127.0.0.1");
    turned_away((const char *)c->reply.bytes, c->reply.size,
                "handshake_failed no_proxy_header 127.0.0.1");
    turned_away("PROXY TCP4 x\r\n", 14,
                "handshake_failed bad_proxy_header 127.0.0.1");
    turned_away(twice, sizeof twice - 1,
                "handshake_failed proxy_not_allowed 203.0.113.7");
    turned_away("SSH-2.0-x\r\n", 11,
                "handshake_failed unknown_protocol 127.0.0.1");
    kit_free(c);
    kit_until(door_count(kit.door) <= 1);
}

static void half_a_header_is_cut_in_time(void **state)
{
    struct door_client *c = kit_client(2);
    (void)state;

    trust("127.0.0.1");
    kit_send(c, "PROXY TCP4 203", 14);
    for (int i = 0; i < 20; i++)
        kit_turn();
    assert_int_equal(door_count(kit.door), 1);
    kit.later = span_s(2);
    kit_until(door_count(kit.door) == 0);
    expect_away("handshake_failed timeout 127.0.0.1");
    assert_int_equal(kit.door->partial_bytes, 0);
    kit_free(c);
}

/* ---- HTTP -----------------------------------------------------------------
 */

/* The status of the answer. */
static int ask(const char *request)
{
    struct door_client *c = kit_client(2);
    char text[16] = "";
    size_t size = 0;

    kit_send(c, request, strlen(request));
    while (size < 12) {
        ssize_t n = recv(c->fd, text + size, 12 - size, MSG_DONTWAIT);
        assert_int_not_equal(n, 0);
        size += n > 0 ? (size_t)n : 0;
        kit_turn();
    }
    kit_free(c);
    return (int)strtol(text + 9, NULL, 10);
}

static void http_names_the_client(void **state)
{
    (void)state;
    trust("127.0.0.1");
    trust("10.0.0.0/8");
    assert_int_equal(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    expect_away("http_refused no_forwarded_for 127.0.0.1");
    assert_int_equal(ask(LINK "\r\n"), 400);
    assert_int_equal(ask("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_int_equal(ask("GET / HTTP/1.1\r\nHost: a\r\n"
                         "X-Forwarded-For: 203.0.113.7\r\n\r\n"),
                     200);
    assert_int_equal(ask("GET / HTTP/1.1\r\nHost: a\r\n"
                         "X-Forwarded-For: junk\r\n\r\n"),
                     400);
    expect_away("http_refused bad_forwarded_for 127.0.0.1");
    assert_int_equal(ask(LINK "X-Forwarded-For: 9.9.9.9, 203.0.113.7, "
                              "10.1.2.3\r\n\r\n"),
                     101);
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(ask("PROXY UNKNOWN\r\nGET / HTTP/1.0\r\n\r\n"), 200);
    /* The client is in the log: here of a frame without a mask. */
    struct door_client *c = kit_client(2);
    static const char request[] = LINK "X-Forwarded-For: 203.0.113.7\r\n\r\n"
                                       "\x82\x01x";
    kit_send(c, request, sizeof request - 1);
    kit_until(strstr(kit.aways, "bad_frame 203.0.113.7") != NULL);
    kit_free(c);
}

/* A header that names another load balancer, and HTTP that names the rest. */
static void load_balancers_may_follow_each_other(void **state)
{
    struct door_client *c = kit_client(2);
    static const char bytes[] = "PROXY TCP4 10.0.0.9 10.0.0.1 1 2\r\n" LINK
                                "X-Forwarded-For: 203.0.113.7\r\n\r\n"
                                "\x82\x01x";
    (void)state;

    trust("127.0.0.1");
    trust("10.0.0.0/8");
    kit_send(c, bytes, sizeof bytes - 1);
    kit_until(strstr(kit.aways, "bad_frame 203.0.113.7") != NULL);
    kit_free(c);
}

/* ---- Limits ----------------------------------------------------------------
 */

static void limits_count_the_client(void **state)
{
    struct door_client *c[10], *one[3];
    char header[64];
    (void)state;

    kit.conf.gate.per_address = 2;
    trust("127.0.0.1");
    for (uint8_t i = 0; i < COUNT_OF(c); i++) {
        snprintf(header, sizeof header,
                 "PROXY TCP4 203.0.113.%u 192.0.2.1 1 2\r\n", 10U + i);
        c[i] = behind((uint8_t)(i + 2), header, strlen(header));
    }
    assert_int_equal(kit.turned_away, 0);
    assert_int_equal(door_count(kit.door), COUNT_OF(c));
    for (size_t i = 0; i < COUNT_OF(one); i++) {
        one[i] = kit_client(2);
        kit_send(one[i], "PROXY TCP4 203.0.113.9 192.0.2.1 1 2\r\n", 38);
        kit_until(kit.turned_away == (i < 2 ? 0 : 1) &&
                  door_count(kit.door) == COUNT_OF(c) + (i < 2 ? i + 1 : 2));
    }
    expect_away("connection_cut full_address 203.0.113.9");
    for (size_t i = 0; i < COUNT_OF(c); i++)
        kit_free(c[i]);
    for (size_t i = 0; i < COUNT_OF(one); i++)
        kit_free(one[i]);
}

/* Not for another load balancer, whoever is behind that. */
static void a_named_load_balancer_is_spared(void **state)
{
    struct door_client *c[5];
    static const char header[] = "PROXY TCP4 10.0.0.9 192.0.2.1 1 2\r\n";
    (void)state;

    kit.conf.gate.per_address = 2;
    trust("127.0.0.1");
    trust("10.0.0.0/8");
    for (uint8_t i = 0; i < COUNT_OF(c); i++)
        c[i] = behind((uint8_t)(i + 2), header, sizeof header - 1);
    assert_int_equal(kit.turned_away, 0);
    assert_int_equal(door_count(kit.door), COUNT_OF(c));
    is_from("10.0.0.9");
    for (size_t i = 0; i < COUNT_OF(c); i++)
        kit_free(c[i]);
}

#define WITH_DOOR(test)                                                        \
    cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DOOR(the_header_names_the_client),
        WITH_DOOR(it_may_come_in_pieces),
        WITH_DOOR(more_may_come_with_it),
        WITH_DOOR(others_may_send_none),
        WITH_DOOR(a_load_balancer_must_send_a_good_one),
        WITH_DOOR(half_a_header_is_cut_in_time),
        WITH_DOOR(http_names_the_client),
        WITH_DOOR(load_balancers_may_follow_each_other),
        WITH_DOOR(limits_count_the_client),
        WITH_DOOR(a_named_load_balancer_is_spared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
