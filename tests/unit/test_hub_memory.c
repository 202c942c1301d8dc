/*
 * The memory of a fan-out. The hub allocates by calloc and realloc
 * (common/base/memory.c); the test counts these calls on their way to libc.
 */
#include "hub_kit.h"

#include "common/wire/multicast.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTED 0 /* The sanitizers have an allocator of their own. */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTED 0
#endif
#endif
#ifndef COUNTED
#define COUNTED 1
#endif

enum { NODES = 1001 }; /* the first publishes */

static struct {
    size_t calls;
    size_t bytes;
} allocated;

#if COUNTED
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

/* libc's names are reserved.
 * NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
void *calloc(size_t count, size_t size)
{
    allocated.calls++;
    allocated.bytes += count * size;
    return __libc_calloc(count, size);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
void *realloc(void *old, size_t size)
{
    allocated.calls++;
    allocated.bytes += size;
    return __libc_realloc(old, size);
}
#endif

static struct kit k;
static struct kit_node nodes[NODES];

static int setup(void **state)
{
    (void)state;
    uint8_t groups[1 + GROUP_TAG_SIZE] = {RELAY_GROUPS};
    kit_open(&k);
    k.conf.limits.edges = NODES;
    k.conf.limits.edges_per_mesh = NODES;
    k.conf.limits.edges_per_address = NODES;
    kit_reconfigure(&k);
    for (uint16_t i = 0; i < NODES; i++) {
        kit_node_make(&nodes[i], &k.mesh, (uint16_t)(i + 1));
        kit_hello(&k, &nodes[i]);
        kit_packet(&k, &nodes[i], bytes_of(groups, sizeof groups));
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_close(&k);
    return 0;
}

static void publish(void)
{
    static uint8_t packet[60000];
    memset(packet, 0, sizeof packet);
    packet[0] = RELAY_MULTICAST;
    packet[FORWARD_HEADER_SIZE] = PACKET_MULTICAST;
    packet[FORWARD_HEADER_SIZE + 1 + GROUP_TAG_SIZE] = 1; /* key */
    packet[FORWARD_HEADER_SIZE + 1 + GROUP_TAG_SIZE + 4] = 1;
    hub_todos_clear(&k.todos);
    allocated.calls = allocated.bytes = 0;
    hub_step(k.hub, k.now,
             &(struct hub_event){.kind = HUB_PACKET,
                                 .conn = nodes[0].conn,
                                 .data = packet,
                                 .size = sizeof packet},
             &k.todos);
}

static void a_fan_out_allocates_nothing(void **state)
{
    (void)state;
    if (!COUNTED)
        skip();
    publish(); /* makes the todo list allocate its memory */
    publish();
    assert_int_equal(k.todos.count, NODES - 1);
    assert_int_equal(allocated.calls, 0);
}

static void the_blocked_share_one_copy(void **state)
{
    (void)state;
    if (!COUNTED)
        skip();
    for (int i = 1; i < NODES; i++)
        kit_event(&k, HUB_BLOCKED, nodes[i].conn);
    publish();
    assert_int_equal(k.todos.count, 0);
    assert_true(allocated.bytes > 60000);
    assert_true(allocated.bytes < 60000 + NODES * 1024);
    publish(); /* allocates less: the first one made the queues */
    assert_true(allocated.bytes < 60000 + NODES * 128);
    struct hub_counters c;
    hub_counters_get(k.hub, &c);
    assert_int_equal(c.copies, 2 * (NODES - 1));
    for (int i = 1; i < NODES; i++)
        kit_event(&k, HUB_WRITABLE, nodes[i].conn);
    assert_int_equal(kit_count(&k, HUB_WRITE, nodes[NODES - 1].conn), 2);
    hub_counters_get(k.hub, &c);
    assert_int_equal(c.queue_bytes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fan_out_allocates_nothing),
        TEST(the_blocked_share_one_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
