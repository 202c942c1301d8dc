/* UDP sockets on the loopback interface, with a real loop. The system calls
 * that send can be made to fail as they do where the test cannot go: on devices
 * without segmentation, on small interfaces, with a full buffer. */
#include "tests/unit/kit.h"

#include "edge/shell/udp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ALL_MOST = 4 * 1024 * 1024 };

struct socket_end {
    struct udp_socket *socket;
    struct address address;
    size_t sizes[4096]; /* of the datagrams that came */
    size_t count;
    uint8_t *bytes; /* of all of them */
    size_t size;
    struct address from; /* of the last one */
    int writable;
};

static struct {
    uv_loop_t loop;
    struct udp_room *room;
    struct socket_end ends[2];
    int segmented_error; /* what sendmsg returns for a burst; 0: it sends */
    int full_after;      /* calls that succeed before EAGAIN; -1: all */
    int refuse_size;     /* single datagrams larger than this: EMSGSIZE */
    int calls;
} w;

/* ---- The system calls */

static bool is_burst(const struct msghdr *m)
{
    const struct cmsghdr *c = CMSG_FIRSTHDR(m);

    return c != NULL && c->cmsg_level == IPPROTO_UDP &&
           c->cmsg_type == UDP_SEGMENT;
}

static int verdict(const struct msghdr *m)
{
    w.calls++;
    if (w.full_after == 0)
        return EAGAIN;
    if (is_burst(m) && w.segmented_error != 0)
        return w.segmented_error;
    if (w.refuse_size > 0 && !is_burst(m) &&
        m->msg_iov[0].iov_len > (size_t)w.refuse_size)
        return EMSGSIZE;
    if (w.full_after > 0)
        w.full_after--;
    return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    errno = verdict(m);
    return errno != 0 ? -1 : syscall(SYS_sendmsg, fd, m, flags);
}

/* One of the datagrams is refused like the first of those that follow.
 * NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int sendmmsg(int fd, struct mmsghdr *m, unsigned count, int flags)
{
    unsigned done = 0;
    int error = 0;

    for (; done < count && error == 0; done += error == 0) {
        error = verdict(&m[done].msg_hdr);
        if (error == 0 && syscall(SYS_sendmsg, fd, &m[done].msg_hdr, flags) < 0)
            error = errno;
    }
    errno = error;
    return done > 0 ? (int)done : -1;
}

/* ---- Two ends */

static void on_readable(void *context, struct udp_socket *s)
{
    struct socket_end *e = context;
    struct udp_burst *bursts;
    size_t count = udp_socket_receive(s, w.room, &bursts);

    for (size_t i = 0; i < count; i++) {
        const struct udp_burst *b = &bursts[i];
        assert_true(e->size + b->size <= ALL_MOST);
        memcpy(e->bytes + e->size, b->bytes, b->size);
        e->size += b->size;
        e->from = b->peer;
        for (size_t at = 0; at < b->size; at += b->segment)
            e->sizes[e->count++] =
                b->size - at < b->segment ? b->size - at : b->segment;
    }
}

static void on_writable(void *context, struct udp_socket *s)
{
    struct socket_end *e = context;

    (void)s;
    e->writable++;
}

static void open_end(struct socket_end *e, enum address_family family)
{
    struct udp_socket_owner owner = {
        .context = e, .readable = on_readable, .writable = on_writable};

    *e = (struct socket_end){.bytes = malloc(ALL_MOST)};
    e->socket = udp_socket_open(&w.loop, family, 0, &owner);
    assert_non_null(e->socket);
    assert_true(address_of_ip(family == ADDRESS_V4 ? "127.0.0.1" : "::1",
                              udp_socket_port(e->socket), &e->address));
    assert_true(e->address.port > 0);
}

static void open_ends(enum address_family family)
{
    memset(&w, 0, sizeof w);
    w.full_after = -1;
    uv_loop_init(&w.loop);
    w.room = udp_room_new();
    open_end(&w.ends[0], family);
    open_end(&w.ends[1], family);
    udp_socket_enlarge(w.ends[1].socket);
}

static void close_ends(void)
{
    for (int i = 0; i < 2; i++) {
        udp_socket_close(&w.ends[i].socket);
        free(w.ends[i].bytes);
    }
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w.loop), 0);
    udp_room_free(&w.room);
}

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

/* A burst of `count` datagrams; the last one is smaller by `less`. */
static struct udp_burst make_burst(uint8_t *bytes, size_t segment, size_t count,
                                   size_t less)
{
    struct udp_burst b = {.peer = w.ends[1].address,
                          .bytes = bytes,
                          .size = segment * count - less,
                          .segment = segment};

    for (size_t i = 0; i < b.size; i++)
        bytes[i] = pattern(i);
    return b;
}

