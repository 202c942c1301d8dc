/*
 * link_ngtcp2 - the load generator on bare ngtcp2 (tests/bench/quic/bare.c) and
 * a UDP socket: the least that a program with QUIC does. The left end is the
 * client; --url is the right end's ADDRESS:PORT.
 *
 * In the form `loop` each datagram costs a system call, at both ends; in the
 * form `gso` the kernel cuts and joins them (UDP_SEGMENT, UDP_GRO).
 */
#include "tests/bench/load/load.h"
#include "tests/bench/quic/load.h"

#include "common/io/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BUFFER = 4 * 1024 * 1024, READS = 64 };

const struct address load_addresses[2] = {
    {.family = ADDRESS_V4, .ip = {192, 0, 2, 1}, .port = 1},
    {.family = ADDRESS_V4, .ip = {192, 0, 2, 2}, .port = 2}};

static void *end; /* of the connection */
static int fd;
static bool known;    /* the socket is connected to the other end */
static bool segments; /* the kernel cuts and joins */
static load_message *took;
static unsigned long handed;

static void on_message(const uint8_t *bytes, size_t size)
{
    handed++;
    took(0, bytes, size);
}

/* ---- The socket */

static struct sockaddr_in address_of_url(void)
{
    struct sockaddr_in there = {.sin_family = AF_INET};
    char host[64] = "";
    const char *colon = strrchr(load.url, ':');
    if (colon == NULL || (size_t)(colon - load.url) >= sizeof host)
        load_die("--url is not ADDRESS:PORT");
    memcpy(host, load.url, (size_t)(colon - load.url));
    there.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    if (inet_pton(AF_INET, host, &there.sin_addr) != 1)
        load_die("%s is no address", host);
    return there;
}

static void connect_to(const struct sockaddr_in *there)
{
    if (connect(fd, (const struct sockaddr *)there, sizeof *there) != 0)
        load_die("connect: %s", strerror(errno));
    known = true;
}

static void open_socket(void)
{
    struct sockaddr_in there = address_of_url();
    int size = BUFFER, on = 1;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        load_die("socket: %s", strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    if (segments && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) != 0)
        load_die("no UDP_GRO");
    if (load_is_left())
        connect_to(&there);
    else if (bind(fd, (const struct sockaddr *)&there, sizeof there) != 0)
        load_die("bind: %s", strerror(errno));
}

static void send_datagram(const uint8_t *bytes, size_t size)
{
    if (send(fd, bytes, size, MSG_NOSIGNAL) < 0 && errno != ECONNREFUSED)
        load_die("send: %s", strerror(errno));
}

static void send_joined(uint8_t *bytes, size_t size, uint16_t segment)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof segment)] = {0};
    struct iovec part = {bytes, size};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(c), &segment, sizeof segment);
    if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0 && errno != ECONNREFUSED)
        load_die("sendmsg: %s", strerror(errno));
}

static void flush(void)
{
    static uint8_t buffer[QUIC_BURST_SIZE];
    size_t size, segment = 0;
    while ((size = load_bare.write(end, clock_now(), buffer, &segment)) > 0) {
        if (segments && size > segment) {
            send_joined(buffer, size, (uint16_t)segment);
            continue;
        }
        for (size_t at = 0; at < size; at += segment)
            send_datagram(buffer + at,
                          size - at < segment ? size - at : segment);
    }
}

/* The size of the datagrams that the kernel joined. */
static size_t segment_of(struct msghdr *m, size_t size)
{
    const struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int joined = 0;
    if (c != NULL && c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
        memcpy(&joined, CMSG_DATA(c), sizeof joined);
    return joined > 0 ? (size_t)joined : size;
}

/* False: nothing is there. */
static bool receive(void)
{
    static uint8_t buffer[64 * 1024];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {buffer, sizeof buffer};
    struct sockaddr_in from;
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    ssize_t got = recvmsg(fd, &m, MSG_DONTWAIT);
    if (got <= 0)
        return false;
    if (!known)
        connect_to(&from);
    size_t size = (size_t)got, segment = segment_of(&m, size);
    struct instant now = clock_now();
    for (size_t at = 0; at < size; at += segment)
        load_bare.take(end, buffer + at,
                       size - at < segment ? size - at : segment, now);
    return true;
}

/* ---- The loop */

static struct timespec time_left(struct instant until)
{
    struct instant next = instant_min(until, load_bare.deadline(end));
    struct span left = instant_between(clock_now(), next);
    if (left.us < 0)
        left.us = 0;
    return (struct timespec){.tv_sec = left.us / 1000000,
                             .tv_nsec = left.us % 1000000 * 1000};
}

void link_poll(int timeout_ms)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    struct instant until = instant_after(clock_now(), span_ms(timeout_ms));
    unsigned long before = handed;
    do {
        flush();
        struct timespec left = time_left(until);
        if (ppoll(&readable, 1, &left, NULL) > 0)
            for (int i = 0; i < READS && receive(); i++)
                continue;
        if (instant_reached(load_bare.deadline(end), clock_now()))
            load_bare.due(end, clock_now());
    } while (handed == before && !instant_reached(until, clock_now()));
    flush();
}

/* ---- The link */

void link_open(load_message *on)
{
    took = on;
    segments = strcmp(load.form, "gso") == 0;
    if (sodium_init() < 0)
        load_die("no libsodium");
    open_socket();
    end = load_bare.open(load_is_left(), clock_now());
    load_bare_on_message(end, on_message);
    while (load_is_left() && !load_bare.is_open(end))
        link_poll(10);
}

void link_send(const void *data, size_t size)
{
    while (!load_bare.send(end, data, size))
        link_poll(10);
}

void link_close(void)
{
    _Exit(0);
}

bool link_role(void)
{
    return false;
}
