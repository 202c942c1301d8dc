#include "edge/core/node_private.h"

static enum node_why why_of(enum punch_why why)
{
    switch (why) {
    case PUNCH_WHY_NONE:
    case PUNCH_WHY_TRYING:
        break;
    case PUNCH_WHY_NAT:
        return NODE_WHY_NAT;
    case PUNCH_WHY_UDP_BLOCKED:
        return NODE_WHY_UDP_BLOCKED;
    case PUNCH_WHY_NO_CANDIDATES:
        return NODE_WHY_NO_CANDIDATES;
    }
    return NODE_WHY_TRYING;
}

static bool peer_has_no_udp(const struct peer *p)
{
    uint8_t offers;
    return p->session != NULL && session_peer_offers(p->session, &offers) &&
           (offers & SESSION_UDP) == 0;
}

enum node_why udp_why(const struct node *n, const struct peer *p)
{
    if (!path_is_relayed(&p->paths.current))
        return NODE_WHY_NONE;
    if (paths_avoid_direct(&p->paths, n->now))
        return NODE_WHY_HELD_DOWN;
    if (!n->udp.on || peer_has_no_udp(p))
        return NODE_WHY_PATHS_OFF;
    if (n->udp.port == 0)
        return NODE_WHY_UDP_BLOCKED;
    return p->udp != NULL ? why_of(punch_why(p->udp->punch)) : NODE_WHY_TRYING;
}

void node_udp_get(const struct node *n, struct node_udp *view)
{
    *view = (struct node_udp){
        .on = n->udp.on && n->udp.port != 0,
        .port = n->udp.port,
        .seen.rtt = span_us(-1),
        .mapped_tcp = n->udp.mapped_tcp,
        .mapped_udp = n->udp.mapped_udp,
    };
    if (n->udp.on)
        (void)outside_get(n->udp.outside, 0, &view->seen);
}
