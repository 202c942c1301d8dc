#include "edge/shell/static_peers.h"

#include "common/base/memory.h"
#include "common/conf/endpoint.h"
#include "common/io/log.h"
#include "edge/shell/host_lookup.h"

#include <stdlib.h>
#include <string.h>

enum { AGAIN_MS = 60 * 1000 };

struct peer_host {
    struct static_peers *peers;
    struct endpoint endpoint;
    struct host_lookup *lookup;
    struct address addresses[HOST_LOOKUP_ADDRESSES];
    size_t count;
    bool failed; /* the last lookup did, and that was logged */
};

struct static_peers {
    struct event_queue *events;
    uv_timer_t again;
    bool started;
    size_t count;
    struct peer_host hosts[];
};

static void tell(struct static_peers *p)
{
    struct address *list = arena_take(event_queue_arena(p->events),
                                      (p->count * HOST_LOOKUP_ADDRESSES + 1) *
                                          sizeof(struct address));
    size_t count = 0;

    for (size_t i = 0; i < p->count; i++)
        for (size_t at = 0; at < p->hosts[i].count; at++)
            list[count++] = p->hosts[i].addresses[at];
    event_queue_add(
        p->events,
        &(struct node_event){.kind = NODE_PEERS_ARE,
                             .addresses = {.list = list, .count = count}});
}

static bool is_same(const struct peer_host *h, const struct address *list,
                    size_t count)
{
    if (h->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!address_equal(&h->addresses[i], &list[i]))
            return false;
    return true;
}

/* After a failed lookup the name keeps its earlier addresses. */
static void on_found(void *context, const struct address *list, size_t count,
                     const char *error)
{
    struct peer_host *h = context;

    if (count == 0 && !h->failed)
        log_warn("peer_unknown", "host=%s error=\"%s\"", h->endpoint.host,
                 error);
    h->failed = count == 0;
    if (count == 0 || is_same(h, list, count))
        return;
    memcpy(h->addresses, list, count * sizeof *list);
    h->count = count;
    if (h->peers->started)
        tell(h->peers);
}

static void look_up_all(struct static_peers *p)
{
    for (size_t i = 0; i < p->count; i++) {
        struct peer_host *h = &p->hosts[i];
        if (h->lookup == NULL)
            host_lookup_start(&h->lookup, p->again.loop, h->endpoint.host,
                              h->endpoint.port, on_found, h);
    }
}

static void on_again(uv_timer_t *timer)
{
    look_up_all(timer->data);
}

struct static_peers *static_peers_open(uv_loop_t *loop,
                                       struct event_queue *events,
                                       const char *const *texts, size_t count)
{
    struct static_peers *p =
        memory_new(sizeof *p + (count > STATIC_PEERS ? STATIC_PEERS : count) *
                                   sizeof p->hosts[0]);

    p->events = events;
    for (size_t i = 0; i < count && p->count < STATIC_PEERS; i++) {
        struct peer_host *h = &p->hosts[p->count];
        h->peers = p;
        if (endpoint_parse(texts[i], ENDPOINT_CONNECT, &h->endpoint) == NULL)
            p->count++;
    }
    uv_timer_init(loop, &p->again);
    p->again.data = p;
    uv_timer_start(&p->again, on_again, AGAIN_MS, AGAIN_MS);
    look_up_all(p);
    /* Texts that are addresses are resolved already: one event for all. */
    p->started = true;
    tell(p);
    return p;
}

static void on_closed(uv_handle_t *again)
{
    struct static_peers *p = again->data;

    free(p);
}

void static_peers_close(struct static_peers **self)
{
    struct static_peers *p = *self;

    if (p == NULL)
        return;
    *self = NULL;
    for (size_t i = 0; i < p->count; i++)
        host_lookup_cancel(&p->hosts[i].lookup);
    uv_close((uv_handle_t *)&p->again, on_closed);
}