static void assert_came(size_t segment, size_t count, size_t less)
{
    struct socket_end *e = &w.ends[1];

    while (e->count < count)
        uv_run(&w.loop, UV_RUN_ONCE);
    assert_int_equal(e->count, count);
    assert_int_equal(e->size, segment * count - less);
    for (size_t i = 0; i < e->size; i++)
        if (e->bytes[i] != pattern(i))
            fail_msg("byte %zu of %zu", i, e->size);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(e->sizes[i], i + 1 < count ? segment : segment - less);
    assert_true(address_equal(&e->from, &w.ends[0].address));
    e->count = e->size = 0;
}

static void send_and_check(size_t segment, size_t count, size_t less)
{
    static uint8_t bytes[256 * 1024];
    struct udp_burst b = make_burst(bytes, segment, count, less);

    assert_true(udp_socket_send(w.ends[0].socket, &b));
    assert_int_equal(b.size, 0);
    assert_came(segment, count, less);
}

/* ---- Tests */

static void bursts_come_as_they_were_sent(enum address_family family)
{
    static const size_t segments[] = {1, 48, 333, 1200, 1201, 1452};

    open_ends(family);
    for (size_t i = 0; i < COUNT_OF(segments); i++)
        for (size_t count = 1; count <= 64; count++)
            send_and_check(segments[i], count,
                           count % 3 == 0 ? segments[i] / 2 : 0);
    close_ends();
}

static void bursts_come_as_they_were_sent_over_v4(void **state)
{
    (void)state;
    bursts_come_as_they_were_sent(ADDRESS_V4);
}

static void bursts_come_as_they_were_sent_over_v6(void **state)
{
    (void)state;
    bursts_come_as_they_were_sent(ADDRESS_V6);
}

static void a_burst_costs_one_call(void **state)
{
    (void)state;
    open_ends(ADDRESS_V4);
    send_and_check(1200, 54, 100);
    assert_int_equal(w.calls, 1);
    close_ends();
}

/* The burst is larger than the kernel takes at once. */
static void a_large_burst_is_cut(void **state)
{
    (void)state;
    open_ends(ADDRESS_V4);
    send_and_check(100, 200, 7);
    send_and_check(1400, 100, 0);
    close_ends();
}

static void without_segmentation_datagrams_go_singly(void **state)
{
    (void)state;
    static const int errors[] = {EIO, EINVAL, EOPNOTSUPP};

    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        open_ends(ADDRESS_V4);
        w.segmented_error = errors[i];
        send_and_check(1200, 70, 3);
        w.calls = 0;
        send_and_check(1200, 10,
                       3); /* After one failure no burst is tried again. */
        assert_int_equal(w.calls, 10);
        close_ends();
    }
}

/* The search for the path's MTU sends datagrams that are too large. */
static void a_datagram_too_large_for_the_interface_is_lost(void **state)
{
    (void)state;
    static uint8_t bytes[64 * 1024];
    open_ends(ADDRESS_V4);
    w.segmented_error = EINVAL;
    w.refuse_size = 1400;
    struct udp_burst b = make_burst(bytes, 1452, 4, 1000);
    assert_true(udp_socket_send(w.ends[0].socket, &b));
    while (w.ends[1].count < 1)
        uv_run(&w.loop, UV_RUN_ONCE);
    assert_int_equal(w.ends[1].sizes[0], 452);
    w.ends[1].count = w.ends[1].size = 0;
    w.segmented_error = 0; /* Bursts of small datagrams go on. */
    w.calls = 0;
    send_and_check(1200, 20, 0);
    assert_int_equal(w.calls, 1);
    close_ends();
}

static void a_full_buffer_keeps_the_rest(void **state)
{
    (void)state;
    static uint8_t bytes[256 * 1024];
    for (int singly = 0; singly < 2; singly++) {
        open_ends(ADDRESS_V4);
        w.segmented_error = singly ? EIO : 0;
        w.full_after = singly ? 70 : 1;
        struct udp_burst b = make_burst(bytes, 1000, 100, 1);
        assert_false(udp_socket_send(w.ends[0].socket, &b));
        assert_true(b.size > 0 && b.size < 100 * 1000 - 1);
        assert_ptr_equal(b.bytes + b.size, bytes + 100 * 1000 - 1);
        while (w.ends[0].writable == 0)
            uv_run(&w.loop, UV_RUN_ONCE);
        w.full_after = -1;
        assert_true(udp_socket_send(w.ends[0].socket, &b));
        assert_came(1000, 100, 1);
        assert_int_equal(w.ends[0].writable, 1);
        close_ends();
    }
}

