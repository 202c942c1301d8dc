/*
 * map - a hash table from keys of one fixed size to pointers.
 *
 * Open addressing, SipHash with a key of the owner's, so that whoever chooses
 * the keys cannot choose the collisions; keys of up to 8 bytes, mostly numbers
 * that we gave, have a quicker hash with that key. The map owns its table,
 * never the values. Nothing allocates but map_put when it grows.
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
    size_t graves; /* removed entries that still take a slot */
    size_t key_size;
    uint8_t hash_key[16];
};

void map_init(struct map *m, size_t key_size, const uint8_t hash_key[16]);
/* Frees the table; the values stay the owner's. */
void map_close(struct map *m);
/* The value, or NULL. */
void *map_get(const struct map *m, const void *key);
/* Sets a key's value (never NULL); returns the one it replaced or NULL. */
void *map_put(struct map *m, const void *key, void *value);
/* Removes the key; returns its value or NULL. */
void *map_remove(struct map *m, const void *key);
/*
 * Walks the map: start with *cursor = 0; NULL at the end. The entry last
 * returned may be removed meanwhile, nothing may be put.
 */
void *map_next(const struct map *m, size_t *cursor);

#endif
