/*
 * What shows that a peer is there: links, relays, beacons.
 */
#include "edge/core/node_private.h"

struct instant peer_listed_until(const struct node *n, const struct peer *p)
{
    struct instant until = (struct instant){INT64_MIN};
    for (size_t i = 0; i < n->relay_count; i++) {
        const struct relay *relay = &n->relays[i];
        if (!p->listings[i].listed)
            continue;
        if (relay->state == RELAY_UP)
            return INSTANT_NEVER;
        until = instant_max(
            until, instant_after(relay->lost_at, n->detector.lost_after));
    }
    return until;
}

struct instant peer_evident_until(const struct node *n, const struct peer *p)
{
    if (p->blob == NULL || p->departed == p->said.epoch.value)
        return (struct instant){INT64_MIN};
    if (peer_is_linked(p))
        return INSTANT_NEVER;
    struct instant until = peer_listed_until(n, p);
    if (p->proved && p->beacon_heard.us > p->suspected_at.us)
        until = instant_max(
            until, instant_after(p->beacon_heard, n->detector.lost_after));
    if (p->joined)
        until = instant_max(until, instant_max(p->suspect_by, p->heard_until));
    return until;
}

struct instant peer_present_until(const struct node *n, const struct peer *p)
{
    if (p->refuses_us != REFUSAL_NONE)
        return (struct instant){INT64_MIN};
    return peer_evident_until(n, p);
}

bool peer_is_seen(const struct node *n, const struct peer *p)
{
    struct instant beacon = instant_max(p->beacon_heard, p->beacon_passed);
    return instant_is_never(peer_listed_until(n, p)) ||
           (beacon.us != INT64_MIN &&
            !instant_reached(instant_after(beacon, n->detector.lost_after),
                             n->now));
}

bool peer_is_evident(const struct node *n, const struct peer *p)
{
    struct instant until = peer_evident_until(n, p);
    return until.us != INT64_MIN && !instant_reached(until, n->now);
}

bool peer_is_present(const struct node *n, const struct peer *p)
{
    struct instant until = peer_present_until(n, p);
    return until.us != INT64_MIN && !instant_reached(until, n->now);
}

struct instant peer_ask_at(const struct node *n, const struct peer *p)
{
    static const struct span least = {200 * 1000};
    struct span pause = span_us(n->detector.lost_after.us / 8);
    if (pause.us < least.us)
        pause = least;
    struct instant until = peer_present_until(n, p);
    if (!p->joined || n->left || !p->has_beacon_address ||
        instant_is_never(until))
        return INSTANT_NEVER;
    return instant_max(instant_after(until, span_us(-4 * pause.us)),
                       instant_after(p->answered_at, pause));
}
