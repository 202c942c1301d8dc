#include "edge/shell/stun_probe.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/sockaddr.h"
#include "common/wire/stun.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    V4,
    V6,
    SECOND, /* IPv4: sends the hairpin datagram */
    FRESH,  /* asks what is let in */
    SOCKETS,
    DATAGRAM_SIZE = 1500,
    DATAGRAMS_A_TURN = 64,
    HAIRPIN_SENDS = 3,
    SOCKET_NUMBER = 0, /* of V4 and V6, for struct outside */
};

/* Between two sends, and after the last. */
static const struct span hairpin_interval = {130 * 1000};

struct probe_socket {
    struct stun_probe *probe;
    uv_poll_t poll;
    int fd; /* -1: none, and `poll` is not open */
};

struct stun_probe {
    uv_loop_t *loop;
    struct entropy entropy;
    struct outside *outside;
    struct probe_socket sockets[SOCKETS];
    uv_timer_t timer;
    int handles;
    struct stun_probe_result result;
    struct address closed[OUTSIDE_SERVERS]; /* servers whose port is closed */
    size_t closed_count;
    struct address own; /* the first socket's outside address */
    bool is_known;      /* the servers had their time; the rest is under way */
    struct nat_filter filter;
    struct stun_id hairpin;
    uint8_t hairpin_request[STUN_REQUEST_SIZE];
    int hairpin_sends;
    struct instant hairpin_next;
    bool ended;
    stun_probe_done *done;
    void *context;
};

static void go_on(struct stun_probe *p);

/* ---- Sockets */

static void on_poll(uv_poll_t *poll, int status, int events);

static int open_fd(int family)
{
    int on = 1;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    /* ICMP errors are kept with the address that they are about. */
    if (family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    } else {
        (void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    }
    return fd;
}

static void open_socket(struct stun_probe *p, int which, int family)
{
    struct probe_socket *s = &p->sockets[which];

    s->probe = p;
    s->fd = open_fd(family);
    if (s->fd < 0)
        return;
    if (uv_poll_init(p->loop, &s->poll, s->fd) != 0) {
        close(s->fd);
        s->fd = -1;
        return;
    }
    s->poll.data = s;
    p->handles++;
    uv_poll_start(&s->poll, UV_READABLE, on_poll);
}

/* A datagram that does not leave counts as lost. */
static void send_to(struct stun_probe *p, int which, const struct address *to,
                    const uint8_t *bytes, size_t size)
{
    struct sockaddr_storage there;
    socklen_t there_size = sockaddr_of_address(to, &there);

    if (p->sockets[which].fd < 0)
        return;
    /* An error that is pending from an earlier datagram is told here. */
    for (int i = 0; i < 2; i++)
        if (sendto(p->sockets[which].fd, bytes, size, 0,
                   (const struct sockaddr *)&there, there_size) >= 0)
            return;
}

/* ---- What comes in */

static void note_closed(struct stun_probe *p, const struct address *server)
{
    for (size_t i = 0; i < p->closed_count; i++)
        if (address_equal(&p->closed[i], server))
            return;
    if (p->closed_count < OUTSIDE_SERVERS)
        p->closed[p->closed_count++] = *server;
}

/* Whether the server's host itself said that the port is closed; a firewall on
 * the way may say the same of it. */
static bool is_from_host(struct msghdr *m, const struct address *server)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
         c = CMSG_NXTHDR(m, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        struct sock_extended_err *e = (void *)CMSG_DATA(c);
        if ((!v4 && !v6) || e->ee_errno != ECONNREFUSED)
            continue;
        struct address by = address_of_sockaddr(SO_EE_OFFENDER(e));
        return address_same_ip(&by, server);
    }
    return false;
}

/* Reads one ICMP error; false: there is none. */
static bool take_error(struct probe_socket *s)
{
    struct sockaddr_storage to;
    uint8_t bytes[DATAGRAM_SIZE];
    union {
        struct cmsghdr header;
        char buffer[512];
    } control;
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr m = {.msg_name = &to,
                       .msg_namelen = sizeof to,
                       .msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};

    if (recvmsg(s->fd, &m, MSG_ERRQUEUE) < 0)
        return false;
    struct address server = address_of_sockaddr((const struct sockaddr *)&to);
    if (server.family != ADDRESS_NONE && is_from_host(&m, &server))
        note_closed(s->probe, &server);
    return true;
}

