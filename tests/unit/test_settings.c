/*
 * The settings that result from relay.yaml and the limit of open files.
 */
#include "relay/shell/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "relay/shell/entrance.h"

static struct relay_conf conf;

static int setup(void **state)
{
    (void)state;
    relay_conf_defaults(&conf);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    relay_conf_free(&conf);
    return 0;
}

static struct hub_conf hub_of(const struct settings_files *files)
{
    struct hub_conf h = settings_hub(&conf, files);
    settings_hub_free(&h);
    h.meshes = NULL;
    return h;
}

/* Some descriptors are left for edges beyond the limit, so that the relay can
 * refuse them. */
static void few_files_allow_few_edges_and_some_spare_places(void **state)
{
    (void)state;
    for (unsigned long limit = 1; limit < 3000; limit++) {
        struct settings_files files = {.limit = limit, .own = 24};
        size_t edges = settings_edges(&files);
        struct gate_conf gate = settings_entrance(&conf, &files).door.gate;
        assert_true(limit > 40 || edges <= 12);
        assert_true(limit < 40 || edges >= 5);
        if (edges == 0)
            continue;
        assert_int_equal(hub_of(&files).limits.edges, edges);
        assert_true(gate.sockets > edges);
        assert_true(gate.sockets + files.own < limit);
    }
}

static void many_files_change_nothing(void **state)
{
    (void)state;
    struct settings_files files = {.limit = 1 << 20, .own = 24};
    struct gate_conf gate = settings_entrance(&conf, &files).door.gate;
    assert_int_equal(hub_of(&files).limits.edges, 20000);
    assert_true(gate.sockets > 20000 && gate.sockets < 22000);
    assert_true(gate.strangers > 0 && gate.strangers < 2000);
}

static void the_parts_of_the_memory_are_all_of_it(void **state)
{
    (void)state;
    struct settings_files files = {.limit = 1 << 20, .own = 24};
    conf.limits.memory = 64 << 20;
    struct entrance_conf e = settings_entrance(&conf, &files);
    size_t hub = hub_of(&files).limits.memory;
    assert_false(e.has_front);
    assert_true(e.door.memory_unread > 0 && e.door.memory_held > 0 && hub > 0);
    assert_int_equal(e.door.memory_unread + e.door.memory_held + hub, 64 << 20);
}

/* The door and libzmq share what one of them alone would have. */
static void both_ways_in_hold_no_more_than_one(void **state)
{
    (void)state;
    char text[] = "*:444";
    char *endpoint[] = {text};
    struct settings_files files = {.limit = 1 << 20, .own = 24};
    struct entrance_conf one = settings_entrance(&conf, &files);
    struct conf_list none = conf.listen.curve;
    conf.listen.curve = (struct conf_list){.items = endpoint, .count = 1};
    struct entrance_conf two = settings_entrance(&conf, &files);
    conf.listen.curve = none;
    assert_true(two.has_front);
    assert_int_equal(two.door.memory_unread + two.front.memory_unread,
                     one.door.memory_unread);
    assert_int_equal(two.door.memory_held + two.front.memory_held,
                     one.door.memory_held);
    assert_int_equal(two.door.first_id % 2, 1);
    assert_int_equal(two.door.id_step, 2);
    assert_int_equal(two.front.id_step, 2);
}

static void handshakes_are_chosen_by_the_cores_or_told(void **state)
{
    (void)state;
    struct settings_files files = {.limit = 1 << 20, .own = 24};
    assert_int_equal(
        settings_entrance(&conf, &files).door.gate.handshakes % 256, 0);
    assert_true(settings_entrance(&conf, &files).door.gate.handshakes > 0);
    conf.limits.handshakes = 17;
    assert_int_equal(settings_entrance(&conf, &files).door.gate.handshakes, 17);
}

/* libzmq holds no more for all slow readers than is allowed, as long as that is
 * a packet for each. */
static void slow_readers_share_what_libzmq_may_hold(void **state)
{
    (void)state;
    size_t memory = 16 << 20;
    struct carriers all = {.conf = {.credit = FRONT_CREDIT,
                                    .credit_least = FRONT_CREDIT_LEAST,
                                    .memory = memory}};
    assert_int_equal(carriers_credit(&all), FRONT_CREDIT);
    for (; all.blocked_count < 100; all.blocked_count++)
        assert_true(all.blocked_count * carriers_credit(&all) <= memory);
    all.blocked_count = 100000;
    assert_int_equal(carriers_credit(&all), FRONT_CREDIT_LEAST);
    assert_true((int)FRONT_CREDIT_LEAST > (int)PACKET_SIZE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(few_files_allow_few_edges_and_some_spare_places),
        TEST(many_files_change_nothing),
        TEST(the_parts_of_the_memory_are_all_of_it),
        TEST(both_ways_in_hold_no_more_than_one),
        TEST(handshakes_are_chosen_by_the_cores_or_told),
        TEST(slow_readers_share_what_libzmq_may_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
