/*
 * websocket - the frames of a WebSocket as its server reads and writes them
 * [RFC 6455, 5 to 8].
 *
 * Text messages only. What a client must not send is told with the code to
 * close with; nothing is read after that, nor after a CLOSE.
 */
#ifndef COMMON_WIRE_WEBSOCKET_H
#define COMMON_WIRE_WEBSOCKET_H

#include "common/base/bytes.h"

enum {
    WEBSOCKET_HEAD_SIZE = 10, /* of a frame that is written, at the most */
    WEBSOCKET_CONTROL = 125,
    WEBSOCKET_KEY_SIZE = 24, /* of Sec-WebSocket-Key */
};

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
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

struct utf8_check {    /* zeroed: at the begin of a character */
    uint8_t need;      /* bytes of a character that are still to come */
    uint8_t low, high; /* of the next of them */
};

/* False if the bytes cannot go on as UTF-8. */
bool utf8_check(struct utf8_check *u, struct bytes bytes) MUST_USE;

struct websocket_reader {
    size_t message_limit;
    uint8_t head[14];
    size_t head_size;
    bool in_frame; /* the head is whole, its payload comes */
    bool in_message;
    bool over;
    uint64_t left; /* of the payload */
    uint64_t offset;
    uint64_t message_size;
    struct utf8_check utf8;
    uint8_t control[WEBSOCKET_CONTROL];
    size_t control_size;
};

struct websocket_item {
    struct bytes data; /* of TEXT: a piece; of PING, PONG: the payload */
    bool last;         /* TEXT: the message's last piece */
    int code;          /* to close with: of CLOSED as it came, or 1000 */
    const char *why;   /* of WRONG */
};

enum websocket_kind {
    WEBSOCKET_MORE, /* all was read */
    WEBSOCKET_PIECE,
    WEBSOCKET_PINGED,
    WEBSOCKET_PONGED,
    WEBSOCKET_CLOSED,
    WEBSOCKET_WRONG,
};

void websocket_reader_init(struct websocket_reader *r, size_t message_limit);

/* The next item of what begins at `*at`, which moves on; payloads are unmasked
 * where they lie. To be called until there is no MORE. */
enum websocket_kind websocket_read(struct websocket_reader *r, uint8_t **at,
                                   uint8_t *end,
                                   struct websocket_item *item) MUST_USE;

/* Writes the head of a frame; returns its size. */
size_t websocket_head(uint8_t room[WEBSOCKET_HEAD_SIZE],
                      enum websocket_opcode opcode, bool last, size_t size);

/* True if the value of Sec-WebSocket-Key is 16 bytes in base64. */
bool websocket_key_valid(struct bytes key) MUST_USE;

#endif
