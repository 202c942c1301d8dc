/*
 * websocket_client - the client's side of the WebSocket framing, for a
 * connection in which where a message ends means nothing [RFC 6455, P-14.2].
 *
 * Binary messages of any length; a text message is an error. After an error the
 * reader tells the code to close the connection with, and reads nothing more,
 * as after CLOSED.
 */
#ifndef COMMON_WIRE_WEBSOCKET_CLIENT_H
#define COMMON_WIRE_WEBSOCKET_CLIENT_H

#include "common/wire/websocket.h"

enum {
    /* The largest head of a frame that a client writes. */
    WEBSOCKET_CLIENT_HEAD_SIZE = WEBSOCKET_HEAD_SIZE + WEBSOCKET_MASK_SIZE,
};

/* A zeroed reader is ready. */
struct websocket_client {
    struct websocket_frame frame;
    bool over;
    uint8_t control[WEBSOCKET_CONTROL];
    size_t control_size;
};

/*
 * Reads the next item from `*at` on, and moves `*at` behind it. Call it until
 * it returns MORE. The data of PIECE is a view into the bytes that were read
 * and never empty; that of PINGED and PONGED one into the reader. `last` is not
 * set.
 */
enum websocket_kind websocket_client_read(struct websocket_client *w,
                                          const uint8_t **at,
                                          const uint8_t *end,
                                          struct websocket_item *item) MUST_USE;

/* Writes the head of a frame that is a whole message, with its mask; returns
 * its size. The payload follows, masked. */
size_t websocket_client_head(uint8_t buffer[WEBSOCKET_CLIENT_HEAD_SIZE],
                             enum websocket_opcode opcode, size_t size,
                             const uint8_t mask[WEBSOCKET_MASK_SIZE]);

#endif
