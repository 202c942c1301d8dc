/*
 * fake_edge - an edge without a node, for tests of modules that use an edge.
 *
 * The fake records messages and events, and the test sets what the fake
 * answers. Only one file of a program may include this header: it defines the
 * functions of edge.h and node.h that the modules call, instead of linking the
 * real ones.
 */
#ifndef TESTS_UNIT_FAKE_EDGE_H
#define TESTS_UNIT_FAKE_EDGE_H

#include "common/base/memory.h"
#include "common/conf/edge_conf.h"
#include "edge/shell/edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAKE_EVENTS = 4096, FAKE_PEERS = 8, FAKE_REFS = 1000 };

enum fake_kind { FAKE_SEND, FAKE_PUBLISH, FAKE_EVENT };

struct fake_event {
    enum fake_kind kind;
    enum node_event_kind event_kind; /* EVENT */
    struct node_ref ref;
    struct node_id to;
    enum message_kind message_kind;
    enum message_encoding encoding;
    uint64_t reference;
    char type[256];
    char group[64];
    char *data;
    size_t size;
    char groups[256]; /* the groups of SET_GROUPS, a space after each */
};

struct edge {
    uv_loop_t *loop;
    const struct edge_observer *observer;
    struct fake_event events[FAKE_EVENTS];
    size_t event_count;
    struct node_peer peers[FAKE_PEERS];
    size_t peer_count;
    struct node_refusal refusals[FAKE_PEERS];
    size_t refusal_count;
    bool replaced;
    struct instant now;
    size_t gaps[EDGE_GAP_LARGE + 1];
    const char *relay_error; /* NULL: "unreachable" */
    size_t takes;            /* messages it accepts before it answers BUSY */
    size_t asked;            /* calls that submitted a message */
};

static struct edge fake;

static void fake_open(uv_loop_t *loop)
{
    fake = (struct edge){.loop = loop, .now = {1000000}, .takes = SIZE_MAX};
}

static void fake_forget(void)
{
    for (size_t i = 0; i < fake.event_count; i++)
        free(fake.events[i].data);
    fake.event_count = 0;
}

static struct node_peer *fake_add_peer(const char *name, uint8_t id)
{
    struct node_peer *p = &fake.peers[fake.peer_count++];

    *p = (struct node_peer){
        .name = name, .path = PATH_TCP, .rtt = {1500}, .since = fake.now};
    memset(p->id.key, id, KEY_SIZE);
    address_parse("192.0.2.7:4711", &p->endpoint) ? (void)0 : abort();
    return p;
}

static inline void fake_report(size_t event, enum node_outcome outcome)
{
    fake.observer->report(fake.observer->context, fake.events[event].ref,
                          outcome, PATH_TCP, span_us(12100));
}

void edge_observe(struct edge *e, const struct edge_observer *observer)
{
    e->observer = observer;
}

void edge_unobserve(struct edge *e, const struct edge_observer *observer)
{
    if (e->observer == observer)
        e->observer = NULL;
}

struct node_ref edge_ref(const struct edge *e,
                         const struct edge_observer *observer, uint64_t name)
{
    (void)e;
    (void)observer;
    return (struct node_ref){FAKE_REFS + name};
}

uint64_t edge_ref_name(struct node_ref ref)
{
    return ref.value - FAKE_REFS;
}

static void fake_copy(char *to, size_t size, struct bytes from)
{
    if (from.size >= size)
        abort();
    if (from.size > 0)
        memcpy(to, from.data, from.size);
    to[from.size] = '\0';
}

static struct fake_event *fake_add(struct edge *e, enum fake_kind kind)
{
    struct fake_event *f = &e->events[e->event_count++];

    if (e->event_count == FAKE_EVENTS)
        abort();
    *f = (struct fake_event){.kind = kind};
    return f;
}

void edge_event(struct edge *e, const struct node_event *event)
{
    struct fake_event *f = fake_add(e, FAKE_EVENT);

    f->event_kind = event->kind;
    if (event->kind == NODE_SET_GROUPS) {
        for (size_t i = 0; i < event->groups.count; i++) {
            strcat(f->groups, event->groups.list[i]);
            strcat(f->groups, " ");
        }
    } else if (event->kind == NODE_PING) {
        f->ref = event->ping.ref;
        f->to = event->ping.to;
    }
}

static bool fake_takes(struct edge *e, enum fake_kind kind,
                       const struct message *m, enum node_outcome *why)
{
    *why = OUTCOME_BUSY;
    e->asked++;
    if (e->takes == 0)
        return false;
    e->takes--;
    struct fake_event *f = fake_add(e, kind);
    f->message_kind = m->kind;
    f->encoding = m->encoding;
    f->reference = m->reference;
    fake_copy(f->type, sizeof(f->type), m->type);
    fake_copy(f->group, sizeof(f->group), m->group);
    f->size = m->data.size;
    f->data = memory_new(m->data.size + 1);
    fake_copy(f->data, m->data.size + 1, m->data);
    return true;
}

