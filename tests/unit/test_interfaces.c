/* Which addresses of a host an edge announces, and how it multicasts. */
#include "tests/unit/patience.h"

#include "common/io/sockaddr.h"
#include "common/io/udp.h"
#include "edge/shell/interfaces.h"

#include <errno.h>
#include <stdio.h>

static void add(struct interfaces *all, const char *name, unsigned index,
                const char *text)
{
    struct address a;

    assert_true(address_parse(text, &a));
    interfaces_add(all, name, index, true, &a);
}

static void others_are_told_what_they_can_reach(void **state)
{
    struct interfaces all = {0};
    struct address list[4];
    char text[ADDRESS_TEXT_SIZE];
    size_t left_out;

    (void)state;
    add(&all, "lo", 1, "127.0.0.1:0");
    add(&all, "eth0", 2, "[2001:db8::1]:0");
    add(&all, "eth0", 2, "[fe80::1%2]:0");
    add(&all, "wg0", 3, "10.0.0.1:0");
    assert_int_equal(interfaces_candidates(&all, 77, list, 4, &left_out), 2);
    assert_int_equal(left_out, 0);
    assert_string_equal(address_format(&list[0], text), "10.0.0.1:77");
    assert_string_equal(address_format(&list[1], text), "[2001:db8::1]:77");
    assert_int_equal(interfaces_candidates(&all, 77, list, 1, &left_out), 1);
    assert_int_equal(left_out, 1);
    interfaces_close(&all);
}

static void alone_a_host_tells_its_loopback(void **state)
{
    struct interfaces all = {0};
    struct address list[4];
    char text[ADDRESS_TEXT_SIZE];

    (void)state;
    add(&all, "lo", 1, "127.0.0.1:0");
    add(&all, "eth0", 2, "[fe80::1%2]:0");
    assert_int_equal(interfaces_candidates(&all, 9, list, 4, NULL), 1);
    assert_string_equal(address_format(&list[0], text), "127.0.0.1:9");
    interfaces_close(&all);
}

static void many_interfaces_and_addresses_are_kept(void **state)
{
    struct interfaces all = {0};
    struct address list[1000];
    char text[ADDRESS_TEXT_SIZE], name[16];
    size_t left_out;

    (void)state;
    for (unsigned i = 500; i > 0; i--) {
        snprintf(name, sizeof name, "eth%u", i);
        for (unsigned at = 0; at < (i == 7 ? 100 : 1); at++) {
            snprintf(text, sizeof text, "10.%u.%u.%u:0", i / 250, i % 250, at);
            add(&all, name, i, text);
        }
    }
    assert_int_equal(all.count, 500);
    assert_int_equal(all.list[6].count, 100);
    assert_true(interfaces_have(&all, "eth500"));
    assert_false(interfaces_have(&all, "eth501"));
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(all.list[i].index, i + 1);
    /* Each interface has an address in the list before eth7 has a second one.
     */
    assert_int_equal(interfaces_candidates(&all, 1, list, 500, &left_out), 500);
    assert_int_equal(left_out, 99);
    assert_string_equal(address_format(&list[499], text), "10.2.0.0:1");
    assert_int_equal(interfaces_candidates(&all, 1, list, 1000, &left_out),
                     599);
    assert_int_equal(left_out, 0);
    interfaces_close(&all);
}

static void this_host_has_a_loopback(void **state)
{
    static const char *const names[] = {"lo"};
    struct interfaces all = {0}, again = {0};

    (void)state;
    assert_true(interfaces_scan(&all, names, 1));
    assert_int_equal(all.count, 1);
    assert_string_equal(all.list[0].name, "lo");
    assert_true(all.list[0].multicasts);
    assert_non_null(interface_address(&all.list[0], ADDRESS_V4));
    assert_true(interfaces_scan(&again, names, 1));
    assert_true(interfaces_equal(&all, &again));
    again.list[0].addresses[0].ip[3] ^= 1;
    assert_false(interfaces_equal(&all, &again));
    interfaces_close(&all);
    interfaces_close(&again);
}

static void an_address_survives_the_system(void **state)
{
    static const char *const texts[] = {"192.0.2.1:443", "[2001:db8::1]:443",
                                        "[fe80::1%3]:443"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct sockaddr_storage there;
        struct address a, b;
        assert_true(address_parse(texts[i], &a));
        assert_true(sockaddr_of_address(&a, &there) > 0);
        b = address_of_sockaddr((struct sockaddr *)&there);
        assert_true(address_equal(&a, &b));
    }
}

