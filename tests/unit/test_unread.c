/*
 * The table of unread bytes, with a fake kernel.
 */
#include "common/io/unread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { CONNS = 1000, LIMIT = 100000, MEMORY = 1125000 };

static struct unread unread;
static struct unread_conn conns[CONNS];
static struct unread_seen seen[CONNS];
static const char *reasons[CONNS];
static uint64_t memory_now;
static int looks;
static int given_back;
static struct instant now;

static bool look(void *context, int fd, struct unread_seen *s)
{
    (void)context;
    looks++;
    *s = seen[fd];
    return s->received != UINT64_MAX;
}

static uint64_t memory(void *context)
{
    (void)context;
    return memory_now;
}

static void give_back(void *context)
{
    (void)context;
    given_back++;
}

static void on_cut(void *owner, const char *reason)
{
    struct unread_conn *c = owner;
    assert_null(reasons[c->fd]);
    reasons[c->fd] = reason;
    unread_remove(&unread, c); /* as owners may */
}

static int setup(void **state)
{
    static const struct unread_world world = {
        .look = look, .memory = memory, .give_back = give_back};
    (void)state;
    memset(conns, 0, sizeof conns);
    memset(seen, 0, sizeof seen);
    memset(reasons, 0, sizeof reasons);
    memory_now = 50000000;
    looks = given_back = 0;
    now = (struct instant){1000};
    unread_init(&unread, &world, MEMORY);
    return 0;
}

static void add(int fd)
{
    conns[fd] = (struct unread_conn){.cut = on_cut, .owner = &conns[fd]};
    unread_add(&unread, &conns[fd], fd, LIMIT, now);
}

/* Passes the time to the next check. */
static void next_check(void)
{
    assert_false(instant_is_never(unread_deadline(&unread)));
    now = unread_deadline(&unread);
    unread_due(&unread, now);
}

static void a_connection_that_holds_too_much_is_cut(void **state)
{
    (void)state;
    add(1);
    add(2);
    seen[1].received = LIMIT;
    seen[2].received = LIMIT + 1;
    next_check();
    assert_null(reasons[1]);
    assert_string_equal(reasons[2], "unread");
    assert_int_equal(unread.held, LIMIT);
}

static void bytes_that_were_read_are_not_counted(void **state)
{
    (void)state;
    add(1);
    for (int i = 0; i < 1000; i++)
        unread_took(&conns[1], 1000);
    seen[1].received = 1000 * (1000 + 33 + 9) + LIMIT;
    next_check();
    assert_null(reasons[1]);
    for (int i = 0; i < 1000; i++)
        unread_took(&conns[1], 1);
    seen[1].received += 1000 * (1 + 33 + 2) + 1;
    next_check();
    assert_string_equal(reasons[1], "unread");
}

static void bytes_in_the_kernel_are_not_counted(void **state)
{
    (void)state;
    add(1);
    seen[1] = (struct unread_seen){3 * LIMIT, 2 * LIMIT};
    next_check();
    assert_null(reasons[1]);
    seen[1].waiting--;
    next_check();
    assert_string_equal(reasons[1], "unread");
}

static void a_connection_that_is_gone_is_left_to_its_owner(void **state)
{
    (void)state;
    add(1);
    seen[1].received = UINT64_MAX;
    next_check();
    assert_null(reasons[1]);
    unread_remove(&unread, &conns[1]);
    assert_true(instant_is_never(unread_deadline(&unread)));
    unread_remove(&unread, &conns[1]);
}

/* 1,125,000 bytes of memory are 250,000 on the wire, at worst. */
static void of_all_together_the_largest_is_cut_first(void **state)
{
    (void)state;
    for (int fd = 1; fd <= 5; fd++) {
        add(fd);
        seen[fd].received = 40000 + 1000 * (uint64_t)fd;
    }
    next_check();
    for (int fd = 1; fd <= 5; fd++)
        assert_null(reasons[fd]);
    add(6);
    seen[6].received = 30000; /* 245,000 in all */
    next_check();
    assert_null(reasons[6]);
    seen[6].received = 36000;
    next_check();
    for (int fd = 1; fd <= 6; fd++)
        if (fd != 5)
            assert_null(reasons[fd]);
    assert_string_equal(reasons[5], "memory");
    unread_set_memory(&unread, MEMORY / 3);
    next_check();
    for (int fd = 2; fd <= 4; fd++)
        assert_string_equal(reasons[fd], "memory");
    assert_null(reasons[1]);
    assert_null(reasons[6]);
    assert_int_equal(unread.held, 41000 + 36000);
}

static void none_is_cut_while_the_process_is_small(void **state)
{
    (void)state;
    memory_now = MEMORY;
    for (int fd = 1; fd <= 10; fd++) {
        add(fd);
        seen[fd].received = LIMIT - 10 + (uint64_t)fd % 10;
    }
    next_check();
    for (int fd = 1; fd <= 10; fd++)
        assert_null(reasons[fd]);
    memory_now = MEMORY + 1;
    next_check();
    assert_string_equal(reasons[9], "memory");
    assert_true(unread.held <= 250000);
}

