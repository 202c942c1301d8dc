#include "common/wire/websocket_client.h"

enum { FIN = 0x80, RESERVED = 0x70, MASKED = 0x80 };

static bool is_control(uint8_t opcode)
{
    return opcode >= WEBSOCKET_CLOSE;
}

static uint8_t opcode_of(const struct websocket_client *w)
{
    return w->head[0] & 0xf;
}

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

static size_t head_wanted(const struct websocket_client *w)
{
    if (w->head_size < 2)
        return 2;
    return w->head[1] == 127 ? 10 : w->head[1] == 126 ? 4 : 2;
}

static const char *check_opcode(const struct websocket_client *w)
{
    uint8_t opcode = opcode_of(w);

    switch (opcode) {
    case WEBSOCKET_CONTINUATION:
        return w->in_message ? NULL : "a continuation without a message";
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY:
        return w->in_message ? "a message within a message" : NULL;
    case WEBSOCKET_CLOSE:
    case WEBSOCKET_PING:
    case WEBSOCKET_PONG:
        return NULL;
    default:
        return "an unknown opcode";
    }
}

/* Checks the first two bytes of the head. */
static const char *check_start(const struct websocket_client *w)
{
    const char *why = check_opcode(w);

    if (why != NULL)
        return why;
    if (w->head[0] & RESERVED)
        return "reserved bits are set";
    if (w->head[1] & MASKED)
        return "a server's frames must not be masked";
    if (!is_control(opcode_of(w)))
        return NULL;
    if (!(w->head[0] & FIN))
        return "a fragmented control frame";
    return w->head[1] > WEBSOCKET_CONTROL
               ? "a control frame of more than 125 bytes"
               : NULL;
}

/* False: it is not in its shortest form, or has the highest bit set. */
static bool read_length(const struct websocket_client *w, uint64_t *length)
{
    size_t size = head_wanted(w) - 2;

    *length = size == 0 ? w->head[1] : 0;
    for (size_t i = 0; i < size; i++)
        *length = *length << 8 | w->head[2 + i];
    if (size == 0)
        return true;
    return *length >= (size == 2 ? 126 : 65536) && *length >> 63 == 0;
}

/* The head is complete. MORE: the payload may follow. */
static enum websocket_kind begin_frame(struct websocket_client *w,
                                       struct websocket_item *item)
{
    if (!read_length(w, &w->left))
        return wrong(w, item, WEBSOCKET_PROTOCOL,
                     "a length that is not in its shortest form");
    if (opcode_of(w) == WEBSOCKET_TEXT)
        return wrong(w, item, WEBSOCKET_UNACCEPTABLE, "binary messages only");
    w->in_frame = true;
    w->control_size = 0;
    if (!is_control(opcode_of(w)))
        w->in_message = (w->head[0] & FIN) == 0;
    return WEBSOCKET_MORE;
}

static enum websocket_kind read_head(struct websocket_client *w,
                                     const uint8_t **at, const uint8_t *end,
                                     struct websocket_item *item)
{
    const char *why;

    while (w->head_size < head_wanted(w)) {
        if (*at == end)
            return WEBSOCKET_MORE;
        w->head[w->head_size++] = *(*at)++;
        if (w->head_size == 2 && (why = check_start(w)) != NULL)
            return wrong(w, item, WEBSOCKET_PROTOCOL, why);
    }
    return begin_frame(w, item);
}

/* ---- Its payload */

static struct bytes take(struct websocket_client *w, const uint8_t **at,
                         const uint8_t *end)
{
    size_t size = (size_t)(end - *at);

    if (size > w->left)
        size = (size_t)w->left;
    struct bytes piece = bytes_of(*at, size);
    *at += size;
    w->left -= size;
    if (w->left == 0) {
        w->in_frame = false;
        w->head_size = 0;
    }
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
    if (w->left > 0)
        return WEBSOCKET_MORE;
    item->data = bytes_of(w->control, w->control_size);
    if (opcode_of(w) == WEBSOCKET_CLOSE)
        return read_close(w, item);
    return opcode_of(w) == WEBSOCKET_PING ? WEBSOCKET_PINGED : WEBSOCKET_PONGED;
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
        if (!w->in_frame)
            kind = read_head(w, at, end, item);
        else if (is_control(opcode_of(w)))
            kind = read_control(w, at, end, item);
        else if ((item->data = take(w, at, end)).size > 0)
            kind = WEBSOCKET_PIECE;
        empty = w->in_frame && w->left == 0;
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
