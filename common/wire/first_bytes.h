/*
 * first_bytes - tells by the first bytes of a connection which protocol the
 * other end speaks, where one port serves several [P-13.1].
 *
 * The caller need not wait for more than FIRST_BYTES_MOST bytes, and a decision
 * needs no byte that a client sends only after an answer: libzmq sends 10 bytes
 * and then waits for ours [RFC 37].
 */
#ifndef COMMON_WIRE_FIRST_BYTES_H
#define COMMON_WIRE_FIRST_BYTES_H

#include "common/base/bytes.h"

enum first_protocol {
    FIRST_MORE,  /* more bytes are needed, and all so far fit some protocol */
    FIRST_ZMTP,  /* the signature of ZMTP 2 and later */
    FIRST_TLS,   /* a ClientHello in a record of its own [RFC 8446] */
    FIRST_HTTP,  /* a request's method and a space [RFC 9112] */
    FIRST_PROXY, /* a header of the PROXY protocol: see proxy_header.h */
    FIRST_UNKNOWN,
};

enum { FIRST_BYTES_MOST = 17 };

enum first_protocol first_bytes_tell(struct bytes in) MUST_USE;

#endif
