/* A connection's life on real sockets: monitor, ZAP and zsocket together. */
#include "tests/unit/patience.h"

#include "common/io/monitor.h"
#include "common/io/zap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TURN_MS = 5, SOCKETS = 64 };

struct monitor_end {
    struct zsocket *socket;
    struct monitor *monitor;
    struct monitor_event events[32];
    size_t count;
    int messages;
    struct curve_key sender; /* of the last message */
    bool named;
};

static struct {
    uv_loop_t loop;
    struct zloop zloop;
    void *context;
    struct zap *zap;
    uv_timer_t timer;
    struct monitor_end server, client;
    uint8_t server_public[32], server_secret[32];
    uint8_t client_public[32], client_secret[32];
    bool refuse;
    char endpoint[128];
} w;

static void on_event(void *context, const struct monitor_event *event)
{
    struct monitor_end *end = context;

    if (end->count < COUNT_OF(end->events))
        end->events[end->count++] = *event;
}

static void on_ready(void *context, int events)
{
    struct monitor_end *end = context;
    zmq_msg_t m;

    (void)events;
    zmq_msg_init(&m);
    while (zsocket_recv(end->socket, &m) >= 0) {
        if (zmq_msg_more(&m))
            continue;
        end->messages++;
        end->named = zap_key(&m, &end->sender);
    }
    zmq_msg_close(&m);
}

static bool permit(void *context, const char *domain,
                   const struct curve_key *key, const char *address)
{
    (void)context;
    (void)key;
    assert_string_equal(domain, "test");
    assert_string_equal(address, "127.0.0.1");
    return !w.refuse;
}

static const struct monitor_event *find(const struct monitor_end *end,
                                        enum monitor_kind kind)
{
    for (size_t i = 0; i < end->count; i++)
        if (end->events[i].kind == kind)
            return &end->events[i];
    return NULL;
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
}

/* Runs the loop until the event comes. */
static const struct monitor_event *await(const struct monitor_end *end,
                                         enum monitor_kind kind)
{
    PATIENCE_UNTIL(find(end, kind) != NULL, uv_run(&w.loop, UV_RUN_ONCE));
    return find(end, kind);
}

static void await_messages(const struct monitor_end *end, int count)
{
    PATIENCE_UNTIL(end->messages >= count, uv_run(&w.loop, UV_RUN_ONCE));
    assert_int_equal(end->messages, count);
}

static void open_end(struct monitor_end *end, int type)
{
    end->socket = zsocket_open(&w.zloop, w.context, type, on_ready, end);
    assert_non_null(end->socket);
    end->monitor =
        monitor_open(&w.zloop, w.context, end->socket, on_event, end);
    assert_non_null(end->monitor);
}

static void set_key(struct monitor_end *end, int option, const uint8_t *key)
{
    assert_int_equal(zmq_setsockopt(zsocket_raw(end->socket), option, key, 32),
                     0);
}

