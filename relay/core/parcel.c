#include "relay/core/parcel.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

struct parcels {
    size_t holders; /* the owner, and each parcel */
    size_t bytes;
};

struct parcels *parcels_new(void)
{
    struct parcels *all = memory_new(sizeof *all);
    all->holders = 1;
    return all;
}

void parcels_release(struct parcels **self)
{
    struct parcels *all = *self;
    *self = NULL;
    if (all && --all->holders == 0)
        free(all);
}

size_t parcels_bytes(const struct parcels *all)
{
    return all->bytes;
}

struct parcel *parcel_new(struct parcels *all, struct bytes packet)
{
    /* Not zeroed: it is filled at once. */
    struct parcel *p = memory_resize(NULL, 1, sizeof *p + packet.size);
    p->all = all;
    all->holders++;
    all->bytes += packet.size + PARCEL_OVERHEAD;
    p->holders = 1;
    p->size = packet.size;
    if (packet.size > 0)
        memcpy(p->data, packet.data, packet.size);
    return p;
}

struct parcel *parcel_hold(struct parcel *p)
{
    p->holders++;
    return p;
}

void parcel_release(struct parcel **self)
{
    struct parcel *p = *self;
    *self = NULL;
    if (!p || --p->holders > 0)
        return;
    p->all->bytes -= p->size + PARCEL_OVERHEAD;
    parcels_release(&p->all);
    free(p);
}