/* The hairpin datagram is a request; all else that counts is an answer. */
static void take(struct probe_socket *s, const struct address *from,
                 struct bytes datagram)
{
    struct stun_probe *p = s->probe;
    struct stun_id id;

    if (s == &p->sockets[FRESH]) {
        nat_filter_take(&p->filter, from, datagram);
        return;
    }
    if (stun_read_request(datagram, &id)) {
        p->result.hairpin |=
            p->hairpin_sends > 0 && memcmp(&id, &p->hairpin, sizeof id) == 0;
        return;
    }
    (void)outside_take(p->outside, SOCKET_NUMBER, from, datagram, clock_now());
}

static bool take_datagram(struct probe_socket *s)
{
    struct sockaddr_storage from;
    socklen_t from_size = sizeof from;
    uint8_t bytes[DATAGRAM_SIZE];
    ssize_t size = recvfrom(s->fd, bytes, sizeof bytes, 0,
                            (struct sockaddr *)&from, &from_size);

    if (size < 0)
        return errno != EAGAIN && errno != EWOULDBLOCK;
    struct address sender = address_of_sockaddr((const struct sockaddr *)&from);
    take(s, &sender, bytes_of(bytes, (size_t)size));
    return true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct probe_socket *s = poll->data;

    (void)events;
    for (int i = 0; i < DATAGRAMS_A_TURN && take_error(s); i++)
        ;
    for (int i = 0; i < DATAGRAMS_A_TURN && take_datagram(s); i++)
        ;
    if (status < 0) /* libuv stops polling when the error queue has one. */
        uv_poll_start(&s->poll, UV_READABLE, on_poll);
    go_on(s->probe);
}

/* ---- The end */

static enum stun_verdict verdict_of(const struct stun_probe *p,
                                    const struct outside_answer *answer)
{
    if (answer->seen.family != ADDRESS_NONE)
        return STUN_ANSWERED;
    for (size_t i = 0; i < p->closed_count; i++)
        if (address_equal(&p->closed[i], &answer->server))
            return STUN_CLOSED;
    return STUN_SILENT;
}

static void judge_servers(struct stun_probe *p)
{
    struct stun_probe_result *r = &p->result;

    r->count = outside_answers(p->outside, SOCKET_NUMBER, r->servers);
    for (size_t i = 0; i < r->count; i++)
        r->verdicts[i] = verdict_of(p, &r->servers[i]);
}

static void end(struct stun_probe *p)
{
    p->ended = true;
    uv_timer_stop(&p->timer);
    p->result.filtering = nat_filter_verdict(&p->filter);
    p->done(p->context, &p->result);
}

static void on_timer(uv_timer_t *timer)
{
    go_on(timer->data);
}

static void wake_at(struct stun_probe *p, struct instant at)
{
    int64_t us = instant_is_never(at) ? 0 : instant_between(clock_now(), at).us;

    uv_timer_start(&p->timer, on_timer,
                   us <= 0 ? 0 : (uint64_t)(us + 999) / 1000, 0);
}

/* ---- The hairpin */

/* It is tested behind a NAT for IPv4 if the socket's outside address is known.
 */
static void hairpin_begin(struct stun_probe *p)
{
    const struct outside_view *v = &p->result.view;
    uint8_t transaction[12];

    if (!v->answered_v4 || v->mapping == MAPPING_NONE)
        return;
    for (int i = 0; i < v->count && p->own.family == ADDRESS_NONE; i++)
        if (v->found[i].family == ADDRESS_V4)
            p->own = v->found[i];
    open_socket(p, SECOND, AF_INET);
    p->result.hairpin_tested = p->sockets[SECOND].fd >= 0;
    entropy_fill(&p->entropy, transaction, sizeof transaction);
    stun_write_request(transaction, &p->hairpin, p->hairpin_request);
    p->hairpin_next = clock_now();
}

static bool hairpin_is_done(const struct stun_probe *p, struct instant now)
{
    return !p->result.hairpin_tested || p->result.hairpin ||
           (p->hairpin_sends == HAIRPIN_SENDS &&
            instant_reached(p->hairpin_next, now));
}

