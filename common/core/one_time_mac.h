/*
 * one_time_mac - Poly1305 (RFC 8439) by OpenSSL, for large messages.
 *
 * libsodium has the same function, crypto_onetimeauth. OpenSSL's takes longer
 * to begin and less for each byte: it is faster from ONE_TIME_MAC_LARGE bytes
 * on. It works in a state that is made once and used for one message after the
 * other, so a message allocates nothing. Each thread needs a state of its own.
 */
#ifndef COMMON_CORE_ONE_TIME_MAC_H
#define COMMON_CORE_ONE_TIME_MAC_H

#include "common/base/bytes.h"

enum {
    ONE_TIME_MAC_KEY = 32, /* bytes */
    ONE_TIME_MAC_TAG = 16,
    /* From this many bytes on OpenSSL is faster than libsodium. */
    ONE_TIME_MAC_LARGE = 256,
};

struct one_time_mac;

/* NULL if OpenSSL's configuration excludes Poly1305, or if there is no memory:
 * the caller then uses libsodium. OpenSSL reads its configuration file now,
 * unless the program made it do so before. */
struct one_time_mac *one_time_mac_new(void);
/* NULL-safe. */
void one_time_mac_free(struct one_time_mac **self);

/* Writes the tag of `text` under `key`, which must never be used for another
 * text. False: OpenSSL refused, and the tag is undefined. */
bool one_time_mac_make(struct one_time_mac *m,
                       const uint8_t key[ONE_TIME_MAC_KEY], struct bytes text,
                       uint8_t tag[ONE_TIME_MAC_TAG]) MUST_USE;

#endif
