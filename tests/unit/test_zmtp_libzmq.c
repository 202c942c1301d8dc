/* The machine on a socket with libzmq at the other end, in both roles [P-12].
 *
 * libzmq has threads of its own; the test waits for what must come, and fails
 * if nothing comes for half a minute. */
#include "common/base/hex.h"
#include "common/zmtp/zmtp.h"
#include "tests/unit/patience.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

enum { PACKET = 128 * 1024, ROOM = 2 * PACKET };

static struct {
    void *context;
    void *socket; /* libzmq's end */
    struct curve_pair server, client;
    /* Our end. */
    int listener, fd;
    struct entropy entropy;
    struct one_time_mac *mac;
    struct zmtp z;
    uint8_t in[ROOM];
    size_t in_read, in_size;
    struct zmtp_item item;
    struct zmtp_reply reply;
    /* All that our end got, for the recordings. */
    uint8_t heard[1024];
    size_t heard_size;
} w;

/* ---- Our end ---------------------------------------------------------- */

static void send_all(const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(w.fd, data, size, MSG_NOSIGNAL);
        assert_true(n > 0);
        data += n;
        size -= (size_t)n;
    }
}

static void send_reply(void)
{
    send_all(w.reply.bytes, w.reply.size);
}

static void wait_for(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

static void receive(void)
{
    memmove(w.in, w.in + w.in_read, w.in_size - w.in_read);
    w.in_size -= w.in_read;
    w.in_read = 0;
    wait_for(w.fd);
    ssize_t n = recv(w.fd, w.in + w.in_size, sizeof(w.in) - w.in_size, 0);
    assert_true(n > 0);
    for (ssize_t i = 0; i < n && w.heard_size < sizeof(w.heard); i++)
        w.heard[w.heard_size++] = w.in[w.in_size + (size_t)i];
    w.in_size += (size_t)n;
}

/* Reads once; receives more bytes if it wants more. */
static enum zmtp_kind read_once(void)
{
    uint8_t *at = w.in + w.in_read;
    enum zmtp_kind kind =
        zmtp_read(&w.z, &at, w.in + w.in_size, &w.item, &w.reply);

    w.in_read = (size_t)(at - w.in);
    send_reply();
    if (kind == ZMTP_MORE)
        receive();
    return kind;
}

/* The next thing that is neither a step of the handshake nor a want of more. */
static enum zmtp_kind next(void)
{
    for (;;) {
        enum zmtp_kind kind = read_once();
        if (kind == ZMTP_HELLO)
            zmtp_take_hello(&w.z);
        else if (kind != ZMTP_NEXT && kind != ZMTP_MORE)
            return kind;
    }
}

static void seal(struct bytes packet)
{
    static uint8_t out[PACKET + ZMTP_OVERHEAD];
    size_t size = zmtp_seal(&w.z, packet, out);
    assert_int_equal(size, zmtp_sealed_size(packet.size));
    send_all(out, size);
}

static void begin_machine(enum zmtp_role role, const struct curve_pair *keys)
{
    struct zmtp_conf conf = {.role = role,
                             .keys = keys,
                             .entropy = &w.entropy,
                             .mac = w.mac,
                             .packet_size = PACKET};
    memcpy(conf.server.key, w.server.public_key, KEY_SIZE);
    zmtp_init(&w.z, &conf, &w.reply);
    send_reply();
}

/* ---- libzmq's end ----------------------------------------------------- */

static void set_int(int option, int value)
{
    assert_int_equal(zmq_setsockopt(w.socket, option, &value, sizeof(value)),
                     0);
}

static void set_key(int option, const uint8_t key[32])
{
    assert_int_equal(zmq_setsockopt(w.socket, option, key, 32), 0);
}

static void open_socket(int type, const struct curve_pair *keys)
{
    w.socket = zmq_socket(w.context, type);
    assert_non_null(w.socket);
    set_int(ZMQ_LINGER, 0);
    set_int(ZMQ_RCVTIMEO, PATIENCE_MS);
    set_int(ZMQ_SNDTIMEO, PATIENCE_MS);
    set_key(ZMQ_CURVE_SECRETKEY, keys->secret_key);
    if (type == ZMQ_DEALER) {
        set_key(ZMQ_CURVE_PUBLICKEY, keys->public_key);
        set_key(ZMQ_CURVE_SERVERKEY, w.server.public_key);
    } else {
        set_int(ZMQ_CURVE_SERVER, 1);
    }
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Our end listens, and libzmq's DEALER connects to it. */
static void begin_as_server(void)
{
    struct sockaddr_in a = loopback(0);
    socklen_t size = sizeof(a);
    char endpoint[64];

    w.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(w.listener, (void *)&a, sizeof(a)), 0);
    assert_int_equal(listen(w.listener, 8), 0);
    assert_int_equal(getsockname(w.listener, (void *)&a, &size), 0);
    snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%d",
             ntohs(a.sin_port));
    assert_int_equal(zmq_connect(w.socket, endpoint), 0);
    wait_for(w.listener);
    w.fd = accept(w.listener, NULL, NULL);
    assert_true(w.fd >= 0);
    begin_machine(ZMTP_AS_SERVER, &w.server);
}

