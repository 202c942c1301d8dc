#include "relay/core/parcel.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

struct parcel *parcel_new(struct bytes packet)
{
    /* Not zeroed: it is filled at once. */
    struct parcel *p = memory_resize(NULL, 1, sizeof *p + packet.size);
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
    if (p && --p->holders == 0)
        free(p);
}
