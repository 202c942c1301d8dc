/*
 * NODE_LEAVE: the node takes no new messages, delivers the queued ones, and
 * then says goodbye to all peers and relays.
 */
#include "edge/core/node_private.h"

/* A peer that does not acknowledge must not hold up the end for longer. */
static const struct span leave_within = {1000 * 1000};

void leave_begin(struct node *n)
{
    if (n->leaving)
        return;
    n->leaving = true;
    n->leave_deadline.kind = DEADLINE_LEAVE;
    n->leave_by = instant_after(n->now, leave_within);
    node_arm(n, &n->leave_deadline, n->leave_by);
}

/* Reports messages that could not be delivered in time. */
static void end_all(struct node *n)
{
    size_t cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        traffic_end(n, p, SESSION_NOT_DELIVERED);
}

static void say_goodbye(struct node *n)
{
    end_all(n);
    n->left = true;
    links_tell_all(n, todo_packet(n, LINK_BYE, (struct bytes){0}));
    relays_tell_all(n, todo_packet(n, RELAY_BYE, (struct bytes){0}));
    beacons_multicast(n, BEACON_BYE);
    (void)todo_add(n->todo, NODE_DONE);
}

void leave_go_on(struct node *n)
{
    if (n->leaving && !n->left &&
        (instant_reached(n->leave_by, n->now) || !traffic_is_open(n)))
        say_goodbye(n);
}
