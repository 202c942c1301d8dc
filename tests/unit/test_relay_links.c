/* Links to relays over loopback: to a ROUTER of libzmq, as `listen.curve` has
 * it, and to hosts that are no relay. */
#include "edge/shell/relay_links.h"
#include "tests/unit/relay_links_kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

static const size_t sizes[] = {4, 64, 222, 223, 1000, 8192, 65536, PACKET_SIZE};

/* The relay. */
static struct {
    void *context;
    void *router;
    struct curve_pair keys;
    uint8_t id[16]; /* of the link's connection there */
    int id_size;
    struct link_table *links;
} r;

static int setup(void **state)
{
    int on = 1, linger = 0, few = 16;
    char endpoint[64];
    size_t size = sizeof endpoint;

    (void)state;
    kit_open(relay_pipe_open);
    memset(&r, 0, sizeof r);
    crypto_box_keypair(r.keys.public_key, r.keys.secret_key);
    memcpy(kit.server.key, r.keys.public_key, KEY_SIZE);
    r.context = zmq_ctx_new();
    r.router = zmq_socket(r.context, ZMQ_ROUTER);
    zmq_setsockopt(r.router, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(r.router, ZMQ_RCVHWM, &few, sizeof few);
    zmq_setsockopt(r.router, ZMQ_ROUTER_MANDATORY, &on, sizeof on);
    zmq_setsockopt(r.router, ZMQ_CURVE_SERVER, &on, sizeof on);
    zmq_setsockopt(r.router, ZMQ_CURVE_SECRETKEY, r.keys.secret_key, 32);
    assert_int_equal(zmq_bind(r.router, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt(r.router, ZMQ_LAST_ENDPOINT, endpoint, &size);
    kit.relay.connect_to.port =
        (uint16_t)strtoul(strrchr(endpoint, ':') + 1, NULL, 10);
    return 0;
}

static void close_router(void)
{
    if (r.router != NULL)
        zmq_close(r.router);
    r.router = NULL;
}

static int teardown(void **state)
{
    kit.stuck = false;
    int failed = kit_close(state);

    close_router();
    zmq_ctx_term(r.context);
    return failed;
}

static void begin(void)
{
    relay_links_connect(
        kit.relays, 1, &kit.keys, &kit.server,
        &(struct relay_way){.form = FORM_TCP, .relay = &kit.relay});
}

static void write_packet(size_t size, uint32_t number)
{
    link_table_write(&kit.links, 1, kit_packet(size, number), NULL);
}

/* The next packet at the relay; -1: none now. */
static int router_takes(uint8_t *room, size_t size)
{
    r.id_size = zmq_recv(r.router, r.id, sizeof r.id, ZMQ_DONTWAIT);
    return r.id_size < 0 ? -1 : zmq_recv(r.router, room, size, 0);
}

static void relay_hears(size_t size, uint32_t number)
{
    static uint8_t room[PACKET_SIZE];
    int came = -1;

    PATIENCE_UNTIL((came = router_takes(room, sizeof room)) >= 0, kit_turn());
    assert_int_equal(came, size);
    assert_memory_equal(room, kit_packet(size, number).data, size);
}

/* The frame before a packet's; false: the way to the link is full. */
static bool router_begins(void)
{
    return zmq_send(r.router, r.id, (size_t)r.id_size,
                    ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0;
}

static void relay_says(size_t size, uint32_t number)
{
    PATIENCE_UNTIL(router_begins(), kit_turn());
    zmq_send(r.router, kit_packet(size, number).data, size, 0);
}

static void link_up(void)
{
    begin();
    kit_await(NODE_LINK_OPENED, 1);
    write_packet(8, 0);
    relay_hears(8, 0);
}

static void packets_cross_both_ways(void **state)
{
    (void)state;
    link_up();
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        write_packet(sizes[i], i + 1);
        relay_hears(sizes[i], i + 1);
        relay_says(sizes[i], i + 1);
        const struct kit_heard *h = kit_await(NODE_LINK_PACKET, i + 1);
        assert_int_equal(h->number, i + 1);
        assert_int_equal(h->size, sizes[i]);
        assert_true(h->even);
    }
}

static void a_host_name_works_too(void **state)
{
    (void)state;
    snprintf(kit.relay.connect_to.host, sizeof kit.relay.connect_to.host,
             "localhost");
    link_up();
}

/* Writes until the way to the relay is full, while nobody reads there; then all
 * of it comes. Each size fills another limit. */
static void a_full_link_loses_nothing(size_t size)
{
    static uint8_t room[PACKET_SIZE];
    uint32_t sent = 0, came = 0;

    link_up();
    while (kit_count(NODE_LINK_BLOCKED) == kit_count(NODE_LINK_WRITABLE)) {
        write_packet(size, ++sent);
        uv_run(&kit.loop, UV_RUN_NOWAIT);
    }
    write_packet(size, ++sent);
    while (came < sent) {
        uv_run(&kit.loop, UV_RUN_NOWAIT);
        int n = router_takes(room, sizeof room);
        if (n < 0)
            continue;
        assert_int_equal(n, size);
        assert_memory_equal(room, kit_packet(size, ++came).data, size);
    }
    assert_int_equal(kit_count(NODE_LINK_WRITABLE),
                     kit_count(NODE_LINK_BLOCKED));
}

static void a_link_full_of_large_packets_loses_nothing(void **state)
{
    (void)state;
    a_full_link_loses_nothing(60000);
}

static void a_link_full_of_small_packets_loses_nothing(void **state)
{
    (void)state;
    a_full_link_loses_nothing(900);
}

/* The kernel and libzmq hold what the node does not take; then all comes. */
static void a_node_that_is_slow_loses_nothing(void **state)
{
    enum { PACKETS = 600 };
    uint32_t said = 0;

    (void)state;
    link_up();
    kit.stuck = true;
    for (uint32_t i = 0; i < 100; i++)
        relay_says(5000, ++said);
    kit_turns(20);
    assert_int_equal(kit_count(NODE_LINK_PACKET), 0);
    kit.stuck = false;
    while (said < PACKETS)
        relay_says(5000, ++said);
    kit_await(NODE_LINK_PACKET, PACKETS);
    for (uint32_t i = 1; i <= PACKETS; i++)
        assert_int_equal(kit_await(NODE_LINK_PACKET, i)->number, i);
}

static void the_relay_s_end_is_told(void **state)
{
    (void)state;
    link_up();
    close_router();
    assert_int_equal(kit_failure(), LINK_BROKEN);
}

static void the_last_packet_of_a_closed_link_arrives(void **state)
{
    (void)state;
    link_up();
    write_packet(PACKET_SIZE, 7);
    link_table_drop(&kit.links, 1);
    relay_hears(PACKET_SIZE, 7);
    assert_int_equal(kit_count(NODE_LINK_CLOSED), 0);
}

static void the_last_packet_before_all_is_closed_arrives(void **state)
{
    (void)state;
    link_up();
    write_packet(PACKET_SIZE, 7);
    relay_links_close(&kit.relays);
    relay_hears(PACKET_SIZE, 7);
}

/* libzmq sends more than one frame for this, which no relay does. */
static void a_message_of_two_frames_ends_the_link(void **state)
{
    (void)state;
    link_up();
    zmq_send(r.router, r.id, (size_t)r.id_size, ZMQ_SNDMORE);
    zmq_send(r.router, "two", 3, ZMQ_SNDMORE);
    zmq_send(r.router, "frames", 6, 0);
    assert_int_equal(kit_failure(), LINK_BROKEN);
    assert_non_null(strstr(kit.lines, "connection_cut reason=more_frames"));
    assert_int_equal(kit_count(NODE_LINK_PACKET), 0);
}

/* ---- Why it does not open */

static void a_wrong_key_is_named(void **state)
{
    (void)state;
    kit.server.key[3] ^= 1;
    begin();
    assert_int_equal(kit_failure(), LINK_WRONG_KEY);
    assert_int_equal(kit_count(NODE_LINK_OPENED), 0);
}

static void nobody_there_is_refused(void **state)
{
    (void)state;
    kit.relay.connect_to.port = 1;
    begin();
    assert_int_equal(kit_failure(), LINK_REFUSED);
}

static void on_work(uv_work_t *work)
{
    uv_sem_wait(work->data);
}

static void on_worked(uv_work_t *work, int status)
{
    (void)work;
    (void)status;
}

/* As when DNS hangs: the test keeps all threads that could ask it, so the query
 * is never sent. The node learns of the late name before it gives up by itself.
 */
static void a_name_that_is_not_resolved_in_time_is_reported(void **state)
{
    enum { THREADS = 4 }; /* the size of libuv's pool */
    uv_work_t works[THREADS];
    uv_sem_t kept;

    (void)state;
    uv_sem_init(&kept, 0);
    for (int i = 0; i < THREADS; i++) {
        works[i].data = &kept;
        uv_queue_work(&kit.loop, &works[i], on_work, on_worked);
    }
    snprintf(kit.relay.connect_to.host, sizeof kit.relay.connect_to.host,
             "localhost");
    begin();
    assert_int_equal(kit_failure(), LINK_NAMELESS);
    for (int i = 0; i < THREADS; i++)
        uv_sem_post(&kept);
    while (uv_loop_alive(&kit.loop) && kit.loop.active_reqs.count > 0)
        kit_turn();
    uv_sem_destroy(&kept);
}

/* Another server listens there: it accepts, says a word, and closes. */
static void a_web_server_is_no_relay(void **state)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&here, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &size), 0);
    kit.relay.connect_to.port = ntohs(here.sin_port);
    begin();
    int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(conn >= 0);
    assert_true(send(conn, answer, sizeof answer - 1, 0) > 0);
    close(conn);
    assert_int_equal(kit_failure(), LINK_NOT_A_RELAY);
    close(fd);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(packets_cross_both_ways),
        LIVE(a_host_name_works_too),
        LIVE(a_link_full_of_large_packets_loses_nothing),
        LIVE(a_link_full_of_small_packets_loses_nothing),
        LIVE(a_node_that_is_slow_loses_nothing),
        LIVE(the_relay_s_end_is_told),
        LIVE(the_last_packet_of_a_closed_link_arrives),
        LIVE(the_last_packet_before_all_is_closed_arrives),
        LIVE(a_message_of_two_frames_ends_the_link),
        LIVE(a_wrong_key_is_named),
        LIVE(nobody_there_is_refused),
        LIVE(a_name_that_is_not_resolved_in_time_is_reported),
        LIVE(a_web_server_is_no_relay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
