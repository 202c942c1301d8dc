#include "relay/core/hub_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

static void host_key(const struct address *a, uint8_t key[ADDRESS_KEY_SIZE])
{
    struct address network = address_network(a);
    address_key(&network, key);
}

static struct hub_network *host_take(struct hub *h,
                                     const struct address *address)
{
    uint8_t key[ADDRESS_KEY_SIZE];
    host_key(address, key);
    struct hub_network *host = map_get(&h->hosts, key);
    if (!host) {
        host = memory_new(sizeof *host);
        memcpy(host->key, key, sizeof key);
        map_put(&h->hosts, key, host);
    }
    host->edges++;
    return host;
}

static void host_release(struct hub *h, struct hub_network *host)
{
    if (--host->edges > 0)
        return;
    map_remove(&h->hosts, host->key);
    free(host);
}

size_t edges_from(const struct hub *h, const struct address *address)
{
    uint8_t key[ADDRESS_KEY_SIZE];
    host_key(address, key);
    const struct hub_network *host = map_get(&h->hosts, key);
    return host ? host->edges : 0;
}

void edge_weigh(struct hub *h, struct hub_edge *e)
{
    size_t bytes = e->sealed_size + e->spared.count * HUB_SPARED_BYTES +
                   e->membership_count * HUB_MEMBERSHIP_BYTES;
    h->told_bytes = h->told_bytes - e->told_bytes + bytes;
    e->told_bytes = bytes;
    hub_make_room(h, 0);
}

static struct span lost_after_of(const struct relay_hello *hello)
{
    return span_max(span_ms(HUB_LOST_AFTER_MIN_MS),
                    span_min(span_ms(HUB_LOST_AFTER_MAX_MS),
                             span_ms(hello->lost_after_ms)));
}

static void enter_mesh(struct hub_mesh *m, struct hub_edge *e)
{
    e->mesh = m;
    e->previous = m->last;
    if (m->last)
        m->last->next = e;
    else
        m->first = e;
    m->last = e;
    m->count++;
    map_put(&m->nodes, e->node.key, e);
    map_put(&m->names, e->name, e);
    /* The edge gets the roster of the edges that arrived before it; PRESENT
     * tells it about later ones. */
    e->sync = m->first;
    m->syncing++;
}

/* When to check the certificate next: when it expires, or after HUB_EXPIRY_S if
 * that is sooner. */
static struct instant expiry_look(const struct hub *h, const struct hub_edge *e)
{
    uint64_t unix_now = hub_unix_now(h);
    uint64_t left = e->not_after > unix_now ? e->not_after - unix_now : 0;
    return instant_after(
        h->now, span_s(left < HUB_EXPIRY_S ? (int64_t)left : HUB_EXPIRY_S));
}

struct hub_edge *edge_new(struct hub *h, struct hub_mesh *m,
                          const struct edge_start *start)
{
    const struct hub_event *event = start->event;
    const struct relay_hello *hello = start->hello;
    struct hub_edge *e = memory_new(sizeof *e);
    e->conn = event->conn;
    e->address = event->address;
    e->host = host_take(h, &event->address);
    e->node = start->certificate->node;
    e->not_after = start->certificate->not_after;
    memcpy(e->name, start->certificate->name, strlen(start->certificate->name));
    e->epoch = hello->epoch;
    e->sealed_size = hello->sealed.size;
    e->sealed = memory_copy(hello->sealed.data, hello->sealed.size);
    e->lost_after = lost_after_of(hello);
    e->heard = h->now;
    /* Full: the first edge_may_send cuts it down to the burst. */
    e->tokens = UINT64_C(1) << 62;
    e->tokens_at = h->now;
    e->silence.owner = e;
    e->expiry.owner = e;
    e->announce.owner = e;
    e->work.owner = e;
    map_init(&e->spared, KEY_SIZE, h->conf.hash_key);
    fair_queue_init(&e->data, h->conf.hash_key);

    map_put(&h->conns, &e->conn, e);
    heap_set(&h->timers, &e->silence, instant_after(h->now, e->lost_after));
    heap_set(&h->timers, &e->expiry, expiry_look(h, e));
    enter_mesh(m, e);
    h->counters.edges++;
    edge_weigh(h, e);
    return e;
}

static void skip_in_syncs(struct hub_mesh *m, struct hub_edge *e)
{
    for (struct hub_edge *other = e->next; other && m->syncing > 0;
         other = other->next) {
        if (!other->synced && other->sync == e)
            other->sync = e->next;
    }
}

static void leave_mesh(struct hub_edge *e)
{
    struct hub_mesh *m = e->mesh;
    if (!e->synced)
        m->syncing--;
    skip_in_syncs(m, e);
    groups_leave(e);
    *(e->previous ? &e->previous->next : &m->first) = e->next;
    *(e->next ? &e->next->previous : &m->last) = e->previous;
    m->count--;
    map_remove(&m->nodes, e->node.key);
    map_remove(&m->names, e->name);
}

static void leave_doomed(struct hub *h, struct hub_edge *e)
{
    for (struct hub_edge **at = &h->doomed; *at; at = &(*at)->next_doomed) {
        if (*at == e) {
            *at = e->next_doomed;
            return;
        }
    }
}

