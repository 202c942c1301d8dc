/*
 * endpoint - parses "HOST:PORT" in configuration files and options.
 */
#ifndef COMMON_CONF_ENDPOINT_H
#define COMMON_CONF_ENDPOINT_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stdint.h>

enum { ENDPOINT_HOST_SIZE = 254 };

struct endpoint {
    /* A name, an address without brackets, or "*" for all addresses. */
    char host[ENDPOINT_HOST_SIZE];
    uint16_t port;
};

enum endpoint_form {
    ENDPOINT_CONNECT = 0, /* a name or an address, port 1 to 65535 */
    ENDPOINT_LISTEN = 1,  /* also "*:443" and ":443" (host "*"), and port 0 */
    ENDPOINT_HOST = 2,    /* as CONNECT, or only a host: then the port is 0 */
};

/*
 * Parses "192.0.2.1:443", "[2001:db8::1]:443" or "relay.example.org:443".
 * Returns NULL, or what is wrong as the end of a sentence ("wants HOST:PORT").
 */
const char *endpoint_parse(const char *text, enum endpoint_form form,
                           struct endpoint *endpoint) MUST_USE;

#endif
