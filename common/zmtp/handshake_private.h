/*
 * handshake_private - the layout of the commands, and the nonces of their
 * boxes, for both sides of the handshake.
 */
#ifndef COMMON_ZMTP_HANDSHAKE_PRIVATE_H
#define COMMON_ZMTP_HANDSHAKE_PRIVATE_H

#include "common/zmtp/handshake.h"

#include <sodium.h>

enum {
    NONCE = crypto_box_NONCEBYTES,
    TAG = crypto_box_MACBYTES,
    LONG_NONCE = 16, /* the random part of a nonce of a long-term key */

    HELLO_VERSION = 6,
    HELLO_PADDING = 8,
    HELLO_PADDING_SIZE = 72,
    HELLO_CLIENT = 80,
    HELLO_NONCE = 112,
    HELLO_BOX = 120,
    HELLO_TEXT = 64,

    WELCOME_NONCE = 8,
    WELCOME_BOX = 24,
    WELCOME_TEXT = 32 + COOKIE_SIZE, /* S' and the cookie */

    COOKIE_TEXT = 64, /* C' and s' */

    INITIATE_COOKIE = 9,
    INITIATE_NONCE = 105,
    INITIATE_BOX = 113,
    /* In the box: C, the vouch's nonce and box, the metadata. */
    VOUCH_NONCE = 32,
    VOUCH_BOX = 48,
    VOUCH_TEXT = 64, /* C' and S */
    INITIATE_METADATA = 128,

    READY_NONCE = 6,
    READY_BOX = 14,
};

/* A nonce of 16 letters and a number in network byte order. */
static inline void short_nonce(uint8_t nonce[NONCE], const char *prefix,
                               const uint8_t number[8])
{
    memcpy(nonce, prefix, 16);
    memcpy(nonce + 16, number, 8);
}

/* A nonce of 8 letters and 16 random bytes. */
static inline void long_nonce(uint8_t nonce[NONCE], const char *prefix,
                              const uint8_t random[LONG_NONCE])
{
    memcpy(nonce, prefix, 8);
    memcpy(nonce + 8, random, LONG_NONCE);
}

#endif
