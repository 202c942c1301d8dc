/*
 * digest - SHA-256 (FIPS 180-4) of what is signed as a whole [P-9.3].
 *
 * By OpenSSL, which has it from the processor where it can: 64 KiB take 60 us
 * then, of libsodium's BLAKE2b 100. Allocates nothing.
 */
#ifndef COMMON_CORE_DIGEST_H
#define COMMON_CORE_DIGEST_H

#include "common/base/bytes.h"

enum { DIGEST_SIZE = 32 };

void digest_of(struct bytes bytes, uint8_t out[DIGEST_SIZE]);

#endif
