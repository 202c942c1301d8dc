/*
 * How much one edge can make the hub store and send: an edge that reads nothing
 * sends thousands of each kind of packet, and reconnects without end.
 */
#include "hub_kit.h"

#include "relay/core/hub_private.h"

enum { PACKETS = 4000 };

static struct kit k;
static struct kit_node a, b;

static int setup(void **state)
{
    (void)state;
    kit_open(&k);
    kit_node_make(&a, &k.mesh, 1);
    kit_node_make(&b, &k.mesh, 2);
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_close(&k);
    return 0;
}

static struct bytes kind_of(uint8_t *room, int type, bool to_nobody)
{
    struct writer w = writer_of(room, PACKET_SIZE);
    write_u8(&w, (uint8_t)type);
    switch (type) {
    case RELAY_FORWARD:
        write_bytes(&w, bytes_of(to_nobody ? a.certificate : b.id.key, 32));
        write_bytes(&w, bytes_of("packet", 6));
        break;
    case RELAY_GROUPS:
        memset(write_room(&w, GROUP_TAGS * GROUP_TAG_SIZE), type,
               GROUP_TAGS * GROUP_TAG_SIZE);
        break;
    case RELAY_SPARE:
        write_u8(&w, 1);
        write_bytes(&w, bytes_of(b.id.key, 32));
        break;
    case RELAY_MULTICAST:
        memset(write_room(&w, 32), 0, 32);
        write_u8(&w, PACKET_MULTICAST);
        memset(write_room(&w, 200), 1, 200);
        break;
    default:
        write_bytes(&w, bytes_of("01234567", 8));
    }
    return writer_bytes(&w);
}

/* Sends many packets of one kind. The hub must queue little, and write little
 * to both edges together. */
static void check_kind(int type, bool blocked, bool to_nobody)
{
    static uint8_t room[PACKET_SIZE];
    setup(NULL);
    struct bytes packet = kind_of(room, type, to_nobody);
    size_t written = 0, came = 0;
    if (blocked) {
        kit_event(&k, HUB_BLOCKED, a.conn);
        kit_event(&k, HUB_BLOCKED, b.conn);
    }
    for (int i = 0; i < PACKETS; i++) {
        came += packet.size + 64;
        kit_packet(&k, &a, packet);
        for (size_t at = 0; at < k.todos.count; at++)
            if (k.todos.items[at].kind == HUB_WRITE)
                written += k.todos.items[at].bytes.size + 64;
        if (kit_count(&k, HUB_DROP, a.conn) > 0)
            break;
    }
    size_t queued = (size_t)kit_counters(&k).queue_bytes;
    size_t most = k.conf.limits.queue * 3;
    if (queued > most || written > came + 128 * 1024)
        fail_msg("packet 0x%02x%s: %zu came, %zu queued, %zu written",
                 (unsigned)type, blocked ? " blocked" : "", came, queued,
                 written);
    teardown(NULL);
}

static void packets_make_a_hub_keep_little(void **state)
{
    (void)state;
    for (int type = 0; type < 0x40; type++) {
        check_kind(type, false, false);
        check_kind(type, true, false);
    }
    check_kind(RELAY_FORWARD, false, true);
    check_kind(RELAY_FORWARD, true, true);
}

/* A node connects again and again, with another announcement each time. The hub
 * writes to the others as little as for a node that announces all the time. */
static void connecting_anew_is_paced_like_announcing(void **state)
{
    (void)state;
    setup(NULL);
    size_t told = 0;
    for (int i = 0; i < 500; i++) {
        a.conn = 100 + (uint64_t)i;
        a.epoch++;
        kit_hello(&k, &a);
        assert_true(kit_wrote(&k, a.conn, RELAY_WELCOME));
        told += kit_told_present(&k, b.conn, &a);
    }
    assert_in_range(told, 1, HUB_ANNOUNCE_BURST);
    kit_pass(&k, span_ms(300), 0);
    assert_int_equal(kit_told_present(&k, b.conn, &a), 1);
    teardown(NULL);
}

/* A holder of the mesh's key, such as any member of a passphrase mesh, can sign
 * one revocation list after the other, and each goes to all edges. */
static void lists_are_paced(void **state)
{
    (void)state;
    static uint8_t packet[REVOCATION_SIZE + 1];
    setup(NULL);
    struct kit_node nobody;
    size_t told = 0, kept = 0;
    kit_node_make(&nobody, &k.mesh, 9);
    for (uint64_t serial = 1; serial <= 200; serial++) {
        struct revocation r = {.mesh = k.mesh.id,
                               .serial = serial,
                               .count = 1,
                               .nodes = nobody.id.key};
        packet[0] = RELAY_REVOCATION;
        size_t size =
            revocation_sign(&r, k.mesh.secret_key, packet + 1).size + 1;
        kit_packet(&k, &a, bytes_of(packet, size));
        told += kit_wrote(&k, b.conn, RELAY_REVOCATION);
        kept += kit_count(&k, HUB_KEEP, 0);
    }
    assert_int_equal(told, HUB_REVOKE_BURST);
    assert_int_equal(kept, HUB_REVOKE_BURST);
    teardown(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_make_a_hub_keep_little),
        cmocka_unit_test(connecting_anew_is_paced_like_announcing),
        cmocka_unit_test(lists_are_paced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
