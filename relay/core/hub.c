#include "relay/core/hub_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

/* Between two events CLOCK the wall clock and the monotonic one may differ by
 * so much. */
enum { CLOCK_SLACK_S = 2 };

static void conf_take(struct hub *h, const struct hub_conf *conf)
{
    free(h->served);
    h->conf = *conf;
    h->served = memory_array(conf->mesh_count, sizeof *h->served);
    if (conf->mesh_count > 0)
        memcpy(h->served, conf->meshes, conf->mesh_count * sizeof *h->served);
    h->conf.meshes = h->served;
}

struct hub *hub_new(const struct hub_conf *conf, struct instant now)
{
    struct hub *h = memory_new(sizeof *h);
    conf_take(h, conf);
    map_init(&h->conns, sizeof(uint64_t), conf->hash_key);
    map_init(&h->meshes, KEY_SIZE, conf->hash_key);
    map_init(&h->hosts, ADDRESS_KEY_SIZE, conf->hash_key);
    h->packets = shared_packets_new();
    h->clock_at = now;
    h->pulse = INSTANT_NEVER;
    h->woke_late = instant_after(now, span_ms(-HUB_GRACE_MS));
    return h;
}

void hub_free(struct hub *h)
{
    if (!h)
        return;
    size_t cursor = 0;
    for (struct hub_edge *e; (e = map_next(&h->conns, &cursor));)
        edge_free(h, e);
    cursor = 0;
    for (struct hub_mesh *m; (m = map_next(&h->meshes, &cursor));)
        mesh_free(m);
    map_close(&h->conns);
    map_close(&h->meshes);
    map_close(&h->hosts);
    heap_close(&h->timers);
    shared_packets_release(&h->packets);
    free(h->served);
    free(h);
}

uint64_t hub_unix_now(const struct hub *h)
{
    if (h->clock == 0)
        return 0;
    return h->clock +
           (uint64_t)(instant_between(h->clock_at, h->now).us / 1000000);
}

bool hub_serves(const struct hub *h, const struct mesh_id *id)
{
    if (h->conf.any_mesh)
        return true;
    for (size_t i = 0; i < h->conf.mesh_count; i++) {
        if (mesh_id_equal(&h->served[i], id))
            return true;
    }
    return false;
}

static void pong(struct hub *h, struct hub_edge *e, struct reader *r)
{
    uint64_t token = read_u64(r);
    if (!reader_done(r)) {
        h->counters.dropped[REFUSAL_MALFORMED]++;
        return;
    }
    struct writer w = hub_room(h, 9);
    write_u8(&w, RELAY_PONG);
    write_u64(&w, token);
    edge_control(h, e, writer_bytes(&w));
}

static void bye(struct hub *h, struct hub_edge *e)
{
    hub_todos_add(h->todos, HUB_DROP, e->conn);
    edge_gone(h, e, DEPARTURE_CLOSED);
}

static void edge_packet(struct hub *h, struct hub_edge *e,
                        const struct hub_event *event)
{
    struct reader r = reader_of(bytes_of(event->data, event->size));
    uint8_t type = read_u8(&r);
    struct bytes rest = bytes_of(r.at, reader_left(&r));
    edge_heard(h, e);
    switch (type) {
    case RELAY_FORWARD:
        edge_forward(h, e, event);
        return;
    case RELAY_MULTICAST:
        edge_multicast(h, e, event);
        return;
    case RELAY_PING:
        pong(h, e, &r);
        return;
    case RELAY_GROUPS:
        edge_groups(h, e, rest);
        return;
    case RELAY_SPARE:
        edge_spare(h, e, rest);
        return;
    case RELAY_RETURNS:
        edge_returns(h, e, rest);
        return;
    case RELAY_ANNOUNCE:
        edge_announce(h, e, rest);
        return;
    case RELAY_REVOCATION:
        revocation_arrived(h, e, rest);
        return;
    case RELAY_BYE:
        bye(h, e);
        return;
    case RELAY_HELLO:
        edge_refuse(h, e, REFUSAL_MALFORMED, DEPARTURE_LOST);
        return;
    default: /* A number from the wire, not an enum's value. */
        h->counters.dropped[REFUSAL_MALFORMED]++;
    }
}

static void packet(struct hub *h, const struct hub_event *event)
{
    h->counters.packets_in++;
    h->counters.bytes_in += event->size;
    struct hub_edge *e = map_get(&h->conns, &event->conn);
    if (e)
        edge_packet(h, e, event);
    else
        admission_packet(h, event);
}

