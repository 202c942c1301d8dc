#include "edge/shell/stun_servers.h"

#include "common/base/memory.h"
#include "common/conf/endpoint.h"
#include "common/io/log.h"
#include "edge/shell/host_lookup.h"

#include <stdlib.h>
#include <string.h>

enum {
    AGAIN_MS = 5 * 60 * 1000,
    FAILED_AGAIN_MS = 30 * 1000,
    PORTS = 8, /* of one host */
};

static const enum address_family families[] = {ADDRESS_V4, ADDRESS_V6};
enum { FAMILIES = sizeof families / sizeof families[0] };

struct stun_host {
    struct stun_servers *all;
    char name[ENDPOINT_HOST_SIZE];
    uint16_t ports[PORTS];
    size_t port_count;
    struct host_lookup *lookup;
    struct address addresses[FAMILIES]; /* NONE: the name has none */
    bool failed; /* the last lookup did, and that was logged */
};

struct stun_servers {
    struct event_queue *events;
    uv_timer_t again;
    bool started;
    size_t count;
    struct stun_host hosts[STUN_HOSTS];
};

/* ---- Telling the node */

/* All hosts at their first port come first, so that those that are left out are
 * further ports. */
static void tell(struct stun_servers *s)
{
    struct address *list = arena_take(event_queue_arena(s->events),
                                      STUN_SERVERS_MAX * sizeof *list);
    size_t count = 0;

    for (size_t port = 0; port < PORTS; port++)
        for (size_t i = 0; i < s->count; i++)
            for (size_t f = 0; f < FAMILIES; f++) {
                const struct stun_host *h = &s->hosts[i];
                if (port >= h->port_count || count == STUN_SERVERS_MAX ||
                    h->addresses[f].family == ADDRESS_NONE)
                    continue;
                list[count] = h->addresses[f];
                list[count++].port = h->ports[port];
            }
    event_queue_add(
        s->events,
        &(struct node_event){.kind = NODE_STUN_SERVERS_ARE,
                             .addresses = {.list = list, .count = count}});
}

/* ---- Looking up */

/* Of several addresses, the one that is in use stays: DNS changes their
 * order. */
static struct address choose(const struct address *before,
                             enum address_family family,
                             const struct address *list, size_t count)
{
    struct address first = {.family = ADDRESS_NONE};

    for (size_t i = 0; i < count; i++) {
        if (list[i].family != family)
            continue;
        if (address_equal(&list[i], before))
            return *before;
        if (first.family == ADDRESS_NONE)
            first = list[i];
    }
    return first;
}

/* After a failed lookup the name keeps its earlier addresses. */
static void on_found(void *context, const struct address *list, size_t count,
                     const char *error)
{
    struct stun_host *h = context;
    bool changed = false;

    if (count == 0 && !h->failed)
        log_info("stun_server_unknown", "host=%s error=\"%s\"", h->name, error);
    h->failed = count == 0;
    if (count == 0)
        return;
    for (size_t f = 0; f < FAMILIES; f++) {
        struct address chosen =
            choose(&h->addresses[f], families[f], list, count);
        changed = changed || !address_equal(&chosen, &h->addresses[f]);
        h->addresses[f] = chosen;
    }
    if (changed && h->all->started)
        tell(h->all);
}

void stun_servers_again(struct stun_servers *s)
{
    for (size_t i = 0; s != NULL && i < s->count; i++) {
        struct stun_host *h = &s->hosts[i];
        if (h->lookup == NULL)
            host_lookup_start(&h->lookup, s->again.loop, h->name, 0, on_found,
                              h);
    }
}

static void on_again(uv_timer_t *timer)
{
    struct stun_servers *s = timer->data;
    bool failed = false;

    for (size_t i = 0; i < s->count; i++)
        failed = failed || s->hosts[i].failed;
    uv_timer_set_repeat(timer, failed ? FAILED_AGAIN_MS : AGAIN_MS);
    stun_servers_again(s);
}

/* ---- Open and close */

static void add(struct stun_servers *s, const char *name, uint16_t port)
{
    struct stun_host *h = NULL;

    for (size_t i = 0; i < s->count && h == NULL; i++)
        if (strcmp(s->hosts[i].name, name) == 0)
            h = &s->hosts[i];
    if (h == NULL) {
        if (s->count == STUN_HOSTS)
            return;
        h = &s->hosts[s->count++];
        h->all = s;
        memcpy(h->name, name, strlen(name) + 1);
    }
    for (size_t i = 0; i < h->port_count; i++)
        if (h->ports[i] == port)
            return;
    if (h->port_count < PORTS)
        h->ports[h->port_count++] = port;
}

struct stun_servers *stun_servers_open(uv_loop_t *loop,
                                       struct event_queue *events,
                                       const struct edge_relay *relays,
                                       size_t relay_count,
                                       const char *const *texts, size_t count)
{
    struct stun_servers *s = memory_new(sizeof *s);
    struct endpoint endpoint;

    s->events = events;
    for (size_t i = 0; i < relay_count; i++) {
        const char *host = relays[i].connect_to.host;
        add(s, host, edge_relay_port(&relays[i], FORM_TCP));
        add(s, host, STUN_HTTPS_PORT);
        add(s, host, STUN_PORT);
    }
    for (size_t i = 0; i < count; i++)
        if (endpoint_parse(texts[i], ENDPOINT_CONNECT, &endpoint) == NULL)
            add(s, endpoint.host, endpoint.port);
    uv_timer_init(loop, &s->again);
    s->again.data = s;
    uv_timer_start(&s->again, on_again, FAILED_AGAIN_MS, FAILED_AGAIN_MS);
    stun_servers_again(s);
    /* Texts that are addresses are resolved already: one event for all. */
    s->started = true;
    tell(s);
    return s;
}

static void on_closed(uv_handle_t *again)
{
    free(again->data);
}

void stun_servers_close(struct stun_servers **self)
{
    struct stun_servers *s = *self;

    if (s == NULL)
        return;
    *self = NULL;
    for (size_t i = 0; i < s->count; i++)
        host_lookup_cancel(&s->hosts[i].lookup);
    uv_close((uv_handle_t *)&s->again, on_closed);
}
