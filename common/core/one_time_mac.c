#include "common/core/one_time_mac.h"

#include "common/base/memory.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

_Static_assert(ONE_TIME_MAC_KEY == crypto_onetimeauth_KEYBYTES, "");
_Static_assert(ONE_TIME_MAC_TAG == crypto_onetimeauth_BYTES, "");

struct one_time_mac {
    EVP_MAC_CTX *state;
};

static EVP_MAC_CTX *state_new(void)
{
    EVP_MAC *type = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    EVP_MAC_CTX *state = type != NULL ? EVP_MAC_CTX_new(type) : NULL;

    EVP_MAC_free(type);
    return state;
}

struct one_time_mac *one_time_mac_new(void)
{
    struct one_time_mac *m = memory_new(sizeof *m);

    /* The thread may belong to a program that uses OpenSSL itself: its error
     * queue must not get errors of ours. */
    ERR_set_mark();
    m->state = state_new();
    ERR_pop_to_mark();
    if (m->state == NULL)
        one_time_mac_free(&m);
    return m;
}

void one_time_mac_free(struct one_time_mac **self)
{
    struct one_time_mac *m = *self;

    if (m == NULL)
        return;
    *self = NULL;
    EVP_MAC_CTX_free(m->state);
    free(m);
}

bool one_time_mac_make(struct one_time_mac *m,
                       const uint8_t key[ONE_TIME_MAC_KEY], struct bytes text,
                       uint8_t tag[ONE_TIME_MAC_TAG])
{
    size_t size = 0;

    return EVP_MAC_init(m->state, key, ONE_TIME_MAC_KEY, NULL) == 1 &&
           EVP_MAC_update(m->state, text.data, text.size) == 1 &&
           EVP_MAC_final(m->state, tag, &size, ONE_TIME_MAC_TAG) == 1 &&
           size == ONE_TIME_MAC_TAG;
}
