/*
 * proxy_header - parses the header by which a load balancer tells, before all
 * other bytes, whose connection it passes on: the PROXY protocol, versions 1
 * (text) and 2 (binary) [P-13.2] (haproxy.org, proxy-protocol.txt).
 *
 * Anybody can send such a header, so the caller believes only those that come
 * from a load balancer's address.
 */
#ifndef COMMON_WIRE_PROXY_HEADER_H
#define COMMON_WIRE_PROXY_HEADER_H

#include "common/base/address.h"
#include "common/base/bytes.h"

enum {
    PROXY_1_SIZE = 107,  /* the longest of version 1 */
    PROXY_2_SIZE = 2048, /* a longer one of version 2 is refused */
    PROXY_1_PREFIX = 6,  /* "PROXY " */
    PROXY_2_PREFIX = 12, /* the signature */
};

struct proxy_header {
    size_t size; /* the connection's own bytes begin behind it */
    /* False: the header names nobody (a health check of the load balancer, or
     * a connection that is not TCP over IP), and both addresses are
     * ADDRESS_NONE. The addresses of the socket count then. */
    bool named;
    struct address source;      /* the client */
    struct address destination; /* where it connected to */
};

enum proxy_result {
    PROXY_MORE, /* more bytes are needed; never beyond the sizes above */
    PROXY_DONE,
    PROXY_MALFORMED, /* the connection must be closed */
};

/* Reads the header at the start of `in`; fills `*h` on PROXY_DONE. */
enum proxy_result proxy_header_read(struct bytes in,
                                    struct proxy_header *h) MUST_USE;

/* Whether `in` begins with such a header: only its prefix is looked at, and
 * PROXY_MALFORMED means that it is something else. */
enum proxy_result proxy_header_begins(struct bytes in) MUST_USE;

#endif
