#include "common/conf/relay_key.h"

#include "common/conf/keyfile.h"

#include <sodium.h>

bool relay_key_load(const char *path, struct curve_pair *pair, FILE *errors)
{
    struct keyfile k;
    uint8_t secret[32], said[32];

    if (!keyfile_open(&k, path, "relay", KEYFILE_SECRET, errors))
        return false;
    keyfile_hex(&k, "key", secret, sizeof(secret));
    curve_pair_generate(pair, secret);
    sodium_memzero(secret, sizeof(secret));
    if (keyfile_has(&k, "public") &&
        keyfile_hex(&k, "public", said, sizeof(said)) &&
        memcmp(said, pair->public_key, sizeof(said)) != 0)
        keyfile_wrong(&k, "public", "`public` does not match the key");
    if (keyfile_close(&k, errors))
        return true;
    sodium_memzero(pair, sizeof(*pair));
    return false;
}

bool relay_key_create(const char *path, struct curve_pair *pair, FILE *errors)
{
    struct keytext text = {0};
    uint8_t secret[32];
    bool done;

    randombytes_buf(secret, sizeof(secret));
    curve_pair_generate(pair, secret);
    sodium_memzero(secret, sizeof(secret));
    keytext_add(&text, "# A ZeroServices relay's key. Keep it secret: the "
                       "public half is in the relay's URL.\n"
                       "kind: relay\nversion: 2\n");
    keytext_hex(&text, "public", pair->public_key, 32);
    keytext_hex(&text, "key", pair->secret_key, 32);
    keytext_sum(&text);
    done = keyfile_write(path, &text, 0600, KEYFILE_NEW, errors);
    keytext_close(&text);
    return done;
}
