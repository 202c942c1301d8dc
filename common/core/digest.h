/*
 * digest - SHA-256 (FIPS 180-4) of packets, so that a signature covers 32 bytes
 * and not the whole packet [P-9.3]; and SHA-1 where an old protocol wants it.
 *
 * OpenSSL computes it, because it uses the processor's SHA instructions: 64 KiB
 * take 60 us, against 100 us of libsodium's BLAKE2b. Allocates nothing.
 */
#ifndef COMMON_CORE_DIGEST_H
#define COMMON_CORE_DIGEST_H

#include "common/base/bytes.h"

enum { DIGEST_SIZE = 32, DIGEST_SHA1_SIZE = 20 };

void digest_of(struct bytes bytes, uint8_t out[DIGEST_SIZE]);
/* Protects nothing: SHA-1 is broken. WebSocket asks for it. */
void digest_sha1(struct bytes bytes, uint8_t out[DIGEST_SHA1_SIZE]);

#endif
