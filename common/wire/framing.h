/*
 * framing - packets on a stream of bytes: each follows its length, a u32
 * [P-11.8].
 *
 * The reader takes the stream in pieces of any size, as they come, and keeps
 * nothing of them but an unfinished length.
 */
#ifndef COMMON_WIRE_FRAMING_H
#define COMMON_WIRE_FRAMING_H

#include "common/base/bytes.h"

enum { FRAMING_HEADER_SIZE = 4 };

/* A zeroed one stands before the first packet. */
struct framing {
    uint8_t header[FRAMING_HEADER_SIZE];
    uint8_t have;  /* bytes of the header */
    uint32_t left; /* bytes of the packet that have not come, if `within` */
    bool within;
};

/* The next bytes of a packet, a view into the input; none if it is empty. */
struct framing_piece {
    struct bytes bytes;
    size_t size; /* of the packet; told with the first piece, else 0 */
    bool first, last;
};

enum framing_step {
    FRAMING_EMPTY, /* the whole input was read */
    FRAMING_PIECE,
    FRAMING_TOO_LARGE, /* the packet that begins is larger than `most`; nothing
                          can be read any more */
};

void framing_header(uint8_t header[static FRAMING_HEADER_SIZE], size_t size);
/* Reads from the front of `input`, which becomes what is left of it. */
enum framing_step framing_next(struct framing *f, struct bytes *input,
                               size_t most,
                               struct framing_piece *piece) MUST_USE;

#endif
