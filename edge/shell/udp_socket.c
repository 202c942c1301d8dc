#include "edge/shell/udp_socket.h"

#include "common/base/memory.h"
#include "common/io/sockaddr.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SEGMENTS = 64, /* that every kernel with UDP_SEGMENT takes at once */
    /* With its headers a burst must fit into the length of an IP packet. */
    SEGMENTED_SIZE = 65000,
    BUFFER = 4 * 1024 * 1024,
};

struct udp_socket {
    uv_poll_t poll;
    struct udp_socket_owner owner;
    enum address_family family;
    int fd;
    bool segments; /* the kernel cuts bursts */
    bool waits;    /* for the kernel's buffer */
};

/* Space for one control message, aligned as the kernel requires. */
struct udp_control {
    _Alignas(struct cmsghdr) char buffer[CMSG_SPACE(sizeof(int))];
};

struct udp_room {
    struct mmsghdr messages[UDP_ROOM_BURSTS];
    struct iovec parts[UDP_ROOM_BURSTS];
    struct sockaddr_storage sources[UDP_ROOM_BURSTS];
    struct udp_control controls[UDP_ROOM_BURSTS];
    struct udp_burst bursts[UDP_ROOM_BURSTS];
    uint8_t bytes[UDP_ROOM_BURSTS][UDP_BURST_SIZE];
};

/* ---- Opening and closing */

static bool set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static bool set_options(int fd, enum address_family family)
{
    /* Older kernels lack it: then each datagram comes alone. */
    (void)set(fd, IPPROTO_UDP, UDP_GRO, 1);
    if (family == ADDRESS_V4)
        return set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    return set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
           set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
}

