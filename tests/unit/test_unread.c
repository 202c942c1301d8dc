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

/* To the next look. */
static void look_again(void)
{
    assert_false(instant_is_never(unread_deadline(&unread)));
    now = unread_deadline(&unread);
    unread_due(&unread, now);
}

static void who_holds_too_much_is_cut(void **state)
{
    (void)state;
    add(1);
    add(2);
    seen[1].received = LIMIT;
    seen[2].received = LIMIT + 1;
    look_again();
    assert_null(reasons[1]);
    assert_string_equal(reasons[2], "unread");
    assert_int_equal(unread.held, LIMIT);
}

static void what_was_read_is_not_counted(void **state)
{
    (void)state;
    add(1);
    for (int i = 0; i < 1000; i++)
        unread_took(&conns[1], 1000);
    seen[1].received = 1000 * (1000 + 33 + 9) + LIMIT;
    look_again();
    assert_null(reasons[1]);
    for (int i = 0; i < 1000; i++)
        unread_took(&conns[1], 1);
    seen[1].received += 1000 * (1 + 33 + 2) + 1;
    look_again();
    assert_string_equal(reasons[1], "unread");
}

static void what_waits_in_the_kernel_is_not_counted(void **state)
{
    (void)state;
    add(1);
    seen[1] = (struct unread_seen){3 * LIMIT, 2 * LIMIT};
    look_again();
    assert_null(reasons[1]);
    seen[1].waiting--;
    look_again();
    assert_string_equal(reasons[1], "unread");
}

static void who_is_gone_is_left_to_its_owner(void **state)
{
    (void)state;
    add(1);
    seen[1].received = UINT64_MAX;
    look_again();
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
    look_again();
    for (int fd = 1; fd <= 5; fd++)
        assert_null(reasons[fd]);
    add(6);
    seen[6].received = 30000; /* 245,000 in all */
    look_again();
    assert_null(reasons[6]);
    seen[6].received = 36000;
    look_again();
    for (int fd = 1; fd <= 6; fd++)
        if (fd != 5)
            assert_null(reasons[fd]);
    assert_string_equal(reasons[5], "memory");
    unread_set_memory(&unread, MEMORY / 3);
    look_again();
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
    look_again();
    for (int fd = 1; fd <= 10; fd++)
        assert_null(reasons[fd]);
    memory_now = MEMORY + 1;
    look_again();
    assert_string_equal(reasons[9], "memory");
    assert_true(unread.held <= 250000);
}

/* Where the system does not tell, the worst is what counts. */
static void some_are_where_its_size_is_unknown(void **state)
{
    (void)state;
    memory_now = 0;
    for (int fd = 1; fd <= 3; fd++) {
        add(fd);
        seen[fd].received = 90000 + (uint64_t)fd;
    }
    look_again();
    assert_null(reasons[1]);
    assert_null(reasons[2]);
    assert_string_equal(reasons[3], "memory");
}

/* Of a connection that sends no more, what was read is seen all the same. */
static void what_was_read_since_is_not_cut_for(void **state)
{
    (void)state;
    for (int fd = 1; fd <= 3; fd++) {
        add(fd);
        seen[fd].received = 80000;
    }
    look_again();
    for (int i = 0; i < 70; i++)
        unread_took(&conns[2], 1000);
    add(4);
    seen[4].received = 80000;
    look_again();
    for (int fd = 1; fd <= 4; fd++)
        assert_null(reasons[fd]);
}

static void who_holds_much_is_looked_at_more_often(void **state)
{
    (void)state;
    struct instant before = now;
    add(1);
    look_again();
    assert_int_equal(instant_between(before, now).us, 1000 * UNREAD_IDLE_MS);
    seen[1].received = LIMIT / 2;
    look_again();
    before = now;
    look_again();
    assert_int_equal(instant_between(before, now).us, 1000 * UNREAD_BUSY_MS);
    for (int i = 0; i < 50; i++)
        unread_took(&conns[1], 1000);
    look_again();
    before = now;
    look_again();
    assert_int_equal(instant_between(before, now).us, 1000 * UNREAD_IDLE_MS);
    unread_due(&unread, now); /* once is enough */
    assert_int_equal(looks, 5);
}

static void many_are_looked_at_in_turns(void **state)
{
    (void)state;
    for (int fd = 0; fd < CONNS; fd++)
        add(fd);
    look_again();
    assert_int_equal(looks, UNREAD_LOOKS);
    seen[CONNS - 1].received = LIMIT + 1;
    for (int i = 0; i < CONNS / UNREAD_LOOKS; i++)
        look_again();
    assert_string_equal(reasons[CONNS - 1], "unread");
    for (int fd = 0; fd < CONNS; fd++)
        unread_remove(&unread, &conns[fd]);
}

static void all_are_looked_at_when_the_process_grows(void **state)
{
    (void)state;
    for (int fd = 0; fd < CONNS; fd++)
        add(fd);
    look_again();
    seen[CONNS - 1].received = LIMIT + 1;
    memory_now += UNREAD_GROWTH + 1;
    look_again();
    assert_string_equal(reasons[CONNS - 1], "unread");
    assert_int_equal(looks, UNREAD_LOOKS + CONNS);
    look_again();
    assert_int_equal(looks, UNREAD_LOOKS + CONNS + UNREAD_LOOKS);
}

static void memory_is_given_back_a_moment_after_a_cut(void **state)
{
    (void)state;
    add(1);
    seen[1].received = LIMIT + 1;
    look_again();
    assert_string_equal(reasons[1], "unread");
    assert_int_equal(given_back, 0);
    struct instant before = now;
    look_again();
    assert_int_equal(given_back, 1);
    assert_int_equal(instant_between(before, now).us,
                     1000 * UNREAD_GIVE_BACK_MS);
    assert_true(instant_is_never(unread_deadline(&unread)));
}

/* Who held much and left of itself is as good as cut. */
static void memory_of_who_left_is_given_back(void **state)
{
    (void)state;
    unread_set_memory(&unread, 1 << 30);
    for (int i = 0; i < 2; i++) {
        add(i);
        conns[i].limit = 8 * UNREAD_FREED;
    }
    seen[0].received = UNREAD_FREED / 2;
    look_again();
    unread_remove(&unread, &conns[0]);
    look_again();
    assert_true(instant_is_never(unread.give_back_at));
    seen[1].received = UNREAD_FREED;
    look_again();
    unread_remove(&unread, &conns[1]); /* nobody is left */
    look_again();
    assert_int_equal(given_back, 0);
    look_again();
    assert_int_equal(given_back, 1);
    assert_true(instant_is_never(unread_deadline(&unread)));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_holds_too_much_is_cut),
        TEST(what_was_read_is_not_counted),
        TEST(what_waits_in_the_kernel_is_not_counted),
        TEST(who_is_gone_is_left_to_its_owner),
        TEST(of_all_together_the_largest_is_cut_first),
        TEST(none_is_cut_while_the_process_is_small),
        TEST(some_are_where_its_size_is_unknown),
        TEST(what_was_read_since_is_not_cut_for),
        TEST(who_holds_much_is_looked_at_more_often),
        TEST(many_are_looked_at_in_turns),
        TEST(all_are_looked_at_when_the_process_grows),
        TEST(memory_is_given_back_a_moment_after_a_cut),
        TEST(memory_of_who_left_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
