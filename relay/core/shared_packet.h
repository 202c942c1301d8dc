/*
 * shared_packet - a packet that waits, copied once however many queues hold it;
 * and how much all of an owner's take together.
 */
#ifndef RELAY_CORE_SHARED_PACKET_H
#define RELAY_CORE_SHARED_PACKET_H

#include "common/base/bytes.h"

/* What its keeping counts as in a queue's bytes. */
enum { SHARED_PACKET_OVERHEAD = 64 };

/* What parcels take; it lives until the last of them is gone. */
struct shared_packets;

struct shared_packets *shared_packets_new(void);
/* The owner wants to know no more. NULL-safe. */
void shared_packets_release(struct shared_packets **self);
size_t shared_packets_bytes(const struct shared_packets *all);

struct shared_packet {
    struct shared_packets *all;
    size_t holders;
    size_t size;
    uint8_t data[];
};

/* Copies the packet. The caller holds it. */
struct shared_packet *shared_packet_new(struct shared_packets *all,
                                        struct bytes packet);
struct shared_packet *shared_packet_hold(struct shared_packet *p);
/* Frees it with its last holder, and nulls. NULL-safe. */
void shared_packet_release(struct shared_packet **self);

static inline struct bytes shared_packet_bytes(const struct shared_packet *p)
{
    return bytes_of(p->data, p->size);
}

#endif
