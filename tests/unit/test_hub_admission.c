#include "hub_kit.h"
#include "recorded.h"

static struct kit k;
static struct kit_node a;
static struct kit_node b;

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

static void a_good_hello_is_welcome(void **state)
{
    (void)state;
    kit_hello(&k, &a);

    struct relay_welcome welcome;
    assert_true(relay_welcome_decode(kit_written(&k, a.conn, RELAY_WELCOME, 0),
                                     &welcome));
    assert_int_equal(welcome.boot, 99);
    assert_string_equal(welcome.name, "relay-1");
    assert_true(address_equal(&welcome.outside, &a.address));
    assert_true(kit_wrote(&k, a.conn, RELAY_SYNCED));
    assert_false(kit_wrote(&k, a.conn, RELAY_PRESENT));
    assert_int_equal(kit_log(&k, a.conn)->log.what, HUB_EDGE_UP);
    assert_string_equal(kit_log(&k, a.conn)->log.name, "node-1");
    assert_int_equal(kit_edges(&k), 1);
}

static void the_first_packet_must_be_a_hello(void **state)
{
    (void)state;
    static const uint8_t ping[9] = {RELAY_PING};
    kit_packet(&k, &a, bytes_of(ping, sizeof ping));
    kit_expect_refused(&k, a.conn, REFUSAL_MALFORMED);
    kit_packet(&k, &a, bytes_of(NULL, 0));
    kit_expect_refused(&k, a.conn, REFUSAL_MALFORMED);
}

static void a_hello_cut_short_is_malformed(void **state)
{
    (void)state;
    static uint8_t room[64 * 1024];
    struct bytes hello = kit_hello_bytes(&a, room);
    for (size_t size = 2; size < hello.size; size++) {
        kit_packet(&k, &a, bytes_of(hello.data, size));
        kit_expect_refused(&k, a.conn, REFUSAL_MALFORMED);
    }
    assert_int_equal(kit_edges(&k), 0);
}

static void another_version_is_told_so(void **state)
{
    (void)state;
    static uint8_t room[64 * 1024];
    static const uint8_t others[] = {0, PROTOCOL_VERSION + 2, 255};
    struct bytes hello = kit_hello_bytes(&a, room);
    for (size_t i = 0; i < sizeof others; i++) {
        room[1] = others[i];
        kit_packet(&k, &a, hello);
        kit_expect_refused(&k, a.conn, REFUSAL_VERSION);
        kit_packet(&k, &a, bytes_of(room, 2)); /* The hub reads nothing else. */
        kit_expect_refused(&k, a.conn, REFUSAL_VERSION);
    }
}

static void check_welcome(struct bytes hello, uint8_t version)
{
    struct relay_welcome welcome;
    a.conn++;
    kit_packet(&k, &a, hello);
    assert_true(relay_welcome_decode(kit_written(&k, a.conn, RELAY_WELCOME, 0),
                                     &welcome));
    assert_int_equal(welcome.version, version);
}

/* [P-1.3] */
static void recorded_edges_are_welcome_in_their_version(void **state)
{
    (void)state;
    static uint8_t room[64 * 1024];
    check_welcome(recorded(relay_hello_1, room), 1);
    struct bytes hello = recorded(relay_hello_2, room);
    check_welcome(hello, 2);
    /* The next version speaks this one, too, and may have more fields in its
     * HELLO. */
    room[1] = 3;
    memset(room + hello.size, 7, 50);
    check_welcome(bytes_of(room, hello.size + 50), 2);
    room[1] = 2;
    a.conn++;
    kit_packet(&k, &a, bytes_of(room, hello.size + 50));
    kit_expect_refused(&k, a.conn, REFUSAL_MALFORMED);
}

static void a_mesh_not_served_is_refused(void **state)
{
    (void)state;
    struct kit_mesh other;
    kit_mesh_make(&other, 9);
    kit_certify(&a, &other, "node-1", KIT_UNIX + 100);
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_MESH_UNKNOWN);
}

