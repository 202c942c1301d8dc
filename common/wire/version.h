/*
 * version - which protocol two ends speak with each other [P-1.3].
 *
 * Each handshake says a version; an end speaks its own and the one before. What
 * has to stay as it is in all versions, so that two that have none in common
 * can tell each other so, stands in the rule.
 */
#ifndef COMMON_WIRE_VERSION_H
#define COMMON_WIRE_VERSION_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PROTOCOL_VERSION = 2,
    PROTOCOL_BEFORE = PROTOCOL_VERSION - 1,
};

/* What an end of version `own` speaks with one that says `theirs`; 0: nothing,
 * it is refused for its version. */
static inline uint8_t version_agreed(uint8_t own, uint8_t theirs)
{
    uint8_t older = own < theirs ? own : theirs;
    uint8_t newer = own < theirs ? theirs : own;

    return newer - older <= 1 ? older : 0;
}

/* A handshake that says a later version may have more at its end, which is
 * passed over. */
static inline bool version_is_later(uint8_t version)
{
    return version > PROTOCOL_VERSION;
}

#endif
