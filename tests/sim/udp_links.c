#include "tests/sim/udp_links.h"

#include "common/base/memory.h"
#include "tests/sim/hostile.h"
#include "tests/sim/quic_model.h"
#include "tests/sim/story.h"
#include "tests/sim/udp_hosts_private.h"

#include <stdlib.h>

/* One end of a link. */
struct udp_end {
    struct udp_end *next;
    int host;
    uint32_t serial; /* of the process */
    uint32_t link, socket;
    struct address to;
    struct quic_model *quic;
    bool open, gone;       /* told to the node; the node is told nothing more */
    bool blocked;          /* told to the node */
    bool running;          /* steps of the node are taken for it */
    bool room_posted;      /* an event will look whether it is blocked */
    struct instant due_at; /* of the timer in the queue */
};

struct udp_links {
    struct udp_end *ends;
};

struct udp_links *udp_links_new(void)
{
    return memory_new(sizeof(struct udp_links));
}

static void free_end(struct udp_end *end)
{
    quic_model_free(&end->quic);
    free(end);
}

void udp_links_free(struct udp_links **self)
{
    struct udp_links *l = *self;

    if (l == NULL)
        return;
    while (l->ends != NULL) {
        struct udp_end *next = l->ends->next;

        free_end(l->ends);
        l->ends = next;
    }
    free(l);
    *self = NULL;
}

/* --- where they are found ------------------------------------------------ */

static bool is_of(const struct udp_end *end, const struct process *p)
{
    return end->host == p->host && end->serial == p->serial && !end->gone;
}

static struct udp_end *find(const struct world *w, const struct process *p,
                            uint32_t link)
{
    struct udp_end *end =
        w->udp_hosts != NULL ? w->udp_hosts->links->ends : NULL;

    while (end != NULL && !(end->link == link && is_of(end, p)))
        end = end->next;
    return end;
}

size_t udp_links_count(const struct world *w, const struct process *p)
{
    size_t count = 0;

    for (const struct udp_end *end = w->udp_hosts->links->ends; end != NULL;
         end = end->next)
        count += is_of(end, p);
    return count;
}

/* Frees the ends that are gone. */
static void sweep(struct world *w)
{
    struct udp_end **at = &w->udp_hosts->links->ends;

    while (*at != NULL) {
        struct udp_end *end = *at;

        if (end->gone && !end->running) {
            *at = end->next;
            free_end(end);
        } else {
            at = &end->next;
        }
    }
}

/* --- what a connection does ----------------------------------------------- */

static struct process *process_of(const struct world *w,
                                  const struct udp_end *end)
{
    struct process *p = w->hosts[end->host].process;

    return p != NULL && p->serial == end->serial ? p : NULL;
}

static void goes(struct world *w, struct udp_end *end)
{
    if (end->gone)
        return;
    end->gone = true;
    udp_socket_release(w, end->host, end->socket);
}

static void tell(struct world *w, struct udp_end *end,
                 enum node_event_kind kind, struct bytes bytes)
{
    struct node_event event = {.kind = kind};
    struct process *p = process_of(w, end);

    if (p == NULL || end->gone || w->failed)
        return;
    event.link.id = end->link;
    if (kind == NODE_LINK_OPENED) {
        event.link.address = end->to;
        event.link.transport = NODE_TRANSPORT_UDP;
        end->open = true;
    } else if (kind == NODE_LINK_CLOSED) {
        event.link.failure = end->open ? LINK_BROKEN : LINK_UNREACHABLE;
        goes(w, end);
    } else {
        event.link.bytes = bytes;
    }
    process_step(w, p, &event, 1);
}

static void arm(struct world *w, struct udp_end *end)
{
    struct instant at = quic_model_deadline(end->quic);
    struct process *p = process_of(w, end);

    if (p == NULL || end->gone || at.us >= end->due_at.us)
        return;
    end->due_at = at;
    world_post(w, udp_event_of(w, p, UDP_EVENT_LINK_DUE, end->link), at);
}

/* The node is told soon if it is to wait, or to go on. */
static void watch_room(struct world *w, struct udp_end *end)
{
    size_t waiting = quic_model_waiting(end->quic);
    struct process *p = process_of(w, end);

    if (p == NULL || end->gone || end->room_posted ||
        (end->blocked ? waiting > w->high_water / 2 : waiting <= w->high_water))
        return;
    end->room_posted = true;
    world_post(w, udp_event_of(w, p, UDP_EVENT_LINK_ROOM, end->link), w->now);
}