/* libzmq's ROUTER listens, and our end connects to it. */
static void begin_as_client(void)
{
    char endpoint[64];
    size_t size = sizeof(endpoint);

    assert_int_equal(zmq_bind(w.socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(
        zmq_getsockopt(w.socket, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    const char *port = strrchr(endpoint, ':');
    assert_non_null(port);
    struct sockaddr_in a = loopback((uint16_t)strtoul(port + 1, NULL, 10));
    w.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(w.fd, (void *)&a, sizeof(a)), 0);
    begin_machine(ZMTP_AS_CLIENT, &w.client);
}

static int setup(void **state)
{
    static const uint8_t server[32] = {0, 1}, client[32] = {0, 2};
    (void)state;

    memset(&w, 0, sizeof(w));
    w.listener = w.fd = -1;
    curve_pair_generate(&w.server, server);
    curve_pair_generate(&w.client, client);
    entropy_init(&w.entropy, server);
    w.mac = one_time_mac_new();
    w.context = zmq_ctx_new();
    return w.context ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    zmtp_wipe(&w.z);
    one_time_mac_free(&w.mac);
    if (w.fd >= 0)
        close(w.fd);
    if (w.listener >= 0)
        close(w.listener);
    if (w.socket)
        zmq_close(w.socket);
    return zmq_ctx_term(w.context);
}

/* ---- Packets ---------------------------------------------------------- */

static const size_t sizes[] = {0,   1,    31,   32,   64,    222,   223,
                               255, 1024, 8192, 8193, 65536, 67646, PACKET};

static struct bytes pattern(size_t size)
{
    static uint8_t room[PACKET];
    for (size_t i = 0; i < size; i++)
        room[i] = (uint8_t)(i * 31 + size);
    return bytes_of(room, size);
}

static void assert_pattern(const void *data, size_t size, size_t expected)
{
    assert_int_equal(size, expected);
    assert_true(bytes_equal(bytes_of(data, size), pattern(size)));
}

static void libzmq_sends(size_t size, int flags)
{
    struct bytes p = pattern(size);
    assert_int_equal(zmq_send(w.socket, p.data, p.size, flags), p.size);
}

static size_t libzmq_receives(uint8_t *room)
{
    int size = zmq_recv(w.socket, room, PACKET, 0);
    assert_true(size >= 0);
    return (size_t)size;
}

static void libzmq_connects(void)
{
    open_socket(ZMQ_DEALER, &w.client);
    begin_as_server();
    assert_int_equal(next(), ZMTP_CLIENT);
    assert_memory_equal(w.item.client.key, w.client.public_key, 32);
    zmtp_admit(&w.z, &w.reply);
    send_reply();
}

static void libzmq_is_our_client(void **state)
{
    static uint8_t room[PACKET];
    (void)state;

    libzmq_connects();
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        libzmq_sends(sizes[i], 0);
        assert_int_equal(next(), ZMTP_PACKET);
        assert_pattern(w.item.packet.data, w.item.packet.size, sizes[i]);
        seal(pattern(sizes[i]));
        assert_pattern(room, libzmq_receives(room), sizes[i]);
    }
}

static void libzmq_is_our_server(void **state)
{
    static uint8_t room[PACKET];
    uint8_t id[256];
    (void)state;

    open_socket(ZMQ_ROUTER, &w.server);
    begin_as_client();
    assert_int_equal(next(), ZMTP_READY);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        seal(pattern(sizes[i]));
        int size = zmq_recv(w.socket, id, sizeof(id), 0);
        assert_true(size > 0);
        assert_pattern(room, libzmq_receives(room), sizes[i]);
        assert_int_equal(zmq_send(w.socket, id, (size_t)size, ZMQ_SNDMORE),
                         size);
        libzmq_sends(sizes[i], 0);
        assert_int_equal(next(), ZMTP_PACKET);
        assert_pattern(w.item.packet.data, w.item.packet.size, sizes[i]);
    }
}

static void a_thousand_packets_in_a_row(void **state)
{
    static uint8_t room[PACKET];
    (void)state;

    libzmq_connects();
    for (size_t i = 0; i < 1000; i++)
        libzmq_sends(i, 0);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(next(), ZMTP_PACKET);
        assert_pattern(w.item.packet.data, w.item.packet.size, i);
        seal(w.item.packet);
    }
    for (size_t i = 0; i < 1000; i++)
        assert_pattern(room, libzmq_receives(room), i);
}