static void an_open_relay_serves_any_mesh(void **state)
{
    (void)state;
    struct kit_mesh other;
    kit_mesh_make(&other, 9);
    kit_certify(&a, &other, "node-1", KIT_UNIX + 100);
    k.conf.any_mesh = true;
    kit_reconfigure(&k);
    kit_hello(&k, &a);
    assert_true(kit_wrote(&k, a.conn, RELAY_WELCOME));
}

static void a_forged_certificate_is_refused(void **state)
{
    (void)state;
    /* Every byte except the signature's own counts; the test changes a sample
     * of them. */
    for (size_t i = 4 + KEY_SIZE; i < a.certificate_size; i += 7) {
        a.certificate[i] ^= 1;
        kit_hello(&k, &a);
        assert_int_equal(kit_count(&k, HUB_DROP, a.conn), 1);
        assert_false(kit_wrote(&k, a.conn, RELAY_WELCOME));
        a.certificate[i] ^= 1;
    }
    a.certificate[a.certificate_size - 1] ^= 1;
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_FORGED);
    assert_string_equal(kit_log(&k, a.conn)->log.name, "node-1");
}

static void an_expired_certificate_is_refused(void **state)
{
    (void)state;
    kit_certify(&a, &k.mesh, "node-1", KIT_UNIX);
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_EXPIRED);
}

static void a_certificate_of_the_future_is_refused(void **state)
{
    (void)state;
    kit_step(&k, (struct hub_event){.kind = HUB_CLOCK,
                                    .unix_seconds = KIT_UNIX - 1000});
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_NOT_YET);
}

static void time_goes_on_between_clocks(void **state)
{
    (void)state;
    kit_certify(&a, &k.mesh, "node-1", KIT_UNIX + 10);
    k.now = instant_after(k.now, span_s(11));
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_EXPIRED);
}

static void nobody_comes_in_without_a_clock(void **state)
{
    (void)state;
    hub_free(k.hub);
    k.hub = hub_new(&k.conf, k.now);
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_NOT_YET);
}

/* The relay's clock as the i-th CLOCK says it; 0: there is none. */
static uint64_t told_clock(const struct kit_node *to, size_t i)
{
    struct bytes packet = kit_written(&k, to->conn, RELAY_CLOCK, i);
    struct reader r = reader_of(packet);
    if (packet.size == 0)
        return 0;
    (void)read_u8(&r);
    uint64_t unix_seconds = read_u64(&r);
    assert_true(reader_done(&r));
    return unix_seconds;
}

/* [P-7.9] */
static void an_edge_learns_the_relays_clock(void **state)
{
    (void)state;
    kit_hello(&k, &a);
    assert_int_equal(told_clock(&a, 0), KIT_UNIX);
    assert_int_equal(told_clock(&a, 1), 0);

    k.now = instant_after(k.now, span_s(60));
    kit_step(&k, (struct hub_event){.kind = HUB_CLOCK,
                                    .unix_seconds = KIT_UNIX + 61});
    assert_int_equal(told_clock(&a, 0), 0); /* as was to be expected */
    kit_step(&k, (struct hub_event){.kind = HUB_CLOCK,
                                    .unix_seconds = KIT_UNIX + 600});
    assert_int_equal(told_clock(&a, 0), KIT_UNIX + 600);
    kit_step(&k,
             (struct hub_event){.kind = HUB_CLOCK, .unix_seconds = KIT_UNIX});
    assert_int_equal(told_clock(&a, 0), KIT_UNIX);
}

/* Node a comes by a connection with this TLS; the CERTIFICATE that it gets. */
static struct bytes told_certificate(const struct relay_tls *tls)
{
    static uint8_t room[64 * 1024];
    struct bytes hello = kit_hello_bytes(&a, room);
    kit_step(&k, (struct hub_event){.kind = HUB_PACKET,
                                    .conn = ++a.conn,
                                    .key = a.key,
                                    .address = a.address,
                                    .tls = tls,
                                    .data = room,
                                    .size = hello.size});
    assert_true(kit_wrote(&k, a.conn, RELAY_WELCOME));
    assert_int_equal(kit_written(&k, a.conn, RELAY_CERTIFICATE, 1).size, 0);
    return kit_written(&k, a.conn, RELAY_CERTIFICATE, 0);
}

