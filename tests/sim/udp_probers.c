#include "tests/sim/udp_probers.h"

#include "common/base/memory.h"

#include <stdlib.h>

/* A datagram is a kind, and for TOLD the address as 16 bytes and port. */
enum { ASK = 'q', TOLD = 'r', PROBE = 'p', ANSWER = 'a', TOLD_SIZE = 20 };

struct udp_probers {
    struct udp_prober *items;
    size_t count;
};

void udp_probers_free(struct udp_probers *p)
{
    if (p == NULL)
        return;
    free(p->items);
    free(p);
}

static struct udp_prober *get(struct world *w, int prober)
{
    struct udp_probers *p = w->udp->probers;

    ASSERT(p != NULL && prober >= 0 && prober < (int)p->count);
    return &p->items[prober];
}

const struct udp_prober *udp_prober_get(struct world *w, int prober)
{
    return get(w, prober);
}

void udp_prober_reset(struct world *w, int prober)
{
    struct udp_prober *p = get(w, prober);

    *p = (struct udp_prober){.host = p->host, .port = p->port};
}

static void send_kind(struct world *w, const struct udp_prober *p,
                      const struct address *to, uint8_t kind, int ttl)
{
    udp_send(w, p->host, p->port, to, bytes_of(&kind, 1), ttl);
}

static void tell(struct world *w, const struct udp_prober *p,
                 const struct address *seen)
{
    uint8_t room[TOLD_SIZE];
    struct writer out = writer_of(room, sizeof(room));

    write_u8(&out, TOLD);
    write_u8(&out, (uint8_t)seen->family);
    write_bytes(&out, bytes_of(seen->ip, sizeof(seen->ip)));
    write_u16(&out, seen->port);
    udp_send(w, p->host, p->port, seen, writer_bytes(&out), 0);
}

static void is_told(struct udp_prober *p, struct bytes bytes)
{
    struct reader in = reader_of(bytes);

    (void)read_u8(&in);
    p->seen = (struct address){.family = (enum address_family)read_u8(&in)};
    read_copy(&in, p->seen.ip, sizeof(p->seen.ip));
    p->seen.port = read_u16(&in);
    ASSERT(reader_done(&in));
}

static void receive(struct world *w, const struct udp_delivery *d)
{
    struct udp_probers *all = w->udp->probers;

    for (size_t i = 0; i < all->count; i++) {
        struct udp_prober *p = &all->items[i];

        if (p->host != d->host || p->port != d->to.port)
            continue;
        switch (d->bytes.data[0]) {
        case ASK:
            tell(w, p, &d->from);
            break;
        case TOLD:
            is_told(p, d->bytes);
            break;
        case PROBE:
            p->probed++;
            p->partner = d->from;
            send_kind(w, p, &d->from, ANSWER, 0);
            break;
        case ANSWER:
            p->answered++;
            p->partner = d->from;
            break;
        }
    }
}

int udp_prober_add(struct world *w, int host, uint16_t port)
{
    struct udp_world *u = udp_of(w);
    struct udp_probers *all = u->probers;

    port = udp_open(w, host, port);
    if (port == 0)
        return -1;
    if (all == NULL)
        u->probers = all = memory_new(sizeof(*all));
    u->receiver = receive;
    all->items = memory_resize(all->items, all->count + 1, sizeof(*all->items));
    all->items[all->count] = (struct udp_prober){.host = host, .port = port};
    return (int)all->count++;
}

void udp_prober_ask(struct world *w, int prober, const struct address *server)
{
    send_kind(w, get(w, prober), server, ASK, 0);
}

void udp_prober_probe(struct world *w, int prober, const struct address *to,
                      int ttl)
{
    send_kind(w, get(w, prober), to, PROBE, ttl);
}
