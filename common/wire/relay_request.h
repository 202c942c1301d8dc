/*
 * relay_request - what an HTTP request asks of a relay [P-14.2], and from whom
 * it comes [P-13.3].
 */
#ifndef COMMON_WIRE_RELAY_REQUEST_H
#define COMMON_WIRE_RELAY_REQUEST_H

#include "common/base/address_prefix.h"
#include "common/wire/http_head.h"

#define RELAY_SUBPROTOCOL "zeroservices"

enum relay_asks {
    ASKS_LINK,        /* a WebSocket for CurveZMQ; its key is valid */
    ASKS_PAGE,        /* the page for a browser */
    ASKS_HEALTH,      /* /healthz */
    ASKS_NOTHING,     /* 404 */
    ASKS_NEW_VERSION, /* 426: a WebSocket of another version than 13 */
    ASKS_BADLY,       /* 400: a WebSocket without a valid key */
};

/* `h` was read by http_head_read. Who asks for a WebSocket without the
 * subprotocol gets the page, as a browser does. */
enum relay_asks relay_request_asks(const struct http_head *h) MUST_USE;

enum relay_from {
    FROM_SENDER,    /* no load balancer named a client */
    FROM_CLIENT,    /* the request comes from `*client` */
    FROM_MALFORMED, /* what should name the client is no address */
};

/* For a request that came from one of `proxies`: reads X-Forwarded-For. The
 * client is the last address there that is no proxy; if all are, the first. */
enum relay_from relay_request_from(const struct http_head *h,
                                   const struct address_prefix *proxies,
                                   size_t count,
                                   struct address *client) MUST_USE;

#endif
