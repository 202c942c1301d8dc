/*
 * fair_queue - the queue of packets for one destination, fair to their sources.
 *
 * Each source has a FIFO of its own in the queue. The FIFOs take turns by
 * bytes (deficit round robin), so a source that sends a lot delays only
 * itself. A full queue still admits a packet of a source whose bytes are below
 * an equal share; the source with the most bytes then loses its newest
 * packets.
 *
 *     if (fair_queue_admits(&q, source, size, limit)) {
 *         while (fair_queue_is_over(&q, size, limit)) {
 *             p = fair_queue_displace(&q);
 *             tell the source of p; shared_packet_release(&p);
 *         }
 *         fair_queue_put(&q, source, packet);
 *     }
 */
#ifndef RELAY_CORE_FAIR_QUEUE_H
#define RELAY_CORE_FAIR_QUEUE_H

#include "common/base/map.h"
#include "common/wire/packet.h"
#include "relay/core/shared_packet.h"

/* What a source may send in one turn, in bytes: at least the largest packet
 * with its overhead. */
enum { FAIR_QUEUE_TURN = PACKET_SIZE + SHARED_PACKET_OVERHEAD };

struct source_packets;

struct fair_queue {
    struct map flows; /* source -> flow; no flow is empty */
    struct source_packets
        *turn; /* sends next; in a ring of all. NULL: queue empty */
    struct source_packets *
        *heavy;      /* binary heap of all flows, the most bytes first */
    size_t count;    /* of flows */
    size_t capacity; /* of `heavy` */
    size_t bytes;    /* of all packets, with their overheads */
};

/* An empty queue. `hash_key` is random; the queue copies it. */
void fair_queue_init(struct fair_queue *q, const uint8_t hash_key[16]);
/* Releases all packets and frees the queue's memory. */
void fair_queue_close(struct fair_queue *q);

/* Tells whether the queue, limited to `limit` bytes, admits a packet of `size`
 * bytes: the packet fits, or the source stays within an equal share with it.
 * In the second case the caller makes room by fair_queue_displace first. */
bool fair_queue_admits(const struct fair_queue *q, const struct node_id *source,
                       size_t size, size_t limit) MUST_USE;
/* Tells whether a packet of `size` bytes would bring the queue over the
 * limit. */
bool fair_queue_is_over(const struct fair_queue *q, size_t size,
                        size_t limit) MUST_USE;
/* Removes the newest packet of the source with the most bytes, and passes the
 * queue's reference to the caller. The queue must not be empty. A source
 * whose packet fair_queue_admits admitted never loses one to that packet. */
struct shared_packet *fair_queue_displace(struct fair_queue *q) MUST_USE;

/* Appends the packet to its source's FIFO; the queue holds a reference of its
 * own. The caller checked fair_queue_admits. */
void fair_queue_put(struct fair_queue *q, const struct node_id *source,
                    struct shared_packet *packet);
/* The packet to send next; NULL if the queue is empty. The packet stays in the
 * queue until fair_queue_drop. */
struct shared_packet *fair_queue_first(const struct fair_queue *q);
/* Removes the packet that fair_queue_first returns; does nothing if there is
 * none. */
void fair_queue_drop(struct fair_queue *q);
bool fair_queue_is_empty(const struct fair_queue *q);

#endif
