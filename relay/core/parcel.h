/*
 * parcel - a packet that waits, copied once however many queues hold it; and
 * how much all of an owner's take together.
 */
#ifndef RELAY_CORE_PARCEL_H
#define RELAY_CORE_PARCEL_H

#include "common/base/bytes.h"

/* What its keeping counts as in a queue's bytes. */
enum { PARCEL_OVERHEAD = 64 };

/* What parcels take; it lives until the last of them is gone. */
struct parcels;

struct parcels *parcels_new(void);
/* The owner wants to know no more. NULL-safe. */
void parcels_release(struct parcels **self);
size_t parcels_bytes(const struct parcels *all);

struct parcel {
    struct parcels *all;
    size_t holders;
    size_t size;
    uint8_t data[];
};

/* Copies the packet. The caller holds it. */
struct parcel *parcel_new(struct parcels *all, struct bytes packet);
struct parcel *parcel_hold(struct parcel *p);
/* Frees it with its last holder, and nulls. NULL-safe. */
void parcel_release(struct parcel **self);

static inline struct bytes parcel_bytes(const struct parcel *p)
{
    return bytes_of(p->data, p->size);
}

#endif
