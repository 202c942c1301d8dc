#include "tests/sim/world.h"

#include "common/base/memory.h"
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/hostile.h"
#include "tests/sim/pipes_private.h"
#include "tests/sim/story.h"
#include "tests/sim/udp_hosts.h"
#include "tests/sim/udp_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* For so long a fault may still have effects: the detector's silence, a path
 * that is held down, the next round of dialling. */
static const struct span echo = {20 * 1000 * 1000};

/* --- events ------------------------------------------------------------ */

struct event *world_event(struct world *w, enum event_kind kind, int host)
{
    struct event *e = w->free_events;

    if (e != NULL)
        w->free_events = e->next;
    else
        e = memory_new(sizeof(*e));
    *e = (struct event){.kind = kind, .host = host};
    return e;
}

void event_data(struct event *e, struct bytes bytes)
{
    e->data = memory_copy(bytes.data, bytes.size);
    e->size = bytes.size;
}

void event_pipe(struct event *e, struct pipe *p, int side)
{
    e->pipe = p;
    e->side = side;
    p->events++;
}

void world_release(struct world *w, struct event *e)
{
    if (e->pipe != NULL)
        e->pipe->events--;
    free(e->data);
    e->data = NULL;
    e->next = w->free_events;
    w->free_events = e;
}

static bool comes_before(const struct event *a, const struct event *b)
{
    return a->at.us != b->at.us ? a->at.us < b->at.us : a->order < b->order;
}

void world_post(struct world *w, struct event *e, struct instant at)
{
    size_t i = w->queue_count++;

    e->at = instant_max(at, w->now);
    e->order = w->next_order++;
    if (w->queue_count > w->queue_capacity) {
        w->queue_capacity =
            w->queue_capacity == 0 ? 256 : 2 * w->queue_capacity;
        w->queue =
            memory_resize(w->queue, w->queue_capacity, sizeof(*w->queue));
    }
    for (; i > 0 && comes_before(e, w->queue[(i - 1) / 2]); i = (i - 1) / 2)
        w->queue[i] = w->queue[(i - 1) / 2];
    w->queue[i] = e;
}

static struct event *take_first(struct world *w)
{
    struct event *first = w->queue[0];
    struct event *last = w->queue[--w->queue_count];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= w->queue_count)
            break;
        if (child + 1 < w->queue_count &&
            comes_before(w->queue[child + 1], w->queue[child]))
            child++;
        if (!comes_before(w->queue[child], last))
            break;
        w->queue[i] = w->queue[child];
        i = child;
    }
    w->queue[i] = last;
    return first;
}

static void handle(struct world *w, struct event *e)
{
    switch (e->kind) {
    case EVENT_CALL:
        e->call(w, e->host, e->argument);
        break;
    case EVENT_TICK:
    case EVENT_CLOCK:
    case EVENT_DATAGRAM:
        process_handle(w, e);
        break;
    case EVENT_HUB_TICK:
        hub_process_handle(w, e);
        break;
    case EVENT_CONNECT:
    case EVENT_CONNECTED:
    case EVENT_PACKET:
    case EVENT_CLOSE:
    case EVENT_CUT:
    case EVENT_BLOCKED:
    case EVENT_WRITABLE:
        pipes_handle(w, e);
        break;
    case EVENT_UDP:
        udp_hosts_handle(w, e);
        break;
    }
}

static void run_first(struct world *w)
{
    struct event *e = take_first(w);

    w->now = e->at;
    w->events++;
    if (e->kind == EVENT_CALL || host_takes(w, e)) {
        handle(w, e);
        world_release(w, e);
    }
}

void world_run(struct world *w, struct span span)
{
    struct instant until = instant_after(w->now, span);

    while (!w->failed && w->queue_count > 0 &&
           instant_reached(w->queue[0]->at, until))
        run_first(w);
    w->now = until;
}

bool world_run_until(struct world *w, bool (*done)(struct world *w),
                     struct span limit)
{
    struct instant until = instant_after(w->now, limit);

    while (!w->failed && !done(w)) {
        if (instant_reached(until, w->now))
            return false;
        world_run(w, span_min(span_ms(1), instant_between(w->now, until)));
    }
    return !w->failed;
}

void world_at(struct world *w, struct span after, world_call *call, int host,
              uint64_t argument)
{
    struct event *e = world_event(w, EVENT_CALL, host);

    e->call = call;
    e->argument = argument;
    world_post(w, e, instant_after(w->now, after));
}

/* --- what is told ------------------------------------------------------ */

static uint64_t mixed(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9fb21c651e98df25;
    return hash ^ hash >> 32;
}

static uint64_t mixed_bytes(uint64_t hash, struct bytes bytes)
{
    size_t i = 0;
    uint64_t word;

    for (; i + 8 <= bytes.size; i += 8) {
        memcpy(&word, bytes.data + i, 8);
        hash = mixed(hash, word);
    }
    for (; i < bytes.size; i++)
        hash = mixed(hash, bytes.data[i]);
    return mixed(hash, bytes.size);
}

