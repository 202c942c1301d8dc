/*
 * Probes of large packets [P-5.7]. A link may pass small packets and silently
 * drop large ones, as a tunnel does whose ICMP errors are filtered. So a link
 * is a proved path only after a padded packet went there and another came back.
 */
#include "edge/core/node_private.h"

#include <string.h>

/* Larger than the MTU of any interface but loopback, and about as large as
 * TCP's first congestion window. */
enum { PADDED_SIZE = 16 * 1024 };

static void write_padded(struct node *n, const struct link *link,
                         enum packet_type type, uint64_t token)
{
    uint8_t *room = arena_take(&n->todo->arena, PADDED_SIZE);
    memset(room, 0, PADDED_SIZE);
    struct writer w = writer_of(room, PADDED_SIZE);
    write_u8(&w, (uint8_t)type);
    write_u64(&w, token);
    todo_write(n, link, bytes_of(room, PADDED_SIZE));
}

void mtu_probe_want(struct link *link)
{
    link->unproved = link->probed;
    link->probe_first = link->probe_last + 1;
}

void mtu_probe_send(struct node *n, struct link *link)
{
    if (link->unproved)
        write_padded(n, link, LINK_PROBE, ++link->probe_last);
}

bool mtu_probe_failed(const struct node *n, const struct link *link)
{
    struct span enough = span_us(n->detector.lost_after.us / 2);
    return link->unproved && link->probe_first == 1 &&
           instant_reached(instant_after(link->up_since, enough), n->now);
}

void mtu_probe_answer(struct node *n, struct link *link)
{
    if (link->blocked || !link->owes_probed)
        return;
    link->owes_probed = false;
    write_padded(n, link, LINK_PROBED, link->probed_token);
}

void mtu_probe_take(struct node *n, struct link *link, struct bytes packet)
{
    struct reader r = reader_of(packet);
    enum packet_type type = read_u8(&r);
    uint64_t token = read_u64(&r);
    if (packet.size != PADDED_SIZE) {
        n->counters.packets_dropped++;
        return;
    }
    if (type == LINK_PROBE) {
        link->owes_probed = true;
        link->probed_token = token;
        mtu_probe_answer(n, link);
        return;
    }
    /* An answer to a probe from before the suspicion proves nothing now. */
    if (!link->unproved || token < link->probe_first ||
        token > link->probe_last)
        return;
    link->unproved = false;
    paths_trust(&link->peer->paths, link->path, link->id);
    if (link->greets) /* Else it was not dialled by the dialer. */
        dialer_succeeded(&link->peer->dialer);
    peer_touch(n, link->peer);
}
