/*
 * Idle links over UDP are quiet while a relay shows that the peer is there
 * [P-11.10]: nothing is asked on them, and they are no evidence.
 */
#include "edge/core/node_private.h"

static const struct span idle_after = {10 * 1000 * 1000};

static bool is_shown(const struct node *n, const struct link *link)
{
    return evidence_is_listed(&link->peer->evidence, &n->evidence);
}

bool link_rest(struct node *n, struct link *link)
{
    if (!link->rests || link->resting)
        return link->resting;
    if (instant_is_recent(link->used, idle_after, n->now) || link->unproved ||
        detector_is_hurried(&link->detector) || !is_shown(n, link))
        return false;
    link->resting = true;
    evidence_unlinked(&link->peer->evidence);
    link_rearm(n, link);
    return true;
}

void link_wake(struct node *n, struct link *link)
{
    if (!link->resting)
        return;
    link->resting = false;
    link->woke_at = n->now;
    link->heard_before = link->detector.heard;
    evidence_woke(&link->peer->evidence);
    detector_resume(&link->detector, n->now);
    link_rearm(n, link);
}

struct instant link_heard(const struct link *link)
{
    bool since = link->detector.heard.us != link->woke_at.us;
    return since ? link->detector.heard : link->heard_before;
}

void links_unlisted(struct node *n, struct peer *p)
{
    for (struct link *link = p->links; link != NULL; link = link->next_of_peer)
        if (link->resting && !is_shown(n, link))
            link_hurry(n, link);
}
