/*
 * relay_url - the URL that says where a relay is and which key it must have.
 *
 *     tcp://HOST:PORT?key=KEY     CurveZMQ
 *     wss://HOST[:PORT]/?key=KEY  the same inside a WebSocket over TLS; 443
 *     ws://HOST[:PORT]/?key=KEY   ... without TLS; 80
 *
 * HOST is a name, an IPv4 address, or an IPv6 address in brackets. KEY is the
 * relay's X25519 public key, as 64 hexadecimal digits or 40 characters of Z85
 * in which the characters that are special in URLs are percent-encoded.
 */
#ifndef COMMON_CONF_RELAY_URL_H
#define COMMON_CONF_RELAY_URL_H

#include "common/base/assert.h"
#include "common/conf/endpoint.h"
#include "common/wire/ids.h"

enum relay_transport { TRANSPORT_TCP, TRANSPORT_WS, TRANSPORT_WSS };

enum { RELAY_URL_SIZE = 400 };

struct relay_url {
    enum relay_transport transport;
    char host[ENDPOINT_HOST_SIZE]; /* an address without brackets */
    uint16_t port;
    struct curve_key key;
};

/* "tcp", "ws", "wss". */
const char *relay_transport_name(enum relay_transport transport);

/* Returns NULL, or what is wrong as the end of a sentence ("wants a port after
 * the host"). */
const char *relay_url_parse(const char *text, struct relay_url *url) MUST_USE;

/* Writes the URL with the key in hexadecimal: the same relay always gives the
 * same text. Returns `text`. */
const char *relay_url_print(const struct relay_url *url,
                            char text[RELAY_URL_SIZE]);

/* Writes "HOST:PORT", with brackets around an IPv6 address. Returns `text`. */
const char *relay_url_authority(const struct relay_url *url,
                                char text[RELAY_URL_SIZE]);

bool relay_url_equal(const struct relay_url *a, const struct relay_url *b);

#endif