static int open_bound(enum address_family family, uint16_t port)
{
    struct address any = {.family = family, .port = port};
    struct sockaddr_storage here;
    socklen_t size = sockaddr_of_address(&any, &here);
    int fd =
        socket(here.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (set_options(fd, family) &&
        bind(fd, (const struct sockaddr *)&here, size) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct udp_socket *s)
{
    int events = UV_READABLE | (s->waits ? UV_WRITABLE : 0);

    uv_poll_start(&s->poll, events, on_poll);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct udp_socket *s = poll->data;
    int error;
    socklen_t size = sizeof error;

    if (status < 0) { /* libuv stopped watching. Reading the error clears it. */
        (void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        watch(s);
        return;
    }
    if ((events & UV_WRITABLE) && s->waits) {
        s->waits = false;
        watch(s);
        s->owner.writable(s->owner.context, s);
    }
    if ((events & UV_READABLE) && !uv_is_closing((uv_handle_t *)poll))
        s->owner.readable(s->owner.context, s);
}

struct udp_socket *udp_socket_open(uv_loop_t *loop, enum address_family family,
                                   uint16_t port,
                                   const struct udp_socket_owner *owner)
{
    int fd = open_bound(family, port);
    if (fd < 0)
        return NULL;

    struct udp_socket *s = memory_new(sizeof *s);
    s->owner = *owner;
    s->family = family;
    s->fd = fd;
    s->segments = true;
    if (uv_poll_init(loop, &s->poll, fd) != 0) {
        close(fd);
        free(s);
        errno = EMFILE;
        return NULL;
    }
    s->poll.data = s;
    watch(s);
    return s;
}

static void on_closed(uv_handle_t *poll)
{
    struct udp_socket *s = poll->data;

    free(s);
}

void udp_socket_close(struct udp_socket **self)
{
    struct udp_socket *s = *self;

    if (s == NULL)
        return;
    *self = NULL;
    uv_close((uv_handle_t *)&s->poll, on_closed);
    close(s->fd);
}

uint16_t udp_socket_port(const struct udp_socket *s)
{
    struct sockaddr_storage here = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof here;

    if (getsockname(s->fd, (struct sockaddr *)&here, &size) != 0)
        return 0;
    return address_of_sockaddr((const struct sockaddr *)&here).port;
}

/* A process with CAP_NET_ADMIN may exceed net.core.rmem_max and wmem_max. */
void udp_socket_enlarge(struct udp_socket *s)
{
    if (!set(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER))
        (void)set(s->fd, SOL_SOCKET, SO_RCVBUF, BUFFER);
    if (!set(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER))
        (void)set(s->fd, SOL_SOCKET, SO_SNDBUF, BUFFER);
}

/* ---- Receiving */

struct udp_room *udp_room_new(void)
{
    struct udp_room *r = memory_try(NULL, 1, sizeof *r);

    if (r == NULL)
        return NULL;
    for (size_t i = 0; i < UDP_ROOM_BURSTS; i++) {
        r->parts[i] = (struct iovec){r->bytes[i], UDP_BURST_SIZE};
        r->messages[i].msg_hdr =
            (struct msghdr){.msg_name = &r->sources[i],
                            .msg_iov = &r->parts[i],
                            .msg_iovlen = 1,
                            .msg_control = &r->controls[i]};
    }
    return r;
}

void udp_room_free(struct udp_room **self)
{
    free(*self);
    *self = NULL;
}

/* The size of the datagrams that the kernel joined; 0: it did not join any. */
static size_t joined(struct msghdr *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int size = 0;

    if (c != NULL && c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
        memcpy(&size, CMSG_DATA(c), sizeof size);
    return size > 0 ? (size_t)size : 0;
}

static void read_burst(struct udp_room *room, size_t index, size_t size,
                       struct udp_burst *burst)
{
    size_t segment = joined(&room->messages[index].msg_hdr);

    *burst = (struct udp_burst){
        .peer =
            address_of_sockaddr((const struct sockaddr *)&room->sources[index]),
        .bytes = room->bytes[index],
        .size = size,
        .segment = segment > 0 ? segment : size,
    };
}

size_t udp_socket_receive(struct udp_socket *s, struct udp_room *room,
                          struct udp_burst **bursts)
{
    size_t count = 0;

    for (size_t i = 0; i < UDP_ROOM_BURSTS; i++) {
        struct msghdr *m = &room->messages[i].msg_hdr;
        m->msg_namelen = sizeof room->sources[i];
        m->msg_controllen = sizeof room->controls[i];
    }
    int received =
        recvmmsg(s->fd, room->messages, UDP_ROOM_BURSTS, MSG_DONTWAIT, NULL);
    for (int i = 0; i < received; i++) {
        size_t size = room->messages[i].msg_len;
        if (size > 0) /* An empty datagram says nothing. */
            read_burst(room, (size_t)i, size, &room->bursts[count++]);
    }
    *bursts = room->bursts;
    return count;
}

/* ---- Sending */

static void write_control(struct msghdr *m, struct udp_control *control,
                          int level, int type, const void *value, size_t size)
{
    *control = (struct udp_control){{0}};
    m->msg_control = control;
    m->msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), value, size);
}

static bool is_full(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

static bool wait_for_room(struct udp_socket *s)
{
    if (!s->waits) {
        s->waits = true;
        watch(s);
    }
    return false;
}

static void advance(struct udp_burst *burst, size_t size)
{
    burst->bytes += size;
    burst->size -= size;
}

static size_t less(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Sends `size` bytes of the burst, each datagram by itself. False: the kernel's
 * buffer is full. `*refused` counts what the system refused. */
static bool send_singly(struct udp_socket *s, struct udp_burst *burst,
                        struct msghdr *to, size_t size, size_t *refused)
{
    while (size > 0) {
        struct mmsghdr messages[SEGMENTS];
        struct iovec parts[SEGMENTS];
        size_t count = 0;
        for (size_t at = 0; at < size && count < SEGMENTS; count++) {
            parts[count].iov_base = burst->bytes + at;
            parts[count].iov_len = less(burst->segment, size - at);
            at += parts[count].iov_len;
            messages[count] = (struct mmsghdr){.msg_hdr = *to};
            messages[count].msg_hdr.msg_iov = &parts[count];
        }
        int sent = sendmmsg(s->fd, messages, (unsigned)count,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && is_full(errno))
            return wait_for_room(s);
        if (sent <= 0) {
            sent = 1;
            ++*refused;
        }
        for (int i = 0; i < sent; i++) {
            advance(burst, parts[i].iov_len);
            size -= parts[i].iov_len;
        }
    }
    return true;
}

/* The kernel did not cut the burst: it cannot, the device cannot, or the
 * datagrams are too large for the interface. In the last case single ones are
 * refused as well. */
static bool send_refused(struct udp_socket *s, struct udp_burst *burst,
                         struct msghdr *to, size_t size)
{
    size_t refused = 0;

    bool all = send_singly(s, burst, to, size, &refused);
    if (all && refused == 0)
        s->segments = false;
    return all;
}

/* Sends the beginning of the burst, as much as the kernel takes at once. */
static bool send_some(struct udp_socket *s, struct udp_burst *burst,
                      struct msghdr *to)
{
    size_t most = less(SEGMENTS, SEGMENTED_SIZE / burst->segment);
    size_t size = less(burst->size, most * burst->segment);
    struct iovec part = {burst->bytes, size};
    struct udp_control control;
    uint16_t segment = (uint16_t)burst->segment;
    size_t refused = 0;

    if (!s->segments || size <= burst->segment)
        return send_singly(s, burst, to, size, &refused);
    struct msghdr joined = *to;
    joined.msg_iov = &part;
    write_control(&joined, &control, IPPROTO_UDP, UDP_SEGMENT, &segment,
                  sizeof segment);
    ssize_t sent = sendmsg(s->fd, &joined, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
        advance(burst, size);
        return true;
    }
    if (is_full(errno))
        return wait_for_room(s);
    if (errno == EIO || errno == EINVAL || errno == EMSGSIZE ||
        errno == EOPNOTSUPP)
        return send_refused(s, burst, to, size);
    advance(burst, size);
    return true;
}

bool udp_socket_send(struct udp_socket *s, struct udp_burst *burst)
{
    struct sockaddr_storage there;
    socklen_t length = sockaddr_of_address(&burst->peer, &there);

    if (burst->peer.family != s->family || burst->segment > SEGMENTED_SIZE)
        return true; /* Nobody can be reached so: the burst is lost. */
    while (burst->size > 0) {
        struct msghdr to = {
            .msg_name = &there, .msg_namelen = length, .msg_iovlen = 1};
        if (!send_some(s, burst, &to))
            return false;
    }
    return true;
}

bool udp_socket_send_one(struct udp_socket *s, const struct address *to,
                         struct bytes bytes, int ttl)
{
    struct sockaddr_storage there;
    struct udp_control control;
    struct iovec part = {(uint8_t *)(uintptr_t)bytes.data, bytes.size};
    struct msghdr m = {.msg_name = &there,
                       .msg_namelen = sockaddr_of_address(to, &there),
                       .msg_iov = &part,
                       .msg_iovlen = 1};
    bool v4 = s->family == ADDRESS_V4;

    if (to->family != s->family)
        return false;
    if (ttl > 0)
        write_control(&m, &control, v4 ? IPPROTO_IP : IPPROTO_IPV6,
                      v4 ? IP_TTL : IPV6_HOPLIMIT, &ttl, sizeof ttl);
    return sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}
