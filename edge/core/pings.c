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

/* The session that the ping goes over; NULL: `*why` tells. */
static struct session *session_to(struct node *n, struct peer *p,
                                  enum node_outcome *why)
{
    if (n->leaving) {
        *why = OUTCOME_NOT_DELIVERED;
        return NULL;
    }
    if (p == NULL || !p->joined) {
        *why = OUTCOME_UNKNOWN_PEER;
        return NULL;
    }
    *why = OUTCOME_NOT_DELIVERED;
    return traffic_session(n, p);
}

void traffic_ping(struct node *n, const struct node_event *event)
{
    struct peer *p = peer_get(n, &event->ping.to);
    enum node_outcome why;
    struct session *s = session_to(n, p, &why);
    if (s == NULL) {
        todo_report(n, event->ping.ref, why, NULL);
        return;
    }
    uint64_t token = ++n->next_token;
    if (!session_ping(s, token)) {
        todo_report(n, event->ping.ref, OUTCOME_BUSY, NULL);
        return;
    }
    struct ping *ping = memory_new(sizeof *ping);
    *ping = (struct ping){
        .token = token,
        .ref = event->ping.ref,
        .peer = p->id,
        .asked = n->now,
        .deadline = {.kind = DEADLINE_PING, .subject = ping},
    };
    (void)map_put(&n->pings, &token, ping);
    node_arm(n, &ping->deadline, instant_after(n->now, ping_timeout));
    peer_touch(n, p);
}