/* [P-14.4] */
static void an_edge_learns_who_ended_its_tls(void **state)
{
    struct relay_tls tls = {.end = RELAY_TLS_HERE, .hash = {1, [31] = 2}};
    struct relay_tls back;
    (void)state;

    a.conn = 100;
    assert_int_equal(told_certificate(NULL).size, 0);
    assert_int_equal(told_certificate(&(struct relay_tls){0}).size, 0);
    assert_true(relay_certificate_decode(told_certificate(&tls), &back));
    assert_int_equal(back.end, RELAY_TLS_HERE);
    assert_memory_equal(back.hash, tls.hash, sizeof tls.hash);
    tls.end = RELAY_TLS_BEFORE;
    assert_true(relay_certificate_decode(told_certificate(&tls), &back));
    assert_int_equal(back.end, RELAY_TLS_BEFORE);
}

/* Who is not admitted learns nothing of it. */
static void a_refused_edge_learns_no_certificate(void **state)
{
    static uint8_t room[64 * 1024];
    const struct relay_tls tls = {.end = RELAY_TLS_HERE};
    (void)state;

    kit_certify(&a, &k.mesh, "node-1", KIT_UNIX);
    struct bytes hello = kit_hello_bytes(&a, room);
    kit_step(&k, (struct hub_event){.kind = HUB_PACKET,
                                    .conn = a.conn,
                                    .key = a.key,
                                    .address = a.address,
                                    .tls = &tls,
                                    .data = room,
                                    .size = hello.size});
    kit_expect_refused(&k, a.conn, REFUSAL_EXPIRED);
    assert_false(kit_wrote(&k, a.conn, RELAY_CERTIFICATE));
}

static void an_edge_that_is_refused_for_the_time_learns_it(void **state)
{
    (void)state;
    kit_certify(&a, &k.mesh, "node-1", KIT_UNIX);
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_EXPIRED);
    assert_int_equal(told_clock(&a, 0), KIT_UNIX);
    b.certificate[b.certificate_size - 1] ^= 1;
    kit_hello(&k, &b);
    kit_expect_refused(&k, b.conn, REFUSAL_FORGED);
    assert_int_equal(told_clock(&b, 0), 0);
}

static void a_certificate_expires_while_connected(void **state)
{
    (void)state;
    kit_certify(&a, &k.mesh, "node-1", KIT_UNIX + 10);
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    kit_step(&k, (struct hub_event){.kind = HUB_CLOCK,
                                    .unix_seconds = KIT_UNIX + 9});
    assert_int_equal(kit_edges(&k), 2);
    kit_step(&k, (struct hub_event){.kind = HUB_CLOCK,
                                    .unix_seconds = KIT_UNIX + 10});
    kit_expect_refused(&k, a.conn, REFUSAL_EXPIRED);
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_LOST));
}

static void a_certificate_expires_on_its_second(void **state)
{
    (void)state;
    a.lost_after_ms = b.lost_after_ms = UINT32_MAX;
    kit_certify(&a, &k.mesh, "node-1", KIT_UNIX + 10);
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    struct instant start = k.now;
    struct instant end = kit_pass(&k, span_s(20), a.conn);
    assert_int_equal(instant_between(start, end).us, 10000000);
    kit_expect_refused(&k, a.conn, REFUSAL_EXPIRED);
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_LOST));
    /* When the clock is set back, the certificate lasts longer. */
    kit_step(&k,
             (struct hub_event){.kind = HUB_CLOCK, .unix_seconds = KIT_UNIX});
    assert_true(instant_is_never(kit_pass(&k, span_s(20), b.conn)));
}

static void the_certificate_of_another_node_is_of_no_use(void **state)
{
    (void)state;
    a.key.key[0] ^= 1; /* the key that the CURVE handshake proved */
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_KEY_MISMATCH);
}

