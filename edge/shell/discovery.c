#include "edge/shell/discovery.h"

#include "common/base/memory.h"
#include "common/io/log.h"
#include "common/io/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { V4, V6, FAMILIES };

/* How many senders to remember that asked the discovery port by unicast; a new
 * one overwrites the oldest. */
enum { ASKERS = 64 };

/* The kernel limits the groups that one socket can join (IPv4:
 * net.ipv4.igmp_max_memberships, 20; IPv6: net.core.optmem_max), so there are
 * as many sockets as needed. */
enum { SHARED_MOST = 512 };

/* A socket's membership in a multicast group, on one interface. */
struct membership {
    unsigned interface;
    int family;
    struct udp *socket;
};

struct beacon_count {
    unsigned interface;
    uint64_t sent, heard;
};

/* Interfaces that were seen; further ones are not counted. */
enum { COUNTED_MOST = 1024 };

struct discovery {
    uv_loop_t *loop;
    struct event_queue *events;
    bool multicast;
    struct address groups[FAMILIES];
    /* On the discovery port; new groups join on the last one. May be none. */
    struct udp *shared[FAMILIES][SHARED_MOST];
    size_t shared_count[FAMILIES];
    struct udp *own[FAMILIES]; /* may be NULL, but not both */
    const struct interfaces *interfaces;
    struct membership *joined;
    size_t joined_count;
    size_t joined_room;
    char (*unjoined)[IF_NAMESIZE]; /* interfaces where joining failed */
    size_t unjoined_count;
    size_t unjoined_room;
    bool told; /* they were logged */
    struct beacon_count *counts;
    size_t count_count;
    size_t count_room;
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

static struct beacon_count *count_find(const struct discovery *d,
                                       unsigned interface)
{
    for (size_t i = 0; i < d->count_count; i++)
        if (d->counts[i].interface == interface)
            return &d->counts[i];
    return NULL;
}

static void count_beacon(struct discovery *d, unsigned interface, bool sent)
{
    struct beacon_count *c = count_find(d, interface);

    if (c == NULL) {
        if (d->count_count == COUNTED_MOST)
            return;
        d->counts = memory_grow(d->counts, d->count_count, &d->count_room,
                                sizeof *d->counts);
        c = &d->counts[d->count_count++];
        *c = (struct beacon_count){.interface = interface};
    }
    *(sent ? &c->sent : &c->heard) += 1;
}

void discovery_heard(const struct discovery *d, unsigned interface,
                     uint64_t *sent, uint64_t *heard)
{
    const struct beacon_count *c = count_find(d, interface);

    *sent = c != NULL ? c->sent : 0;
    *heard = c != NULL ? c->heard : 0;
}

/* The system gives this host its own multicasts as well. */
static bool is_own(const struct discovery *d, const struct udp_datagram *g)
{
    if (g->from.port != discovery_own_port(d) || d->interfaces == NULL)
        return false;
    for (size_t i = 0; i < d->interfaces->count; i++) {
        const struct interface *at = &d->interfaces->list[i];
        for (size_t k = 0; k < at->count; k++)
            if (address_same_ip(&at->addresses[k], &g->from))
                return true;
    }
    return false;
}

static void take(struct discovery *d, const struct udp_datagram *datagram,
                 bool multicast)
{
    struct bytes kept =
        arena_copy(event_queue_arena(d->events), datagram->bytes);
    event_queue_add(d->events,
                    &(struct node_event){.kind = NODE_DATAGRAM,
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

    if (multicast && !is_own(d, datagram))
        count_beacon(d, datagram->interface, false);
    if (!multicast && !has_asked(d, &datagram->from))
        d->askers[d->next_asker++ % ASKERS] = datagram->from;
    take(d, datagram, multicast);
}

/* Opens one more socket on the discovery port; false with errno. */
static bool more_shared(struct discovery *d, int family)
{
    size_t count = d->shared_count[family];

    if (count == SHARED_MOST) {
        errno = ENOBUFS;
        return false;
    }
    struct address any = {.family = families[family],
                          .port = d->groups[family].port};
    struct udp *u = udp_open(d->loop, &any, true, on_shared, d);
    if (u == NULL)
        return false;
    d->shared[family][d->shared_count[family]++] = u;
    return true;
}

static void open_shared(struct discovery *d, int family)
{
    if (!more_shared(d, family) && errno != EAFNOSUPPORT)
        log_warn("discovery_deaf", "family=ipv%d port=%u error=\"%s\"",
                 (int)families[family], d->groups[family].port,
                 strerror(errno));
}

/* Opens the edge's own port for both families; a host may lack one of them. */
static bool open_own(struct discovery *d, uv_loop_t *loop, uint16_t port)
{
    struct address any = {.family = ADDRESS_V4, .port = port};

    d->own[V4] = udp_open(loop, &any, false, on_own, d);
    if (d->own[V4] == NULL && errno != EAFNOSUPPORT)
        return false;
    if (d->own[V4] != NULL)
        any.port = udp_port(d->own[V4]);
    any.family = ADDRESS_V6;
    d->own[V6] = udp_open(loop, &any, false, on_own, d);
    return d->own[V6] != NULL || (d->own[V4] != NULL && errno == EAFNOSUPPORT);
}

struct discovery *discovery_open(uv_loop_t *loop, struct event_queue *events,
                                 const struct discovery_conf *conf)
{
    struct discovery *d = memory_new(sizeof *d);

    d->events = events;
    d->loop = loop;
    d->multicast = conf->multicast;
    d->groups[V4] = conf->group;
    d->groups[V6] = conf->group6;
    if (!open_own(d, loop, conf->own_port)) {
        int error = errno;
        discovery_close(&d);
        errno = error;
        return NULL;
    }
    open_shared(d, V4);
    open_shared(d, V6);
    return d;
}

void discovery_close(struct discovery **self)
{
    struct discovery *d = *self;

    if (d == NULL)
        return;
    *self = NULL;
    for (int f = 0; f < FAMILIES; f++) {
        while (d->shared_count[f] > 0)
            udp_close(&d->shared[f][--d->shared_count[f]]);
        udp_close(&d->own[f]);
    }
    free(d->joined);
    free(d->unjoined);
    free(d->counts);
    free(d);
}

uint16_t discovery_own_port(const struct discovery *d)
{
    return udp_port(d->own[V4] != NULL ? d->own[V4] : d->own[V6]);
}

/* Joins the group with the last socket, or with a new one if that is full. */
static bool join(struct discovery *d, const struct interface *i, int family)
{
    struct udp **shared = d->shared[family];
    size_t *count = &d->shared_count[family];

    if (*count == 0)
        return true; /* discovery_deaf was logged. */
    bool good = udp_join(shared[*count - 1], &d->groups[family], i->index);
    if (!good && (errno == ENOBUFS || errno == ENOMEM))
        good = more_shared(d, family) &&
               udp_join(shared[*count - 1], &d->groups[family], i->index);
    if (!good)
        return errno == EADDRINUSE;
    d->joined = memory_grow(d->joined, d->joined_count, &d->joined_room,
                            sizeof *d->joined);
    d->joined[d->joined_count++] =
        (struct membership){i->index, family, shared[*count - 1]};
    return true;
}

static void note_unjoined(struct discovery *d, const struct interface *i)
{
    d->unjoined = memory_grow(d->unjoined, d->unjoined_count, &d->unjoined_room,
                              sizeof *d->unjoined);
    memcpy(d->unjoined[d->unjoined_count++], i->name, IF_NAMESIZE);
}

static void join_both(struct discovery *d, const struct interface *i)
{
    bool heard = true;

    for (int f = 0; f < FAMILIES; f++) {
        if (interface_address(i, families[f]) == NULL)
            (void)join(d, i, f); /* It may get an address soon. */
        else if (!join(d, i, f)) {
            log_debug("group_not_joined", "interface=%s family=ipv%d error=%d",
                      i->name, (int)families[f], errno);
            heard = false;
        }
    }
    if (!heard)
        note_unjoined(d, i);
}

/* Keeps the first socket of each family, for senders that ask by unicast. */
static void leave_all(struct discovery *d)
{
    for (; d->joined_count > 0; d->joined_count--) {
        const struct membership *m = &d->joined[d->joined_count - 1];
        udp_leave(m->socket, &d->groups[m->family], m->interface);
    }
    for (int f = 0; f < FAMILIES; f++)
        while (d->shared_count[f] > 1)
            udp_close(&d->shared[f][--d->shared_count[f]]);
    d->unjoined_count = 0;
}

static void tell_unjoined(struct discovery *d)
{
    if (d->unjoined_count > 0 && !d->told)
        log_warn("groups_not_joined", "interfaces=%zu first=%s",
                 d->unjoined_count, d->unjoined[0]);
    d->told = d->unjoined_count > 0;
}

void discovery_interfaces(struct discovery *d, const struct interfaces *all)
{
    d->interfaces = all;
    leave_all(d);
    for (size_t i = 0; i < all->count && d->multicast; i++)
        if (all->list[i].multicasts)
            join_both(d, &all->list[i]);
    tell_unjoined(d);
}

size_t discovery_unjoined(const struct discovery *d, size_t index,
                          const char **name)
{
    if (index < d->unjoined_count)
        *name = d->unjoined[index];
    return d->unjoined_count;
}

bool discovery_is_deaf(const struct discovery *d)
{
    return d->multicast && d->shared_count[V4] + d->shared_count[V6] == 0;
}

static void send_by(struct discovery *d, const struct interface *i, int family,
                    struct bytes bytes)
{
    const struct address *from = interface_address(i, families[family]);

    if (from == NULL || d->own[family] == NULL)
        return;
    if (udp_send(d->own[family], &d->groups[family], bytes, i->index, from))
        count_beacon(d, i->index, true);
    else
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
    /* Firewalls and NATs on the path pass an answer only if it comes from the
     * port to which the question went. */
    if (d->shared_count[family] > 0 && has_asked(d, to))
        (void)udp_send(d->shared[family][0], to, bytes, 0, NULL);
}
