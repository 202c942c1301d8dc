/*
 * digest - SHA-256 of what is signed as a whole [P-9.3].
 *
 * By OpenSSL, which uses the processor's instructions for it: half the time of
 * libsodium's BLAKE2b where there are any. One is made once and used for many
 * packets; a use allocates nothing.
 */
#ifndef COMMON_CORE_DIGEST_H
#define COMMON_CORE_DIGEST_H

#include "common/base/bytes.h"

enum { DIGEST_SIZE = 32 };

struct digest {
    /* Allocated. NULL where OpenSSL's configuration leaves SHA-256 out, or
     * memory is short: libsodium computes it then. */
    struct evp_md_ctx_st *context;
};

/* To be closed. A zeroed one works too, more slowly. */
void digest_init(struct digest *d);
void digest_close(struct digest *d);
void digest_of(struct digest *d, struct bytes bytes, uint8_t out[DIGEST_SIZE]);

#endif
