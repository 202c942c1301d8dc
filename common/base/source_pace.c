#include "common/base/source_pace.h"

#include <sodium.h>
#include <string.h>

_Static_assert(SOURCE_PACE_KEY_SIZE == crypto_shorthash_KEYBYTES,
               "the key is one of SipHash");

void source_pace_init(struct source_pace *s, struct span each, int64_t burst,
                      const uint8_t key[static SOURCE_PACE_KEY_SIZE])
{
    *s = (struct source_pace){.each = each, .burst = burst};
    memcpy(s->key, key, sizeof s->key);
}

bool source_pace_takes(struct source_pace *s, const struct address *source,
                       struct instant now)
{
    struct address network = address_network(source);
    uint8_t name[ADDRESS_KEY_SIZE];
    uint64_t hash;

    address_key(&network, name);
    (void)crypto_shorthash((uint8_t *)&hash, name, sizeof name, s->key);
    return token_bucket_takes(&s->places[hash % SOURCE_PACE_PLACES], now,
                              s->each, s->burst);
}
