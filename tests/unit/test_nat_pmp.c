#include "kit.h"

#include "common/io/clock.h"
#include "edge/shell/nat_pmp.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { NAT_PMP_PORT = 5351 };

/* A router on the loopback interface: it answers one request with these bytes,
 * and keeps the request. */
struct nat_pmp_router {
    uv_thread_t thread;
    int fd, end;
    struct gateway gateway;
    const uint8_t *reply;
    size_t reply_size;
    uint8_t asked[16];
    ssize_t asked_size;
};

static struct nat_pmp_router router;

static void serve(void *context)
{
    struct nat_pmp_router *r = context;
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    struct pollfd both[2] = {{r->fd, POLLIN, 0}, {r->end, POLLIN, 0}};

    while (poll(both, 2, -1) > 0 && both[1].revents == 0) {
        r->asked_size = recvfrom(r->fd, r->asked, sizeof r->asked, 0,
                                 (struct sockaddr *)&from, &size);
        if (r->reply_size > 0)
            (void)sendto(r->fd, r->reply, r->reply_size, 0,
                         (struct sockaddr *)&from, size);
    }
}

/* Each process has a loopback address of its own, so that tests can run at the
 * same time. */
static struct address own_loopback(void)
{
    pid_t id = getpid();

    return (struct address){.family = ADDRESS_V4,
                            .ip = {127, 78, (uint8_t)(id >> 8), (uint8_t)id}};
}

static int open_router(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(NAT_PMP_PORT)};
    router.gateway = (struct gateway){.router = own_loopback()};
    memcpy(&at.sin_addr, router.gateway.router.ip, 4);
    router.fd = socket(AF_INET, SOCK_DGRAM, 0);
    return bind(router.fd, (struct sockaddr *)&at, sizeof at);
}

static int close_router(void **state)
{
    (void)state;
    return close(router.fd);
}

static struct mapping_answer ask_within(struct mapping_request request,
                                        const void *reply, size_t size,
                                        struct span most)
{
    struct mapping_answer answer;
    struct io_limit limit = {instant_after(clock_now(), most), -1};
    router.reply = reply;
    router.reply_size = size;
    router.end = eventfd(0, 0);
    assert_int_equal(uv_thread_create(&router.thread, serve, &router), 0);
    nat_pmp_ask(&router.gateway, &request, &limit, &answer);
    eventfd_write(router.end, 1);
    uv_thread_join(&router.thread);
    close(router.end);
    return answer;
}

static struct mapping_answer ask(struct mapping_request request,
                                 const void *reply, size_t size)
{
    return ask_within(request, reply, size, span_s(10));
}

static const struct mapping_request find = {.kind = MAPPING_FIND},
                                    map = {.kind = MAPPING_MAP,
                                           .port = MAPPING_TCP,
                                           .inside = 0x1234,
                                           .outside = 0x1235,
                                           .lease = {600 * 1000000}};

static void the_router_tells_its_outside_address(void **state)
{
    (void)state;
    static const uint8_t reply[] = {0, 128, 0, 0, 0, 0, 0, 9, 5, 5, 5, 1},
                         none[] = {0, 128, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0},
                         request[] = {0, 0};
    struct mapping_answer a = ask(find, reply, sizeof reply);
    char text[ADDRESS_TEXT_SIZE];
    assert_int_equal(a.result, MAPPING_GRANTED);
    assert_string_equal(address_format_ip(&a.outside, text), "5.5.5.1");
    assert_int_equal(router.asked_size, sizeof request);
    assert_memory_equal(router.asked, request, sizeof request);
    a = ask(find, none, sizeof none);
    assert_int_equal(a.outside.family, ADDRESS_NONE);
}