static void hairpin_send(struct stun_probe *p, struct instant now)
{
    if (hairpin_is_done(p, now) || !instant_reached(p->hairpin_next, now))
        return;
    p->hairpin_sends++;
    p->hairpin_next = instant_after(now, hairpin_interval);
    send_to(p, SECOND, &p->own, p->hairpin_request, STUN_REQUEST_SIZE);
}

/* ---- What is let in */

static void filter_begin(struct stun_probe *p)
{
    const struct stun_probe_result *r = &p->result;
    bool v4 = r->view.answered_v4;

    nat_filter_begin(&p->filter, &p->entropy, r->servers, r->count,
                     v4 ? ADDRESS_V4 : ADDRESS_V6,
                     r->view.mapping != MAPPING_NONE, clock_now());
    if (p->filter.count > 0)
        open_socket(p, FRESH, v4 ? AF_INET : AF_INET6);
}

static void filter_send(struct stun_probe *p, struct instant now)
{
    struct address to;
    struct bytes request;

    while (nat_filter_next(&p->filter, &to, &request, now))
        send_to(p, FRESH, &to, request.data, request.size);
}

/* ---- The order of things */

static void ask(struct stun_probe *p)
{
    struct outside_request r;
    struct instant now = clock_now();

    (void)outside_due(p->outside, now);
    while (outside_next(p->outside, &r, now))
        send_to(p, r.to.family == ADDRESS_V6 ? V6 : V4, &r.to, r.bytes,
                sizeof r.bytes);
    wake_at(p, outside_deadline(p->outside));
}

static void begin_rest(struct stun_probe *p)
{
    p->is_known = true;
    judge_servers(p);
    filter_begin(p);
    hairpin_begin(p);
}

static void go_on_with_rest(struct stun_probe *p)
{
    struct instant now = clock_now();
    struct instant next = INSTANT_NEVER;

    filter_send(p, now);
    hairpin_send(p, now);
    if (!nat_filter_is_done(&p->filter, now))
        next = nat_filter_deadline(&p->filter);
    if (!hairpin_is_done(p, now))
        next = instant_min(next, p->hairpin_next);
    if (instant_is_never(next))
        end(p);
    else
        wake_at(p, next);
}

static void go_on(struct stun_probe *p)
{
    struct outside_view *v = &p->result.view;

    if (p->ended)
        return;
    if (!p->is_known) {
        (void)outside_due(p->outside, clock_now());
        if (!outside_get(p->outside, SOCKET_NUMBER, v) || !v->done) {
            ask(p);
            return;
        }
        begin_rest(p);
    }
    go_on_with_rest(p);
}

/* ---- Open and close */

struct stun_probe *stun_probe_open(uv_loop_t *loop,
                                   const struct address *servers, size_t count,
                                   const struct address *hosts,
                                   size_t host_count, stun_probe_done *done,
                                   void *context)
{
    struct stun_probe *p = memory_new(sizeof *p);
    uint8_t seed[32];

    p->loop = loop;
    p->done = done;
    p->context = context;
    randombytes_buf(seed, sizeof seed);
    entropy_init(&p->entropy, seed);
    sodium_memzero(seed, sizeof seed);
    p->outside = outside_new(&p->entropy);
    outside_hosts(p->outside, hosts, host_count);
    outside_servers(p->outside, servers, count);
    outside_ask(p->outside, SOCKET_NUMBER, span_us(0), clock_now());
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    p->handles = 1;
    open_socket(p, V4, AF_INET);
    open_socket(p, V6, AF_INET6);
    p->sockets[SECOND].fd = p->sockets[FRESH].fd = -1;
    uv_timer_start(&p->timer, on_timer, 0, 0);
    return p;
}

static void release(struct stun_probe *p)
{
    if (--p->handles > 0)
        return;
    outside_free(&p->outside);
    free(p);
}

static void on_timer_closed(uv_handle_t *timer)
{
    release(timer->data);
}

static void on_socket_closed(uv_handle_t *poll)
{
    struct probe_socket *s = poll->data;

    close(s->fd);
    release(s->probe);
}

void stun_probe_close(struct stun_probe **self)
{
    struct stun_probe *p = *self;

    if (p == NULL)
        return;
    *self = NULL;
    p->ended = true;
    for (int i = 0; i < SOCKETS; i++)
        if (p->sockets[i].fd >= 0)
            uv_close((uv_handle_t *)&p->sockets[i].poll, on_socket_closed);
    uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}
