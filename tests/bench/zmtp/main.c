/*
 * bench_zmtp - what a message costs by common/zmtp, beside libzmq.
 *
 *     bench_zmtp [--megabytes N] [--repeats N]
 *
 * "memory" seals and opens without a socket. "tcp" sends over loopback from one
 * end to the other: our machine with one read and one write for up to 64 KiB,
 * libzmq's DEALER to its ROUTER. Told is the CPU of all threads of both ends,
 * the median of the repeats, for each message. The two take turns.
 */
#include "common/io/processor.h"
#include "common/zmtp/zmtp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { MOST = 65536, ROOM = 4 * MOST, REPEATS_MOST = 99, BATCH = 65536 };

/* A connection of ours: both ends, on one socket each. */
struct zmtp_load {
    struct zmtp server, client;
    struct entropy entropy;
    size_t size, count; /* of a message; of messages */
    int fds[2];
};

static struct curve_pair server_keys, client_keys;
static struct one_time_mac *server_mac, *client_mac; /* of a thread each */
static uint8_t payload[MOST];

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void check(bool good)
{
    if (!good) {
        perror("bench_zmtp");
        exit(1);
    }
}

/* ---- Our machine ------------------------------------------------------ */

/* Gives one end what the other wrote; `out` gets what it writes itself. */
static enum zmtp_kind step(struct zmtp *z, const struct zmtp_reply *in,
                           size_t *used, struct zmtp_reply *out)
{
    uint8_t copy[ZMTP_REPLY_SIZE];
    struct zmtp_item item;
    uint8_t *at = copy;

    memcpy(copy, in->bytes + *used, in->size - *used);
    enum zmtp_kind kind =
        zmtp_read(z, &at, copy + in->size - *used, &item, out);
    *used += (size_t)(at - copy);
    return kind;
}

static void shake_hands(struct zmtp_load *l)
{
    struct zmtp_reply a, b, out;
    size_t used = 0;
    struct zmtp_conf conf = {.role = ZMTP_AS_SERVER,
                             .keys = &server_keys,
                             .entropy = &l->entropy,
                             .mac = server_mac,
                             .wide = processor_is_wide(),
                             .packet_size = MOST};

    zmtp_init(&l->server, &conf, &a);
    conf.role = ZMTP_AS_CLIENT;
    conf.keys = &client_keys;
    conf.mac = client_mac;
    memcpy(conf.server.key, server_keys.public_key, KEY_SIZE);
    zmtp_init(&l->client, &conf, &b);
    check(step(&l->server, &b, &used, &out) == ZMTP_NEXT);
    used = 0;
    check(step(&l->client, &a, &used, &b) == ZMTP_NEXT);
    used = 0;
    check(step(&l->server, &b, &used, &out) == ZMTP_HELLO);
    zmtp_take_hello(&l->server);
    check(step(&l->server, &b, &used, &a) == ZMTP_NEXT);
    used = 0;
    check(step(&l->client, &a, &used, &b) == ZMTP_NEXT);
    used = 0;
    check(step(&l->server, &b, &used, &out) == ZMTP_CLIENT);
    zmtp_admit(&l->server, &a);
    used = 0;
    check(step(&l->client, &a, &used, &b) == ZMTP_READY);
}

static double handshakes(size_t count)
{
    struct zmtp_load l = {0};
    double begin = cpu_ns();

    for (size_t i = 0; i < count; i++)
        shake_hands(&l);
    return (cpu_ns() - begin) / (double)count;
}

static double in_memory(size_t size, size_t count)
{
    static uint8_t wire[MOST + ZMTP_OVERHEAD];
    struct zmtp_load l = {0};
    struct zmtp_reply reply;
    struct zmtp_item item;

    shake_hands(&l);
    double begin = cpu_ns();
    for (size_t i = 0; i < count; i++) {
        size_t sealed = zmtp_seal(&l.client, bytes_of(payload, size), wire);
        uint8_t *at = wire;
        check(zmtp_read(&l.server, &at, wire + sealed, &item, &reply) ==
              ZMTP_PACKET);
    }
    return (cpu_ns() - begin) / (double)count;
}

static void send_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        check(n > 0);
        data += n;
        size -= (size_t)n;
    }
}

static void *send_ours(void *argument)
{
    static uint8_t out[ROOM];
    struct zmtp_load *l = argument;
    size_t held = 0;

    for (size_t i = 0; i < l->count; i++) {
        held += zmtp_seal(&l->client, bytes_of(payload, l->size), out + held);
        if (held >= BATCH || i + 1 == l->count) {
            send_all(l->fds[1], out, held);
            held = 0;
        }
    }
    return NULL;
}

static void receive_ours(struct zmtp_load *l)
{
    static uint8_t in[ROOM];
    size_t held = 0, got = 0;
    struct zmtp_item item;
    struct zmtp_reply reply;

    while (got < l->count) {
        ssize_t n = recv(l->fds[0], in + held, sizeof(in) - held, 0);
        check(n > 0);
        uint8_t *at = in, *end = in + held + n;
        while (zmtp_read(&l->server, &at, end, &item, &reply) == ZMTP_PACKET)
            got++;
        check(l->server.state == ZMTP_OPEN);
        held = (size_t)(end - at);
        memmove(in, at, held);
    }
}

