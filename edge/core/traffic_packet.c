#include "edge/core/node_private.h"

struct writer traffic_begin(struct node *n, const struct peer *p,
                            const struct link *link, size_t size)
{
    size += FORWARD_HEADER_SIZE;
    struct writer w = writer_of(arena_take(&n->todo->arena, size), size);
    if (link->relay != NULL) {
        write_u8(&w, RELAY_FORWARD);
        write_bytes(&w, bytes_of(p->id.key, KEY_SIZE));
    }
    return w;
}

static void wrote(struct node *n, struct peer *p, struct link *link,
                  size_t size)
{
    p->traffic.bytes_sent += size;
    link->used = n->now;
    if (link->resting)
        link_wake(n, link);
    link_spend(n, link, size);
}

void traffic_end_packet(struct node *n, struct peer *p, struct link *link,
                        const struct writer *w)
{
    struct bytes written = writer_bytes(w);
    size_t taken = (size_t)(w->end - w->start);
    arena_trim(&n->todo->arena, w->start, taken, written.size);
    todo_write(n, link, written);
    wrote(n, p, link, written.size);
}

bool traffic_lend(struct node *n, struct peer *p, struct link *link)
{
    struct bytes packet;
    struct block *block;
    if (!link->seals || !session_lend(p->session, n->now, &packet, &block))
        return false;
    todo_write_lent(n, link, packet, block);
    wrote(n, p, link, packet.size);
    return true;
}