/* Sealed packets that differ do so in their first bytes. */
static struct bytes enough_of(struct bytes bytes)
{
    return bytes_of(bytes.data, bytes.size < 128 ? bytes.size : 128);
}

void world_trace(struct world *w, const char *what, uint64_t a, uint64_t b,
                 struct bytes bytes)
{
    w->trace = mixed(mixed(w->trace, (uint64_t)w->now.us), a);
    w->trace = mixed(mixed_bytes(w->trace, bytes_of_string(what)), b);
    w->trace = mixed_bytes(w->trace, enough_of(bytes));
    w->trace = mixed(w->trace, bytes.size);
    if (w->sabotage == SABOTAGE_CLOCK) {
        struct timespec real;

        clock_gettime(CLOCK_MONOTONIC, &real);
        w->trace = mixed(w->trace, (uint64_t)real.tv_nsec);
    }
    if (w->verbose)
        printf("%10.6f %-14s %llu %llu (%zu%s%02x)\n", (double)w->now.us / 1e6,
               what, (unsigned long long)a, (unsigned long long)b, bytes.size,
               bytes.size > 0 ? ": " : "", bytes.size > 0 ? bytes.data[0] : 0);
}

void world_say(struct world *w, const char *format, ...)
{
    va_list list;

    if (!w->verbose)
        return;
    printf("%10.6f ", (double)w->now.us / 1e6);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    printf("\n");
}

void world_fault(struct world *w, const char *what, int a, int b)
{
    world_say(w, b >= 0 ? "%d: %s %d" : "%d: %s", a, what, b);
    world_trace(w, what, (uint64_t)a, (uint64_t)b + 1, bytes_of(NULL, 0));
    story_event(w, what, a, b);
}

void world_fail(struct world *w, const char *checker, const char *format, ...)
{
    va_list list;
    int size;

    if (w->failed)
        return;
    w->failed = true;
    size = snprintf(w->failure, sizeof(w->failure), "%s: at %.6f s: ", checker,
                    (double)w->now.us / 1e6);
    va_start(list, format);
    vsnprintf(w->failure + size, sizeof(w->failure) - (size_t)size, format,
              list);
    va_end(list);
    world_say(w, "FAILED %s", w->failure);
}

void world_disturb(struct world *w, int host)
{
    struct instant until = instant_after(w->now, echo);

    /* A fault of a relay disturbs all hosts. */
    for (int i = 0; i < w->host_count; i++)
        if (i == host || w->hosts[host].is_relay)
            w->hosts[i].disturbed_until = until;
}

/* --- building ---------------------------------------------------------- */

struct world *world_new(uint64_t seed)
{
    struct world *w = memory_new(sizeof(*w));
    uint8_t bytes[32], public_key[32];

    w->rng.state = seed * 0x2545f4914f6cdd1d + 1;
    w->now = (struct instant){1000 * 1000};
    w->unix_start = 1800000000;
    w->high_water = 1024 * 1024;
    w->backlog = 16 * 1024 * 1024;
    w->limits = (struct world_limits){
        .window = 4 * 1024 * 1024,
        .message = 16 * 1024 * 1024,
        .links = 256,
        .hub_queue = 4 * 1024 * 1024,
        .lost_after = span_s(3),
        .probe = span_s(1),
        .beacon_interval = span_s(1),
    };
    rng_fill(&w->rng, bytes, sizeof(bytes));
    crypto_sign_seed_keypair(public_key, w->mesh_secret_key, bytes);
    memcpy(w->mesh.mesh.key, public_key, sizeof(public_key));
    rng_fill(&w->rng, w->mesh.secret.key, sizeof(w->mesh.secret.key));
    w->segment_count = 1;
    w->segments[INTERNET] = (struct segment){
        .reaches = {[INTERNET] = true},
        .delay = span_ms(10),
        .jitter = span_ms(2),
    };
    todo_init(&w->todo);
    hub_todos_init(&w->hub_todos);
    w->checkers = checkers_new();
    w->application = application_new();
    return w;
}

static void free_list(struct event *e)
{
    while (e != NULL) {
        struct event *next = e->next;

        free(e->data);
        free(e);
        e = next;
    }
}

void world_free(struct world *w)
{
    pipes_free_all(w);
    for (int i = 0; i < w->host_count; i++) {
        struct host *h = &w->hosts[i];

        if (h->process != NULL)
            node_free(h->process->node);
        free(h->process);
        if (h->hub != NULL)
            hub_free(h->hub->hub);
        free(h->hub);
        free_list(h->held);
    }
    while (w->queue_count > 0) {
        struct event *e = take_first(w);

        free(e->data);
        free(e);
    }
    free_list(w->free_events);
    free(w->queue);
    todo_close(&w->todo);
    hub_todos_close(&w->hub_todos);
    checkers_free(w->checkers);
    application_free(w->application);
    hostile_free(w->hostile);
    story_free(w->story);
    udp_hosts_free(w);
    udp_world_free(w);
    free(w);
}

