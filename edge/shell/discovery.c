#include "edge/shell/discovery.h"

#include "common/base/memory.h"
#include "common/io/log.h"
#include "common/io/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { V4, V6, FAMILIES };

/* Who asked the discovery port by unicast; the oldest is forgotten first. */
enum { ASKERS = 64 };

struct discovery {
    struct turn *turn;
    bool multicast;
    struct address groups[FAMILIES];
    struct udp *shared[FAMILIES]; /* on the discovery port; may be NULL */
    struct udp *own[FAMILIES];    /* may be NULL, but not both */
    const struct interfaces *interfaces;
    unsigned joined[INTERFACES];
    size_t joined_count;
    struct address askers[ASKERS];
    size_t next_asker;
};

static const enum address_family families[FAMILIES] = {ADDRESS_V4, ADDRESS_V6};

static bool has_asked(const struct discovery *d, const struct address *who)
{
    for (size_t i = 0; i < ASKERS; i++)
        if (address_equal(&d->askers[i], who))
            return true;
    return false;
}

static void take(struct discovery *d, const struct udp_datagram *datagram,
                 bool multicast)
{
    struct bytes kept = arena_copy(turn_arena(d->turn), datagram->bytes);
    turn_add(d->turn, &(struct node_event){.kind = NODE_DATAGRAM,
                                           .datagram = {.from = datagram->from,
                                                        .multicast = multicast,
                                                        .bytes = kept}});
}

static void on_own(void *context, const struct udp_datagram *datagram)
{
    take(context, datagram, false);
}

static void on_shared(void *context, const struct udp_datagram *datagram)
{
    struct discovery *d = context;
    const struct address *to = &datagram->to;
    bool multicast = address_same_ip(to, &d->groups[V4]) ||
                     address_same_ip(to, &d->groups[V6]);

    if (!multicast && !has_asked(d, &datagram->from))
        d->askers[d->next_asker++ % ASKERS] = datagram->from;
    take(d, datagram, multicast);
}

static void open_shared(struct discovery *d, uv_loop_t *loop, int family)
{
    d->shared[family] = udp_open(loop, families[family], d->groups[family].port,
                                 true, on_shared, d);
    if (d->shared[family] == NULL && errno != EAFNOSUPPORT)
        log_warn("discovery_deaf", "family=ipv%d port=%u error=\"%s\"",
                 (int)families[family], d->groups[family].port,
                 strerror(errno));
}

/* Both families on one port; a host may lack one of them. */
static bool open_own(struct discovery *d, uv_loop_t *loop, uint16_t port)
{
    d->own[V4] = udp_open(loop, ADDRESS_V4, port, false, on_own, d);
    if (d->own[V4] == NULL && errno != EAFNOSUPPORT)
        return false;
    if (d->own[V4] != NULL)
        port = udp_port(d->own[V4]);
    d->own[V6] = udp_open(loop, ADDRESS_V6, port, false, on_own, d);
    return d->own[V6] != NULL || (d->own[V4] != NULL && errno == EAFNOSUPPORT);
}

struct discovery *discovery_open(uv_loop_t *loop, struct turn *turn,
                                 const struct discovery_conf *conf)
{
    struct discovery *d = memory_new(sizeof *d);

    d->turn = turn;
    d->multicast = conf->multicast;
    d->groups[V4] = conf->group;
    d->groups[V6] = conf->group6;
    if (!open_own(d, loop, conf->own_port)) {
        int error = errno;
        discovery_close(&d);
        errno = error;
        return NULL;
    }
    open_shared(d, loop, V4);
    open_shared(d, loop, V6);
    return d;
}

void discovery_close(struct discovery **self)
{
    struct discovery *d = *self;

    if (d == NULL)
        return;
    *self = NULL;
    for (int f = 0; f < FAMILIES; f++) {
        udp_close(&d->shared[f]);
        udp_close(&d->own[f]);
    }
    free(d);
}

uint16_t discovery_own_port(const struct discovery *d)
{
    return udp_port(d->own[V4] != NULL ? d->own[V4] : d->own[V6]);
}

static void join(struct discovery *d, const struct interface *i)
{
    for (int f = 0; f < FAMILIES; f++)
        if (d->shared[f] != NULL &&
            !udp_join(d->shared[f], &d->groups[f], i->index) &&
            errno != EADDRINUSE)
            log_debug("group_not_joined", "interface=%s family=ipv%d error=%d",
                      i->name, (int)families[f], errno);
    d->joined[d->joined_count++] = i->index;
}

static void leave_all(struct discovery *d)
{
    for (; d->joined_count > 0; d->joined_count--)
        for (int f = 0; f < FAMILIES; f++)
            if (d->shared[f] != NULL)
                udp_leave(d->shared[f], &d->groups[f],
                          d->joined[d->joined_count - 1]);
}

void discovery_interfaces(struct discovery *d, const struct interfaces *all)
{
    d->interfaces = all;
    leave_all(d);
    for (size_t i = 0; i < all->count && d->multicast; i++)
        if (all->list[i].multicasts)
            join(d, &all->list[i]);
}

static void send_by(struct discovery *d, const struct interface *i, int family,
                    struct bytes bytes)
{
    const struct address *from = interface_address(i, families[family]);

    if (from == NULL || d->own[family] == NULL)
        return;
    if (!udp_send(d->own[family], &d->groups[family], bytes, i->index, from))
        log_debug("beacon_not_sent", "interface=%s family=ipv%d error=%d",
                  i->name, (int)families[family], errno);
}

void discovery_multicast(struct discovery *d, struct bytes bytes)
{
    for (size_t i = 0; i < d->interfaces->count; i++)
        for (int f = 0; f < FAMILIES && d->interfaces->list[i].multicasts; f++)
            send_by(d, &d->interfaces->list[i], f, bytes);
}

void discovery_send(struct discovery *d, const struct address *to,
                    struct bytes bytes)
{
    int family = to->family == ADDRESS_V6 ? V6 : V4;
    struct udp *own = d->own[family];

    if (own == NULL || !udp_send(own, to, bytes, 0, NULL))
        log_debug("beacon_not_sent", "family=ipv%d error=%d", (int)to->family,
                  errno);
    /* Firewalls and NATs on the way let an answer back only from where the
     * question went. */
    if (d->shared[family] != NULL && has_asked(d, to))
        (void)udp_send(d->shared[family], to, bytes, 0, NULL);
}
