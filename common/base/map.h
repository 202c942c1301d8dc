/*
 * map - a hash table from keys of one fixed size to pointers.
 *
 * Open addressing. The owner gives a random hash key, so that peers that choose
 * the map's keys cannot provoke collisions: keys of up to 8 bytes are hashed by
 * one multiplication with that key, longer keys by SipHash. The map owns its
 * table, never the values. Only map_put allocates, when the table grows.
 */
#ifndef COMMON_BASE_MAP_H
#define COMMON_BASE_MAP_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot;

struct map {
    struct map_slot *slots;
    uint8_t *keys;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    size_t graves; /* removed entries that still occupy a slot */
    size_t key_size;
    uint8_t hash_key[16];
};

/* An empty map, which has allocated nothing yet. `hash_key` is copied. */
void map_init(struct map *m, size_t key_size, const uint8_t hash_key[16]);
/* Frees the table. The values belong to the owner and are not freed. */
void map_close(struct map *m);
/* The key's value, or NULL if the map does not have the key. */
void *map_get(const struct map *m, const void *key);
/* Sets the key's value, which must not be NULL. Returns the value that it
 * replaces, or NULL. */
void *map_put(struct map *m, const void *key, void *value);
/* Removes the key. Returns its value, or NULL if there was none. */
void *map_remove(struct map *m, const void *key);
/*
 * Walks the map in no particular order: the caller sets *cursor = 0 before the
 * first call; NULL marks the end. During the walk the caller may remove the
 * entry that was returned last, and may put nothing.
 */
void *map_next(const struct map *m, size_t *cursor);

#endif
