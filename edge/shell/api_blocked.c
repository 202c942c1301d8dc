#include "edge/shell/api_internal.h"

static void not_behind(struct pending *p)
{
    if (p->behind)
        p->client->behind -= p->size;
    p->behind = false;
}

/* A blocked one may stand anywhere in the queue; that is rare (a time-out, a
 * peer that leaves), and the queue is what one read of a client brought. */
void blocked_remove(struct pending *p)
{
    struct client *c = p->client;

    if (!p->blocked)
        return;
    p->blocked = false;
    not_behind(p);
    for (struct pending **at = &c->blocked; *at; at = &(*at)->blocked_next) {
        if (*at == p) {
            *at = p->blocked_next;
            if (!*at)
                c->blocked_end = at;
            return;
        }
    }
}

static void append(struct pending *p)
{
    struct client *c = p->client;

    p->blocked = true;
    p->blocked_next = NULL;
    *c->blocked_end = p;
    c->blocked_end = &p->blocked_next;
}

void blocked_add(struct pending *p, bool behind)
{
    p->behind = behind;
    if (behind)
        p->client->behind += p->size;
    append(p);
}

static bool goes_the_same_way(const struct pending *p, const struct pending *q)
{
    if (p->kind == PENDING_PUBLISH || q->kind == PENDING_PUBLISH)
        return p->kind == q->kind;
    return node_id_equal(&p->to, &q->to);
}

bool blocked_has_before(const struct pending *p)
{
    if (p->kind == PENDING_PING)
        return false;
    for (const struct pending *q = p->client->blocked; q; q = q->blocked_next)
        if (goes_the_same_way(p, q))
            return true;
    return false;
}

void blocked_clear(struct client *c)
{
    c->blocked = NULL;
    c->blocked_end = &c->blocked;
}

/* Taken out of the list before; false if it has to go back. */
static bool goes(struct pending *p)
{
    p->blocked = false;
    p->blocked_next = NULL;
    not_behind(p);
    return pending_try(p);
}

/* Whatever is for the peer, or for all, is asked again in its order, up to the
 * first that the node is too busy for; the rest stays queued in its. A client
 * ends with its last one only, so the next one is there. */
static void client_ready(struct client *c, const struct node_id *peer)
{
    struct pending *p = c->blocked;
    bool peer_busy = false;
    bool all_busy = false;

    blocked_clear(c);
    while (p) {
        /* Not in a list any more: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        struct pending *next = p->blocked_next;
        bool for_all = p->kind == PENDING_PUBLISH;
        bool *busy = for_all ? &all_busy : &peer_busy;
        if ((!for_all && !node_id_equal(&p->to, peer)) || *busy) {
            append(p);
        } else if (!goes(p)) {
            *busy = true;
            append(p);
        }
        p = next;
    }
    client_review(c);
}

void blocked_ready(struct api *a, const struct node_id *peer)
{
    struct client *next;

    for (struct client *c = a->clients; c; c = next) {
        next = c->next;
        if (c->blocked)
            client_ready(c, peer);
    }
}

static void client_lost(struct client *c, const struct node_id *peer)
{
    struct pending *next;

    for (struct pending *p = c->blocked; p; p = next) {
        next = p->blocked_next;
        if (p->kind != PENDING_PUBLISH && node_id_equal(&p->to, peer))
            pending_outcome(p, OUTCOME_NOT_DELIVERED);
    }
    /* Those that are for all need not wait for this peer any more. */
    if (c->blocked && !c->closing)
        client_ready(c, peer);
}

void blocked_peer_left(struct api *a, const struct node_id *peer)
{
    struct client *next;

    for (struct client *c = a->clients; c; c = next) {
        next = c->next;
        if (c->blocked)
            client_lost(c, peer);
    }
}