static void a_port_is_mapped_and_given_back(void **state)
{
    (void)state;
    static const uint8_t reply[] = {0,    130,  0,    0,    0, 0, 0, 9,
                                    0x12, 0x34, 0xab, 0xcd, 0, 0, 1, 0},
                         request[] = {0,    2,    0, 0, 0x12, 0x34,
                                      0x12, 0x35, 0, 0, 2,    0x58};
    struct mapping_answer a = ask(map, reply, sizeof reply);
    assert_int_equal(a.result, MAPPING_GRANTED);
    assert_int_equal(a.outside.port, 0xabcd);
    assert_int_equal(a.lease.us, 256 * 1000000);
    assert_int_equal(router.asked_size, sizeof request);
    assert_memory_equal(router.asked, request, sizeof request);

    static const uint8_t gone[] = {0,    129,  0, 0, 0, 0, 0, 9,
                                   0x12, 0x34, 0, 0, 0, 0, 0, 0},
                         release[] = {0, 1, 0, 0, 0x12, 0x34, 0, 0, 0, 0, 0, 0};
    const struct mapping_request back = {.kind = MAPPING_UNMAP,
                                         .port = MAPPING_UDP,
                                         .inside = 0x1234,
                                         .outside = 0xabcd};
    assert_int_equal(ask(back, gone, sizeof gone).result, MAPPING_GRANTED);
    assert_memory_equal(router.asked, release, sizeof release);
}

static void a_code_is_a_refusal(void **state)
{
    (void)state;
    for (uint8_t code = 1; code <= 6; code++) {
        uint8_t reply[16] = {0, 130, 0, code, 0, 0, 0, 9, 0x12, 0x34};
        assert_int_equal(ask(map, reply, sizeof reply).result, MAPPING_DENIED);
    }
}

static void answers_to_something_else_do_not_count(void **state)
{
    (void)state;
    static const uint8_t udp[] = {0,    129,  0,    0,    0, 0, 0, 9,
                                  0x12, 0x34, 0xab, 0xcd, 0, 0, 1, 0},
                         other[] = {0,    130,  0,    0,    0, 0, 0, 9,
                                    0x12, 0x33, 0xab, 0xcd, 0, 0, 1, 0};
    assert_int_equal(ask(map, udp, sizeof udp).result, MAPPING_SILENT);
    assert_int_equal(ask(map, other, sizeof other).result, MAPPING_SILENT);
    assert_int_equal(ask(find, other, sizeof other).result, MAPPING_SILENT);
}

static void a_silent_router_is_waited_for_until_the_limit(void **state)
{
    (void)state;
    assert_int_equal(ask_within(find, NULL, 0, span_ms(300)).result,
                     MAPPING_SILENT);
    assert_true(router.asked_size > 0);
}

static void the_owner_can_cancel(void **state)
{
    (void)state;
    struct mapping_answer a;
    struct io_limit limit = {INSTANT_NEVER, eventfd(1, 0)};
    nat_pmp_ask(&router.gateway, &find, &limit, &a);
    assert_int_equal(a.result, MAPPING_SILENT);
    close(limit.cancel);
}

static void where_nobody_listens_the_answer_is_there_at_once(void **state)
{
    (void)state;
    struct mapping_answer a;
    struct io_limit limit = {INSTANT_NEVER, -1};
    struct gateway g = {.router = own_loopback()};
    g.router.ip[1]++;
    nat_pmp_ask(&g, &find, &limit, &a);
    assert_int_equal(a.result, MAPPING_SILENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_router_tells_its_outside_address),
        cmocka_unit_test(a_port_is_mapped_and_given_back),
        cmocka_unit_test(a_code_is_a_refusal),
        cmocka_unit_test(answers_to_something_else_do_not_count),
        cmocka_unit_test(a_silent_router_is_waited_for_until_the_limit),
        cmocka_unit_test(the_owner_can_cancel),
        cmocka_unit_test(where_nobody_listens_the_answer_is_there_at_once),
    };
    if (!nat_pmp_is_available())
        return 0;
    return cmocka_run_group_tests(tests, open_router, close_router);
}
