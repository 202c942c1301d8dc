#include "common/io/udp.h"

#include "common/base/memory.h"
#include "common/io/sockaddr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DATAGRAMS_A_TURN = 64, RECEIVE_BUFFER = 1024 * 1024 };

struct udp {
    uv_poll_t poll;
    enum address_family family;
    int fd;
    bool closed;
    udp_received *received;
    void *context;
};

static bool set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* Receives no datagrams for groups that only other sockets of this host joined;
 * older kernels lack the option. */
static bool none_of_others(int fd)
{
    (void)set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    return true;
}

static bool set_options(int fd, enum address_family family, bool shared)
{
    bool ok = !shared || set(fd, SOL_SOCKET, SO_REUSEADDR, 1);

    /* net.core.rmem_max may limit it. Many edges may answer at once. */
    set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    if (family == ADDRESS_V4)
        return ok && set(fd, IPPROTO_IP, IP_PKTINFO, 1) &&
               set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1) &&
               set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1) &&
               set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    return ok && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
           set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) && none_of_others(fd) &&
           set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1) &&
           set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
}

static int open_bound(const struct address *address, bool shared)
{
    struct sockaddr_storage here;
    socklen_t size = sockaddr_of_address(address, &here);
    int fd =
        socket(here.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (set_options(fd, address->family, shared) &&
        bind(fd, (const struct sockaddr *)&here, size) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Space for one control message, aligned as the kernel requires. */
union control {
    struct cmsghdr header;
    char buffer[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void read_v4(struct cmsghdr *c, struct udp_datagram *d)
{
    struct in_pktinfo info;

    memcpy(&info, CMSG_DATA(c), sizeof info);
    d->interface = (unsigned)info.ipi_ifindex;
    d->to.family = ADDRESS_V4;
    memcpy(d->to.ip, &info.ipi_addr, 4);
}

static void read_v6(struct cmsghdr *c, struct udp_datagram *d)
{
    struct in6_pktinfo info;

    memcpy(&info, CMSG_DATA(c), sizeof info);
    d->interface = (unsigned)info.ipi6_ifindex;
    d->to.family = ADDRESS_V6;
    memcpy(d->to.ip, &info.ipi6_addr, 16);
}

static bool receive(struct udp *u, uint8_t *buffer, struct udp_datagram *d)
{
    struct sockaddr_storage from;
    struct iovec part = {buffer, UDP_SIZE};
    union control control;
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t size = recvmsg(u->fd, &m, 0);

    if (size < 0)
        return false;
    *d = (struct udp_datagram){
        .from = address_of_sockaddr((const struct sockaddr *)&from),
        .bytes = bytes_of(buffer, (size_t)size)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c != NULL && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
        read_v4(c, d);
    else if (c != NULL && c->cmsg_level == IPPROTO_IPV6 &&
             c->cmsg_type == IPV6_PKTINFO)
        read_v6(c, d);
    return true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct udp *u = poll->data;
    uint8_t buffer[UDP_SIZE];
    struct udp_datagram d;

    (void)status;
    (void)events;
    /* libuv reports the socket again if datagrams are left. */
    for (int i = 0; i < DATAGRAMS_A_TURN && !u->closed; i++) {
        if (!receive(u, buffer, &d))
            return;
        u->received(u->context, &d);
    }
}

struct udp *udp_open(uv_loop_t *loop, const struct address *here, bool shared,
                     udp_received *received, void *context)
{
    int fd = open_bound(here, shared);
    if (fd < 0)
        return NULL;

    struct udp *u = memory_new(sizeof *u);
    u->family = here->family;
    u->fd = fd;
    u->received = received;
    u->context = context;
    if (uv_poll_init(loop, &u->poll, fd) != 0) {
        close(fd);
        free(u);
        errno = EMFILE;
        return NULL;
    }
    u->poll.data = u;
    uv_poll_start(&u->poll, UV_READABLE, on_poll);
    return u;
}

static void on_closed(uv_handle_t *poll)
{
    struct udp *u = poll->data;

    free(u);
}

void udp_close(struct udp **self)
{
    struct udp *u = *self;

    if (u == NULL)
        return;
    *self = NULL;
    u->closed = true;
    uv_close((uv_handle_t *)&u->poll, on_closed);
    close(u->fd);
}

uint16_t udp_port(const struct udp *u)
{
    struct sockaddr_storage here;
    socklen_t size = sizeof here;

    if (getsockname(u->fd, (struct sockaddr *)&here, &size) != 0)
        return 0;
    return address_of_sockaddr((const struct sockaddr *)&here).port;
}

static bool member(struct udp *u, const struct address *group,
                   unsigned interface, bool in)
{
    if (u->family == ADDRESS_V4) {
        struct ip_mreqn m = {.imr_ifindex = (int)interface};
        memcpy(&m.imr_multiaddr, group->ip, 4);
        return setsockopt(u->fd, IPPROTO_IP,
                          in ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &m,
                          sizeof m) == 0;
    }
    struct ipv6_mreq m = {.ipv6mr_interface = interface};
    memcpy(&m.ipv6mr_multiaddr, group->ip, 16);
    return setsockopt(u->fd, IPPROTO_IPV6,
                      in ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &m,
                      sizeof m) == 0;
}

bool udp_join(struct udp *u, const struct address *group, unsigned interface)
{
    return member(u, group, interface, true);
}

void udp_leave(struct udp *u, const struct address *group, unsigned interface)
{
    member(u, group, interface, false);
}

/* Writes the control message that chooses the interface and the source address.
 */
static void write_control(const struct udp *u, unsigned interface,
                          const struct address *from, union control *control,
                          struct msghdr *m)
{
    bool v4 = u->family == ADDRESS_V4;
    struct in_pktinfo info4 = {.ipi_ifindex = (int)interface};
    struct in6_pktinfo info6 = {.ipi6_ifindex = interface};
    size_t size = v4 ? sizeof info4 : sizeof info6;

    if (from != NULL && v4)
        memcpy(&info4.ipi_spec_dst, from->ip, 4);
    else if (from != NULL)
        memcpy(&info6.ipi6_addr, from->ip, 16);
    memset(control, 0, sizeof *control);
    control->header.cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
    control->header.cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
    control->header.cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(&control->header),
           v4 ? (const void *)&info4 : (const void *)&info6, size);
    m->msg_control = control;
    m->msg_controllen = CMSG_SPACE(size);
}

bool udp_send(struct udp *u, const struct address *to, struct bytes bytes,
              unsigned interface, const struct address *from)
{
    struct sockaddr_storage there;
    union control control;
    struct iovec part = {.iov_len = bytes.size};
    struct msghdr m = {.msg_name = &there,
                       .msg_namelen = sockaddr_of_address(to, &there),
                       .msg_iov = &part,
                       .msg_iovlen = 1};

    /* sendmsg does not write to the bytes, but its struct has no const. */
    memcpy(&part.iov_base, &bytes.data, sizeof part.iov_base);
    if (interface != 0 || from != NULL)
        write_control(u, interface, from, &control, &m);
    return sendmsg(u->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}