/* Whether somebody set the clock: it is not where it was to be now. */
static bool clock_was_set(const struct hub *h, uint64_t unix_seconds)
{
    uint64_t expected = hub_unix_now(h);
    return unix_seconds > expected + CLOCK_SLACK_S ||
           expected > unix_seconds + CLOCK_SLACK_S;
}

/* Sets the wall clock, and checks the certificates of all edges against it. */
static void clock_told(struct hub *h, uint64_t unix_seconds)
{
    bool news = clock_was_set(h, unix_seconds);
    h->clock = unix_seconds;
    h->clock_at = h->now;
    size_t cursor = 0;
    for (struct hub_edge *e; (e = map_next(&h->conns, &cursor));) {
        if (news && !e->blocked)
            send_clock(h, e->conn);
        edge_check_expiry(h, e);
    }
}

static void stop(struct hub *h)
{
    h->stopping = true;
    size_t cursor = 0;
    for (struct hub_edge *e; (e = map_next(&h->conns, &cursor));) {
        if (!e->blocked)
            send_refused(h, e->conn, REFUSAL_SHUTDOWN);
    }
}

static void handle(struct hub *h, const struct hub_event *event)
{
    struct hub_edge *e = map_get(&h->conns, &event->conn);
    switch (event->kind) {
    case HUB_TICK:
        return;
    case HUB_CLOCK:
        clock_told(h, event->unix_seconds);
        return;
    case HUB_PACKET:
        packet(h, event);
        return;
    case HUB_CLOSED:
        if (e && !e->is_away)
            edge_broke(h, e);
        return;
    case HUB_BLOCKED:
        if (e)
            edge_blocked(h, e);
        return;
    case HUB_WRITABLE:
        if (e && !e->is_away) {
            e->blocked = false;
            edge_work(h, e);
        }
        return;
    case HUB_REVOKE:
        revocation_arrived(h, NULL, bytes_of(event->data, event->size));
        return;
    case HUB_STOP:
        stop(h);
        return;
    }
}

static void work_due(struct hub *h)
{
    for (struct timer *t; (t = heap_due(&h->timers, h->now));) {
        struct hub_edge *e = t->owner;
        if (t == &e->silence)
            edge_silence_due(h, e);
        else if (t == &e->expiry)
            edge_check_expiry(h, e);
        else if (t == &e->announce)
            edge_has_news(h, e);
        else
            edge_work(h, e);
    }
}

static void feel_pulse(struct hub *h)
{
    struct instant late = instant_after(h->pulse, span_ms(HUB_LATE_MS));
    if (instant_reached(late, h->now))
        h->woke_late = h->now;
}

static void begin(struct hub *h, struct instant now, struct hub_todos *todos)
{
    h->now = now;
    h->todos = todos;
    feel_pulse(h);
}

static void finish(struct hub *h)
{
    work_due(h);
    edges_reap(h);
    h->pulse = h->counters.edges > 0
                   ? instant_after(h->now, span_ms(HUB_PULSE_MS))
                   : INSTANT_NEVER;
    h->todos = NULL;
}

void hub_step(struct hub *h, struct instant now, const struct hub_event *event,
              struct hub_todos *todos)
{
    begin(h, now, todos);
    handle(h, event);
    finish(h);
}

struct instant hub_deadline(const struct hub *h)
{
    return instant_min(heap_deadline(&h->timers), h->pulse);
}

void hub_reconfigure(struct hub *h, const struct hub_conf *conf,
                     struct instant now, struct hub_todos *todos)
{
    struct hub_conf kept = *conf;
    kept.boot = h->conf.boot;
    memcpy(kept.hash_key, h->conf.hash_key, sizeof kept.hash_key);
    begin(h, now, todos);
    conf_take(h, &kept);
    size_t cursor = 0;
    for (struct hub_edge *e; (e = map_next(&h->conns, &cursor));) {
        if (!hub_serves(h, &e->mesh->id))
            edge_refuse(h, e, REFUSAL_MESH_UNKNOWN, (enum departure)0);
    }
    finish(h);
}

size_t hub_memory(const struct hub *h)
{
    return shared_packets_bytes(h->packets) + h->told_bytes;
}

void hub_counters_get(const struct hub *h, struct hub_counters *c)
{
    *c = h->counters;
    c->memory = hub_memory(h);
}