static void mapped_ipv4_is_ipv4(void **state)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(5)};
    static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1};
    struct sockaddr_storage there = {0};
    char text[ADDRESS_TEXT_SIZE];

    (void)state;
    memcpy(&in.sin6_addr, mapped, 16);
    memcpy(&there, &in, sizeof in);
    struct address a = address_of_sockaddr((struct sockaddr *)&there);
    assert_string_equal(address_format(&a, text), "10.0.0.1:5");
    assert_int_equal(address_of_peer(-1).family, ADDRESS_NONE);
    a.family = ADDRESS_NONE;
    assert_int_equal(sockaddr_of_address(&a, &there), 0);
}

/* --- udp */

static struct {
    int count;
    struct udp_datagram last;
    uint8_t bytes[UDP_SIZE];
} heard;

static void on_datagram(void *context, const struct udp_datagram *datagram)
{
    (void)context;
    heard.count++;
    heard.last = *datagram;
    memcpy(heard.bytes, datagram->bytes.data, datagram->bytes.size);
}

static void await(uv_loop_t *loop, int count)
{
    PATIENCE_UNTIL(heard.count >= count, uv_run(loop, UV_RUN_NOWAIT));
    assert_int_equal(heard.count, count);
}

/* Opens a socket on all IPv4 addresses. */
static struct udp *open_any(uv_loop_t *loop, uint16_t port, bool shared)
{
    struct address any = {.family = ADDRESS_V4, .port = port};
    return udp_open(loop, &any, shared, on_datagram, NULL);
}

static void a_datagram_tells_where_it_came_and_went(void **state)
{
    uv_loop_t loop;
    struct address to = {.family = ADDRESS_V4, .ip = {127, 0, 0, 1}};

    (void)state;
    heard.count = 0;
    uv_loop_init(&loop);
    struct udp *a = open_any(&loop, 0, false);
    struct udp *b = open_any(&loop, 0, false);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(open_any(&loop, udp_port(a), false));
    assert_int_equal(errno, EADDRINUSE);
    to.port = udp_port(a);
    assert_true(udp_send(b, &to, bytes_of("hello", 5), 0, NULL));
    await(&loop, 1);
    assert_int_equal(heard.last.from.port, udp_port(b));
    assert_true(address_same_ip(&heard.last.to, &to));
    assert_int_equal(heard.last.interface, if_nametoindex("lo"));
    assert_memory_equal(heard.bytes, "hello", 5);
    udp_close(&a);
    udp_close(&b);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void multicast_reaches_all_who_share_the_port(void **state)
{
    uv_loop_t loop;
    struct address group = {.family = ADDRESS_V4, .ip = {239, 255, 90, 84}};
    struct address from = {.family = ADDRESS_V4, .ip = {127, 0, 0, 1}};
    unsigned lo = if_nametoindex("lo");

    (void)state;
    heard.count = 0;
    uv_loop_init(&loop);
    struct udp *a = open_any(&loop, 0, true);
    assert_non_null(a);
    group.port = udp_port(a);
    struct udp *b = open_any(&loop, group.port, true);
    assert_non_null(b);
    assert_true(udp_join(a, &group, lo));
    assert_true(udp_join(b, &group, lo));
    assert_true(udp_send(a, &group, bytes_of("all", 3), lo, &from));
    await(&loop, 2);
    assert_true(address_same_ip(&heard.last.to, &group));
    udp_leave(b, &group, lo);
    assert_true(udp_send(a, &group, bytes_of("one", 3), lo, &from));
    await(&loop, 3);
    for (int i = 0; i < 100; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(heard.count, 3);
    udp_close(&a);
    udp_close(&b);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_told_what_they_can_reach),
        cmocka_unit_test(alone_a_host_tells_its_loopback),
        cmocka_unit_test(many_interfaces_and_addresses_are_kept),
        cmocka_unit_test(this_host_has_a_loopback),
        cmocka_unit_test(an_address_survives_the_system),
        cmocka_unit_test(mapped_ipv4_is_ipv4),
        cmocka_unit_test(a_datagram_tells_where_it_came_and_went),
        cmocka_unit_test(multicast_reaches_all_who_share_the_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