/* Where the system does not tell the size, the worst case counts. */
static void where_its_size_is_unknown_some_are_cut(void **state)
{
    (void)state;
    memory_now = 0;
    for (int fd = 1; fd <= 3; fd++) {
        add(fd);
        seen[fd].received = 90000 + (uint64_t)fd;
    }
    next_check();
    assert_null(reasons[1]);
    assert_null(reasons[2]);
    assert_string_equal(reasons[3], "memory");
}

/* Bytes that the owner read are subtracted even if the connection sends no
 * more. */
static void bytes_read_since_the_check_cause_no_cut(void **state)
{
    (void)state;
    for (int fd = 1; fd <= 3; fd++) {
        add(fd);
        seen[fd].received = 80000;
    }
    next_check();
    for (int i = 0; i < 70; i++)
        unread_took(&conns[2], 1000);
    add(4);
    seen[4].received = 80000;
    next_check();
    for (int fd = 1; fd <= 4; fd++)
        assert_null(reasons[fd]);
}

static void a_connection_that_holds_much_is_checked_more_often(void **state)
{
    (void)state;
    struct instant before = now;
    add(1);
    next_check();
    assert_int_equal(instant_between(before, now).us, 1000 * UNREAD_IDLE_MS);
    seen[1].received = LIMIT / 2;
    next_check();
    before = now;
    next_check();
    assert_int_equal(instant_between(before, now).us, 1000 * UNREAD_BUSY_MS);
    for (int i = 0; i < 50; i++)
        unread_took(&conns[1], 1000);
    next_check();
    before = now;
    next_check();
    assert_int_equal(instant_between(before, now).us, 1000 * UNREAD_IDLE_MS);
    unread_due(&unread, now); /* one call is enough */
    assert_int_equal(looks, 5);
}

static void many_connections_are_checked_in_turn(void **state)
{
    (void)state;
    for (int fd = 0; fd < CONNS; fd++)
        add(fd);
    next_check();
    assert_int_equal(looks, UNREAD_LOOKS);
    seen[CONNS - 1].received = LIMIT + 1;
    for (int i = 0; i < CONNS / UNREAD_LOOKS; i++)
        next_check();
    assert_string_equal(reasons[CONNS - 1], "unread");
    for (int fd = 0; fd < CONNS; fd++)
        unread_remove(&unread, &conns[fd]);
}

static void all_are_checked_when_the_process_grows(void **state)
{
    (void)state;
    for (int fd = 0; fd < CONNS; fd++)
        add(fd);
    next_check();
    seen[CONNS - 1].received = LIMIT + 1;
    memory_now += UNREAD_GROWTH + 1;
    next_check();
    assert_string_equal(reasons[CONNS - 1], "unread");
    assert_int_equal(looks, UNREAD_LOOKS + CONNS);
    next_check();
    assert_int_equal(looks, UNREAD_LOOKS + CONNS + UNREAD_LOOKS);
}

static void memory_is_given_back_a_moment_after_a_cut(void **state)
{
    (void)state;
    add(1);
    seen[1].received = LIMIT + 1;
    next_check();
    assert_string_equal(reasons[1], "unread");
    assert_int_equal(given_back, 0);
    struct instant before = now;
    next_check();
    assert_int_equal(given_back, 1);
    assert_int_equal(instant_between(before, now).us,
                     1000 * UNREAD_GIVE_BACK_MS);
    assert_true(instant_is_never(unread_deadline(&unread)));
}

/* A connection that held much and closed by itself counts like one that was
 * cut. */
static void memory_of_closed_connections_is_given_back(void **state)
{
    (void)state;
    unread_set_memory(&unread, 1 << 30);
    for (int i = 0; i < 2; i++) {
        add(i);
        conns[i].limit = 8 * UNREAD_FREED;
    }
    seen[0].received = UNREAD_FREED / 2;
    next_check();
    unread_remove(&unread, &conns[0]);
    next_check();
    assert_true(instant_is_never(unread.give_back_at));
    seen[1].received = UNREAD_FREED;
    next_check();
    unread_remove(&unread, &conns[1]); /* no connection is left */
    next_check();
    assert_int_equal(given_back, 0);
    next_check();
    assert_int_equal(given_back, 1);
    assert_true(instant_is_never(unread_deadline(&unread)));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_connection_that_holds_too_much_is_cut),
        TEST(bytes_that_were_read_are_not_counted),
        TEST(bytes_in_the_kernel_are_not_counted),
        TEST(a_connection_that_is_gone_is_left_to_its_owner),
        TEST(of_all_together_the_largest_is_cut_first),
        TEST(none_is_cut_while_the_process_is_small),
        TEST(where_its_size_is_unknown_some_are_cut),
        TEST(bytes_read_since_the_check_cause_no_cut),
        TEST(a_connection_that_holds_much_is_checked_more_often),
        TEST(many_connections_are_checked_in_turn),
        TEST(all_are_checked_when_the_process_grows),
        TEST(memory_is_given_back_a_moment_after_a_cut),
        TEST(memory_of_closed_connections_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
