/*
 * http_upgrade - reads the answer to the request for a WebSocket [RFC 6455,
 * 4.1; P-14.6].
 *
 * The parser is strict: a yes needs all that the RFC wants and the subprotocol.
 * Every other answer says what is probably between us and the relay.
 */
#ifndef COMMON_WIRE_HTTP_UPGRADE_H
#define COMMON_WIRE_HTTP_UPGRADE_H

#include "common/base/bytes.h"

enum { HTTP_UPGRADE_SIZE = 8 * 1024 }; /* a longer head is refused */

enum http_upgrade {
    HTTP_UPGRADE_MORE, /* the end of the head is missing */
    HTTP_UPGRADE_YES,
    /* A redirect to another host, status 511, or a page in place of the relay:
     * somebody wants a login first. */
    HTTP_UPGRADE_PORTAL,
    HTTP_UPGRADE_NO, /* any other answer, and what is no answer */
};

/* What was asked. */
struct http_upgrade_asked {
    const char *host;     /* a redirect to it is no portal's */
    const char *accept;   /* the value that Sec-WebSocket-Accept must have */
    const char *protocol; /* and Sec-WebSocket-Protocol */
};

/* Reads the head at the start of `in`. Except after MORE `*status` is the
 * answer's, 0 if there is none; after YES `*size` is the size of the head:
 * frames follow. */
enum http_upgrade http_upgrade_read(struct bytes in,
                                    const struct http_upgrade_asked *asked,
                                    size_t *size, int *status) MUST_USE;

#endif
