/*
 * NODE_PING: measures the round trip to a peer over its session.
 */
#include "edge/core/node_private.h"

#include "common/base/memory.h"

#include <stdlib.h>

static const struct span ping_timeout = {10 * 1000 * 1000};

static void ping_free(struct node *n, struct ping *ping)
{
    heap_remove(&n->heap, &ping->deadline.timer);
    (void)map_remove(&n->pings, &ping->token);
    free(ping);
}

void pings_answered(struct node *n, const struct peer *p, uint64_t token)
{
    struct ping *ping = map_get(&n->pings, &token);
    if (ping == NULL || !node_id_equal(&ping->peer, &p->id))
        return;
    todo_report(n, ping->ref, OUTCOME_DELIVERED, p)->report.rtt =
        instant_between(ping->asked, n->now);
    ping_free(n, ping);
}

/* A session does not resend pings, so a ping is lost when its path breaks. */
void traffic_ping_lost(struct node *n, struct ping *ping)
{
    todo_report(n, ping->ref, OUTCOME_NOT_DELIVERED, NULL);
    ping_free(n, ping);
}

void pings_end(struct node *n, const struct peer *p)
{
    size_t cursor = 0;
    struct ping *ping;
    while ((ping = map_next(&n->pings, &cursor)) != NULL) {
        if (node_id_equal(&ping->peer, &p->id))
            traffic_ping_lost(n, ping);
    }
}

void traffic_ping(struct node *n, const struct node_event *event)
{
    struct peer *p = peer_get(n, &event->submit.to);
    if (p == NULL || !p->joined) {
        todo_report(n, event->submit.ref, OUTCOME_UNKNOWN_PEER, NULL);
        return;
    }
    uint64_t token = ++n->next_token;
    struct session *s = traffic_session(n, p);
    if (s == NULL || !session_ping(s, token)) {
        todo_report(n, event->submit.ref,
                    s == NULL ? OUTCOME_NOT_DELIVERED : OUTCOME_BUSY, NULL);
        return;
    }
    struct ping *ping = memory_new(sizeof *ping);
    *ping = (struct ping){
        .token = token,
        .ref = event->submit.ref,
        .peer = p->id,
        .asked = n->now,
        .deadline = {.kind = DEADLINE_PING, .subject = ping},
    };
    (void)map_put(&n->pings, &token, ping);
    node_arm(n, &ping->deadline, instant_after(n->now, ping_timeout));
    peer_touch(n, p);
}