static void connect_loopback(int fds[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(a);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    check(bind(listener, (void *)&a, sizeof(a)) == 0);
    check(listen(listener, 1) == 0);
    check(getsockname(listener, (void *)&a, &size) == 0);
    fds[1] = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(fds[1], (void *)&a, sizeof(a)) == 0);
    fds[0] = accept(listener, NULL, NULL);
    check(fds[0] >= 0);
    close(listener);
}

static double by_tcp_ours(size_t size, size_t count)
{
    struct zmtp_load l = {.size = size, .count = count};
    pthread_t sender;

    shake_hands(&l);
    connect_loopback(l.fds);
    double begin = cpu_ns();
    check(pthread_create(&sender, NULL, send_ours, &l) == 0);
    receive_ours(&l);
    pthread_join(sender, NULL);
    double spent = cpu_ns() - begin;
    close(l.fds[0]);
    close(l.fds[1]);
    return spent / (double)count;
}

/* ---- libzmq ----------------------------------------------------------- */

struct zmq_load {
    void *dealer, *router;
    size_t size, count;
};

static void set_key(void *socket, int option, const uint8_t key[32])
{
    check(zmq_setsockopt(socket, option, key, 32) == 0);
}

static void open_zmq(struct zmq_load *l, void *context)
{
    char endpoint[64];
    size_t size = sizeof(endpoint);
    int yes = 1;

    l->router = zmq_socket(context, ZMQ_ROUTER);
    l->dealer = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(l->router, ZMQ_CURVE_SERVER, &yes, sizeof(yes));
    set_key(l->router, ZMQ_CURVE_SECRETKEY, server_keys.secret_key);
    set_key(l->dealer, ZMQ_CURVE_SECRETKEY, client_keys.secret_key);
    set_key(l->dealer, ZMQ_CURVE_PUBLICKEY, client_keys.public_key);
    set_key(l->dealer, ZMQ_CURVE_SERVERKEY, server_keys.public_key);
    check(zmq_bind(l->router, "tcp://127.0.0.1:*") == 0);
    zmq_getsockopt(l->router, ZMQ_LAST_ENDPOINT, endpoint, &size);
    check(zmq_connect(l->dealer, endpoint) == 0);
}

static void *send_zmq(void *argument)
{
    struct zmq_load *l = argument;

    for (size_t i = 0; i < l->count; i++)
        check(zmq_send(l->dealer, payload, l->size, 0) >= 0);
    return NULL;
}

static void receive_zmq(struct zmq_load *l, size_t count)
{
    zmq_msg_t m;

    zmq_msg_init(&m);
    for (size_t i = 0; i < 2 * count; i++) /* the id, the message */
        check(zmq_msg_recv(&m, l->router, 0) >= 0);
    zmq_msg_close(&m);
}

static double by_tcp_zmq(size_t size, size_t count)
{
    struct zmq_load l = {.size = size, .count = count};
    void *context = zmq_ctx_new();
    pthread_t sender;

    open_zmq(&l, context);
    check(zmq_send(l.dealer, payload, 1, 0) == 1);
    receive_zmq(&l, 1); /* The handshake is over. */
    double begin = cpu_ns();
    check(pthread_create(&sender, NULL, send_zmq, &l) == 0);
    receive_zmq(&l, count);
    pthread_join(sender, NULL);
    double spent = cpu_ns() - begin;
    zmq_close(l.dealer);
    zmq_close(l.router);
    zmq_ctx_term(context);
    return spent / (double)count;
}

/* ---- Measuring -------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

static void measure(size_t size, size_t megabytes, size_t repeats)
{
    size_t count = megabytes * 1000000 / (size + 200) + 1;
    double memory[REPEATS_MOST], ours[REPEATS_MOST], zmq[REPEATS_MOST];

    for (size_t i = 0; i < repeats; i++) {
        memory[i] = in_memory(size, count);
        ours[i] = by_tcp_ours(size, count);
        zmq[i] = by_tcp_zmq(size, count);
    }
    double o = median(ours, repeats), z = median(zmq, repeats);
    printf("%6zu B   memory %9.0f ns   tcp %9.0f ns   libzmq %9.0f ns   "
           "ratio %.2f\n",
           size, median(memory, repeats), o, z, o / z);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {64, 1024, 65536};
    static const uint8_t seeds[2][32] = {{0, 1}, {0, 2}};
    size_t megabytes = 100, repeats = 5;

    for (int i = 1; i + 1 < argc; i += 2) {
        size_t value = strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--megabytes") == 0)
            megabytes = value;
        else if (strcmp(argv[i], "--repeats") == 0)
            repeats = value;
    }
    check(sodium_init() >= 0 && repeats > 0 && repeats <= REPEATS_MOST);
    curve_pair_generate(&server_keys, seeds[0]);
    curve_pair_generate(&client_keys, seeds[1]);
    server_mac = one_time_mac_new();
    client_mac = one_time_mac_new();
    printf("handshake, both ends: %.0f us\n", handshakes(200) / 1000);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        measure(sizes[i], megabytes, repeats);
    one_time_mac_free(&server_mac);
    one_time_mac_free(&client_mac);
    return 0;
}
