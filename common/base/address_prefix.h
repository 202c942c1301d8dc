/*
 * address_prefix - a network of IP addresses: those that begin with the same
 * bits.
 */
#ifndef COMMON_BASE_ADDRESS_PREFIX_H
#define COMMON_BASE_ADDRESS_PREFIX_H

#include "common/base/address.h"

#include <stddef.h>

struct address_prefix {
    struct address network; /* the bits behind the prefix are 0 */
    unsigned bits;
};

/* Reads "192.0.2.0/24", "2001:db8::/32", or one address. False for all else,
 * and if a bit behind the prefix is set: a mistake there would name a much
 * larger network than was meant. */
bool address_prefix_parse(const char *text, struct address_prefix *p) MUST_USE;
/* A v4 address inside a v6 one counts as v4. */
bool address_prefix_has(const struct address_prefix *p,
                        const struct address *a);
/* True if one of the prefixes has it. */
bool address_prefixes_have(const struct address_prefix *p, size_t count,
                           const struct address *a);

#endif
