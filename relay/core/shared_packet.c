#include "relay/core/shared_packet.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

struct shared_packets {
    size_t holders; /* the owner, and each packet */
    size_t bytes;
};

struct shared_packets *shared_packets_new(void)
{
    struct shared_packets *all = memory_new(sizeof *all);
    all->holders = 1;
    return all;
}

void shared_packets_release(struct shared_packets **self)
{
    struct shared_packets *all = *self;
    *self = NULL;
    if (all && --all->holders == 0)
        free(all);
}

size_t shared_packets_bytes(const struct shared_packets *all)
{
    return all->bytes;
}

struct shared_packet *shared_packet_new(struct shared_packets *all,
                                        struct bytes packet)
{
    /* Not zeroed: it is filled at once. */
    struct shared_packet *p = memory_resize(NULL, 1, sizeof *p + packet.size);
    p->all = all;
    all->holders++;
    all->bytes += packet.size + SHARED_PACKET_OVERHEAD;
    p->holders = 1;
    p->size = packet.size;
    if (packet.size > 0)
        memcpy(p->data, packet.data, packet.size);
    return p;
}

struct shared_packet *shared_packet_hold(struct shared_packet *p)
{
    p->holders++;
    return p;
}

void shared_packet_release(struct shared_packet **self)
{
    struct shared_packet *p = *self;
    *self = NULL;
    if (!p || --p->holders > 0)
        return;
    p->all->bytes -= p->size + SHARED_PACKET_OVERHEAD;
    shared_packets_release(&p->all);
    free(p);
}
