#include "hub_kit.h"

static struct kit k;
static struct kit_node a;
static struct kit_node b;
static uint8_t list[REVOCATION_SIZE];

static int setup(void **state)
{
    (void)state;
    kit_open(&k);
    kit_node_make(&a, &k.mesh, 1);
    kit_node_make(&b, &k.mesh, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_close(&k);
    return 0;
}

static struct bytes revoke(const struct kit_mesh *m, uint64_t serial,
                           const struct kit_node *node)
{
    struct revocation r = {
        .mesh = m->id, .serial = serial, .count = 1, .nodes = node->id.key};
    return revocation_sign(&r, m->secret_key, list);
}

static void from_file(struct bytes bytes)
{
    uint8_t copy[REVOCATION_SIZE];
    memcpy(copy, bytes.data, bytes.size);
    kit_step(&k, (struct hub_event){
                     .kind = HUB_REVOKE, .data = copy, .size = bytes.size});
}

static void from_edge(const struct kit_node *n, struct bytes bytes)
{
    static uint8_t packet[REVOCATION_SIZE + 1];
    packet[0] = RELAY_REVOCATION;
    memcpy(packet + 1, bytes.data, bytes.size);
    kit_packet(&k, n, bytes_of(packet, bytes.size + 1));
}

static size_t kept(void)
{
    return kit_count(&k, HUB_KEEP, 0);
}

static void a_revoked_node_does_not_come_in(void **state)
{
    (void)state;
    from_file(revoke(&k.mesh, 1, &a));
    assert_int_equal(kept(), 1);
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_REVOKED);
    kit_hello(&k, &b);
    assert_true(kit_wrote(&k, b.conn, RELAY_WELCOME));
}

static void an_edge_with_an_older_list_gets_the_newer(void **state)
{
    (void)state;
    struct bytes bytes = revoke(&k.mesh, 5, &a);
    from_file(bytes);
    b.revocation_serial = 4;
    kit_hello(&k, &b);
    struct bytes packet = kit_written(&k, b.conn, RELAY_REVOCATION, 0);
    assert_int_equal(packet.size, bytes.size + 1);
    assert_memory_equal(packet.data + 1, bytes.data, bytes.size);
    struct relay_welcome welcome;
    assert_true(relay_welcome_decode(kit_written(&k, b.conn, RELAY_WELCOME, 0),
                                     &welcome));
    assert_int_equal(welcome.revocation_serial, 5);

    b.conn = 50;
    b.revocation_serial = 5;
    kit_hello(&k, &b);
    assert_false(kit_wrote(&k, 50, RELAY_REVOCATION));
}

static void a_list_from_an_edge_spreads_and_is_kept(void **state)
{
    (void)state;
    struct kit_node c;
    kit_node_make(&c, &k.mesh, 3);
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    kit_hello(&k, &c);
    from_edge(&b, revoke(&k.mesh, 1, &a));
    assert_int_equal(kept(), 1);
    kit_expect_refused(&k, a.conn, REFUSAL_REVOKED);
    assert_true(kit_wrote(&k, c.conn, RELAY_REVOCATION));
    assert_false(kit_wrote(&k, b.conn, RELAY_REVOCATION));
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_REVOKED));
    assert_true(kit_told_gone(&k, c.conn, &a, DEPARTURE_REVOKED));
    assert_int_equal(kit_edges(&k), 2);

    from_edge(&c, revoke(&k.mesh, 1, &b)); /* not newer */
    assert_int_equal(k.todos.count, 0);
}

static void an_edge_that_sends_its_own_revocation_goes_too(void **state)
{
    (void)state;
    kit_hello(&k, &a);
    from_edge(&a, revoke(&k.mesh, 1, &a));
    kit_expect_refused(&k, a.conn, REFUSAL_REVOKED);
    assert_int_equal(kit_edges(&k), 0);
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_REVOKED);
}

static void a_forged_list_ends_its_sender(void **state)
{
    (void)state;
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    revoke(&k.mesh, 1, &a);
    list[4 + KEY_SIZE + 8 + 4] ^= 1; /* a node */
    from_edge(&b, bytes_of(list, 4 + 32 + 8 + 4 + 32 + 64));
    kit_expect_refused(&k, b.conn, REFUSAL_FORGED);
    assert_int_equal(kept(), 0);
    assert_int_equal(kit_edges(&k), 1);
}

static void a_forged_file_changes_nothing(void **state)
{
    (void)state;
    kit_hello(&k, &a);
    struct bytes bytes = revoke(&k.mesh, 1, &a);
    list[bytes.size - 1] ^= 1;
    from_file(bytes);
    assert_int_equal(k.todos.count, 0);
    from_file(bytes_of(list, 3));
    from_file(bytes_of(list, 0));
    assert_int_equal(k.todos.count, 0);
    assert_int_equal(kit_edges(&k), 1);
}

static void another_meshs_list_is_not_taken(void **state)
{
    (void)state;
    struct kit_mesh other;
    kit_mesh_make(&other, 9);
    kit_hello(&k, &a);
    from_file(revoke(&other, 1, &a));
    assert_int_equal(k.todos.count, 0);
    from_edge(&a, revoke(&other, 1, &a));
    assert_int_equal(k.todos.count, 0);
    assert_int_equal(kit_edges(&k), 1);
}

static void an_edge_speaks_for_its_own_mesh_only(void **state)
{
    (void)state;
    struct kit_mesh other;
    kit_mesh_make(&other, 9);
    k.conf.any_mesh = true;
    kit_reconfigure(&k);
    kit_hello(&k, &a);
    from_edge(&a, revoke(&other, 1, &a));
    assert_int_equal(k.todos.count, 0);
    assert_int_equal(kit_edges(&k), 1);
}

static void a_list_outlives_its_meshs_edges(void **state)
{
    (void)state;
    k.conf.any_mesh = true;
    kit_reconfigure(&k);
    kit_hello(&k, &b);
    from_edge(&b, revoke(&k.mesh, 1, &a));
    kit_event(&k, HUB_CLOSED, b.conn);
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_REVOKED);
}

static void an_open_relay_does_not_keep_lists_without_end(void **state)
{
    (void)state;
    k.conf.any_mesh = true;
    kit_reconfigure(&k);
    for (int i = 0; i < 1100; i++) {
        struct kit_mesh other;
        uint8_t seed[32] = {5, (uint8_t)i, (uint8_t)(i >> 8)};
        crypto_sign_seed_keypair(other.id.key, other.secret_key, seed);
        from_file(revoke(&other, 1, &a));
    }
    kit_hello(&k, &a);
    assert_true(kit_wrote(&k, a.conn, RELAY_WELCOME));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_revoked_node_does_not_come_in),
        TEST(an_edge_with_an_older_list_gets_the_newer),
        TEST(a_list_from_an_edge_spreads_and_is_kept),
        TEST(an_edge_that_sends_its_own_revocation_goes_too),
        TEST(a_forged_list_ends_its_sender),
        TEST(a_forged_file_changes_nothing),
        TEST(another_meshs_list_is_not_taken),
        TEST(an_edge_speaks_for_its_own_mesh_only),
        TEST(a_list_outlives_its_meshs_edges),
        TEST(an_open_relay_does_not_keep_lists_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
