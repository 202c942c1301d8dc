/*
 * Which source may begin a handshake, in virtual time.
 */
#include "common/io/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

enum { ALL = 800, STRANGER = ALL / 8, MEMBER = ALL / 2, BURST = 40 };

static struct sources sources;
static struct instant now;

static int setup(void **state)
{
    struct sources_conf conf = {.handshakes = ALL, .burst = BURST};

    (void)state;
    assert_true(sodium_init() >= 0);
    sources_init(&sources, &conf);
    now = (struct instant){1000000};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sources_close(&sources);
    return 0;
}

static struct address numbered(uint32_t number)
{
    struct address a = {.family = ADDRESS_V4, .port = 1, .ip = {10}};

    a.ip[1] = (uint8_t)(number >> 16);
    a.ip[2] = (uint8_t)(number >> 8);
    a.ip[3] = (uint8_t)number;
    return a;
}

/* A connection comes, begins a handshake if that is allowed, and ends. */
static bool knock(const struct address *from)
{
    struct source *s = sources_enter(&sources, from, now);
    bool may = sources_begin_handshake(&sources, s, now);

    sources_leave(&sources, s);
    return may;
}

static void make_member(const struct address *from)
{
    struct source *s = sources_enter(&sources, from, now);

    sources_prove(&sources, s);
    sources_leave(&sources, s);
}

/* Tries `rate` times a second; returns how many handshakes were allowed. */
static int flood(const struct address *from, int rate, int seconds)
{
    int passed = 0;

    for (int i = 0; i < rate * seconds; i++) {
        now = instant_after(now, span_us(1000000 / rate));
        sources_due(&sources, now);
        passed += knock(from);
    }
    return passed;
}

static bool is_in(const struct address *list, size_t count,
                  const struct address *a)
{
    for (size_t i = 0; i < count; i++) {
        if (address_same_network(&list[i], a))
            return true;
    }
    return false;
}

static bool is_barred(const struct address *a)
{
    static struct bars bars;

    sources_bars(&sources, &bars);
    return bars.everyone || is_in(bars.barred, bars.barred_count, a) ||
           (bars.strangers && !is_in(bars.members, bars.member_count, a));
}

static void one_network_gets_a_part_of_the_total(void **state)
{
    struct address a = numbered(1);
    struct address b = numbered(2);

    (void)state;
    assert_in_range(flood(&a, 2000, 10), STRANGER * 10 - 1,
                    STRANGER * 10 + BURST + 1);
    assert_true(is_barred(&a));
    assert_false(is_barred(&b));
    assert_true(knock(&b));
}

static void a_members_network_has_a_larger_part(void **state)
{
    struct address a = numbered(1);

    (void)state;
    make_member(&a);
    assert_in_range(flood(&a, 2000, 10), MEMBER * 10 - 1,
                    MEMBER * 10 + BURST + 1);
}

static void all_addresses_of_a_v6_network_are_one(void **state)
{
    struct address a;
    int passed = 0;

    (void)state;
    assert_true(address_parse("[2001:db8:1:2::1]:1", &a));
    for (int i = 0; i < 1000; i++) {
        a.ip[15] = (uint8_t)i;
        a.ip[9] = (uint8_t)(i >> 8);
        passed += knock(&a);
    }
    assert_int_equal(passed, BURST);
    assert_true(is_barred(&a));
    a.ip[7]++;
    assert_true(knock(&a));
    assert_false(is_barred(&a));
}

static void a_bar_ends_by_itself(void **state)
{
    struct address a = numbered(1);

    (void)state;
    for (int i = 0; i <= BURST; i++)
        (void)knock(&a);
    assert_true(is_barred(&a));
    assert_true(sources.changed);
    sources.changed = false;
    struct instant end = sources_deadline(&sources);
    assert_in_range(instant_between(now, end).us, 200000, 300000);
    now = end;
    sources_due(&sources, now);
    assert_true(sources.changed);
    assert_false(is_barred(&a));
    for (int i = 0; i < STRANGER / 5; i++)
        assert_true(knock(&a));
    assert_true(instant_is_never(sources_deadline(&sources)));
}

/* The connections come from ever new networks. All together have a limit, and
 * half of the burst is reserved for members. */
static void members_come_first(void **state)
{
    struct address member = numbered(1 << 20);
    struct address other;
    int passed = 0;

    (void)state;
    make_member(&member);
    for (uint32_t i = 0; i < 10 * ALL; i++) {
        now = instant_after(now, span_us(100));
        sources_due(&sources, now);
        other = numbered(i);
        passed += knock(&other);
    }
    assert_in_range(passed, ALL - 1, ALL * 3 / 2 + 1);
    other = numbered(1 << 21);
    assert_true(is_barred(&other));
    assert_false(is_barred(&member));
    for (int i = 0; i < BURST; i++)
        assert_true(knock(&member));
    now = instant_after(now, span_s(1));
    sources_due(&sources, now);
    assert_false(is_barred(&other));
    assert_true(knock(&other));
}

/* A network's rate outlives its connections, and connections from many networks
 * do not fill the memory. */
static void the_table_is_bounded(void **state)
{
    struct address first = numbered(0);
    struct address member = numbered(1 << 20);

    (void)state;
    make_member(&member);
    for (int i = 0; i <= BURST; i++)
        (void)knock(&first);
    assert_false(knock(&first));
    for (uint32_t i = 1; i < 3 * SOURCES_IDLE; i++) {
        struct address a = numbered(i);
        (void)knock(&a);
    }
    assert_true(sources.map.count <= SOURCES_IDLE + 2);
    for (uint32_t i = 1; i < 3 * SOURCES_IDLE; i++) {
        struct address a = numbered((1 << 21) + i);
        make_member(&a);
    }
    assert_true(sources.map.count <= 2 * SOURCES_IDLE + 2);
    now = instant_after(now, span_s(60));
    sources_due(&sources, now);
    assert_true(sources.map.count <= SOURCES_IDLE + 1);
}

static void without_a_limit_there_is_none(void **state)
{
    struct address a = numbered(1);

    (void)state;
    sources.conf.handshakes = 0;
    for (int i = 0; i < 10 * ALL; i++)
        assert_true(knock(&a));
    assert_true(instant_is_never(sources_deadline(&sources)));
}

static void everyone_can_be_kept_out_for_a_while(void **state)
{
    struct address member = numbered(1);

    (void)state;
    make_member(&member);
    sources_bar_everyone(&sources, instant_after(now, span_s(1)));
    assert_true(is_barred(&member));
    now = instant_after(now, span_s(1));
    sources_due(&sources, now);
    assert_false(is_barred(&member));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_network_gets_a_part_of_the_total),
        TEST(a_members_network_has_a_larger_part),
        TEST(all_addresses_of_a_v6_network_are_one),
        TEST(a_bar_ends_by_itself),
        TEST(members_come_first),
        TEST(the_table_is_bounded),
        TEST(without_a_limit_there_is_none),
        TEST(everyone_can_be_kept_out_for_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