static void the_name_of_another_node_is_refused(void **state)
{
    (void)state;
    kit_certify(&b, &k.mesh, "node-1", KIT_UNIX + 100);
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    kit_expect_refused(&k, b.conn, REFUSAL_NAME_TAKEN);
    kit_event(&k, HUB_CLOSED, a.conn);
    kit_hello(&k, &b);
    assert_true(kit_wrote(&k, b.conn, RELAY_WELCOME));
}

static void a_second_hello_ends_the_connection(void **state)
{
    (void)state;
    kit_hello(&k, &a);
    kit_hello(&k, &a);
    kit_expect_refused(&k, a.conn, REFUSAL_MALFORMED);
    assert_int_equal(kit_edges(&k), 0);
}

static void the_limit_on_edges_holds(void **state)
{
    (void)state;
    k.conf.limits.edges = 1;
    kit_reconfigure(&k);
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    kit_expect_refused(&k, b.conn, REFUSAL_FULL);
    kit_event(&k, HUB_CLOSED, a.conn);
    kit_hello(&k, &b);
    assert_true(kit_wrote(&k, b.conn, RELAY_WELCOME));
}

static void the_limit_of_a_mesh_holds(void **state)
{
    (void)state;
    struct kit_mesh other;
    kit_mesh_make(&other, 9);
    k.conf.any_mesh = true;
    k.conf.limits.edges_per_mesh = 1;
    kit_reconfigure(&k);
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    kit_expect_refused(&k, b.conn, REFUSAL_FULL);
    kit_certify(&b, &other, "node-2", KIT_UNIX + 100);
    kit_hello(&k, &b);
    assert_true(kit_wrote(&k, b.conn, RELAY_WELCOME));
}

static void the_limit_of_an_address_holds(void **state)
{
    (void)state;
    k.conf.limits.edges_per_address = 1;
    kit_reconfigure(&k);
    b.address = a.address;
    b.address.port++;
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    kit_expect_refused(&k, b.conn, REFUSAL_FULL);
    b.address.ip[3]++;
    kit_hello(&k, &b);
    assert_true(kit_wrote(&k, b.conn, RELAY_WELCOME));
}

/* A host can use all 2^64 addresses of its network. */
static void the_limit_of_an_address_holds_for_a_v6_network(void **state)
{
    (void)state;
    k.conf.limits.edges_per_address = 1;
    kit_reconfigure(&k);
    assert_true(address_parse("[2001:db8:1:2::1]:1000", &a.address));
    assert_true(address_parse("[2001:db8:1:2:3::1]:1000", &b.address));
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    kit_expect_refused(&k, b.conn, REFUSAL_FULL);
    /* The same node from elsewhere in its network replaces itself. */
    a.conn = 50;
    a.address.ip[15]++;
    kit_hello(&k, &a);
    assert_true(kit_wrote(&k, 50, RELAY_WELCOME));
    b.address.ip[7]++;
    kit_hello(&k, &b);
    assert_true(kit_wrote(&k, b.conn, RELAY_WELCOME));
}

static void a_full_relay_lets_a_node_replace_itself(void **state)
{
    (void)state;
    k.conf.limits.edges = 1;
    k.conf.limits.edges_per_mesh = 1;
    k.conf.limits.edges_per_address = 1;
    kit_reconfigure(&k);
    kit_hello(&k, &a);
    a.conn = 50;
    kit_hello(&k, &a);
    assert_true(kit_wrote(&k, 50, RELAY_WELCOME));
    kit_expect_refused(&k, 1, REFUSAL_REPLACED);
    assert_int_equal(kit_edges(&k), 1);
}

static void an_earlier_process_does_not_replace(void **state)
{
    (void)state;
    kit_hello(&k, &a);
    a.conn = 50;
    a.epoch--;
    kit_hello(&k, &a);
    kit_expect_refused(&k, 50, REFUSAL_REPLACED);
    assert_int_equal(kit_edges(&k), 1);
    a.conn = 1;
    static const uint8_t ping[9] = {RELAY_PING};
    kit_packet(&k, &a, bytes_of(ping, sizeof ping));
    assert_true(kit_wrote(&k, 1, RELAY_PONG));
}

