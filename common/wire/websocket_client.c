#include "common/wire/websocket_client.h"

enum { MASKED = 0x80 };

static enum websocket_kind wrong(struct websocket_client *w,
                                 struct websocket_item *item,
                                 enum websocket_code code, const char *why)
{
    w->over = true;
    item->code = (int)code;
    item->why = why;
    return WEBSOCKET_WRONG;
}

/* ---- A frame's head */

static enum websocket_kind read_head(struct websocket_client *w,
                                     const uint8_t **at, const uint8_t *end,
                                     struct websocket_item *item)
{
    struct bytes from = bytes_of(*at, (size_t)(end - *at));
    const char *why = websocket_frame_read(&w->frame, &from);

    *at = end - from.size;
    if (why != NULL)
        return wrong(w, item, WEBSOCKET_PROTOCOL, why);
    if (w->frame.complete &&
        websocket_frame_opcode(&w->frame) == WEBSOCKET_TEXT)
        return wrong(w, item, WEBSOCKET_UNACCEPTABLE, "binary messages only");
    w->control_size = 0;
    return WEBSOCKET_MORE;
}

/* ---- Its payload */

static struct bytes take(struct websocket_client *w, const uint8_t **at,
                         const uint8_t *end)
{
    size_t size = (size_t)(end - *at);

    if (size > w->frame.left)
        size = (size_t)w->frame.left;
    struct bytes piece = bytes_of(*at, size);
    *at += size;
    w->frame.left -= size;
    if (w->frame.left == 0)
        websocket_frame_end(&w->frame);
    return piece;
}

static enum websocket_kind read_close(struct websocket_client *w,
                                      struct websocket_item *item)
{
    const uint8_t *data = w->control;

    if (w->control_size == 1)
        return wrong(w, item, WEBSOCKET_PROTOCOL, "a close code of one byte");
    item->code =
        w->control_size == 0 ? WEBSOCKET_NORMAL : data[0] << 8 | data[1];
    w->over = true;
    return WEBSOCKET_CLOSED;
}

static enum websocket_kind read_control(struct websocket_client *w,
                                        const uint8_t **at, const uint8_t *end,
                                        struct websocket_item *item)
{
    struct bytes piece = take(w, at, end);

    if (piece.size > 0)
        memcpy(w->control + w->control_size, piece.data, piece.size);
    w->control_size += piece.size;
    if (w->frame.left > 0)
        return WEBSOCKET_MORE;
    item->data = bytes_of(w->control, w->control_size);
    if (websocket_frame_opcode(&w->frame) == WEBSOCKET_CLOSE)
        return read_close(w, item);
    return websocket_frame_opcode(&w->frame) == WEBSOCKET_PING
               ? WEBSOCKET_PINGED
               : WEBSOCKET_PONGED;
}

enum websocket_kind websocket_client_read(struct websocket_client *w,
                                          const uint8_t **at,
                                          const uint8_t *end,
                                          struct websocket_item *item)
{
    enum websocket_kind kind = WEBSOCKET_MORE;
    bool empty; /* the payload, of which no byte will come */

    if (w->over)
        return WEBSOCKET_MORE;
    do {
        if (!w->frame.complete)
            kind = read_head(w, at, end, item);
        else if (websocket_frame_is_control(&w->frame))
            kind = read_control(w, at, end, item);
        else if ((item->data = take(w, at, end)).size > 0)
            kind = WEBSOCKET_PIECE;
        empty = w->frame.complete && w->frame.left == 0;
    } while (kind == WEBSOCKET_MORE && (*at != end || empty));
    return kind;
}

/* ---- Writing */

size_t websocket_client_head(uint8_t buffer[WEBSOCKET_CLIENT_HEAD_SIZE],
                             enum websocket_opcode opcode, size_t size,
                             const uint8_t mask[WEBSOCKET_MASK_SIZE])
{
    size_t used = websocket_head(buffer, opcode, true, size);

    buffer[1] |= MASKED;
    memcpy(buffer + used, mask, WEBSOCKET_MASK_SIZE);
    return used + WEBSOCKET_MASK_SIZE;
}
