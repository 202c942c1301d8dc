/*
 * Answers to PING and PROBE [P-5.4]. While the link takes no packets, only the
 * newest question of each kind is kept.
 */
#include "edge/core/node_private.h"

/* A peer that asks and does not read must not fill this node's memory. */
static void answer_ping(struct node *n, struct link *link)
{
    if (link->blocked || !link->owes_pong)
        return;
    link->owes_pong = false;
    link_write_token(n, link, LINK_PONG, link->pong_token);
}

void answers_take_token(struct node *n, struct link *link,
                        enum packet_type type, struct reader *r)
{
    uint64_t token = read_u64(r);
    if (!reader_done(r)) {
        n->counters.packets_dropped++;
        return;
    }
    if (type == LINK_PING) {
        link->owes_pong = true;
        link->pong_token = token;
        answer_ping(n, link);
        return;
    }
    if (detector_answered(&link->detector, token, n->now)) {
        paths_measured(&link->peer->paths, link->path, link->id,
                       link->detector.rtt);
        link_rearm(n, link); /* The next PING may be due now. */
    }
    peer_touch(n, link->peer);
}

void answers_write(struct node *n, struct link *link)
{
    answer_ping(n, link);
    mtu_probe_answer(n, link);
}
