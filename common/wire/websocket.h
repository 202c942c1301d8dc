/*
 * websocket - the server's side of the WebSocket framing: reads and writes
 * frames [RFC 6455, 5 to 8].
 *
 * A connection has messages of one kind, text or binary; one of the other kind
 * is an error. After an error the reader
 * tells the code to close the connection with, and reads nothing more, as after
 * CLOSE.
 */
#ifndef COMMON_WIRE_WEBSOCKET_H
#define COMMON_WIRE_WEBSOCKET_H

#include "common/base/utf8.h"
#include "common/wire/websocket_frame.h"

enum {
    WEBSOCKET_HEAD_SIZE = 10, /* the largest head of a frame to write */
    WEBSOCKET_KEY_SIZE = 24,  /* of the Sec-WebSocket-Key value */
};

enum websocket_code {
    WEBSOCKET_NORMAL = 1000,
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_PROTOCOL = 1002,
    WEBSOCKET_UNACCEPTABLE = 1003,
    WEBSOCKET_NO_UTF8 = 1007,
    WEBSOCKET_POLICY = 1008,
    WEBSOCKET_TOO_LARGE = 1009,
};

struct websocket_reader {
    struct websocket_frame frame;
    enum websocket_opcode messages;
    size_t message_limit;
    bool over;
    uint64_t offset; /* bytes of the payload that were read */
    uint64_t message_size;
    struct utf8_check utf8;
    uint8_t control[WEBSOCKET_CONTROL];
    size_t control_size;
};

struct websocket_item {
    /* PIECE: part of a message; PINGED, PONGED: the payload */
    struct bytes data;
    bool last;       /* PIECE: the last one of its message */
    int code;        /* CLOSED: the client's code, else 1000; WRONG: ours */
    const char *why; /* WRONG: what is wrong, for a log */
};

enum websocket_kind {
    WEBSOCKET_MORE, /* all bytes were read */
    WEBSOCKET_PIECE,
    WEBSOCKET_PINGED,
    WEBSOCKET_PONGED,
    WEBSOCKET_CLOSED,
    WEBSOCKET_WRONG,
};

/* A reader of `messages`, WEBSOCKET_TEXT or WEBSOCKET_BINARY, that refuses
 * those larger than `message_limit` bytes. */
void websocket_reader_init(struct websocket_reader *r,
                           enum websocket_opcode messages,
                           size_t message_limit);

/* Reads the next item from `*at` on, and moves `*at` behind it. Unmasks
 * payloads in place. Call it until it returns MORE. */
enum websocket_kind websocket_read(struct websocket_reader *r, uint8_t **at,
                                   uint8_t *end,
                                   struct websocket_item *item) MUST_USE;

/* Writes the head of a frame; returns its size. The payload follows as it is.
 */
size_t websocket_head(uint8_t buffer[WEBSOCKET_HEAD_SIZE],
                      enum websocket_opcode opcode, bool last, size_t size);

/* Copies `size` bytes and masks or unmasks them; the first one is the payload's
 * first. `to` may be `from`. */
void websocket_mask(uint8_t *to, const uint8_t *from, size_t size,
                    const uint8_t mask[WEBSOCKET_MASK_SIZE]);

/* True if a Sec-WebSocket-Key value is 16 bytes in base64. */
bool websocket_key_valid(struct bytes key) MUST_USE;

#endif