static void a_message_of_two_frames_ends_the_connection(void **state)
{
    (void)state;
    libzmq_connects();
    libzmq_sends(5, ZMQ_SNDMORE);
    libzmq_sends(5, 0);
    assert_int_equal(next(), ZMTP_FAILED);
    assert_int_equal(w.z.failure, ZMTP_BAD_MORE);
}

/* ---- Heartbeats ------------------------------------------------------- */

/* libzmq asks often, and ends a connection that does not answer. */
static void libzmqs_pings_are_answered(void **state)
{
    static uint8_t room[PACKET];
    (void)state;

    open_socket(ZMQ_DEALER, &w.client);
    set_int(ZMQ_HEARTBEAT_IVL, 5);
    set_int(ZMQ_HEARTBEAT_TIMEOUT, PATIENCE_MS);
    set_int(ZMQ_HEARTBEAT_TTL, 1200);
    begin_as_server();
    assert_int_equal(next(), ZMTP_CLIENT);
    zmtp_admit(&w.z, &w.reply);
    send_reply();
    for (int i = 0; i < 5; i++) {
        assert_int_equal(next(), ZMTP_PINGED);
        assert_int_equal(w.item.ttl, 12);
    }
    seal(pattern(10));
    assert_pattern(room, libzmq_receives(room), 10);
}

static void libzmq_answers_our_ping(void **state)
{
    (void)state;
    open_socket(ZMQ_ROUTER, &w.server);
    begin_as_client();
    assert_int_equal(next(), ZMTP_READY);
    for (size_t size = 0; size <= ZMTP_CONTEXT_SIZE; size++) {
        zmtp_ping(&w.z, 0, pattern(size), &w.reply);
        send_reply();
        assert_int_equal(next(), ZMTP_PONGED);
        assert_pattern(w.item.context.data, w.item.context.size, size);
    }
}

/* ---- Refusals --------------------------------------------------------- */

/* What libzmq's monitor of its socket tells first of these events. */
static int monitored(void *monitor, int events, int *value)
{
    for (;;) {
        uint8_t event[6], address[256];
        assert_int_equal(zmq_recv(monitor, event, sizeof(event), 0), 6);
        assert_true(zmq_recv(monitor, address, sizeof(address), 0) >= 0);
        uint16_t kind;
        memcpy(&kind, event, sizeof(kind));
        memcpy(value, event + 2, sizeof(*value));
        if (kind & events)
            return kind;
    }
}

