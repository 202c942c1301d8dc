#include "hub_kit.h"

#include "common/wire/multicast.h"

enum { NODES = 8 };

static struct kit k;
static struct kit_node nodes[NODES]; /* nodes[0] publishes */

static int setup(void **state)
{
    (void)state;
    kit_open(&k);
    for (uint16_t i = 0; i < NODES; i++) {
        kit_node_make(&nodes[i], &k.mesh, (uint16_t)(i + 1));
        kit_hello(&k, &nodes[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_close(&k);
    return 0;
}

static uint8_t room[PACKET_SIZE + 100];

static struct group_tag tag_of(uint32_t number)
{
    struct group_tag tag = {{0}};
    memcpy(tag.bytes + 3, &number, sizeof number);
    return tag;
}

/* Sends GROUPS with the tags of `first` and of the numbers after it. */
static void want(const struct kit_node *n, uint32_t first, size_t count)
{
    struct writer w = writer_of(room, sizeof room);
    write_u8(&w, RELAY_GROUPS);
    for (uint32_t i = 0; i < count; i++) {
        struct group_tag tag = tag_of(first + i);
        write_bytes(&w, bytes_of(tag.bytes, GROUP_TAG_SIZE));
    }
    assert_true(writer_ok(&w));
    kit_packet(&k, n, writer_bytes(&w));
}

static void spare(const struct kit_node *n, const struct node_id *whom,
                  uint8_t flag)
{
    struct writer w = writer_of(room, sizeof room);
    write_u8(&w, RELAY_SPARE);
    write_u8(&w, flag);
    write_bytes(&w, bytes_of(whom->key, KEY_SIZE));
    kit_packet(&k, n, writer_bytes(&w));
}

/* Writes a MULTICAST with `size` sealed bytes into `room`. */
static struct bytes multicast_of(uint32_t tag, size_t size)
{
    static const uint8_t zeros[KEY_SIZE];
    struct multicast_packet m = {.tag = tag_of(tag), .key = 1, .number = 9};
    struct writer w = writer_of(room, sizeof room);
    write_u8(&w, RELAY_MULTICAST);
    write_bytes(&w, bytes_of(zeros, KEY_SIZE));
    multicast_header_encode(&m, &w);
    uint8_t *rest = write_room(&w, size + MULTICAST_SEAL_SIZE + SIGNATURE_SIZE);
    assert_non_null(rest);
    memset(rest, 0x5a, size + MULTICAST_SEAL_SIZE + SIGNATURE_SIZE);
    return writer_bytes(&w);
}

static void publish(const struct kit_node *n, uint32_t tag, size_t size)
{
    kit_packet(&k, n, multicast_of(tag, size));
}

/* The edges that get the packet at once, as a bit for each place in `nodes`. */
static unsigned int receivers(void)
{
    unsigned int bits = 0;
    for (int i = 0; i < NODES; i++) {
        size_t count = kit_count(&k, HUB_FORWARD, nodes[i].conn);
        assert_true(count <= 1);
        bits |= count > 0 ? 1u << i : 0;
    }
    return bits;
}

static unsigned int published(const struct kit_node *n, uint32_t tag)
{
    publish(n, tag, 10);
    assert_int_equal(kit_count(&k, HUB_WRITE, n->conn), 0);
    return receivers();
}

/* ---- Receivers --------------------------------------------------------- */

static void it_goes_to_the_members_of_the_group(void **state)
{
    (void)state;
    want(&nodes[0], 7, 1); /* the sender itself hears nothing */
    want(&nodes[1], 7, 1);
    want(&nodes[2], 8, 1);
    want(&nodes[3], 6, 3);
    assert_int_equal(k.todos.count, 0);
    assert_int_equal(published(&nodes[0], 7), 1 << 1 | 1 << 3);
    assert_int_equal(published(&nodes[0], 8), 1 << 2 | 1 << 3);
    assert_int_equal(published(&nodes[0], 5), 0);
    /* An edge that is not in the group may publish to it. */
    assert_int_equal(published(&nodes[4], 7), 1 << 0 | 1 << 1 | 1 << 3);
    assert_int_equal(kit_counters(&k).multicasts, 4);
    assert_int_equal(kit_counters(&k).copies, 7);
}

static void it_is_stamped_in_place_with_its_sender(void **state)
{
    (void)state;
    want(&nodes[1], 7, 1);
    want(&nodes[2], 7, 1);
    struct bytes packet = multicast_of(7, 100);
    hub_todos_clear(&k.todos);
    hub_step(k.hub, k.now,
             &(struct hub_event){.kind = HUB_PACKET,
                                 .conn = nodes[0].conn,
                                 .data = room,
                                 .size = packet.size},
             &k.todos);
    assert_int_equal(k.todos.count, 2);
    assert_int_equal(room[0], RELAY_MULTICASTED);
    assert_memory_equal(room + 1, nodes[0].id.key, KEY_SIZE);
    struct multicast_packet m;
    assert_true(multicast_decode(
        bytes_of(room + FORWARD_HEADER_SIZE, packet.size - FORWARD_HEADER_SIZE),
        true, &m));
    struct group_tag tag = tag_of(7);
    assert_true(group_tag_equal(&m.tag, &tag));
}

static void groups_replace_those_before(void **state)
{
    (void)state;
    want(&nodes[1], 1, GROUP_TAGS);
    assert_int_equal(published(&nodes[0], GROUP_TAGS), 1 << 1);
    want(&nodes[1], 2, 2);
    assert_int_equal(published(&nodes[0], 1), 0);
    assert_int_equal(published(&nodes[0], 2), 1 << 1);
    assert_int_equal(published(&nodes[0], 3), 1 << 1);
    assert_int_equal(published(&nodes[0], 4), 0);
    want(&nodes[1], 0, 0);
    assert_int_equal(published(&nodes[0], 2), 0);
}

static void a_tag_told_twice_counts_once(void **state)
{
    (void)state;
    uint8_t packet[1 + 3 * GROUP_TAG_SIZE] = {RELAY_GROUPS};
    struct group_tag tag = tag_of(7);
    struct group_tag other = tag_of(8);
    memcpy(packet + 1, tag.bytes, GROUP_TAG_SIZE);
    memcpy(packet + 1 + GROUP_TAG_SIZE, other.bytes, GROUP_TAG_SIZE);
    memcpy(packet + 1 + 2 * GROUP_TAG_SIZE, tag.bytes, GROUP_TAG_SIZE);
    kit_packet(&k, &nodes[1], bytes_of(packet, sizeof packet));
    assert_int_equal(published(&nodes[0], 7), 1 << 1);
    kit_event(&k, HUB_CLOSED, nodes[1].conn);
    assert_int_equal(published(&nodes[0], 7), 0);
}

static void meshes_are_apart(void **state)
{
    (void)state;
    struct kit_mesh other;
    struct kit_node c;
    kit_mesh_make(&other, 9);
    kit_node_make(&c, &other, 100);
    k.conf.any_mesh = true;
    kit_reconfigure(&k);
    kit_hello(&k, &c);
    want(&c, 7, 1);
    want(&nodes[1], 7, 1);
    publish(&nodes[0], 7, 10);
    assert_int_equal(kit_count(&k, HUB_FORWARD, c.conn), 0);
    assert_int_equal(published(&nodes[0], 7), 1 << 1);
    assert_int_equal(published(&c, 7), 0);
}

/* ---- Edges that come and go -------------------------------------------- */

static void an_edge_that_left_the_group_gets_no_more(void **state)
{
    (void)state;
    for (int i = 1; i < 6; i++)
        want(&nodes[i], 7, 2);
    static const uint8_t bye = RELAY_BYE;
    kit_packet(&k, &nodes[3], bytes_of(&bye, 1));
    assert_int_equal(published(&nodes[0], 7), 0x36);
    kit_event(&k, HUB_CLOSED, nodes[1].conn);
    assert_int_equal(published(&nodes[0], 8), 0x34);
    kit_event(&k, HUB_CLOSED, nodes[5].conn);
    assert_int_equal(published(&nodes[0], 7), 0x14);
    kit_event(&k, HUB_CLOSED, nodes[2].conn);
    kit_event(&k, HUB_CLOSED, nodes[4].conn);
    assert_int_equal(published(&nodes[0], 7), 0);
}

static void a_new_connection_begins_without_groups(void **state)
{
    (void)state;
    want(&nodes[1], 7, 1);
    spare(&nodes[1], &nodes[2].id, 1);
    want(&nodes[2], 7, 1);
    nodes[1].conn = 99;
    kit_hello(&k, &nodes[1]);
    assert_int_equal(published(&nodes[0], 7), 1 << 2);
    want(&nodes[1], 7, 1);
    assert_int_equal(published(&nodes[0], 7), 1 << 1 | 1 << 2);
    /* Its SPARE list is forgotten, too. */
    assert_int_equal(published(&nodes[1], 7), 1 << 2);
}

static void an_edge_that_is_gone_publishes_nothing(void **state)
{
    (void)state;
    want(&nodes[1], 7, 1);
    kit_event(&k, HUB_CLOSED, nodes[0].conn);
    /* This packet is the first one of a connection, and not a HELLO. */
    publish(&nodes[0], 7, 10);
    assert_int_equal(kit_count(&k, HUB_FORWARD, nodes[1].conn), 0);
    kit_expect_refused(&k, nodes[0].conn, REFUSAL_MALFORMED);
}

/* ---- Edges that the sender spares -------------------------------------- */

static void a_spared_edge_gets_nothing_of_that_sender(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        want(&nodes[i], 7, 1);
    spare(&nodes[0], &nodes[2].id, 1);
    assert_int_equal(k.todos.count, 0);
    assert_int_equal(published(&nodes[0], 7), 1 << 1 | 1 << 3);
    assert_int_equal(published(&nodes[1], 7), 1 << 0 | 1 << 2 | 1 << 3);
    /* SPARE names the node, whatever its connection. */
    nodes[2].conn = 99;
    kit_hello(&k, &nodes[2]);
    want(&nodes[2], 7, 1);
    assert_int_equal(published(&nodes[0], 7), 1 << 1 | 1 << 3);
    spare(&nodes[0], &nodes[2].id, 0);
    assert_int_equal(published(&nodes[0], 7), 1 << 1 | 1 << 2 | 1 << 3);
    spare(&nodes[0], &nodes[2].id,
          0); /* once more, when the list is empty already */
    assert_int_equal(kit_counters(&k).dropped[REFUSAL_MALFORMED], 0);
}

static void nodes_beyond_the_limit_are_not_spared(void **state)
{
    (void)state;
    enum { SPARED = 1024 };
    want(&nodes[1], 7, 1);
    for (uint32_t i = 0; i < SPARED; i++) {
        struct node_id id = {{1}};
        memcpy(id.key + 4, &i, sizeof i);
        spare(&nodes[0], &id, 1);
    }
    spare(&nodes[0], &nodes[1].id, 1);
    assert_int_equal(published(&nodes[0], 7), 1 << 1);
    struct node_id one = {{1}};
    spare(&nodes[0], &one, 0);
    spare(&nodes[0], &nodes[1].id, 1);
    assert_int_equal(published(&nodes[0], 7), 0);
}

/* ---- Bad packets ------------------------------------------------------- */

/* Expects that the hub counts the packet, and does nothing else. */
static void expect_dropped(const struct kit_node *from, struct bytes packet,
                           enum refusal reason)
{
    uint64_t before = kit_counters(&k).dropped[reason];
    kit_packet(&k, from, packet);
    assert_int_equal(k.todos.count, 0);
    assert_int_equal(kit_counters(&k).dropped[reason], before + 1);
}

static void bad_groups_change_nothing(void **state)
{
    (void)state;
    static const uint8_t many[1 + (GROUP_TAGS + 1) * GROUP_TAG_SIZE] = {
        RELAY_GROUPS};
    want(&nodes[1], 7, 1);
    expect_dropped(&nodes[1], bytes_of(many, sizeof many), REFUSAL_MALFORMED);
    for (size_t cut = 1; cut < GROUP_TAG_SIZE; cut++)
        expect_dropped(&nodes[1], bytes_of(many, 1 + 2 * GROUP_TAG_SIZE - cut),
                       REFUSAL_MALFORMED);
    assert_int_equal(published(&nodes[0], 7), 1 << 1);
}

static void bad_spares_change_nothing(void **state)
{
    (void)state;
    uint8_t list[1 + 2 * (1 + KEY_SIZE)] = {RELAY_SPARE, 1};
    want(&nodes[1], 7, 1);
    memcpy(list + 2, nodes[1].id.key, KEY_SIZE);
    list[1 + 1 + KEY_SIZE] = 2;
    expect_dropped(&nodes[0], bytes_of(list, sizeof list), REFUSAL_MALFORMED);
    list[1 + 1 + KEY_SIZE] = 1;
    for (size_t size = 1; size < sizeof list; size++) {
        if (size != 1 + 1 + KEY_SIZE)
            expect_dropped(&nodes[0], bytes_of(list, size), REFUSAL_MALFORMED);
    }
    assert_int_equal(published(&nodes[0], 7), 1 << 1);
}

static void bad_multicasts_go_nowhere(void **state)
{
    (void)state;
    want(&nodes[1], 7, 1);
    struct bytes whole = multicast_of(7, 0);
    for (size_t size = 1; size < whole.size; size++)
        expect_dropped(&nodes[0], bytes_of(room, size), REFUSAL_MALFORMED);
    room[FORWARD_HEADER_SIZE] = PACKET_SEALED;
    expect_dropped(&nodes[0], whole, REFUSAL_MALFORMED);
    /* Only zeros stand where the sender's id will be. */
    multicast_of(7, 0);
    room[FORWARD_HEADER_SIZE - 1] = 1;
    expect_dropped(&nodes[0], whole, REFUSAL_MALFORMED);
    assert_int_equal(kit_counters(&k).multicasts, 0);
    publish(&nodes[0], 7, 0);
    assert_int_equal(receivers(), 1 << 1);
}

static void the_largest_passes_and_no_larger(void **state)
{
    (void)state;
    want(&nodes[1], 7, 1);
    publish(&nodes[0], 7, MULTICAST_CONTENT_SIZE);
    assert_int_equal(receivers(), 1 << 1);
    expect_dropped(&nodes[0], multicast_of(7, MULTICAST_CONTENT_SIZE + 1),
                   REFUSAL_TOO_LARGE);
}

static void the_rate_limit_counts_it_once(void **state)
{
    (void)state;
    for (int i = 1; i < NODES; i++)
        want(&nodes[i], 7, 1);
    k.conf.limits.rate = 100000;
    kit_reconfigure(&k);
    size_t overhead = multicast_of(7, 0).size;
    int passed = 0;
    for (int i = 0; i < 1000; i++) {
        publish(&nodes[0], 7, 1000 - overhead);
        passed += receivers() == 0xfe;
    }
    assert_int_equal(passed, 100);
    expect_dropped(&nodes[0], multicast_of(7, 1000), REFUSAL_QUEUE_FULL);
}

/* ---- Blocked edges ----------------------------------------------------- */

static void a_blocked_edge_gets_it_later(void **state)
{
    (void)state;
    want(&nodes[1], 7, 1);
    want(&nodes[2], 7, 1);
    kit_event(&k, HUB_BLOCKED, nodes[1].conn);
    publish(&nodes[0], 7, 10);
    assert_int_equal(receivers(), 1 << 2);
    publish(&nodes[3], 7, 11);
    kit_event(&k, HUB_WRITABLE, nodes[1].conn);
    for (size_t i = 0; i < 2; i++) {
        struct bytes p = kit_written(&k, nodes[1].conn, RELAY_MULTICASTED, i);
        assert_int_equal(p.size, multicast_of(7, 10 + i).size);
        assert_memory_equal(p.data + 1, nodes[3 * i].id.key, KEY_SIZE);
        assert_memory_equal(p.data + FORWARD_HEADER_SIZE,
                            room + FORWARD_HEADER_SIZE,
                            p.size - FORWARD_HEADER_SIZE);
    }
    assert_int_equal(kit_counters(&k).queue_bytes, 0);
    assert_int_equal(kit_counters(&k).copies, 4);
}

static void packets_beyond_the_queue_are_dropped_silently(void **state)
{
    (void)state;
    want(&nodes[1], 7, 1);
    want(&nodes[2], 7, 1);
    kit_event(&k, HUB_BLOCKED, nodes[1].conn);
    int kept = 0;
    while (kit_counters(&k).dropped[REFUSAL_QUEUE_FULL] == 0 && kept < 1000) {
        publish(&nodes[0], 7, 10000);
        assert_int_equal(receivers(), 1 << 2);
        assert_int_equal(k.todos.count, 1);
        kept++;
    }
    assert_in_range(kept, 90, 105); /* of 10 kB in 1 MiB */
    assert_true(kit_counters(&k).queue_bytes <= k.conf.limits.queue);
    kit_event(&k, HUB_CLOSED, nodes[1].conn);
    assert_int_equal(kit_counters(&k).queue_bytes, 0);
}

/* The hub does not report a displaced multicast either; it reports a displaced
 * FORWARD to its sender. */
static void a_displaced_multicast_is_dropped_silently(void **state)
{
    (void)state;
    want(&nodes[1], 7, 1);
    kit_event(&k, HUB_BLOCKED, nodes[1].conn);
    while (kit_counters(&k).dropped[REFUSAL_QUEUE_FULL] == 0)
        publish(&nodes[0], 7, 10000);
    publish(&nodes[2], 7, 20000);
    assert_int_equal(k.todos.count, 0);
    assert_in_range(kit_counters(&k).dropped[REFUSAL_QUEUE_FULL], 2, 4);
    assert_true(kit_counters(&k).queue_bytes <= k.conf.limits.queue);
    kit_event(&k, HUB_WRITABLE, nodes[1].conn);
    struct bytes p;
    for (size_t i = 0;
         (p = kit_written(&k, nodes[1].conn, RELAY_MULTICASTED, i)).size > 0;
         i++) {
        if (memcmp(p.data + 1, nodes[2].id.key, KEY_SIZE) == 0)
            return;
    }
    fail();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_goes_to_the_members_of_the_group),
        TEST(it_is_stamped_in_place_with_its_sender),
        TEST(groups_replace_those_before),
        TEST(a_tag_told_twice_counts_once),
        TEST(meshes_are_apart),
        TEST(an_edge_that_left_the_group_gets_no_more),
        TEST(a_new_connection_begins_without_groups),
        TEST(an_edge_that_is_gone_publishes_nothing),
        TEST(a_spared_edge_gets_nothing_of_that_sender),
        TEST(nodes_beyond_the_limit_are_not_spared),
        TEST(bad_groups_change_nothing),
        TEST(bad_spares_change_nothing),
        TEST(bad_multicasts_go_nowhere),
        TEST(the_largest_passes_and_no_larger),
        TEST(the_rate_limit_counts_it_once),
        TEST(a_blocked_edge_gets_it_later),
        TEST(packets_beyond_the_queue_are_dropped_silently),
        TEST(a_displaced_multicast_is_dropped_silently),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