void edge_free(struct hub *h, struct hub_edge *e)
{
    leave_mesh(e);
    leave_doomed(h, e);
    map_remove(&h->conns, &e->conn);
    host_release(h, e->host);
    heap_remove(&h->timers, &e->silence);
    heap_remove(&h->timers, &e->expiry);
    heap_remove(&h->timers, &e->announce);
    heap_remove(&h->timers, &e->work);
    h->told_bytes -= e->told_bytes;
    h->counters.queue_bytes -= e->control.bytes + e->data.bytes;
    h->counters.edges--;
    queue_clear(&e->control);
    fair_queue_close(&e->data);
    map_close(&e->spared);
    free(e->sealed);
    free(e);
}

void edge_log(struct hub *h, const struct hub_edge *e, enum hub_log what,
              uint8_t reason)
{
    struct hub_todo *todo = hub_todos_add(h->todos, HUB_LOG, e->conn);
    todo->log.what = what;
    todo->log.reason = reason;
    todo->log.node = e->node;
    todo->log.mesh = e->mesh->id;
    todo->log.address = e->address;
    memcpy(todo->log.name, e->name, sizeof todo->log.name);
}

/* Removes the edge and tells the edges that stay. */
static void end(struct hub *h, struct hub_edge *e, enum departure departure)
{
    struct hub_mesh *m = e->mesh;
    struct node_id node = e->node;
    struct epoch epoch = e->epoch;
    edge_free(h, e);
    if (departure != 0)
        roster_gone(h, m, &node, epoch, departure);
    mesh_release(h, m);
}

/* Nobody is there to be told if the edge is away. */
static void turn_away(struct hub *h, const struct hub_edge *e,
                      enum refusal reason)
{
    if (e->is_away)
        return;
    h->counters.refused[reason]++;
    if (!e->blocked)
        send_refused(h, e->conn, reason);
    hub_todos_add(h->todos, HUB_DROP, e->conn);
    edge_log(h, e, HUB_EDGE_REFUSED, (uint8_t)reason);
}

void edge_refuse(struct hub *h, struct hub_edge *e, enum refusal reason,
                 enum departure departure)
{
    turn_away(h, e, reason);
    end(h, e, departure);
}

void edge_replace(struct hub *h, struct hub_edge *e)
{
    turn_away(h, e, REFUSAL_REPLACED);
    edge_free(h, e);
}

void edge_gone(struct hub *h, struct hub_edge *e, enum departure departure)
{
    edge_log(h, e, HUB_EDGE_DOWN, (uint8_t)departure);
    end(h, e, departure);
}

void edge_returns(struct hub *h, struct hub_edge *e, struct bytes packet)
{
    struct reader r = reader_of(packet);
    struct span within = span_ms(read_u16(&r));
    if (reader_done(&r))
        e->returns_within = span_min(within, span_ms(HUB_AWAY_MAX_MS));
    else
        h->counters.dropped[REFUSAL_MALFORMED]++;
}

void edge_broke(struct hub *h, struct hub_edge *e)
{
    if (e->returns_within.us == 0 || h->stopping) {
        edge_gone(h, e, DEPARTURE_LOST);
        return;
    }
    edge_log(h, e, HUB_EDGE_DOWN, DEPARTURE_LOST);
    e->is_away = true;
    edge_blocked(h, e);
    heap_set(&h->timers, &e->silence, instant_after(h->now, e->returns_within));
}

void edge_heard(struct hub *h, struct hub_edge *e)
{
    /* Setting the timer for each packet would cost too much: when it fires,
     * edge_silence_due sets it again if the edge was heard meanwhile. */
    e->heard = h->now;
    e->doubts = 0;
}

void edge_silence_due(struct hub *h, struct hub_edge *e)
{
    if (e->is_away) {
        end(h, e, DEPARTURE_LOST);
        return;
    }
    struct instant due = instant_after(e->heard, e->lost_after);
    struct span grace = span_min(e->lost_after, span_ms(HUB_GRACE_MS));
    struct instant sure = instant_after(h->woke_late, grace);
    /* If this process got no CPU, packets of the edge may still be unread. */
    if (!instant_reached(sure, h->now) && e->doubts < HUB_DOUBTS) {
        e->doubts++;
        due = instant_max(due, sure);
    }
    if (!instant_reached(due, h->now)) {
        heap_set(&h->timers, &e->silence, due);
        return;
    }
    hub_todos_add(h->todos, HUB_DROP, e->conn);
    edge_gone(h, e, DEPARTURE_SILENT);
}

void edge_check_expiry(struct hub *h, struct hub_edge *e)
{
    if (e->not_after <= hub_unix_now(h))
        edge_refuse(h, e, REFUSAL_EXPIRED, DEPARTURE_LOST);
    else
        heap_set(&h->timers, &e->expiry, expiry_look(h, e));
}

void edges_reap(struct hub *h)
{
    /* To tell others that one edge left may doom another edge; each turn of
     * this loop frees one. */
    while (h->doomed)
        edge_refuse(h, h->doomed, h->doomed->doomed_for, DEPARTURE_LOST);
}