static void libzmq_hears_that_it_is_refused(void **state)
{
    int value, patience = PATIENCE_MS;
    (void)state;

    open_socket(ZMQ_DEALER, &w.client);
    assert_int_equal(
        zmq_socket_monitor(w.socket, "inproc://monitor", ZMQ_EVENT_ALL), 0);
    void *monitor = zmq_socket(w.context, ZMQ_PAIR);
    zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(zmq_connect(monitor, "inproc://monitor"), 0);
    begin_as_server();
    assert_int_equal(next(), ZMTP_CLIENT);
    zmtp_refuse(&w.z, "400", &w.reply);
    send_reply();
    assert_int_equal(monitored(monitor,
                               ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                                   ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                                   ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL,
                               &value),
                     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    assert_int_equal(value, 400);
    zmq_close(monitor);
}

/* Plays libzmq's handler of ZAP [RFC 27], which refuses the client. */
static void refuse_by_zap(void *handler)
{
    char request[64];
    int more = 1;
    size_t size = sizeof(more);

    while (more) {
        assert_true(zmq_recv(handler, request, sizeof(request), 0) >= 0);
        assert_int_equal(zmq_getsockopt(handler, ZMQ_RCVMORE, &more, &size), 0);
    }
    static const char *const answer[] = {"1.0", "1", "400", "no", "", ""};
    for (size_t i = 0; i < COUNT_OF(answer); i++)
        zmq_send(handler, answer[i], strlen(answer[i]),
                 i + 1 < COUNT_OF(answer) ? ZMQ_SNDMORE : 0);
}

static void we_hear_that_libzmq_refuses_us(void **state)
{
    int patience = PATIENCE_MS;
    (void)state;

    void *handler = zmq_socket(w.context, ZMQ_REP);
    zmq_setsockopt(handler, ZMQ_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(zmq_bind(handler, "inproc://zeromq.zap.01"), 0);
    open_socket(ZMQ_ROUTER, &w.server);
    assert_int_equal(zmq_setsockopt(w.socket, ZMQ_ZAP_DOMAIN, "d", 1), 0);
    begin_as_client();
    while (w.z.state != ZMTP_AWAITS_READY) {
        enum zmtp_kind kind = read_once();
        if (kind != ZMTP_MORE)
            assert_int_equal(kind, ZMTP_NEXT);
    }
    refuse_by_zap(handler);
    assert_int_equal(next(), ZMTP_FAILED);
    assert_int_equal(w.z.failure, ZMTP_GOT_ERROR);
    assert_true(bytes_equal(w.item.reason, bytes_of("400", 3)));
    zmq_close(handler);
}

static void a_client_with_another_servers_key_is_refused(void **state)
{
    (void)state;
    open_socket(ZMQ_DEALER, &w.client);
    set_key(ZMQ_CURVE_SERVERKEY, w.client.public_key);
    begin_as_server();
    assert_int_equal(next(), ZMTP_FAILED);
    assert_int_equal(w.z.failure, ZMTP_BAD_KEY);
}

/* A socket whose type does not talk to a ROUTER. */
static void a_subscriber_is_refused(void **state)
{
    (void)state;
    w.socket = zmq_socket(w.context, ZMQ_SUB);
    set_int(ZMQ_LINGER, 0);
    set_key(ZMQ_CURVE_SECRETKEY, w.client.secret_key);
    set_key(ZMQ_CURVE_PUBLICKEY, w.client.public_key);
    set_key(ZMQ_CURVE_SERVERKEY, w.server.public_key);
    begin_as_server();
    assert_int_equal(next(), ZMTP_FAILED);
    assert_int_equal(w.z.failure, ZMTP_BAD_SOCKET_TYPE);
}

/* What libzmq said in a good connection opens no other one. */
static void libzmqs_recorded_connection_is_refused(void **state)
{
    int pair[2];
    uint8_t recorded[sizeof(w.heard)];
    (void)state;

    libzmq_connects();
    libzmq_sends(5, 0);
    assert_int_equal(next(), ZMTP_PACKET);
    size_t size = w.heard_size;
    memcpy(recorded, w.heard, size);
    close(w.fd);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    w.fd = pair[0];
    w.in_size = w.in_read = 0;
    begin_machine(ZMTP_AS_SERVER, &w.server);
    assert_int_equal(write(pair[1], recorded, size), size);
    assert_int_equal(next(), ZMTP_FAILED);
    assert_int_equal(w.z.failure, ZMTP_BAD_COOKIE);
    close(pair[1]);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(libzmq_is_our_client),
        WITH_WORLD(libzmq_is_our_server),
        WITH_WORLD(a_thousand_packets_in_a_row),
        WITH_WORLD(a_message_of_two_frames_ends_the_connection),
        WITH_WORLD(libzmqs_pings_are_answered),
        WITH_WORLD(libzmq_answers_our_ping),
        WITH_WORLD(libzmq_hears_that_it_is_refused),
        WITH_WORLD(we_hear_that_libzmq_refuses_us),
        WITH_WORLD(a_client_with_another_servers_key_is_refused),
        WITH_WORLD(a_subscriber_is_refused),
        WITH_WORLD(libzmqs_recorded_connection_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
