/*
 * dialer - which of a peer's addresses to try next, and when [P-8.4].
 *
 * A round tries each address once, 30 ms apart. After a round without success
 * the dialer pauses for 5 s, then 30 s, then always 5 min. The caller puts the
 * address from which the peer's beacons come first.
 */
#ifndef EDGE_CORE_DIALER_H
#define EDGE_CORE_DIALER_H

#include "common/base/address.h"
#include "common/base/instant.h"

#include <stddef.h>

enum { DIALER_ADDRESSES = 18 };

struct dialer {
    struct address list[DIALER_ADDRESSES];
    size_t count;
    size_t next;
    int rounds;        /* that ended without success */
    struct instant at; /* of the next try; NEVER: not dialing */
};

void dialer_init(struct dialer *d);
/* Adds an address unless the list has it; true if it is new. `first`: before
 * all others; in a full list it takes the place of the last one. */
bool dialer_add(struct dialer *d, const struct address *address, bool first);
/* Forgets all addresses. */
void dialer_clear(struct dialer *d);
/* Begins a first round at `at`, unless a try is due earlier. */
void dialer_start(struct dialer *d, struct instant at);
/* A link to the peer is open: no more tries until dialer_start or _failed. */
void dialer_stop(struct dialer *d);
/* That link carries traffic: the pauses begin with the shortest again. */
void dialer_succeeded(struct dialer *d);
/* That link failed: the next try is after 5 s, doubling to 5 min. */
void dialer_failed(struct dialer *d, struct instant now);
/* The address to try now, or NULL. `spread` (0 to 999) varies the pauses. */
const struct address *dialer_due(struct dialer *d, struct instant now,
                                 uint64_t spread);
/* Moves the next try to `at`. */
void dialer_put_off(struct dialer *d, struct instant at);
struct instant dialer_deadline(const struct dialer *d);

#endif
