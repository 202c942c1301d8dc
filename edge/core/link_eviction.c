/*
 * Direct links are limited in number. At the limit this node makes a link only
 * for a peer that has messages waiting, and closes the idle link that was used
 * least recently [P-5.8].
 */
#include "edge/core/node_private.h"

/* A link that carried a packet within this time is in use. */
static const struct span in_use = {1000 * 1000};

/* A peer without a link is dialled again after the pause and up to as much
 * more: if messages wait for it; if none do; if the peer had no room. */
static const struct span needed_pause = {500 * 1000};
static const struct span free_pause = {30 * 1000 * 1000};
static const struct span spared_pause = {300 * (int64_t)1000 * 1000};

static bool was_used(const struct node *n, const struct link *link)
{
    return !instant_reached(instant_after(link->used, in_use), n->now);
}

static bool is_idle(const struct node *n, const struct link *link)
{
    return link->relay == NULL && link->state == LINK_UP && !link->blocked &&
           link->waiting == NULL && !was_used(n, link) &&
           traffic_is_idle(link->peer);
}

static bool is_seen(const struct node *n, const struct peer *p)
{
    return evidence_is_seen(&p->evidence, &n->evidence, n->now);
}

/* A link is closed first if its peer stays present without it. */
static bool goes_before(const struct node *n, const struct link *a,
                        const struct link *b)
{
    bool a_seen = is_seen(n, a->peer), b_seen = is_seen(n, b->peer);
    return a_seen != b_seen ? a_seen : a->used.us < b->used.us;
}

static struct link *least_used(const struct node *n)
{
    size_t cursor = 0;
    struct link *link, *least = NULL;
    while ((link = map_next(&n->links, &cursor)) != NULL)
        if (is_idle(n, link) && (least == NULL || goes_before(n, link, least)))
            least = link;
    return least;
}

static void write_spare(struct node *n, const struct link *link)
{
    static const uint8_t spare[] = {LINK_SPARE};
    todo_write(n, link, arena_copy(&n->todo->arena, bytes_of(spare, 1)));
}

static void put_off(struct node *n, struct peer *p, struct span pause)
{
    uint64_t spread = entropy_below(&n->entropy, (uint64_t)pause.us);
    dialer_put_off(&p->dialer,
                   instant_after(n->now, span_us(pause.us + (int64_t)spread)));
}

/* The link was closed for want of room. Until other evidence comes, the peer
 * counts as heard just now. */
static void park(struct node *n, struct peer *p, struct span pause)
{
    evidence_heard(&p->evidence, n->now, &n->evidence);
    beacons_tell(n, p, true);
    dialer_stop(&p->dialer);
    dialer_succeeded(&p->dialer);
    put_off(n, p, pause);
    peer_touch(n, p);
}

static bool make_place(struct node *n)
{
    struct link *link = least_used(n);
    if (link == NULL)
        return false;
    struct peer *p = link->peer;
    write_spare(n, link);
    link_finish(n, link, LINK_END_EVICTED);
    if (!peer_is_linked(p))
        park(n, p, free_pause);
    return true;
}

/* Drops a dial that has not succeeded, so that the peer's next address can be
 * dialled in its place. */
static bool replace_dial(struct node *n, struct peer *p)
{
    for (struct link *link = p->links; link != NULL; link = link->next_of_peer)
        if (link->state != LINK_UP && link->outgoing && !was_used(n, link)) {
            link_drop(n, link, true);
            return true;
        }
    return false;
}

bool link_eviction_for_dial(struct node *n, struct peer *p)
{
    if (n->direct_links < n->link_limit)
        return true;
    bool needed = p->needs_link || (p->said.partial && !peer_has_path(p));
    if (needed && (p->links != NULL ? replace_dial(n, p) : make_place(n)))
        return true;
    if (needed)
        peer_awaits_place(n, p);
    put_off(n, p, needed ? needed_pause : free_pause);
    return false;
}

bool link_eviction_for_incoming(struct node *n, const struct node_event *event)
{
    if (n->direct_links < n->link_limit + n->link_limit / 4 || make_place(n))
        return true;
    struct link stranger = {.id = event->link.id,
                            .transport = event->link.transport};
    write_spare(n, &stranger);
    todo_disconnect(n, &stranger);
    return false;
}

void link_eviction_spared(struct node *n, struct link *link, struct reader *r)
{
    struct peer *p = link->peer;
    bool was_up = link->state == LINK_UP;
    if (!reader_done(r) || p == NULL || (!was_up && !link->outgoing)) {
        n->counters.packets_dropped++;
        return;
    }
    if (was_up)
        link_finish(n, link, LINK_END_EVICTED);
    else
        link_drop(n, link, true);
    if (peer_is_linked(p))
        return;
    bool again = !was_up && p->needs_link;
    if (again)
        peer_awaits_place(n, p);
    park(n, p, again ? needed_pause : spared_pause);
}
