#include "edge/core/node_private.h"

/* What one step writes to a link at the most, but for one packet. */
enum { STEP_BYTES = 256 * 1024 };

/* The link takes packets again: the peers that wait for it are settled. */
static void wake_waiting(struct node *n, struct link *link)
{
    struct peer *p = link->waiting;
    link->waiting = NULL;
    while (p != NULL) {
        struct peer *next = p->next_waiting;
        p->next_waiting = NULL;
        p->waiting = false;
        peer_touch(n, p);
        p = next;
    }
}

static void forget_spent(struct node *n, const struct link *link)
{
    for (struct link **at = &n->spent; *at != NULL; at = &(*at)->next_spent)
        if (*at == link) {
            *at = link->next_spent;
            break;
        }
}

bool link_is_full(const struct node *n, const struct link *link)
{
    return link->blocked ||
           (link->step == n->steps && link->step_bytes >= STEP_BYTES);
}

void link_spend(struct node *n, struct link *link, size_t bytes)
{
    if (link->step != n->steps) {
        link->step = n->steps;
        link->step_bytes = 0;
    }
    bool was_full = link->step_bytes >= STEP_BYTES;
    link->step_bytes += bytes;
    if (!was_full && link->step_bytes >= STEP_BYTES) {
        link->next_spent = n->spent;
        n->spent = link;
    }
}

void links_go_on(struct node *n)
{
    n->steps++;
    while (n->spent != NULL) {
        struct link *link = n->spent;
        n->spent = link->next_spent;
        if (!link->blocked)
            wake_waiting(n, link);
    }
}

void link_flow_end(struct node *n, struct link *link)
{
    wake_waiting(n, link);
    forget_spent(n, link);
}

void link_blocked(struct link *link)
{
    link->blocked = true;
}

void link_writable(struct node *n, struct link *link)
{
    link->blocked = false;
    answers_write(n, link);
    wake_waiting(n, link);
}
