/*
 * metadata - the properties that both ends of a ZMTP connection tell each other
 * at the end of the handshake [RFC 37] [P-12.8].
 */
#ifndef COMMON_ZMTP_METADATA_H
#define COMMON_ZMTP_METADATA_H

#include "common/base/bytes.h"
#include "common/zmtp/failure.h"

enum {
    METADATA_SIZE = 1024,     /* more of another end's is refused */
    METADATA_WRITE_SIZE = 35, /* the most that metadata_write writes */
};

/* Our socket: a server is a ROUTER and a client a DEALER. */
enum metadata_socket { METADATA_ROUTER, METADATA_DEALER };

/* Writes Socket-Type and an empty Identity; returns their size. */
size_t metadata_write(uint8_t out[METADATA_WRITE_SIZE],
                      enum metadata_socket socket);
/* ZMTP_BAD_METADATA, or ZMTP_BAD_SOCKET_TYPE if the other end's type is missing
 * or does not talk to `socket`. Unknown properties are ignored. */
enum zmtp_failure metadata_check(struct bytes metadata,
                                 enum metadata_socket socket) MUST_USE;

#endif