static int plain_socket(enum address_family family, struct address *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool is_v4 = family == ADDRESS_V4;
    struct sockaddr *here =
        is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t size = is_v4 ? sizeof v4 : sizeof v6;
    int on = 1, fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);

    assert_int_equal(bind(fd, here, size), 0);
    assert_int_equal(getsockname(fd, here, &size), 0);
    assert_int_equal(setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
                                is_v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, &on,
                                sizeof on),
                     0);
    assert_true(address_of_ip(is_v4 ? "127.0.0.1" : "::1",
                              ntohs(is_v4 ? v4.sin_port : v6.sin6_port),
                              address));
    return fd;
}

static int received_ttl(int fd)
{
    char bytes[100];
    struct iovec part = {bytes, sizeof bytes};
    _Alignas(struct cmsghdr) char control[64];
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    int ttl = -1;

    assert_int_equal(recvmsg(fd, &m, 0), 5);
    assert_non_null(CMSG_FIRSTHDR(&m));
    memcpy(&ttl, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof ttl);
    return ttl;
}

static void a_datagram_has_its_time_to_live(void **state)
{
    (void)state;
    static const enum address_family families[] = {ADDRESS_V4, ADDRESS_V6};

    for (size_t i = 0; i < COUNT_OF(families); i++) {
        struct address to;
        open_ends(families[i]);
        int fd = plain_socket(families[i], &to);
        struct udp_socket *s = w.ends[0].socket;
        assert_true(udp_socket_send_one(s, &to, bytes_of("12345", 5), 3));
        assert_int_equal(received_ttl(fd), 3);
        assert_true(udp_socket_send_one(s, &to, bytes_of("12345", 5), 0));
        assert_true(received_ttl(fd) > 3);
        close(fd);
        close_ends();
    }
}

static void icmp_errors_do_not_end_the_socket(void **state)
{
    (void)state;
    struct address nobody;
    open_ends(ADDRESS_V4);
    int fd = plain_socket(ADDRESS_V4, &nobody);
    close(fd); /* Its port answers "unreachable". */
    for (int i = 0; i < 10; i++)
        (void)udp_socket_send_one(w.ends[0].socket, &nobody,
                                  bytes_of("12345", 5), 0);
    send_and_check(1200, 10, 1);
    struct udp_burst b = {.peer = w.ends[0].address,
                          .bytes = (uint8_t[]){1, 2, 3},
                          .size = 3,
                          .segment = 3};
    assert_true(udp_socket_send(w.ends[1].socket, &b));
    while (w.ends[0].count == 0)
        uv_run(&w.loop, UV_RUN_ONCE);
    close_ends();
}

static void datagrams_that_cannot_be_sent_are_lost(void **state)
{
    (void)state;
    uint8_t bytes[10] = {0};
    open_ends(ADDRESS_V4);
    struct udp_burst b = {.bytes = bytes, .size = 10, .segment = 10};
    assert_true(address_of_ip("::1", 9, &b.peer)); /* another family */
    assert_true(udp_socket_send(w.ends[0].socket, &b));
    assert_false(
        udp_socket_send_one(w.ends[0].socket, &b.peer, bytes_of(bytes, 10), 0));
    assert_true(address_of_ip("255.255.255.255", 9, &b.peer));
    assert_true(udp_socket_send(w.ends[0].socket, &b));
    send_and_check(100, 3, 0);
    close_ends();
}

static void a_taken_port_is_refused(void **state)
{
    (void)state;
    struct udp_socket_owner owner = {.readable = on_readable};
    open_ends(ADDRESS_V4);
    uint16_t port = w.ends[0].address.port;
    assert_null(udp_socket_open(&w.loop, ADDRESS_V4, port, &owner));
    assert_int_equal(errno, EADDRINUSE);
    close_ends();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bursts_come_as_they_were_sent_over_v4),
        cmocka_unit_test(bursts_come_as_they_were_sent_over_v6),
        cmocka_unit_test(a_burst_costs_one_call),
        cmocka_unit_test(a_large_burst_is_cut),
        cmocka_unit_test(without_segmentation_datagrams_go_singly),
        cmocka_unit_test(a_datagram_too_large_for_the_interface_is_lost),
        cmocka_unit_test(a_full_buffer_keeps_the_rest),
        cmocka_unit_test(a_datagram_has_its_time_to_live),
        cmocka_unit_test(icmp_errors_do_not_end_the_socket),
        cmocka_unit_test(datagrams_that_cannot_be_sent_are_lost),
        cmocka_unit_test(a_taken_port_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
