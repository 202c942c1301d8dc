/*
 * fair - packets that wait for one destination, shared fairly by their sources.
 *
 * Each source has a line of its own. The lines take turns by bytes (deficit
 * round robin): who sends a lot waits behind itself. A full queue still takes
 * packets of a source that holds less than an equal share; whoever holds most
 * then loses its last ones.
 *
 *     if (fair_admits(&q, source, size, limit)) {
 *         while (fair_is_over(&q, size, limit))
 *             p = fair_displace(&q), tell its source,
 * shared_packet_release(&p); fair_put(&q, source, packet);
 *     }
 */
#ifndef RELAY_CORE_FAIR_H
#define RELAY_CORE_FAIR_H

#include "common/base/map.h"
#include "common/wire/packet.h"
#include "relay/core/shared_packet.h"

/* The bytes of a turn: no packet with its overhead is larger. */
enum { FAIR_TURN = PACKET_SIZE + SHARED_PACKET_OVERHEAD };

struct flow;

struct fair {
    struct map flows;    /* source -> flow; each has a packet */
    struct flow *turn;   /* whose it is, in a ring of all; NULL: empty */
    struct flow **heavy; /* a binary heap, the heaviest first */
    size_t count;
    size_t capacity;
    size_t bytes; /* with the packets' overheads */
};

void fair_init(struct fair *q, const uint8_t hash_key[16]);
/* Drops what waits. */
void fair_close(struct fair *q);

/* Whether a packet of `size` bytes may wait where `limit` bytes are the most:
 * there is room, or the source holds less than its share. */
bool fair_admits(const struct fair *q, const struct node_id *source,
                 size_t size, size_t limit) MUST_USE;
/* The queue with that packet would be over the limit. */
bool fair_is_over(const struct fair *q, size_t size, size_t limit) MUST_USE;
/* Takes the last packet of the source that holds most; the caller holds it.
 * Never one of a source whose packet was admitted. */
struct shared_packet *fair_displace(struct fair *q) MUST_USE;

/* Holds the packet as well, behind its source's others. */
void fair_put(struct fair *q, const struct node_id *source,
              struct shared_packet *packet);
/* The packet whose turn it is, which stays in it until fair_drop; NULL if there
 * is none.
 */
struct shared_packet *fair_first(const struct fair *q);
void fair_drop(struct fair *q);
bool fair_is_empty(const struct fair *q);

#endif
