#include "edge/core/node_private.h"

/* While messages wait for a path, a dial that failed is repeated after this. */
static const struct span need_pause = {5 * 1000 * 1000};
/* And a dial that was put off for longer than this is made at once. */
static const struct span place_pause = {1000 * 1000};
/* An absent peer is kept in the table for this time. */
static const struct span remembered = {60 * 1000 * 1000};

/* When the peer's certificate expires by this node's wall clock. */
static struct instant expires_at(const struct node *n, const struct peer *p)
{
    static const uint64_t far = (uint64_t)10 * 366 * 24 * 3600;
    uint64_t end = p->certificate.not_after;
    if (!p->joined || n->unix_base == 0 || end > n->unix_base + far)
        return INSTANT_NEVER;
    uint64_t left = end > n->unix_base ? end - n->unix_base : 0;
    return instant_after(n->unix_at, span_s((int64_t)left));
}

/* From now on this node refuses the peer [P-2.3]. */
static void expire(struct node *n, struct peer *p)
{
    const struct address *from =
        p->has_beacon_address ? &p->beacon_address : NULL;
    if (refusal_say(n, false, REFUSAL_EXPIRED, -1, &p->id, p->name, from) &&
        from != NULL)
        beacons_refuse(n, from, &p->id, REFUSAL_EXPIRED, p->cookie, p->version);
    struct refused_node *o = refused_nodes_keep_peer(n, p, REFUSAL_EXPIRED);
    peer_departed(n, p, DEPARTURE_REVOKED);
    if (o != NULL)
        (void)notices_tell(n, o);
}

/* If messages wait and there is no path, a dial that was put off is made now,
 * and one that failed is repeated soon. */
static void look_for_need(struct node *n, struct peer *p)
{
    struct instant again = instant_after(n->now, need_pause);
    p->needs_link = !peer_has_path(p) && traffic_waits(p);
    if (!p->needs_link || !p->joined)
        return;
    if (!instant_reached(p->dialer.at, instant_after(n->now, place_pause)))
        traffic_dial_for(n, p);
    if (n->tcp && !instant_reached(p->dialer.at, again))
        dialer_start(&p->dialer, again);
}

static void dial(struct node *n, struct peer *p)
{
    bool due = instant_reached(dialer_deadline(&p->dialer), n->now);
    if (!due || p->blob == NULL || p->said.candidate_count == 0 ||
        !link_eviction_for_dial(n, p))
        return;
    uint64_t spread = entropy_below(&n->entropy, 1000);
    const struct address *address = dialer_due(&p->dialer, n->now, spread);
    if (address != NULL)
        links_dial(n, p, address);
}

static bool can_be_forgotten(const struct node *n, const struct peer *p)
{
    return !p->joined && p->session == NULL && p->links == NULL &&
           !peer_is_evident(n, p);
}

static bool is_forgotten(const struct node *n, const struct peer *p)
{
    return can_be_forgotten(n, p) &&
           instant_reached(instant_after(p->known_since, remembered), n->now);
}

static void rearm(struct node *n, struct peer *p)
{
    struct instant at = p->joined ? peer_evidence(n, p).until
                                  : instant_after(p->known_since, remembered);
    if (!p->joined && peer_is_present(n, p))
        at = instant_min(at, peer_join_at(p));
    if (instant_reached(at, n->now))
        at =
            instant_after(n->now, remembered); /* peer_settle just saw to it. */
    if (!n->left)
        at = instant_min(at, dialer_deadline(&p->dialer));
    at = instant_min(at, beacons_ask_at(n, p));
    at = instant_min(at, notices_ask_at(p));
    at = instant_min(at, paths_deadline(&p->paths, n->now));
    at = instant_min(at, expires_at(n, p));
    at = instant_min(at, peer_session_end_at(p));
    at = instant_min(at, traffic_deadline(n, p));
    at = instant_min(at, udp_peer_deadline(n, p));
    node_arm(n, &p->deadline, at);
}

/* Only the peer's output changed. While there is a path, that moves no deadline
 * but the traffic's. If the deadline that is set is too early now, the peer is
 * settled once more for nothing. */
static bool write_only(struct node *n, struct peer *p)
{
    const struct timer *armed = &p->deadline.timer;
    bool more = traffic_write(n, p);
    traffic_tell_ready(n, p);
    struct instant at = traffic_deadline(n, p);
    if (armed->place == 0 || at.us < armed->at.us)
        node_arm(n, &p->deadline, at);
    return more;
}

/*
 * Each step may depend on those before it:
 *  1. Presence: exclude the peer if its certificate expired, let it leave if
 *     nothing shows it any more, ask it for a beacon if this is due.
 *  2. The path; then the join, as a peer with a path joins at once.
 *  3. Refusals: ask whether the peer still refuses this node, or show it that
 *     this node does not any more. Both are packets on the path.
 *  4. Dial, if messages wait for a path or an attempt is due; then a path over
 *     UDP, if dialling does not succeed.
 *  5. The session: end it if its time is up. Only then resend and suspect the
 *     path, as a session that ended has nothing to resend.
 *  6. Publications: queue what receivers must be told in the session.
 *  7. Write one packet; then tell READY, as messages may have been settled.
 *  8. Free the peer if it is forgotten; else set the next deadline of all this.
 */
bool peer_settle(struct node *n, struct peer *p)
{
    if (!p->changed && p->joined && peer_has_path(p))
        return write_only(n, p);
    p->changed = false;
    links_unlisted(n, p);
    if (instant_reached(expires_at(n, p), n->now))
        expire(n, p);
    if (p->joined && !peer_is_present(n, p))
        peer_leave(n, p, DEPARTURE_LOST);
    if (instant_reached(beacons_ask_at(n, p), n->now))
        beacons_tell(n, p, true);
    peer_choose_path(n, p);
    (void)peer_try_join(n, p);
    notices_ask(n, p);
    notices_relent(n, p);
    look_for_need(n, p);
    dial(n, p);
    udp_peer_settle(n, p);
    if (instant_reached(peer_session_end_at(p), n->now))
        traffic_end(n, p, SESSION_NOT_DELIVERED);
    traffic_due(n, p);
    groups_settle(n, p);
    bool more = traffic_write(n, p);
    traffic_tell_ready(n, p);
    if (!more && !p->dirty && !p->waiting && is_forgotten(n, p)) {
        peer_free(n, p);
        return false;
    }
    rearm(n, p);
    return more;
}
