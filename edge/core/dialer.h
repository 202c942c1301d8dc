/*
 * dialer - which of a peer's addresses to try next, and when [P-8.4].
 *
 * A round tries each address once, a little apart; a round without success is
 * followed by the next after 5 s, 30 s, then every 5 min. The address the peer
 * was heard from goes first.
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
    int rounds;        /* ended without success */
    struct instant at; /* of the next try; NEVER: none wanted */
};

void dialer_init(struct dialer *d);
/* Adds an address (first: before all others) unless it is there; true if it
 * is new. Without room the last one makes way for a first. */
bool dialer_add(struct dialer *d, const struct address *address, bool first);
/* Forgets all addresses. */
void dialer_clear(struct dialer *d);
/* Begins a first round at `at`, unless a try is due before. */
void dialer_start(struct dialer *d, struct instant at);
/* There is a link: no more tries until dialer_start or _failed. */
void dialer_stop(struct dialer *d);
/* The link is good for something. */
void dialer_succeeded(struct dialer *d);
/* It was not: again after 5 s, doubling to 5 min. */
void dialer_failed(struct dialer *d, struct instant now);
/* The address to try now, or NULL. `spread` (0 to 999) varies the pauses. */
const struct address *dialer_due(struct dialer *d, struct instant now,
                                 uint64_t spread);
/* The next try is at `at`. */
void dialer_put_off(struct dialer *d, struct instant at);
struct instant dialer_deadline(const struct dialer *d);

#endif
