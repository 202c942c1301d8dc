/*
 * The relay from outside: a real relay on a loop, scripted clients on plain
 * libzmq sockets, and the lines that the relay logs.
 */
#include "hub_kit.h"
#include "patience.h"
#include "relay/shell/front.h"
#include "relay/shell/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <zmq.h>

#include "common/base/hex.h"
#include "common/conf/revoked.h"
#include "common/io/clock.h"
#include "common/io/zsocket.h"
#include "common/wire/multicast.h"

enum { PAUSE_MS = 300, LAST = 999999 };

static struct {
    const char *listen; /* the keys of `listen`: the door, or libzmq, or both */
    uv_loop_t loop;
    struct relay_server *relay;
    struct curve_pair keys;
    struct kit_mesh mesh;
    void *zmq;
    char folder[64];
    char endpoint[64];
    int log; /* the relay's log, instead of stderr */
    int stderr_before;
} world;

struct relay_client {
    void *socket;
    struct kit_node node;
};

static struct relay_client a;
static struct relay_client b;

static bool by_door(void)
{
    return strcmp(world.listen, "tcp:") == 0;
}

/* ---- The relay ---------------------------------------------------------- */

static void path_in(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", world.folder, name);
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    path_in(name, path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

/* Settings with `word` added in `relay`, and `more` lines at the end. */
static struct relay_conf conf_of(const char *word, const char *more)
{
    char text[1024];
    char mesh[2 * KEY_SIZE + 1];
    char path[128];
    struct relay_conf conf;
    hex_encode(bytes_of(world.mesh.id.key, KEY_SIZE), mesh);
    snprintf(text, sizeof text,
             "relay: {key: relay.key%s}\n"
             "listen: {%s [\"127.0.0.1:0\"]}\n"
             "meshes: [%s]\n%s",
             word, world.listen, mesh, more);
    write_file("relay.yaml", text);
    path_in("relay.yaml", path);
    assert_true(relay_conf_load(path, &conf, stderr));
    return conf;
}

static void turn(void)
{
    uv_run(&world.loop, UV_RUN_NOWAIT);
    usleep(200);
}

/* Returns all that was logged since the start. */
static const char *logged(void)
{
    static char text[1 << 16];
    ssize_t size = pread(world.log, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

static bool wait_for_log(const char *words)
{
    struct instant end = instant_after(clock_now(), span_ms(PATIENCE_MS));
    while (!instant_reached(end, clock_now())) {
        turn();
        if (strstr(logged(), words))
            return true;
    }
    dprintf(world.stderr_before, "not logged: %s\nbut:\n%s\n", words, logged());
    return false;
}

static void redirect_log(void)
{
    char path[128];
    path_in("log", path);
    world.log =
        open(path, O_CREAT | O_TRUNC | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    world.stderr_before = dup(STDERR_FILENO);
    assert_true(world.log >= 0 && world.stderr_before >= 0);
    dup2(world.log, STDERR_FILENO);
}

/* The first endpoint, or the next ones. */
static void find_endpoint(int number)
{
    static const char word[] = "relay_listening endpoint=";
    const char *at = strstr(logged(), word);
    for (; number > 0 && at; number--)
        at = strstr(at + 1, word);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(word), "%63s", world.endpoint), 1);
}

static void start(const char *more)
{
    struct relay_conf conf = conf_of("", more);
    redirect_log();
    crypto_box_keypair(world.keys.public_key, world.keys.secret_key);
    uv_loop_init(&world.loop);
    world.relay = relay_open(&world.loop, &conf, &world.keys);
    assert_non_null(world.relay);
    find_endpoint(0);
}

static void stop(void)
{
    relay_stop(world.relay);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    relay_free(&world.relay);
    assert_int_equal(uv_loop_close(&world.loop), 0);
    dup2(world.stderr_before, STDERR_FILENO);
    close(world.stderr_before);
    close(world.log);
}

/* Certifies by the real clock: valid from `from` to `to` seconds after now. */
static void certify(struct kit_node *n, const struct kit_mesh *m,
                    const char *name, int64_t from, int64_t to)
{
    int64_t now = (int64_t)clock_unix_seconds();
    struct certificate c = {.mesh = m->id,
                            .node = n->id,
                            .not_before = (uint64_t)(now + from),
                            .not_after = (uint64_t)(now + to)};
    snprintf(c.name, sizeof c.name, "%s", name);
    n->certificate_size =
        certificate_sign(&c, m->secret_key, n->certificate).size;
}

/* ---- A client ----------------------------------------------------------- */

static void open_client(struct relay_client *c, const struct curve_pair *pair,
                        const uint8_t *server_key)
{
    int linger = 0;
    int timeout = 200;
    c->socket = zmq_socket(world.zmq, ZMQ_DEALER);
    assert_non_null(c->socket);
    zmq_setsockopt(c->socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(c->socket, ZMQ_RECONNECT_IVL, &timeout, sizeof timeout);
    zmq_setsockopt(c->socket, ZMQ_CURVE_SERVERKEY, server_key, KEY_SIZE);
    zmq_setsockopt(c->socket, ZMQ_CURVE_PUBLICKEY, pair->public_key, KEY_SIZE);
    zmq_setsockopt(c->socket, ZMQ_CURVE_SECRETKEY, pair->secret_key, KEY_SIZE);
    assert_int_equal(zmq_connect(c->socket, world.endpoint), 0);
}

static void open_node(struct relay_client *c, uint16_t number)
{
    struct curve_pair pair;
    kit_node_make(&c->node, &world.mesh, number);
    c->node.lost_after_ms = 60000;
    char name[32];
    snprintf(name, sizeof name, "node-%u", number);
    certify(&c->node, &world.mesh, name, -10, 3600);
    curve_pair_of_node(&pair, c->node.secret_key);
    open_client(c, &pair, world.keys.public_key);
}

static void close_client(struct relay_client *c)
{
    if (c->socket)
        zmq_close(c->socket);
    c->socket = NULL;
}

static void send_bytes(struct relay_client *c, struct bytes bytes)
{
    struct instant end = instant_after(clock_now(), span_ms(PATIENCE_MS));
    while (zmq_send(c->socket, bytes.data, bytes.size, ZMQ_DONTWAIT) < 0) {
        assert_int_equal(errno, EAGAIN);
        assert_false(instant_reached(end, clock_now()));
        turn();
    }
}

static void say_hello(struct relay_client *c)
{
    static uint8_t room[64 * 1024];
    send_bytes(c, kit_hello_bytes(&c->node, room));
}

/* Returns the next packet of that type and skips others; empty if none came. */
static struct bytes await(struct relay_client *c, uint8_t type, int64_t wait_ms)
{
    static uint8_t room[PACKET_SIZE + 1];
    struct instant end = instant_after(clock_now(), span_ms(wait_ms));
    while (!instant_reached(end, clock_now())) {
        turn();
        int size = zmq_recv(c->socket, room, sizeof room, ZMQ_DONTWAIT);
        if (size > 0 && room[0] == type)
            return bytes_of(room, (size_t)size);
    }
    return (struct bytes){0};
}

static void join(struct relay_client *c, uint16_t number)
{
    open_node(c, number);
    say_hello(c);
    assert_true(await(c, RELAY_SYNCED, PATIENCE_MS).size > 0);
}

static void expect_refused(struct relay_client *c, enum refusal reason)
{
    char words[64];
    struct bytes refused = await(c, RELAY_REFUSED, PATIENCE_MS);
    assert_int_equal(refused.size, 2 + KEY_SIZE);
    assert_int_equal(refused.data[1], reason);
    snprintf(words, sizeof words, "edge_refused reason=%s",
             refusal_name((uint8_t)reason));
    assert_true(wait_for_log(words));
}

static void forward(struct relay_client *from, const struct relay_client *to,
                    uint32_t number, size_t size)
{
    static uint8_t room[PACKET_SIZE];
    struct writer w = writer_of(room, sizeof room);
    write_u8(&w, RELAY_FORWARD);
    write_bytes(&w, bytes_of(to->node.id.key, KEY_SIZE));
    write_u32(&w, number);
    send_bytes(from, bytes_of(room, FORWARD_HEADER_SIZE + size));
}

/* ---- Tests -------------------------------------------------------------- */

static int open_world(void **state)
{
    world.listen = *state;
    assert_true(sodium_init() >= 0);
    kit_mesh_make(&world.mesh, 1);
    snprintf(world.folder, sizeof world.folder, "/tmp/test-relay-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    world.zmq = zcontext_open(100);
    assert_non_null(world.zmq);
    a.socket = b.socket = NULL;
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    char command[128];
    close_client(&a);
    close_client(&b);
    if (world.relay)
        stop();
    zcontext_close(&world.zmq);
    snprintf(command, sizeof command, "rm -rf %s", world.folder);
    assert_int_equal(system(command), 0);
    return 0;
}

static void two_edges_meet_and_talk(void **state)
{
    (void)state;
    start("");
    join(&a, 1);
    join(&b, 2);
    assert_true(await(&a, RELAY_PRESENT, PATIENCE_MS).size > 0);
    for (uint32_t i = 0; i < 1000; i++)
        forward(&a, &b, i, 100);
    for (uint32_t i = 0; i < 1000; i++) {
        struct bytes p = await(&b, RELAY_FORWARDED, PATIENCE_MS);
        assert_int_equal(p.size, FORWARD_HEADER_SIZE + 100);
        assert_memory_equal(p.data + 1, a.node.id.key, KEY_SIZE);
        struct reader r = reader_of(bytes_of(p.data + FORWARD_HEADER_SIZE, 4));
        assert_int_equal(read_u32(&r), i);
    }
    assert_true(wait_for_log("edge_up name=node-1"));
}

/* One edge is at the door, the other at libzmq's ROUTER. */
static void both_ways_in_lead_to_each_other(void **state)
{
    static const size_t sizes[] = {100, 10000, 60000};
    (void)state;
    start("");
    join(&a, 1);
    find_endpoint(1);
    join(&b, 2);
    for (int turns = 0; turns < 4; turns++) {
        struct relay_client *from = turns % 2 ? &b : &a;
        struct relay_client *to = turns % 2 ? &a : &b;
        for (uint32_t i = 0; i < 50; i++)
            forward(from, to, i, sizes[i % 3]);
        for (uint32_t i = 0; i < 50; i++) {
            struct bytes p = await(to, RELAY_FORWARDED, PATIENCE_MS);
            assert_int_equal(p.size, FORWARD_HEADER_SIZE + sizes[i % 3]);
            struct reader r =
                reader_of(bytes_of(p.data + FORWARD_HEADER_SIZE, 4));
            assert_int_equal(read_u32(&r), i);
        }
    }
    close_client(&a);
    assert_true(await(&b, RELAY_GONE, PATIENCE_MS).size > 0);
}

static void want_all(struct relay_client *c)
{
    static const uint8_t groups[1 + GROUP_TAG_SIZE] = {RELAY_GROUPS};
    static const uint8_t ping[9] = {RELAY_PING};
    send_bytes(c, bytes_of(groups, sizeof groups));
    send_bytes(c, bytes_of(ping, sizeof ping));
    assert_true(await(c, RELAY_PONG, PATIENCE_MS).size > 0);
}

static void one_upload_reaches_the_whole_group(void **state)
{
    (void)state;
    enum { RECEIVERS = 4, PACKETS = 50 };
    static uint8_t room[FORWARD_HEADER_SIZE + MULTICAST_HEADER_SIZE + 60000];
    struct relay_client receivers[RECEIVERS] = {0};
    start("");
    join(&a, 1);
    want_all(&a);
    for (uint16_t i = 0; i < RECEIVERS; i++) {
        join(&receivers[i], (uint16_t)(i + 2));
        want_all(&receivers[i]);
    }
    for (uint32_t i = 1; i <= PACKETS; i++) {
        struct multicast_packet m = {.key = 1, .number = i};
        struct writer w = writer_of(room, sizeof room);
        write_u8(&w, RELAY_MULTICAST);
        write_room(&w, KEY_SIZE);
        multicast_header_encode(&m, &w);
        write_room(&w, MULTICAST_SEAL_SIZE + SIGNATURE_SIZE + i * 1000);
        send_bytes(&a, writer_bytes(&w));
    }
    for (int r = 0; r < RECEIVERS; r++) {
        for (uint32_t i = 1; i <= PACKETS; i++) {
            struct bytes p =
                await(&receivers[r], RELAY_MULTICASTED, PATIENCE_MS);
            struct multicast_packet m;
            assert_true(p.size > FORWARD_HEADER_SIZE);
            assert_memory_equal(p.data + 1, a.node.id.key, KEY_SIZE);
            assert_true(multicast_decode(bytes_of(p.data + FORWARD_HEADER_SIZE,
                                                  p.size - FORWARD_HEADER_SIZE),
                                         true, &m));
            assert_int_equal(m.number, i);
        }
        close_client(&receivers[r]);
    }
    assert_int_equal(await(&a, RELAY_MULTICASTED, 50).size, 0);
}

static void a_broken_connection_shows_at_once(void **state)
{
    (void)state;
    start("");
    join(&a, 1);
    join(&b, 2);
    close_client(&a);
    /* The reason is not its silence. */
    struct bytes gone = await(&b, RELAY_GONE, PATIENCE_MS);
    assert_int_equal(gone.size, 1 + KEY_SIZE + 8 + 1);
    assert_int_equal(gone.data[gone.size - 1], DEPARTURE_LOST);
    assert_true(wait_for_log("edge_down reason=lost name=node-1"));
}

static void a_goodbye_right_before_the_end_is_heard(void **state)
{
    (void)state;
    static const uint8_t bye = RELAY_BYE;
    int linger = PATIENCE_MS;
    start("");
    join(&a, 1);
    join(&b, 2);
    /* Else it may be unread when the socket is closed: then the kernel resets
     * the connection, and the relay loses what it has not read. */
    assert_true(await(&a, RELAY_PRESENT, PATIENCE_MS).size > 0);
    zmq_setsockopt(a.socket, ZMQ_LINGER, &linger, sizeof linger);
    for (uint32_t i = 0; i < 200; i++)
        forward(&a, &b, i, 1000);
    send_bytes(&a, bytes_of(&bye, 1));
    close_client(&a);
    for (uint32_t i = 0; i < 200; i++)
        assert_true(await(&b, RELAY_FORWARDED, PATIENCE_MS).size > 0);
    struct bytes gone = await(&b, RELAY_GONE, PATIENCE_MS);
    assert_true(gone.size > 0);
    assert_int_equal(gone.data[gone.size - 1], DEPARTURE_CLOSED);
}

static void a_wrong_relay_key_fails_with_a_line(void **state)
{
    (void)state;
    struct curve_pair pair;
    struct curve_pair other;
    start("");
    crypto_box_keypair(other.public_key, other.secret_key);
    kit_node_make(&a.node, &world.mesh, 1);
    curve_pair_of_node(&pair, a.node.secret_key);
    open_client(&a, &pair, other.public_key);
    assert_true(wait_for_log(
        by_door() ? "handshake_failed reason=\"wrong_key\" address=127.0.0.1:"
                  : "handshake_failed reason=\"protocol\" address=127.0.0.1:"));
}

static void a_wrong_mesh_is_refused(void **state)
{
    (void)state;
    struct kit_mesh other;
    start("");
    kit_mesh_make(&other, 9);
    open_node(&a, 1);
    certify(&a.node, &other, "mallory", -10, 3600);
    say_hello(&a);
    expect_refused(&a, REFUSAL_MESH_UNKNOWN);
    assert_true(wait_for_log("name=mallory"));
}

static void a_certificate_out_of_its_time_is_refused(void **state)
{
    (void)state;
    start("");
    open_node(&a, 1);
    certify(&a.node, &world.mesh, "node-1", -10, -1);
    say_hello(&a);
    expect_refused(&a, REFUSAL_EXPIRED);
    close_client(&a);
    open_node(&a, 1);
    certify(&a.node, &world.mesh, "node-1", 60, 3600);
    say_hello(&a);
    expect_refused(&a, REFUSAL_NOT_YET);
}

static void a_forged_certificate_is_refused(void **state)
{
    (void)state;
    start("");
    open_node(&a, 1);
    a.node.certificate[a.node.certificate_size - 1] ^= 1;
    say_hello(&a);
    expect_refused(&a, REFUSAL_FORGED);
}

static size_t times_logged(const char *words)
{
    size_t count = 0;
    for (const char *at = logged(); (at = strstr(at, words)); at++)
        count++;
    return count;
}

static void a_refusal_again_and_again_is_one_line(void **state)
{
    (void)state;
    start("");
    for (int i = 0; i < 5; i++) {
        open_node(&a, 1);
        a.node.certificate[a.node.certificate_size - 1] ^= 1;
        say_hello(&a);
        expect_refused(&a, REFUSAL_FORGED);
        close_client(&a);
    }
    assert_int_equal(times_logged("reason=forged name=node-1"), 1);
    /* Another node's refusal is another line. */
    open_node(&a, 2);
    a.node.certificate[a.node.certificate_size - 1] ^= 1;
    say_hello(&a);
    expect_refused(&a, REFUSAL_FORGED);
    assert_true(wait_for_log("reason=forged name=node-2"));
}

static void the_certificate_of_another_node_is_refused(void **state)
{
    (void)state;
    start("");
    open_node(&a, 1);
    kit_node_make(&a.node, &world.mesh, 2);
    certify(&a.node, &world.mesh, "node-2", -10, 3600);
    say_hello(&a);
    expect_refused(&a, REFUSAL_KEY_MISMATCH);
}

static void write_revoked(const char *name, const struct kit_node *node)
{
    static uint8_t room[REVOCATION_SIZE];
    char path[128];
    struct revocation r = {
        .mesh = world.mesh.id, .serial = 1, .count = 1, .nodes = node->id.key};
    struct bytes list = revocation_sign(&r, world.mesh.secret_key, room);
    path_in(name, path);
    assert_true(revoked_save(path, list, stderr));
}

static void a_revoked_node_is_refused(void **state)
{
    (void)state;
    struct kit_node node;
    kit_node_make(&node, &world.mesh, 1);
    write_revoked("listed.zs", &node);
    start("");
    join(&a, 1);
    /* The list comes by a reload, while the node is connected. */
    struct relay_conf conf =
        conf_of(", revoked: [listed.zs]", "limits: {edges: 17}\n");
    relay_reload(world.relay, &conf);
    expect_refused(&a, REFUSAL_REVOKED);
    assert_true(wait_for_log("setting_changed key=limits.edges"));
    close_client(&a);
    open_node(&a, 1);
    say_hello(&a);
    expect_refused(&a, REFUSAL_REVOKED);
}

static void a_list_beside_the_key_needs_no_setting(void **state)
{
    (void)state;
    struct kit_node node;
    kit_node_make(&node, &world.mesh, 1);
    write_revoked("revoked.zs", &node);
    start("");
    open_node(&a, 1);
    say_hello(&a);
    expect_refused(&a, REFUSAL_REVOKED);
}

static void a_list_from_an_edge_outlives_the_relay(void **state)
{
    (void)state;
    static uint8_t packet[1 + REVOCATION_SIZE] = {RELAY_REVOCATION};
    start("");
    join(&a, 1);
    struct kit_node node;
    kit_node_make(&node, &world.mesh, 2);
    struct revocation r = {
        .mesh = world.mesh.id, .serial = 1, .count = 1, .nodes = node.id.key};
    struct bytes list = revocation_sign(&r, world.mesh.secret_key, packet + 1);
    send_bytes(&a, bytes_of(packet, 1 + list.size));
    assert_true(wait_for_log("revocation_kept"));
    close_client(&a);
    stop();
    start("");
    open_node(&b, 2);
    say_hello(&b);
    expect_refused(&b, REFUSAL_REVOKED);
}

static bool closed_within(int fd, int64_t wait_ms)
{
    struct instant end = instant_after(clock_now(), span_ms(wait_ms));
    char room[256];
    while (!instant_reached(end, clock_now())) {
        turn();
        ssize_t size = recv(fd, room, sizeof room, MSG_DONTWAIT);
        if (size == 0 || (size < 0 && errno != EAGAIN))
            return true;
    }
    return false;
}

static int tcp_connect(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_port =
        htons((uint16_t)strtoul(strrchr(world.endpoint, ':') + 1, NULL, 10));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void a_client_that_proves_nothing_is_cut(void **state)
{
    (void)state;
    struct curve_pair pair;
    start("limits: {hello: 300ms}\n");
    /* One client sends nothing at all, one stops after the handshake. */
    int silent = tcp_connect();
    crypto_box_keypair(pair.public_key, pair.secret_key);
    open_client(&a, &pair, world.keys.public_key);
    assert_true(closed_within(silent, PATIENCE_MS));
    close(silent);
    assert_true(wait_for_log("connection_cut reason=\"no_hello\""));
}

static void an_address_has_its_limit_of_connections(void **state)
{
    (void)state;
    enum { EXTRA = 34 };
    int fds[EXTRA];
    start("limits: {edges_per_address: 1}\n");
    for (int i = 0; i < EXTRA; i++)
        fds[i] = tcp_connect();
    assert_true(wait_for_log("connection_cut reason=\"full_address\""));
    assert_true(closed_within(fds[0], PATIENCE_MS)); /* the oldest connection */
    for (int i = 0; i < EXTRA; i++)
        close(fds[i]);
}

/* Begins a connection, whose SYN may be ignored. */
static int tcp_begin(const char *from)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in me = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    to.sin_port =
        htons((uint16_t)strtoul(strrchr(world.endpoint, ':') + 1, NULL, 10));
    assert_int_equal(inet_pton(AF_INET, from, &me.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&me, sizeof me), 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        assert_int_equal(errno, EINPROGRESS);
    return fd;
}

/* A network of strangers that begins endless handshakes is held to its rate.
 * Meanwhile the relay lets in another network, where a member is. */
static void a_flood_of_handshakes_harms_no_member(void **state)
{
    (void)state;
    enum { FLOOD = 200 };
    static int fds[FLOOD];
    start("limits: {handshakes: 32}\n");
    join(&a, 1);
    for (int i = 0; i < FLOOD; i++) {
        fds[i] = tcp_begin("127.0.0.2");
        if (i % 16 == 0)
            turn();
    }
    assert_true(
        wait_for_log("connection_cut reason=\"rate\" address=127.0.0.2"));
    join(&b, 2);
    forward(&a, &b, 1, 100);
    assert_true(await(&b, RELAY_FORWARDED, PATIENCE_MS).size > 0);
    assert_null(strstr(logged(), "edge_down"));
    for (int i = 0; i < FLOOD; i++)
        close(fds[i]);
}

static void a_refused_edges_connection_ends(void **state)
{
    (void)state;
    char events[] = "inproc://events";
    start("");
    open_node(&a, 1);
    assert_int_equal(
        zmq_socket_monitor(a.socket, events, ZMQ_EVENT_DISCONNECTED), 0);
    void *monitor = zmq_socket(world.zmq, ZMQ_PAIR);
    assert_int_equal(zmq_connect(monitor, events), 0);
    a.node.certificate[60] ^= 1;
    say_hello(&a);
    assert_true(await(&a, RELAY_REFUSED, PATIENCE_MS).size > 0);
    zmq_msg_t event;
    zmq_msg_init(&event);
    struct instant end = instant_after(clock_now(), span_ms(PATIENCE_MS));
    int got = -1;
    while (got < 0 && !instant_reached(end, clock_now())) {
        turn();
        got = zmq_msg_recv(&event, monitor, ZMQ_DONTWAIT);
    }
    assert_true(got >= 0);
    zmq_msg_close(&event);
    zmq_socket_monitor(a.socket, NULL, 0);
    zmq_close(monitor);
}

/* libzmq takes a message of several frames, and the relay drops it. The door
 * ends the connection. */
static void many_frames_do_no_harm(void **state)
{
    (void)state;
    static const uint8_t ping[9] = {RELAY_PING, 7};
    start("");
    join(&a, 1);
    join(&b, 2);
    for (int i = 0; i < 100; i++) {
        zmq_send(b.socket, ping, sizeof ping, ZMQ_DONTWAIT | ZMQ_SNDMORE);
        turn();
    }
    send_bytes(&b, bytes_of(ping, sizeof ping));
    assert_int_equal(await(&b, RELAY_PONG, 100).size, 0);
    if (by_door()) {
        assert_true(wait_for_log("connection_cut reason=\"more_frames\""));
        assert_true(wait_for_log("edge_down reason=lost name=node-2"));
    } else {
        send_bytes(&b, bytes_of(ping, sizeof ping));
        assert_int_equal(await(&b, RELAY_PONG, PATIENCE_MS).size, sizeof ping);
    }
    send_bytes(&a, bytes_of(ping, sizeof ping));
    assert_int_equal(await(&a, RELAY_PONG, PATIENCE_MS).size, sizeof ping);
}

static void a_large_frame_does_no_harm(void **state)
{
    (void)state;
    static uint8_t large[2 * PACKET_SIZE];
    static const uint8_t ping[9] = {RELAY_PING, 7};
    start("");
    join(&a, 1);
    join(&b, 2);
    send_bytes(&b, bytes_of(large, sizeof large));
    assert_true(wait_for_log("edge_down reason=lost name=node-2"));
    send_bytes(&a, bytes_of(ping, sizeof ping));
    assert_int_equal(await(&a, RELAY_PONG, PATIENCE_MS).size, sizeof ping);
}

/* libzmq keeps the frames of a message until its last one, however many. The
 * relay sees that their bytes arrived in the kernel, although it gets no
 * message. The door accepts no first frame of several. */
static void a_message_of_endless_frames_is_cut(void **state)
{
    (void)state;
    static uint8_t frame[60000];
    static const uint8_t ping[9] = {RELAY_PING, 7};
    start("");
    join(&a, 1);
    open_node(&b, 2); /* sends no HELLO: one MiB is too much already */
    /* A stranger's frame that comes in parts is too large before it is the
     * first of several, unless it is small. */
    assert_true(zmq_send(b.socket, frame, 1000, ZMQ_SNDMORE) > 0);
    for (int i = 0; i < 100; i++)
        assert_true(zmq_send(b.socket, frame, sizeof frame, ZMQ_SNDMORE) > 0);
    send_bytes(&b, bytes_of(frame, 1));
    assert_true(wait_for_log(by_door() ? "connection_cut reason=\"more_frames\""
                                       : "connection_cut reason=\"unread\""));
    send_bytes(&a, bytes_of(ping, sizeof ping));
    assert_int_equal(await(&a, RELAY_PONG, PATIENCE_MS).size, sizeof ping);
}

/* Reads all that waits for `to`, in order, and returns how many packets that
 * was. A pause is not the end, on a machine that is late: the end is a packet
 * that is sent when nothing came for a while, and again if there was no room
 * for it in the queue. */
static uint32_t read_to_the_last(struct relay_client *from,
                                 struct relay_client *to)
{
    int64_t end = patience_now_ms() + PATIENCE_MS;
    uint32_t last = 0, count = 0;
    for (;;) {
        struct bytes p = await(to, RELAY_FORWARDED, PAUSE_MS);
        if (p.size == 0) {
            assert_true(patience_now_ms() < end);
            forward(from, to, LAST, 10);
            continue;
        }
        struct reader r = reader_of(bytes_of(p.data + FORWARD_HEADER_SIZE, 4));
        uint32_t number = read_u32(&r);
        if (number == LAST)
            return count;
        assert_true(count == 0 || number > last);
        last = number;
        count++;
    }
}

/* One edge does not read. Its senders are told, and the others are not
 * affected. */
static void an_edge_that_does_not_read_harms_nobody(void **state)
{
    (void)state;
    struct relay_client c = {0};
    uint32_t refused = 0;
    start("limits: {queue: 1MiB}\n");
    join(&a, 1);
    join(&b, 2);
    join(&c, 3);
    for (uint32_t i = 0; i < 3000 && refused < 10; i++) {
        forward(&a, &b, i, 60000);
        uint8_t room[256];
        int size = zmq_recv(a.socket, room, sizeof room, ZMQ_DONTWAIT);
        refused += size == 2 + KEY_SIZE && room[0] == RELAY_REFUSED &&
                   room[1] == REFUSAL_QUEUE_FULL;
        turn();
    }
    assert_true(refused >= 10);
    forward(&c, &a, 1, 10);
    assert_true(await(&a, RELAY_FORWARDED, PATIENCE_MS).size > 0);
    /* At last the edge reads: packets come in order, with gaps where senders
     * were refused. */
    assert_true(read_to_the_last(&a, &b) > 16);
    close_client(&c);
}

/* Joins with small buffers in libzmq and in the kernel. */
static void join_slow(struct relay_client *c, uint16_t number)
{
    int one = 1;
    int buffer = 1 << 16;
    open_node(c, number);
    zmq_disconnect(c->socket, world.endpoint);
    zmq_setsockopt(c->socket, ZMQ_RCVHWM, &one, sizeof one);
    zmq_setsockopt(c->socket, ZMQ_RCVBUF, &buffer, sizeof buffer);
    assert_int_equal(zmq_connect(c->socket, world.endpoint), 0);
    say_hello(c);
    assert_true(await(c, RELAY_SYNCED, PATIENCE_MS).size > 0);
}

/* One edge stopped. Its packets are in its queue, and as far as allowed in
 * libzmq and the kernel. */
static void a_stopped_edge_costs_its_queue_and_little_more(void **state)
{
    (void)state;
    enum { SIZE = 60000, QUEUE = 1 << 20, KERNEL = 2 << 20 };
    start("limits: {queue: 1MiB}\n");
    join(&a, 1);
    join_slow(&b, 2);
    static const uint8_t ping[9] = {RELAY_PING};
    for (uint32_t i = 0; i < 500; i++)
        forward(&a, &b, i, SIZE);
    send_bytes(&a, bytes_of(ping, sizeof ping));
    /* Everything has reached the relay. */
    assert_true(await(&a, RELAY_PONG, PATIENCE_MS).size > 0);
    size_t kept = (size_t)read_to_the_last(&a, &b) * SIZE;
    assert_true(kept > QUEUE);
    assert_true(kept < QUEUE + FRONT_CREDIT + KERNEL);
}

/* Replaces libc's malloc_trim. */
static int trimmed;

int malloc_trim(size_t pad)
{
    (void)pad;
    return ++trimmed;
}

/* After a queue is gone the process does not keep its memory. */
static void memory_goes_back_to_the_system(void **state)
{
    (void)state;
    start("limits: {queue: 64MiB}\n");
    join(&a, 1);
    join_slow(&b, 2);
    for (uint32_t i = 0; i < 400; i++)
        forward(&a, &b, i, 60000);
    static const uint8_t ping[9] = {RELAY_PING};
    send_bytes(&a, bytes_of(ping, sizeof ping));
    assert_true(await(&a, RELAY_PONG, PATIENCE_MS).size > 0);
    trimmed = 0;
    close_client(&b);
    struct instant end = instant_after(clock_now(), span_ms(PATIENCE_MS));
    while (trimmed == 0 && !instant_reached(end, clock_now()))
        turn();
    assert_true(trimmed > 0);
}

static void a_stopping_relay_says_so(void **state)
{
    (void)state;
    start("");
    join(&a, 1);
    relay_stop(world.relay);
    struct bytes refused = await(&a, RELAY_REFUSED, PATIENCE_MS);
    assert_true(refused.size > 0);
    assert_int_equal(refused.data[1], REFUSAL_SHUTDOWN);
    uv_run(&world.loop, UV_RUN_DEFAULT); /* The relay ends by itself. */
}

/* By the door, and by libzmq. */
#define TEST(test)                                                             \
    {"tcp: " #test, test, open_world, close_world, tcp},                       \
    {                                                                          \
        "curve: " #test, test, open_world, close_world, curve                  \
    }

int main(void)
{
    static char tcp[] = "tcp:", curve[] = "tcp: [], curve:",
                both[] = "tcp: [\"127.0.0.1:0\"], curve:";
    const struct CMUnitTest tests[] = {
        TEST(two_edges_meet_and_talk),
        {"both: both_ways_in_lead_to_each_other",
         both_ways_in_lead_to_each_other, open_world, close_world, both},
        TEST(one_upload_reaches_the_whole_group),
        TEST(a_broken_connection_shows_at_once),
        TEST(a_goodbye_right_before_the_end_is_heard),
        TEST(a_wrong_relay_key_fails_with_a_line),
        TEST(a_wrong_mesh_is_refused),
        TEST(a_certificate_out_of_its_time_is_refused),
        TEST(a_forged_certificate_is_refused),
        TEST(a_refusal_again_and_again_is_one_line),
        TEST(the_certificate_of_another_node_is_refused),
        TEST(a_revoked_node_is_refused),
        TEST(a_list_beside_the_key_needs_no_setting),
        TEST(a_list_from_an_edge_outlives_the_relay),
        TEST(a_client_that_proves_nothing_is_cut),
        TEST(an_address_has_its_limit_of_connections),
        TEST(a_flood_of_handshakes_harms_no_member),
        TEST(a_refused_edges_connection_ends),
        TEST(many_frames_do_no_harm),
        TEST(a_large_frame_does_no_harm),
        TEST(a_message_of_endless_frames_is_cut),
        TEST(an_edge_that_does_not_read_harms_nobody),
        TEST(a_stopped_edge_costs_its_queue_and_little_more),
        TEST(memory_goes_back_to_the_system),
        TEST(a_stopping_relay_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
