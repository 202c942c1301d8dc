/*
 * salsa20 - the key stream of Salsa20, XORed onto bytes; for large packets on
 * processors with AVX-512 in half of libsodium's time.
 */
#ifndef COMMON_ZMTP_SALSA20_H
#define COMMON_ZMTP_SALSA20_H

#include "common/base/bytes.h"

enum { SALSA20_KEY = 32, SALSA20_NONCE = 8, SALSA20_BLOCK = 64 };

/* Encrypts or decrypts `size` bytes, from the stream's block number `block` on.
 * `to` may be `from`; they must not overlap otherwise. `wide`: the caller knows
 * that the processor has AVX-512F; on other architectures than x86-64 it is
 * ignored. */
void salsa20_xor(bool wide, uint8_t *to, const uint8_t *from, size_t size,
                 const uint8_t nonce[static SALSA20_NONCE], uint64_t block,
                 const uint8_t key[static SALSA20_KEY]);

#endif
