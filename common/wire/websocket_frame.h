/*
 * websocket_frame - the heads of the WebSocket frames that come on a
 * connection, to either end [RFC 6455, 5.2 and 5.4].
 */
#ifndef COMMON_WIRE_WEBSOCKET_FRAME_H
#define COMMON_WIRE_WEBSOCKET_FRAME_H

#include "common/base/bytes.h"

enum {
    WEBSOCKET_HEAD_MOST = 14, /* the largest head of a frame, with its mask */
    WEBSOCKET_CONTROL = 125,
    WEBSOCKET_MASK_SIZE = 4,
};

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
};

/* A zeroed one is ready for a server's frames. */
struct websocket_frame {
    bool masked; /* all frames must be: they are a client's; else none may */
    uint8_t bytes[WEBSOCKET_HEAD_MOST];
    size_t size;
    bool complete;   /* the payload follows, until websocket_frame_end */
    bool in_message; /* the last data frame does not end its message */
    uint64_t left;   /* the payload's size; the owner counts it down */
};

/* Takes bytes from the front of `from` until the head is complete or `from` is
 * empty. Returns NULL, or what is wrong with the head, for a log. */
const char *websocket_frame_read(struct websocket_frame *h,
                                 struct bytes *from) MUST_USE;
/* The payload was read: another head follows. */
void websocket_frame_end(struct websocket_frame *h);

/* Of a head of which two bytes or more were read. */
uint8_t websocket_frame_opcode(const struct websocket_frame *h);
bool websocket_frame_is_control(const struct websocket_frame *h);
/* Its message ends with this frame. */
bool websocket_frame_is_last(const struct websocket_frame *h);
/* Of a complete head, if `masked`: WEBSOCKET_MASK_SIZE bytes. */
const uint8_t *websocket_frame_mask(const struct websocket_frame *h);

#endif
