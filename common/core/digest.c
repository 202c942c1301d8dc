#include "common/core/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>

_Static_assert(DIGEST_SIZE == crypto_hash_sha256_BYTES, "the same function");

void digest_init(struct digest *d)
{
    /* Our host is not to find an error of ours among its own. */
    ERR_set_mark();
    d->context = EVP_MD_CTX_new();
    if (d->context != NULL &&
        EVP_DigestInit_ex2(d->context, EVP_sha256(), NULL) != 1)
        digest_close(d);
    ERR_pop_to_mark();
}

void digest_close(struct digest *d)
{
    EVP_MD_CTX_free(d->context);
    d->context = NULL;
}

void digest_of(struct digest *d, struct bytes bytes, uint8_t out[DIGEST_SIZE])
{
    unsigned size = DIGEST_SIZE;

    if (d->context == NULL) {
        crypto_hash_sha256(out, bytes.data, bytes.size);
        return;
    }
    /* It has its algorithm since digest_init, and cannot fail any more. */
    ASSERT(EVP_DigestInit_ex2(d->context, NULL, NULL) == 1);
    ASSERT(EVP_DigestUpdate(d->context, bytes.data, bytes.size) == 1);
    ASSERT(EVP_DigestFinal_ex(d->context, out, &size) == 1 &&
           size == DIGEST_SIZE);
}
