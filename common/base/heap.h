/*
 * heap - deadlines in order: a binary heap of timers embedded in their owners.
 *
 * Arming, moving and disarming cost O(log n), the next deadline O(1).
 */
#ifndef COMMON_BASE_HEAP_H
#define COMMON_BASE_HEAP_H

#include "common/base/instant.h"

#include <stddef.h>

struct timer {
    struct instant at;
    size_t place; /* 1-based in the heap; 0: not armed. Zero-init is unarmed. */
    void *owner;
};

struct heap {
    struct timer **timers;
    size_t count;
    size_t capacity;
};

/* A zeroed heap is empty and ready. Frees the array, not the timers. */
void heap_close(struct heap *h);
/* Arms the timer or moves it; INSTANT_NEVER disarms it. */
void heap_set(struct heap *h, struct timer *t, struct instant at);
void heap_remove(struct heap *h, struct timer *t);
/* INSTANT_NEVER when empty. */
struct instant heap_deadline(const struct heap *h);
/* Takes the earliest timer if it is due, else NULL. */
struct timer *heap_due(struct heap *h, struct instant now);

#endif
