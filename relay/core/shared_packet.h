/*
 * shared_packet - a queued packet: one copy, counted references.
 *
 * A packet that waits in many queues is copied once. A `struct shared_packets`
 * counts the memory of all packets that its owner made.
 */
#ifndef RELAY_CORE_SHARED_PACKET_H
#define RELAY_CORE_SHARED_PACKET_H

#include "common/base/bytes.h"

/* Bytes that are counted for each packet beside its own. */
enum { SHARED_PACKET_OVERHEAD = 64 };

/* The count of an owner's packets, in bytes. */
struct shared_packets;

struct shared_packets *shared_packets_new(void);
/* The owner gives up its reference, and `*self` becomes NULL. The count lives
 * on until its last packet is freed. NULL-safe. */
void shared_packets_release(struct shared_packets **self);
/* The bytes of all packets that exist, each counted once with its overhead. */
size_t shared_packets_bytes(const struct shared_packets *all);

struct shared_packet {
    struct shared_packets *all;
    size_t holders;
    size_t size;
    uint8_t data[];
};

/* Copies the packet, and counts it in `all`. The caller holds the first
 * reference. */
struct shared_packet *shared_packet_new(struct shared_packets *all,
                                        struct bytes packet);
/* Adds a reference, and returns `p`. */
struct shared_packet *shared_packet_hold(struct shared_packet *p);
/* Gives up a reference, and sets `*self` to NULL. The last one frees the
 * packet. NULL-safe. */
void shared_packet_release(struct shared_packet **self);

static inline struct bytes shared_packet_bytes(const struct shared_packet *p)
{
    return bytes_of(p->data, p->size);
}

#endif
