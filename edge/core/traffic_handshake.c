#include "edge/core/node_private.h"

/* The rate of answers to one peer. Handshakes cost processor time, and a burst
 * of packets under old keys needs only one RESET. */
static const struct span init_each = {50 * 1000};
static const struct span reset_each = {100 * 1000};
enum { INIT_BURST = 16, RESET_BURST = 4 };

void traffic_take_init(struct node *n, struct peer *p, struct link *link,
                       struct bytes packet)
{
    struct session *s = traffic_session(n, p);
    if (s == NULL ||
        !token_bucket_takes(&p->init_pace, n->now, init_each, INIT_BURST)) {
        n->counters.packets_dropped++;
        return;
    }
    struct writer w = traffic_begin(n, p, link, SESSION_ACCEPT_SIZE);
    switch (session_take_init(s, packet, &n->entropy, n->now, &w)) {
    case SESSION_ACCEPTED:
        p->version = s->version;
        traffic_end_packet(n, p, link, &w);
        return;
    case SESSION_IGNORED:
        n->counters.packets_dropped++;
        /* An older process of the peer's node may have sent it. */
        notices_answer(n, &p->id, link, PACKET_INIT);
        return;
    case SESSION_UNSPOKEN:
        n->counters.packets_dropped++;
        peer_unspoken(n, p, link);
        return;
    }
}

void traffic_reset(struct node *n, struct peer *p, struct link *link,
                   const uint8_t *packet)
{
    if (!token_bucket_takes(&p->reset_pace, n->now, reset_each, RESET_BURST))
        return;
    struct writer w = traffic_begin(n, p, link, 5);
    write_u8(&w, PACKET_RESET);
    write_bytes(&w, bytes_of(packet + 1, 4));
    traffic_end_packet(n, p, link, &w);
}