static void serve(void)
{
    size_t size = sizeof w.endpoint;

    open_end(&w.server, ZMQ_ROUTER);
    assert_true(zsocket_set(w.server.socket, ZMQ_CURVE_SERVER, 1));
    assert_true(zsocket_set(w.server.socket, ZAP_ENFORCE_DOMAIN, 1));
    zmq_setsockopt(zsocket_raw(w.server.socket), ZMQ_ZAP_DOMAIN, "test", 4);
    set_key(&w.server, ZMQ_CURVE_SECRETKEY, w.server_secret);
    assert_int_equal(
        zmq_bind(zsocket_raw(w.server.socket), "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt(zsocket_raw(w.server.socket), ZMQ_LAST_ENDPOINT, w.endpoint,
                   &size);
}

static void join(const uint8_t *server_key)
{
    open_end(&w.client, ZMQ_DEALER);
    zsocket_set(w.client.socket, ZMQ_RECONNECT_IVL, 100000);
    if (server_key != NULL) {
        set_key(&w.client, ZMQ_CURVE_SERVERKEY, server_key);
        set_key(&w.client, ZMQ_CURVE_PUBLICKEY, w.client_public);
        set_key(&w.client, ZMQ_CURVE_SECRETKEY, w.client_secret);
    }
    assert_int_equal(zmq_connect(zsocket_raw(w.client.socket), w.endpoint), 0);
}

static int offer_one(void)
{
    zmq_msg_t m;

    zmq_msg_init_size(&m, 3);
    memcpy(zmq_msg_data(&m), "one", 3);
    int size = zsocket_send(w.client.socket, &m, 0);
    if (size < 0)
        zmq_msg_close(&m);
    return size;
}

static void send_one(void)
{
    assert_int_equal(offer_one(), 3);
}

/* Over a connection that is to fail. If it has failed already, libzmq has
 * dropped it and takes no message. */
static void send_in_vain(void)
{
    int size = offer_one();

    assert_true(size == 3 || (size < 0 && errno == EAGAIN));
}

static int setup(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    uv_loop_init(&w.loop);
    zloop_open(&w.zloop, &w.loop, NULL, NULL);
    uv_timer_init(&w.loop, &w.timer);
    uv_timer_start(&w.timer, on_timer, TURN_MS, TURN_MS);
    w.context = zcontext_open(SOCKETS);
    assert_non_null(w.context);
    w.zap = zap_open(&w.zloop, w.context, permit, NULL);
    assert_non_null(w.zap);
    crypto_box_keypair(w.server_public, w.server_secret);
    crypto_box_keypair(w.client_public, w.client_secret);
    serve();
    return 0;
}

static void close_end(struct monitor_end *end)
{
    monitor_close(&end->monitor);
    zsocket_close(&end->socket);
}

static int teardown(void **state)
{
    (void)state;
    close_end(&w.client);
    close_end(&w.server);
    zap_close(&w.zap);
    zloop_close(&w.zloop);
    uv_close((uv_handle_t *)&w.timer, NULL);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    zcontext_close(&w.context);
    return uv_loop_close(&w.loop);
}

static void a_connection_is_told_from_begin_to_end(void **state)
{
    (void)state;
    join(w.server_public);
    assert_true(await(&w.client, MONITOR_CONNECTED)->fd >= 0);
    await(&w.client, MONITOR_HANDSHAKE_DONE);
    int fd = await(&w.server, MONITOR_ACCEPTED)->fd;
    await(&w.server, MONITOR_HANDSHAKE_DONE);
    close_end(&w.client);
    assert_int_equal(await(&w.server, MONITOR_DISCONNECTED)->fd, fd);
}

static void a_message_tells_its_senders_key(void **state)
{
    (void)state;
    join(w.server_public);
    send_one();
    await_messages(&w.server, 1);
    assert_true(w.server.named);
    assert_memory_equal(w.server.sender.key, w.client_public, 32);
}

static void a_wrong_server_key_fails_the_handshake(void **state)
{
    (void)state;
    join(w.client_public);
    send_in_vain();
    await(&w.client, MONITOR_HANDSHAKE_FAILED);
    await(&w.client, MONITOR_DISCONNECTED);
    assert_null(find(&w.client, MONITOR_HANDSHAKE_DONE));
    assert_null(find(&w.server, MONITOR_HANDSHAKE_DONE));
    assert_int_equal(w.server.messages, 0);
}

static void without_curve_nobody_comes_in(void **state)
{
    (void)state;
    join(NULL);
    send_in_vain();
    await(&w.server, MONITOR_HANDSHAKE_FAILED);
    await(&w.client, MONITOR_DISCONNECTED);
    assert_int_equal(w.server.messages, 0);
}

static void the_owner_may_refuse(void **state)
{
    (void)state;
    w.refuse = true;
    join(w.server_public);
    send_one();
    const struct monitor_event *event =
        await(&w.client, MONITOR_HANDSHAKE_FAILED);
    assert_string_equal(event->reason, "auth");
    assert_int_equal(w.server.messages, 0);
}

/* Takes a port at which nobody listens. */
static int take_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    snprintf(w.endpoint, sizeof w.endpoint, "tcp://127.0.0.1:%d",
             ntohs(at.sin_port));
    return fd;
}

static void nobody_listening_is_a_failed_connect(void **state)
{
    (void)state;
    int fd = take_port();
    join(w.server_public);
    await(&w.client, MONITOR_CONNECT_FAILED);
    assert_null(find(&w.client, MONITOR_CONNECTED));
    close(fd);
}

/* Each message is sent between two sleeps of the loop. */
static void no_message_is_overlooked(void **state)
{
    (void)state;
    join(w.server_public);
    for (int i = 1; i <= 300; i++) {
        send_one();
        if (i % 3 == 0)
            await_messages(&w.server, i);
    }
}

static void frames_that_are_no_event_are_refused(void **state)
{
    struct monitor_event event;
    uint8_t head[6] = {0};
    uint16_t stopped = ZMQ_EVENT_MONITOR_STOPPED;

    (void)state;
    struct bytes endpoint = bytes_of_string("tcp://127.0.0.1:1");
    assert_false(monitor_parse(bytes_of(head, 5), endpoint, &event));
    assert_false(monitor_parse(bytes_of(head, 6), endpoint, &event));
    memcpy(head, &stopped, 2);
    assert_false(monitor_parse(bytes_of(head, 6), endpoint, &event));
}

static void an_event_has_what_libzmq_told(void **state)
{
    struct monitor_event event;
    uint8_t head[6];
    uint16_t number = ZMQ_EVENT_ACCEPT_FAILED;
    int32_t value = 24;
    char endpoint[300];

    (void)state;
    memset(endpoint, 'x', sizeof endpoint);
    memcpy(head, &number, 2);
    memcpy(head + 2, &value, 4);
    assert_true(monitor_parse(bytes_of(head, 6),
                              bytes_of(endpoint, sizeof endpoint), &event));
    assert_int_equal(event.kind, MONITOR_ACCEPT_FAILED);
    assert_int_equal(event.error, 24);
    assert_int_equal(event.fd, -1);
    assert_int_equal(strlen(event.endpoint), MONITOR_ENDPOINT_SIZE - 1);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_connection_is_told_from_begin_to_end),
        LIVE(a_message_tells_its_senders_key),
        LIVE(a_wrong_server_key_fails_the_handshake),
        LIVE(without_curve_nobody_comes_in),
        LIVE(the_owner_may_refuse),
        LIVE(nobody_listening_is_a_failed_connect),
        LIVE(no_message_is_overlooked),
        cmocka_unit_test(frames_that_are_no_event_are_refused),
        cmocka_unit_test(an_event_has_what_libzmq_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
