/*
 * address - an IP address and a port as plain data, without sockets.
 *
 * A struct address is copied by assignment. No function here allocates memory
 * or asks the system.
 */
#ifndef COMMON_BASE_ADDRESS_H
#define COMMON_BASE_ADDRESS_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stdint.h>

enum address_family { ADDRESS_NONE = 0, ADDRESS_V4 = 4, ADDRESS_V6 = 6 };

struct address {
    enum address_family family;
    uint8_t ip[16]; /* v4 uses the first 4, the rest is 0; network order */
    uint16_t port;
    uint32_t scope; /* link-local v6: the interface's index; else 0 */
};

enum { ADDRESS_TEXT_SIZE = 80, ADDRESS_KEY_SIZE = 1 + 16 + 4 };

/* True if both have the same IP address, scope and port. */
bool address_equal(const struct address *a, const struct address *b);
/* True if both are the same IP address; the ports may differ. */
bool address_same_ip(const struct address *a, const struct address *b);
/* Turns a v4-mapped v6 address (::ffff:192.0.2.1), as v6 sockets give, into the
 * v4 address; leaves others as they are. */
struct address address_plain(const struct address *a);
/* The network that counts as one client where a limit is per client: an IPv4
 * address itself, or the /64 of an IPv6 address, because one host can take any
 * address of its /64. The result has port 0. */
struct address address_network(const struct address *a);
/* Writes the IP address and scope, without the port, as a key for a map. */
void address_key(const struct address *a, uint8_t key[static ADDRESS_KEY_SIZE]);
/* True if both count as one client: see address_network. */
bool address_same_network(const struct address *a, const struct address *b);
/* Writes "192.0.2.1:443", "[2001:db8::1]:443" or "[fe80::1%3]:443" into `text`,
 * or "-" for ADDRESS_NONE. Returns `text`. */
const char *address_format(const struct address *a,
                           char text[ADDRESS_TEXT_SIZE]);
/* The same without the port: "192.0.2.1", "2001:db8::1", "fe80::1%3". */
const char *address_format_ip(const struct address *a,
                              char text[ADDRESS_TEXT_SIZE]);
/* Reads the forms that address_format writes; host names are refused. On false,
 * `*a` is ADDRESS_NONE. */
bool address_parse(const char *text, struct address *a) MUST_USE;
/* From an IP address in text, without brackets, and a port. */
bool address_of_ip(const char *ip, uint16_t port, struct address *a) MUST_USE;
/* A v4 address inside a v6 one (::ffff:127.0.0.1) counts as v4 here and in the
 * next two. */
bool address_is_loopback(const struct address *a);
bool address_is_link_local(const struct address *a);
/* False if nobody can connect to the address: ADDRESS_NONE, unspecified,
 * multicast, or port 0. */
bool address_is_usable(const struct address *a);

#endif