static void a_stopping_relay_takes_nobody(void **state)
{
    (void)state;
    kit_hello(&k, &a);
    kit_event(&k, HUB_STOP, 0);
    assert_int_equal(kit_refusal(&k, a.conn), REFUSAL_SHUTDOWN);
    kit_hello(&k, &b);
    kit_expect_refused(&k, b.conn, REFUSAL_SHUTDOWN);
}

static void a_mesh_taken_out_is_dropped_at_a_reload(void **state)
{
    (void)state;
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    k.conf.mesh_count = 0;
    kit_reconfigure(&k);
    kit_expect_refused(&k, a.conn, REFUSAL_MESH_UNKNOWN);
    kit_expect_refused(&k, b.conn, REFUSAL_MESH_UNKNOWN);
    assert_int_equal(kit_edges(&k), 0);
}

static void a_reload_drops_nobody_who_is_served(void **state)
{
    (void)state;
    kit_hello(&k, &a);
    k.conf.limits.edges = 0;
    kit_reconfigure(&k);
    assert_int_equal(k.todos.count, 0);
    assert_int_equal(kit_edges(&k), 1);
}

/* A first packet of any bytes ends in a refusal, never in harm. */
static void noise_is_refused(void **state)
{
    (void)state;
    static uint8_t room[64 * 1024];
    uint8_t seed[32] = {3};
    for (uint32_t i = 0; i < 2000; i++) {
        struct bytes hello = kit_hello_bytes(&a, room);
        uint8_t random[8];
        memcpy(seed + 1, &i, sizeof i);
        randombytes_buf_deterministic(random, sizeof random, seed);
        size_t size = (random[0] + 256u * random[1]) % (hello.size + 40);
        room[(random[2] + 256u * random[3]) % (size + 1)] ^= random[4] | 1;
        kit_packet(&k, &a, bytes_of(room, size));
        if (kit_wrote(&k, a.conn, RELAY_WELCOME))
            kit_event(&k, HUB_CLOSED, a.conn); /* not refused: the hub does not
                                                  check the announcement */
        else
            assert_int_equal(kit_count(&k, HUB_DROP, a.conn), 1);
    }
    assert_int_equal(kit_edges(&k), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_hello_is_welcome),
        TEST(the_first_packet_must_be_a_hello),
        TEST(a_hello_cut_short_is_malformed),
        TEST(another_version_is_told_so),
        TEST(recorded_edges_are_welcome_in_their_version),
        TEST(a_mesh_not_served_is_refused),
        TEST(an_open_relay_serves_any_mesh),
        TEST(a_forged_certificate_is_refused),
        TEST(an_expired_certificate_is_refused),
        TEST(a_certificate_of_the_future_is_refused),
        TEST(time_goes_on_between_clocks),
        TEST(nobody_comes_in_without_a_clock),
        TEST(an_edge_learns_the_relays_clock),
        TEST(an_edge_learns_who_ended_its_tls),
        TEST(a_refused_edge_learns_no_certificate),
        TEST(an_edge_that_is_refused_for_the_time_learns_it),
        TEST(a_certificate_expires_while_connected),
        TEST(a_certificate_expires_on_its_second),
        TEST(the_certificate_of_another_node_is_of_no_use),
        TEST(the_name_of_another_node_is_refused),
        TEST(a_second_hello_ends_the_connection),
        TEST(the_limit_on_edges_holds),
        TEST(the_limit_of_a_mesh_holds),
        TEST(the_limit_of_an_address_holds),
        TEST(the_limit_of_an_address_holds_for_a_v6_network),
        TEST(a_full_relay_lets_a_node_replace_itself),
        TEST(an_earlier_process_does_not_replace),
        TEST(a_stopping_relay_takes_nobody),
        TEST(a_mesh_taken_out_is_dropped_at_a_reload),
        TEST(a_reload_drops_nobody_who_is_served),
        TEST(noise_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
