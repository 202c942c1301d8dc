#include "edge/shell/edge_private.h"

#include "common/base/memory.h"
#include "common/io/clock.h"

/* ---- A turn */

static void on_deadline(uv_timer_t *timer)
{
    struct edge *e = timer->data;

    e->armed = INSTANT_NEVER;
    zloop_kick(&e->zloop);
}

/* libuv counts whole milliseconds. Rounds up, as a timer that fires too early
 * would cause a step without effect. */
static void arm(struct edge *e, struct instant deadline)
{
    if (deadline.us == e->armed.us)
        return;
    e->armed = deadline;
    if (instant_is_never(deadline)) {
        uv_timer_stop(&e->deadline);
        return;
    }
    int64_t left = instant_between(clock_now(), deadline).us;
    uv_update_time(e->loop);
    uv_timer_start(&e->deadline, on_deadline,
                   left <= 0 ? 0 : (uint64_t)(left + 999) / 1000, 0);
}

static bool wants_step(const struct edge *e, struct instant now)
{
    return e->events.filling->count > 0 ||
           instant_reached(node_deadline(e->node), now);
}

/* If the step ran out of memory, nothing of its todo list is carried out. */
static void step(struct edge *e, struct instant now)
{
    struct event_batch *batch = event_queue_take(&e->events);

    e->handed_at = INSTANT_NEVER;
    todo_clear(&e->todo);
    node_step(e->node, now, batch->events, batch->count, &e->todo);
    if (memory_is_sound())
        edge_do(e, &e->todo);
    event_queue_done(batch);
}

/* The second step sends the messages that observers submitted in the first. */
void edge_turn(struct edge *e)
{
    struct instant now = clock_now();

    if (!memory_is_sound())
        return; /* The owner calls edge_abandon. */
    relay_links_read(e->relay_links);
    if (wants_step(e, now)) {
        step(e, now);
        now = instant_is_never(e->handed_at) ? clock_now() : e->handed_at;
        if (wants_step(e, now) && memory_is_sound())
            step(e, now);
    }
    e->handed_at = INSTANT_NEVER;
    udp_path_flush(e->udp);
    relay_links_flush(e->relay_links);
    arm(e, node_deadline(e->node));
}

/* ---- Messages and events for the node */

/* The time for messages between two turns; reads the clock only once. */
static struct instant between_turns(struct edge *e)
{
    if (instant_is_never(e->handed_at))
        e->handed_at = clock_now();
    zloop_kick(&e->zloop);
    return e->handed_at;
}

bool edge_send(struct edge *e, struct node_ref ref, const struct node_id *to,
               const struct message *m, enum node_outcome *why)
{
    *why = OUTCOME_NOT_DELIVERED;
    return !e->stopped &&
           node_submit(e->node, between_turns(e), ref, to, m, why);
}

bool edge_publish(struct edge *e, const struct message *m, uint32_t *peers,
                  enum node_outcome *why)
{
    *why = OUTCOME_NOT_DELIVERED;
    return !e->stopped &&
           node_publish(e->node, between_turns(e), m, peers, why);
}

static const char *const *copy_list(struct edge *e, const char *const *list,
                                    size_t count)
{
    struct arena *arena = event_queue_arena(&e->events);
    const char **copy = arena_take(arena, (count + 1) * sizeof *copy);

    for (size_t i = 0; i < count; i++) {
        struct bytes text = bytes_of_string(list[i]);
        text.size++; /* its NUL */
        copy[i] = (const char *)arena_copy(arena, text).data;
    }
    return copy;
}

void edge_event(struct edge *e, const struct node_event *event)
{
    struct node_event copy = *event;

    if (e->stopped)
        return;
    if (event->kind == NODE_SET_GROUPS)
        copy.groups.list =
            copy_list(e, event->groups.list, event->groups.count);
    else if (event->kind == NODE_REVOCATION)
        copy.revocation =
            arena_copy(event_queue_arena(&e->events), event->revocation);
    else
        ASSERT(event->kind == NODE_PING);
    event_queue_add(&e->events, &copy);
}

/* ---- Queries */

const struct node *edge_node(const struct edge *e)
{
    return e->node;
}

size_t edge_relay_count(const struct edge *e)
{
    return e->relay_count;
}

const char *edge_relay_url(const struct edge *e, size_t index)
{
    return e->relay_texts[index];
}

struct log_limit *edge_log_limit(struct edge *e)
{
    return &e->events.log;
}

size_t edge_clients(const struct edge *e)
{
    return e->share.clients;
}

size_t edge_pages(const struct edge *e)
{
    return e->share.pages;
}

bool edge_busy(const struct edge *e)
{
    return zloop_busy(&e->zloop);
}

uv_loop_t *edge_loop(const struct edge *e)
{
    return e->loop;
}

struct instant edge_now(const struct edge *e)
{
    (void)e;
    return clock_now();
}
