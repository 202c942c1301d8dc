#include "common/base/map.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Tables of this size and more do not come from the memory reserve. */
enum { FIRST_CAPACITY = 16, LARGE_SIZE = 64 * 1024 };

/* A slot whose value is NULL was never used: a search ends there. A slot whose
 * value is &grave held an entry that was removed: a search passes over it. So
 * removing moves no entry, and map_next can go on after a removal. */
struct map_slot {
    uint64_t hash;
    void *value;
};

static char grave;

static bool is_live(const struct map_slot *slot)
{
    return slot->value != NULL && slot->value != &grave;
}

static uint64_t rotated(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotated(v[1], 13) ^ v[0];
    v[0] = rotated(v[0], 32);
    v[2] += v[3];
    v[3] = rotated(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotated(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotated(v[1], 17) ^ v[2];
    v[2] = rotated(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

static uint64_t word_at(const uint8_t *p, size_t size)
{
    uint64_t word = 0;

    memcpy(&word, p, size);
    return word;
}

/* SipHash-2-4 with words in the host's order: the hash stays in the process. */
static uint64_t hash_long(uint64_t k0, uint64_t k1, const uint8_t *at,
                          size_t size)
{
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
                     k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
    size_t left = size;

    for (; left >= 8; at += 8, left -= 8)
        sip_word(v, word_at(at, 8));
    sip_word(v, word_at(at, left) | (uint64_t)size << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* One multiplication, high and low half combined: several lookups by number
 * happen for each packet, so it must be fast. */
static uint64_t hash_number(uint64_t k0, uint64_t k1, uint64_t number)
{
    __extension__ typedef unsigned __int128 twice;
    twice product = (twice)(number ^ k0) * ((k1 ^ 0x9e3779b97f4a7c15) | 1);

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_of(const struct map *m, const void *key)
{
    uint64_t k0 = word_at(m->hash_key, 8);
    uint64_t k1 = word_at(m->hash_key + 8, 8);

    if (m->key_size <= 8)
        return hash_number(k0, k1, word_at(key, m->key_size));
    return hash_long(k0, k1, key, m->key_size);
}

void map_init(struct map *m, size_t key_size, const uint8_t hash_key[16])
{
    ASSERT(key_size > 0);
    memset(m, 0, sizeof(*m));
    m->key_size = key_size;
    memcpy(m->hash_key, hash_key, sizeof(m->hash_key));
}

void map_close(struct map *m)
{
    free(m->slots);
    free(m->keys);
    m->slots = NULL;
    m->keys = NULL;
    m->capacity = m->count = m->graves = 0;
}

static uint8_t *key_at(const struct map *m, size_t place)
{
    return m->keys + place * m->key_size;
}

/* The key's slot, or NULL if the map does not have the key. */
static struct map_slot *find(const struct map *m, const void *key)
{
    uint64_t hash;

    if (m->count == 0)
        return NULL;
    hash = hash_of(m, key);
    for (size_t i = hash & (m->capacity - 1);;
         i = (i + 1) & (m->capacity - 1)) {
        struct map_slot *slot = &m->slots[i];

        if (slot->value == NULL)
            return NULL;
        if (slot->value != &grave && slot->hash == hash &&
            memcmp(key_at(m, i), key, m->key_size) == 0)
            return slot;
    }
}

void *map_get(const struct map *m, const void *key)
{
    struct map_slot *slot = find(m, key);

    return slot == NULL ? NULL : slot->value;
}

/* Adds a key that is not in the map, to a table that has a free slot. */
static void insert(struct map *m, uint64_t hash, const void *key, void *value)
{
    size_t i = hash & (m->capacity - 1);

    while (is_live(&m->slots[i]))
        i = (i + 1) & (m->capacity - 1);
    if (m->slots[i].value == &grave)
        m->graves--;
    m->slots[i] = (struct map_slot){hash, value};
    memcpy(key_at(m, i), key, m->key_size);
    m->count++;
}

static void *table_new(size_t count, size_t size)
{
    void *table;

    if (count * size <= LARGE_SIZE)
        return memory_array(count, size);
    table = memory_try(NULL, count, size);
    if (table != NULL)
        memset(table, 0, count * size);
    return table;
}

/* Moves all entries into a table with free slots, without the graves. If there
 * is no memory for a large table, the old table stays, a quarter of which is
 * free; its owner ends soon after [memory_is_sound]. */
static void rebuild(struct map *m)
{
    struct map old = *m;

    if (m->capacity == 0)
        m->capacity = FIRST_CAPACITY;
    while (m->capacity < 2 * (m->count + 1))
        m->capacity *= 2;
    m->count = m->graves = 0;
    m->slots = table_new(m->capacity, sizeof(*m->slots));
    m->keys = table_new(m->capacity, m->key_size);
    if (m->slots == NULL || m->keys == NULL) {
        free(m->slots);
        free(m->keys);
        *m = old;
        ASSERT(m->count + m->graves + 1 < m->capacity);
        return;
    }
    for (size_t i = 0; i < old.capacity; i++)
        if (is_live(&old.slots[i]))
            insert(m, old.slots[i].hash, key_at(&old, i), old.slots[i].value);
    map_close(&old);
}

void *map_put(struct map *m, const void *key, void *value)
{
    struct map_slot *slot = find(m, key);

    ASSERT(value != NULL);
    if (slot != NULL) {
        void *was = slot->value;

        slot->value = value;
        return was;
    }
    /* Beyond three quarters in use, searches become long. */
    if (4 * (m->count + m->graves + 1) > 3 * m->capacity)
        rebuild(m);
    insert(m, hash_of(m, key), key, value);
    return NULL;
}

void *map_remove(struct map *m, const void *key)
{
    struct map_slot *slot = find(m, key);
    void *was;

    if (slot == NULL)
        return NULL;
    was = slot->value;
    slot->value = &grave;
    m->count--;
    m->graves++;
    return was;
}

void *map_next(const struct map *m, size_t *cursor)
{
    while (*cursor < m->capacity) {
        struct map_slot *slot = &m->slots[(*cursor)++];

        if (is_live(slot))
            return slot->value;
    }
    return NULL;
}