/* Without packets for the node, unless it may be stepped. */
static void act(struct world *w, struct udp_end *end)
{
    struct quic_model_do todo;

    while (!w->failed && quic_model_next(end->quic, &todo, w->now))
        switch (todo.action) {
        case QUIC_MODEL_DATAGRAM:
            if (!end->gone)
                udp_socket_send(w, end->host, end->socket, &todo.to, todo.bytes,
                                0);
            break;
        case QUIC_MODEL_OPENED:
            tell(w, end, NODE_LINK_OPENED, bytes_of(NULL, 0));
            break;
        case QUIC_MODEL_PACKET:
            tell(w, end, NODE_LINK_PACKET, todo.bytes);
            break;
        case QUIC_MODEL_FAILED:
        case QUIC_MODEL_ENDED:
            tell(w, end, NODE_LINK_CLOSED, bytes_of(NULL, 0));
            break;
        }
    arm(w, end);
    watch_room(w, end);
}

/* Outside of a step. */
static void run(struct world *w, struct udp_end *end)
{
    end->running = true;
    act(w, end);
    end->running = false;
    sweep(w);
}

/* --- what the node does ----------------------------------------------------
 */

void udp_links_connect(struct world *w, struct process *p,
                       const struct node_todo *t)
{
    struct udp_links *l = w->udp_hosts->links;
    struct quic_model_conf conf = {.client = t->udp.client,
                                   .remote = t->udp.to};
    struct udp_end *end;

    if (!udp_socket_hold(w, p->host, t->udp.socket)) {
        world_fail(w, "udp-socket", "%d connects by socket %u, which is closed",
                   p->host, t->udp.socket);
        return;
    }
    memcpy(conf.secret, t->udp.secret, sizeof(conf.secret));
    memcpy(conf.identity, t->udp.identity, sizeof(conf.identity));
    conf.rng.state = rng_u64(&w->rng);
    if (w->udp_sabotage == UDP_SABOTAGE_SECRET)
        conf.secret[0] ^= (uint8_t)p->host;
    end = memory_new(sizeof(*end));
    *end = (struct udp_end){.next = l->ends,
                            .host = p->host,
                            .serial = p->serial,
                            .link = t->udp.link,
                            .socket = t->udp.socket,
                            .to = t->udp.to,
                            .quic = quic_model_new(&conf, w->now),
                            .due_at = INSTANT_NEVER};
    l->ends = end;
    act(w, end);
}

bool udp_links_write(struct world *w, const struct process *p, uint32_t link,
                     struct bytes bytes)
{
    struct udp_end *end = find(w, p, link);

    if (end == NULL)
        return false;
    ASSERT(bytes.size > 0 && bytes.size <= PACKET_SIZE);
    quic_model_send(end->quic, hostile_words(w, p->host, bytes));
    if (!end->running)
        act(w, end);
    return true;
}

bool udp_links_close(struct world *w, const struct process *p, uint32_t link)
{
    struct udp_end *end = find(w, p, link);

    if (end == NULL)
        return false;
    quic_model_close(end->quic);
    act(w, end);
    goes(w, end);
    return true;
}

void udp_links_end_all(struct world *w, const struct process *p, bool tells)
{
    for (struct udp_end *end = w->udp_hosts->links->ends; end != NULL;
         end = end->next)
        if (is_of(end, p)) {
            quic_model_close(end->quic);
            if (tells)
                act(w, end);
            goes(w, end);
        }
    sweep(w);
}

/* --- what comes ------------------------------------------------------------
 */

bool udp_links_take(struct world *w, struct process *p,
                    const struct address *from, struct bytes datagram)
{
    struct udp_end *end = w->udp_hosts->links->ends;
    uint64_t key;

    if (!quic_model_key(datagram, &key))
        return false;
    while (end != NULL &&
           !(is_of(end, p) && quic_model_takes(end->quic) == key))
        end = end->next;
    if (end != NULL) {
        quic_model_take(end->quic, from, datagram, w->now);
        run(w, end);
    }
    return true;
}

void udp_links_due(struct world *w, struct process *p, uint32_t link)
{
    struct udp_end *end = find(w, p, link);

    if (end == NULL || !instant_reached(end->due_at, w->now))
        return;
    end->due_at = INSTANT_NEVER;
    quic_model_due(end->quic, w->now);
    run(w, end);
}

void udp_links_room(struct world *w, struct process *p, uint32_t link)
{
    struct udp_end *end = find(w, p, link);
    size_t waiting;

    if (end == NULL)
        return;
    end->room_posted = false;
    waiting = quic_model_waiting(end->quic);
    if (end->blocked == (waiting > w->high_water / 2))
        return;
    end->blocked = !end->blocked;
    tell(w, end, end->blocked ? NODE_LINK_BLOCKED : NODE_LINK_WRITABLE,
         bytes_of(NULL, 0));
}