int world_add_segment(struct world *w, bool multicast)
{
    int index = w->segment_count++;
    struct segment *s = &w->segments[index];

    ASSERT(index < SEGMENTS);
    s->multicast = multicast;
    s->reaches[index] = true;
    s->delay = span_us(150);
    s->jitter = span_us(100);
    return index;
}

int world_add_nat(struct world *w)
{
    int index = world_add_segment(w, true);
    struct segment *s = &w->segments[index];

    s->nat = true;
    s->reaches[INTERNET] = true;
    s->outside = (struct address){.family = ADDRESS_V4,
                                  .ip = {198, 51, 100, (uint8_t)index}};
    return index;
}

/* Whether another host on the segment has the address. */
static bool is_taken(const struct world *w, int host,
                     const struct host_interface *face)
{
    for (int k = 0; k < w->host_count; k++) {
        const struct host *h = &w->hosts[k];

        for (size_t n = 0; k != host && n < h->interface_count; n++)
            if (h->interfaces[n].segment == face->segment &&
                address_same_ip(&h->interfaces[n].address, &face->address))
                return true;
    }
    return false;
}

void world_readdress(struct world *w, int host, size_t interface, int segment)
{
    struct host_interface *i = &w->hosts[host].interfaces[interface];
    uint8_t lease = w->hosts[host].leases;

    i->segment = segment;
    i->address = (struct address){.family = ADDRESS_V4};
    if (segment == INTERNET)
        memcpy(i->address.ip,
               (uint8_t[]){203, 0, (uint8_t)(113 + lease), (uint8_t)(host + 1)},
               4);
    else if (w->segments[segment].nat)
        /* All homes use the same addresses. */
        memcpy(i->address.ip,
               (uint8_t[]){192, 168, (uint8_t)(1 + lease),
                           (uint8_t)(host % 4 + 1)},
               4);
    else
        memcpy(i->address.ip,
               (uint8_t[]){10, (uint8_t)segment, lease, (uint8_t)(host + 1)},
               4);
    if (is_taken(w, host, i))
        i->address.ip[3] = (uint8_t)(100 + host);
}

void world_plug(struct world *w, int host, int segment)
{
    struct host *h = &w->hosts[host];

    ASSERT(h->interface_count < INTERFACES);
    world_readdress(w, host, h->interface_count++, segment);
}

static int add_host(struct world *w, int segment)
{
    int index = w->host_count++;
    struct host *h = &w->hosts[index];

    ASSERT(index < HOSTS);
    h->index = index;
    h->held_end = &h->held;
    h->disturbed_until = (struct instant){0};
    world_plug(w, index, segment);
    return index;
}

int world_add_relay(struct world *w)
{
    int index = add_host(w, INTERNET);
    struct host *h = &w->hosts[index];

    h->is_relay = true;
    rng_fill(&w->rng, h->relay_key.key, sizeof(h->relay_key.key));
    h->meshes[h->mesh_count++] = w->mesh.mesh;
    return index;
}

void world_certify(struct world *w, int edge, const char *name, int64_t from_s,
                   int64_t until_s)
{
    struct identity *i = &w->hosts[edge].identity;
    struct certificate c = {.mesh = i->mesh, .node = i->id};

    c.not_before = (uint64_t)((int64_t)w->unix_start + from_s);
    c.not_after = (uint64_t)((int64_t)w->unix_start + until_s);
    snprintf(c.name, sizeof(c.name), "%s", name);
    snprintf(i->name, sizeof(i->name), "%s", name);
    i->certificate_size =
        certificate_sign(&c, w->mesh_secret_key, i->certificate).size;
}

int world_add_edge(struct world *w, int segment)
{
    int index = add_host(w, segment);
    struct host *h = &w->hosts[index];
    struct identity *i = &h->identity;
    uint8_t seed[32];
    char name[24];

    h->multicast = h->tcp = h->relay = true;
    rng_fill(&w->rng, seed, sizeof(seed));
    crypto_sign_seed_keypair(i->id.key, i->secret_key, seed);
    i->mesh = w->mesh.mesh;
    i->secret = w->mesh.secret;
    snprintf(name, sizeof(name), "node-%d", index);
    world_certify(w, index, name, -3600, 365 * 86400);
    return index;
}

void world_uses_relay(struct world *w, int edge, int relay)
{
    struct host *h = &w->hosts[edge];

    ASSERT(w->hosts[relay].is_relay && h->relay_count < NODE_RELAYS);
    h->relays[h->relay_count++] = relay;
}