bool edge_send(struct edge *e, struct node_ref ref, const struct node_id *to,
               const struct message *m, enum node_outcome *why)
{
    if (!fake_takes(e, FAKE_SEND, m, why))
        return false;
    e->events[e->event_count - 1].ref = ref;
    e->events[e->event_count - 1].to = *to;
    return true;
}

bool edge_publish(struct edge *e, const struct message *m, uint32_t *peers,
                  enum node_outcome *why)
{
    *peers = 3;
    return fake_takes(e, FAKE_PUBLISH, m, why);
}

const struct node *edge_node(const struct edge *e)
{
    return (const struct node *)(const void *)e;
}

size_t edge_relay_count(const struct edge *e)
{
    (void)e;
    return 1;
}

const char *edge_relay_url(const struct edge *e, size_t index)
{
    (void)e;
    (void)index;
    return "tcp://203.0.113.10:443?key=k";
}

uv_loop_t *edge_loop(const struct edge *e)
{
    return e->loop;
}

size_t edge_gap(const struct edge *e, enum edge_gap gap, size_t index,
                const char **name)
{
    static char text[16];

    if (gap != EDGE_GAP_ADDRESSES && gap != EDGE_GAP_DEAF) {
        snprintf(text, sizeof text, "eth%zu", index);
        if (e->gaps[gap] > 0)
            *name = text;
    }
    return e->gaps[gap];
}

/* Without a relay and an interface. */
void edge_netinfo(const struct edge *e, struct edge_netinfo *info)
{
    static char proxy[] = "", udp[] = "true";
    static struct edge_conf conf;

    conf.proxy = proxy;
    conf.paths.udp = udp;
    (void)e;
    *info = (struct edge_netinfo){.conf = &conf};
}

void edge_beacons(const struct edge *e, unsigned interface, uint64_t *sent,
                  uint64_t *heard)
{
    (void)e;
    (void)interface;
    *sent = *heard = 0;
}

struct log_limit *edge_log_limit(struct edge *e)
{
    static struct log_limit log;

    (void)e;
    return &log;
}

struct instant edge_now(const struct edge *e)
{
    return e->now;
}

struct node_id node_self(const struct node *n)
{
    (void)n;
    return (struct node_id){{0xaa}};
}

const char *node_name(const struct node *n)
{
    (void)n;
    return "alice";
}

bool node_peer_next(const struct node *n, size_t *cursor, struct node_peer *p)
{
    (void)n;
    if (*cursor == fake.peer_count)
        return false;
    *p = fake.peers[(*cursor)++];
    return true;
}

void node_udp_get(const struct node *n, struct node_udp *view)
{
    (void)n;
    *view = (struct node_udp){.on = true};
}

size_t node_peer_count(const struct node *n)
{
    (void)n;
    return fake.peer_count;
}

bool node_group_is_allowed(const struct node *n, const char *group)
{
    (void)n;
    return strcmp(group, "forbidden") != 0;
}

bool node_peer_find(const struct node *n, const char *text, struct node_peer *p)
{
    (void)n;
    for (size_t i = 0; i < fake.peer_count; i++) {
        if (strcmp(fake.peers[i].name, text) == 0) {
            *p = fake.peers[i];
            return true;
        }
    }
    return false;
}

bool node_peer_get(const struct node *n, const struct node_id *id,
                   struct node_peer *p)
{
    (void)n;
    for (size_t i = 0; i < fake.peer_count; i++) {
        if (node_id_equal(&fake.peers[i].id, id)) {
            *p = fake.peers[i];
            return true;
        }
    }
    return false;
}

bool node_refusal_next(const struct node *n, struct node_refusals *cursor,
                       struct node_refusal *r)
{
    (void)n;
    if (cursor->peers == fake.refusal_count)
        return false;
    *r = fake.refusals[cursor->peers++];
    return true;
}

bool node_is_replaced(const struct node *n, struct instant now)
{
    (void)n;
    (void)now;
    return fake.replaced;
}

void node_relay_get(const struct node *n, size_t index, struct node_relay *r)
{
    (void)n;
    (void)index;
    *r = (struct node_relay){.state = RELAY_DOWN,
                             .rtt = {-1},
                             .error = fake.relay_error ? fake.relay_error
                                                       : "unreachable",
                             .name = ""};
}

void node_counters_get(const struct node *n, struct node_counters *c)
{
    (void)n;
    *c = (struct node_counters){.sent = 7};
}

#endif
