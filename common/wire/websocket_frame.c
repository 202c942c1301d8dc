#include "common/wire/websocket_frame.h"

enum { FIN = 0x80, RESERVED = 0x70, MASKED = 0x80, LENGTH = 0x7f };

uint8_t websocket_frame_opcode(const struct websocket_frame *h)
{
    return h->bytes[0] & 0xf;
}

bool websocket_frame_is_control(const struct websocket_frame *h)
{
    return websocket_frame_opcode(h) >= WEBSOCKET_CLOSE;
}

bool websocket_frame_is_last(const struct websocket_frame *h)
{
    return (h->bytes[0] & FIN) != 0;
}

const uint8_t *websocket_frame_mask(const struct websocket_frame *h)
{
    return h->bytes + h->size - WEBSOCKET_MASK_SIZE;
}

/* The bytes of the length that follow the first two. */
static size_t extended_size(const struct websocket_frame *h)
{
    size_t length = h->bytes[1] & LENGTH;

    return length == 127 ? 8 : length == 126 ? 2 : 0;
}

/* The size of the head, as far as the bytes read so far tell it. */
static size_t wanted(const struct websocket_frame *h)
{
    if (h->size < 2)
        return 2;
    return 2 + extended_size(h) + (h->masked ? WEBSOCKET_MASK_SIZE : 0);
}

static const char *check_control(const struct websocket_frame *h)
{
    if (!websocket_frame_is_last(h))
        return "a fragmented control frame";
    return (h->bytes[1] & LENGTH) > WEBSOCKET_CONTROL
               ? "a control frame of more than 125 bytes"
               : NULL;
}

static const char *check_opcode(const struct websocket_frame *h)
{
    switch (websocket_frame_opcode(h)) {
    case WEBSOCKET_CONTINUATION:
        return h->in_message ? NULL : "a continuation without a message";
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY:
        return h->in_message ? "a message within a message" : NULL;
    case WEBSOCKET_CLOSE:
    case WEBSOCKET_PING:
    case WEBSOCKET_PONG:
        return check_control(h);
    default:
        return "an unknown opcode";
    }
}

/* Checks the first two bytes. */
static const char *check_start(const struct websocket_frame *h)
{
    bool masked = (h->bytes[1] & MASKED) != 0;

    if (h->bytes[0] & RESERVED)
        return "reserved bits are set";
    if (masked != h->masked)
        return masked ? "a server's frames must not be masked"
                      : "a client's frames must be masked";
    return check_opcode(h);
}

/* False: it is not in its shortest form, or has the highest bit set. */
static bool read_length(struct websocket_frame *h)
{
    size_t size = extended_size(h);

    h->left = size == 0 ? h->bytes[1] & LENGTH : 0;
    for (size_t i = 0; i < size; i++)
        h->left = h->left << 8 | h->bytes[2 + i];
    if (size == 0)
        return true;
    return h->left >= (size == 2 ? 126 : 65536) && h->left >> 63 == 0;
}

const char *websocket_frame_read(struct websocket_frame *h, struct bytes *from)
{
    const char *why;

    while (h->size < wanted(h)) {
        if (from->size == 0)
            return NULL;
        h->bytes[h->size++] = *from->data++;
        from->size--;
        if (h->size == 2 && (why = check_start(h)) != NULL)
            return why;
    }
    if (!read_length(h))
        return "a length that is not in its shortest form";
    h->complete = true;
    if (!websocket_frame_is_control(h))
        h->in_message = !websocket_frame_is_last(h);
    return NULL;
}

void websocket_frame_end(struct websocket_frame *h)
{
    h->complete = false;
    h->size = 0;
}
