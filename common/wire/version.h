/*
 * version - which version of the protocol two ends use with each other [P-1.3].
 *
 * Each handshake states a version. A program speaks PROTOCOL_VERSION and the
 * one before. [P-1.4] lists what all versions share, so that two ends without a
 * common version can tell each other so.
 */
#ifndef COMMON_WIRE_VERSION_H
#define COMMON_WIRE_VERSION_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PROTOCOL_VERSION = 2,
    PROTOCOL_BEFORE = PROTOCOL_VERSION - 1,
};

/* The version that an end of version `own` uses with one that states `theirs`;
 * 0: they have none in common, and the handshake is refused. */
static inline uint8_t version_agreed(uint8_t own, uint8_t theirs)
{
    uint8_t older = own < theirs ? own : theirs;
    uint8_t newer = own < theirs ? theirs : own;

    return newer - older <= 1 ? older : 0;
}

/* True if a handshake states a later version: it may then have more bytes at
 * its end, which the decoder skips. */
static inline bool version_is_later(uint8_t version)
{
    return version > PROTOCOL_VERSION;
}

#endif
