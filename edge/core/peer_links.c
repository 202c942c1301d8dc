/*
 * The direct links of a peer: when this node dials, and what it means for the
 * peer that a link is up, or how a link ended.
 */
#include "edge/core/node_private.h"

/* The node with the larger id dials so much later: one link is enough. */
static const struct span dial_second = {300 * 1000};
/* In a crowd a dial is put off by the pause, and by up to so much for each node
 * that is known. */
static const struct span crowd_pause = {500 * 1000};
static const struct span crowd_spread = {40 * 1000};

/* Two links that both ends dialled at the same time are younger than this. */
static const struct span settled_after = {5 * 1000 * 1000};

static struct span crowd_delay(struct node *n)
{
    struct span most = span_times(crowd_spread, (int64_t)n->peers.count);
    return span_us(crowd_pause.us +
                   (int64_t)entropy_below(&n->entropy, (uint64_t)most.us));
}

void peer_dial_soon(struct node *n, struct peer *p, bool at_once)
{
    if (!n->tcp || n->left || peer_dialed_link(p) != NULL)
        return;
    bool smaller = memcmp(n->certificate.node.key, p->id.key, KEY_SIZE) < 0;
    struct instant at = n->now;
    if (!at_once && !smaller)
        at = instant_after(at, dial_second);
    if (!at_once && n->peers.count > CROWD)
        at = instant_after(at, crowd_delay(n));
    dialer_start(&p->dialer, at);
    peer_touch(n, p);
}

void peer_drop_links(struct node *n, struct peer *p)
{
    while (p->links != NULL) {
        paths_down(&p->paths, p->links->path, p->links->id, false, n->now);
        link_drop(n, p->links, true);
    }
}

struct link *peer_dialed_link(const struct peer *p)
{
    for (struct link *link = p->links; link != NULL; link = link->next_of_peer)
        if (link->dialed && link->state == LINK_UP)
            return link;
    return NULL;
}

/* A node that has a link does not dial. So if the peer dials while an older
 * link is up, the peer has lost the older one. */
static bool is_stale(const struct node *n, const struct link *link,
                     const struct link *kept)
{
    return link->state == LINK_UP && !kept->outgoing &&
           instant_reached(instant_after(link->up_since, settled_after),
                           n->now);
}

/* Of two links of one kind between the same two nodes the one stays that the
 * node with the smaller id opened; each node closes only links that it opened
 * [P-5.5]. */
static void close_doubles(struct node *n, struct peer *p,
                          const struct link *kept)
{
    bool smaller = memcmp(n->certificate.node.key, p->id.key, KEY_SIZE) < 0;
    struct link *link = p->links;
    while (link != NULL) {
        struct link *next = link->next_of_peer;
        bool ours_to_close = link->outgoing && (kept->outgoing || !smaller);
        if (link != kept && link->path == kept->path &&
            (ours_to_close || is_stale(n, link, kept))) {
            if (link->state == LINK_UP)
                paths_down(&p->paths, link->path, link->id, false, n->now);
            link_drop(n, link, true);
        }
        link = next;
    }
}

void peer_linked(struct node *n, struct peer *p, struct link *link)
{
    evidence_linked(&p->evidence);
    p->relents = false;
    peer_takes_us(n, p);
    p->version = link->version;
    if (n->revocation.serial > p->said.revocation_serial)
        todo_write(n, link, revocation_packet(n, LINK_REVOCATION));
    announce_news(n, link);
    paths_up(&p->paths, link->path, link->id, link->probed, n->now);
    if (link->greets)
        dialer_stop(&p->dialer);
    close_doubles(n, p, link);
    peer_touch(n, p);
}

/* --- the end of a link -----------------------------------------------------
 */

bool peer_suspect(struct node *n, struct peer *p)
{
    if (!p->joined || evidence_is_firm(peer_evidence(n, p)))
        return false;
    evidence_suspect(&p->evidence, n->now);
    p->answered_at = (struct instant){INT64_MIN};
    beacons_tell(n, p, true);
    peer_touch(n, p);
    return true;
}

/* A dial failed. If it was the last address, a suspect has less time. */
static void unreachable(struct node *n, struct peer *p)
{
    bool tried_all = p->links == NULL && p->dialer.next == 0;
    if (tried_all)
        evidence_unreachable(&p->evidence, n->now);
}

static bool is_silence(enum link_ending how)
{
    return how == LINK_END_SILENT || how == LINK_END_REFUSED;
}

/* No direct link is up any more. */
static void last_link_ended(struct node *n, struct peer *p,
                            const struct link_end *end)
{
    bool suspect = false;
    if (p->evidence.bye) {
        peer_departed(n, p, DEPARTURE_CLOSED);
        return;
    }
    beacons_challenge(n, p);
    if (end->how == LINK_END_EVICTED)
        return; /* link_eviction.c does what is left to do. */
    if (end->how == LINK_END_ABANDONED)
        evidence_heard(&p->evidence, end->heard, &n->evidence);
    else
        suspect = peer_suspect(n, p);
    peer_dial_soon(n, p, suspect || !is_silence(end->how));
}

static void path_ended(struct node *n, struct peer *p,
                       const struct link_end *end)
{
    evidence_lost(&p->evidence,
                  end->how == LINK_END_CLOSED || end->how == LINK_END_REJECTED);
    paths_down(&p->paths, end->path, end->id, is_silence(end->how), n->now);
    if (!peer_is_linked(p))
        last_link_ended(n, p, end);
    else if (end->dialed && end->how != LINK_END_EVICTED)
        peer_dial_soon(n, p, !is_silence(end->how)); /* UDP is second. */
    if (end->swallowed && end->dialed) {
        dialer_failed(&p->dialer, n->now);
        todo_add(n->todo, NODE_LARGE_LOST)->peer.peer = todo_peer(n, p);
    }
}

void peer_link_ended(struct node *n, const struct link_end *end)
{
    struct peer *p = end->peer;
    if (end->how == LINK_END_BYE) {
        peer_departed(n, p, DEPARTURE_CLOSED);
        return;
    }
    if (end->was_up)
        path_ended(n, p, end);
    else if (end->dialed)
        unreachable(n, p);
    if (end->how == LINK_END_VERSION) {
        p->version = PROTOCOL_BEFORE;
        peer_dial_soon(n, p, true);
    }
    if (end->how == LINK_END_REFUSED)
        peer_refuses_us(n, p, end->reason, end->unix_seconds, &end->from);
    peer_touch(n, p);
}
