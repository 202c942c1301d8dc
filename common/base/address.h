/*
 * address - an IP address and port as plain data, without sockets.
 */
#ifndef COMMON_BASE_ADDRESS_H
#define COMMON_BASE_ADDRESS_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stdint.h>

enum address_family { ADDRESS_NONE = 0, ADDRESS_V4 = 4, ADDRESS_V6 = 6 };

struct address {
    enum address_family family;
    uint8_t ip[16]; /* the first 4 for v4, the rest zero; network order */
    uint16_t port;
    uint32_t scope; /* the interface's index for link-local v6, else 0 */
};

enum { ADDRESS_TEXT_SIZE = 80, ADDRESS_KEY_SIZE = 1 + 16 + 4 };

bool address_equal(const struct address *a, const struct address *b);
/* The same host, whatever the port. */
bool address_same_ip(const struct address *a, const struct address *b);
/* What counts as one client where addresses are counted: an IPv4 address, or
 * the /64 of an IPv6 address, of which one host may take any. Without a port.
 */
struct address address_network(const struct address *a);
/* The address, without its port, as the key of a map. */
void address_key(const struct address *a, uint8_t key[static ADDRESS_KEY_SIZE]);
bool address_same_network(const struct address *a, const struct address *b);
/* "192.0.2.1:443", "[2001:db8::1]:443", "[fe80::1%3]:443"; "-" for none. */
const char *address_format(const struct address *a,
                           char text[ADDRESS_TEXT_SIZE]);
/* Without the port: "192.0.2.1", "2001:db8::1", "fe80::1%3". */
const char *address_format_ip(const struct address *a,
                              char text[ADDRESS_TEXT_SIZE]);
/* The forms of address_format; numbers only, no names. False if it is none. */
bool address_parse(const char *text, struct address *a) MUST_USE;
bool address_is_loopback(const struct address *a);
bool address_is_link_local(const struct address *a);
/* A candidate nobody can connect to: none, unspecified, multicast, port 0. */
bool address_is_usable(const struct address *a);

#endif
