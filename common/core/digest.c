#include "common/core/digest.h"

/* OpenSSL 3 deprecates these functions; their successors EVP_Digest... allocate
 * memory for each digest. */
#define OPENSSL_API_COMPAT 10100
#include <openssl/sha.h>

_Static_assert(DIGEST_SIZE == SHA256_DIGEST_LENGTH, "the same function");
_Static_assert(DIGEST_SHA1_SIZE == SHA_DIGEST_LENGTH, "the same function");

void digest_of(struct bytes bytes, uint8_t out[DIGEST_SIZE])
{
    SHA256_CTX state;

    /* These functions always return 1. */
    (void)SHA256_Init(&state);
    (void)SHA256_Update(&state, bytes.data, bytes.size);
    (void)SHA256_Final(out, &state);
}

void digest_sha1(struct bytes bytes, uint8_t out[DIGEST_SHA1_SIZE])
{
    SHA_CTX state;

    (void)SHA1_Init(&state);
    (void)SHA1_Update(&state, bytes.data, bytes.size);
    (void)SHA1_Final(out, &state);
}
