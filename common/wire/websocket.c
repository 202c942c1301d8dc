#include "common/wire/websocket.h"

enum { FIN = 0x80 };

void websocket_reader_init(struct websocket_reader *r,
                           enum websocket_opcode messages, size_t message_limit)
{
    *r = (struct websocket_reader){.frame = {.masked = true},
                                   .messages = messages,
                                   .message_limit = message_limit};
}

/* ---- A frame's head */

static enum websocket_kind wrong(struct websocket_reader *r,
                                 struct websocket_item *item,
                                 enum websocket_code code, const char *why)
{
    r->over = true;
    item->code = (int)code;
    item->why = why;
    return WEBSOCKET_WRONG;
}

/* The head is complete. MORE: the payload may follow. */
static enum websocket_kind begin_frame(struct websocket_reader *r,
                                       struct websocket_item *item)
{
    uint8_t opcode = websocket_frame_opcode(&r->frame);

    r->offset = 0;
    r->control_size = 0;
    if (websocket_frame_is_control(&r->frame))
        return WEBSOCKET_MORE;
    if (opcode != WEBSOCKET_CONTINUATION && opcode != r->messages)
        return wrong(r, item, WEBSOCKET_UNACCEPTABLE,
                     r->messages == WEBSOCKET_TEXT ? "text messages only"
                                                   : "binary messages only");
    r->message_size += r->frame.left;
    if (r->message_size > r->message_limit)
        return wrong(r, item, WEBSOCKET_TOO_LARGE,
                     "longer than limits.message allows");
    return WEBSOCKET_MORE;
}

static enum websocket_kind read_head(struct websocket_reader *r, uint8_t **at,
                                     uint8_t *end, struct websocket_item *item)
{
    struct bytes from = bytes_of(*at, (size_t)(end - *at));
    const char *why = websocket_frame_read(&r->frame, &from);

    *at = end - from.size;
    if (why != NULL)
        return wrong(r, item, WEBSOCKET_PROTOCOL, why);
    return r->frame.complete ? begin_frame(r, item) : WEBSOCKET_MORE;
}

/* ---- Its payload */

static uint64_t load(const uint8_t *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

/* By 8 bytes at once, which compilers make wider still: large messages cost
 * little more than a copy. */
void websocket_mask(uint8_t *to, const uint8_t *from, size_t size,
                    const uint8_t mask[WEBSOCKET_MASK_SIZE])
{
    uint8_t twice[2 * WEBSOCKET_MASK_SIZE];
    size_t i = 0;

    memcpy(twice, mask, WEBSOCKET_MASK_SIZE);
    memcpy(twice + WEBSOCKET_MASK_SIZE, mask, WEBSOCKET_MASK_SIZE);
    for (; size - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t word = load(from + i) ^ load(twice);
        memcpy(to + i, &word, sizeof word);
    }
    for (; i < size; i++)
        to[i] = from[i] ^ mask[i & 3];
}

/* The frame's bytes from `offset` on. */
static void apply_mask(const uint8_t mask[WEBSOCKET_MASK_SIZE], uint64_t offset,
                       uint8_t *data, size_t size)
{
    uint8_t turned[WEBSOCKET_MASK_SIZE];

    for (size_t n = 0; n < sizeof turned; n++)
        turned[n] = mask[(offset + n) & 3];
    websocket_mask(data, data, size, turned);
}

static struct bytes unmask(struct websocket_reader *r, uint8_t **at,
                           const uint8_t *end)
{
    const uint8_t *mask = websocket_frame_mask(&r->frame);
    uint8_t *data = *at;
    size_t size = (size_t)(end - data);

    if (size > r->frame.left)
        size = (size_t)r->frame.left;
    apply_mask(mask, r->offset, data, size);
    r->offset += size;
    r->frame.left -= size;
    *at += size;
    return bytes_of(data, size);
}

static bool code_is_valid(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static enum websocket_kind read_close(struct websocket_reader *r,
                                      struct websocket_item *item)
{
    struct utf8_check utf8 = {0};
    const uint8_t *data = r->control;

    item->code = WEBSOCKET_NORMAL;
    if (r->control_size > 0) {
        if (r->control_size == 1)
            return wrong(r, item, WEBSOCKET_PROTOCOL,
                         "a close code of one byte");
        item->code = data[0] << 8 | data[1];
        if (!code_is_valid(item->code))
            return wrong(r, item, WEBSOCKET_PROTOCOL, "an invalid close code");
        if (!utf8_check(&utf8, bytes_of(data + 2, r->control_size - 2)) ||
            utf8.need > 0)
            return wrong(r, item, WEBSOCKET_NO_UTF8,
                         "a reason that is not UTF-8");
    }
    r->over = true;
    return WEBSOCKET_CLOSED;
}

static enum websocket_kind read_control(struct websocket_reader *r,
                                        uint8_t **at, const uint8_t *end,
                                        struct websocket_item *item)
{
    struct bytes piece = unmask(r, at, end);

    if (piece.size > 0)
        memcpy(r->control + r->control_size, piece.data, piece.size);
    r->control_size += piece.size;
    if (r->frame.left > 0)
        return WEBSOCKET_MORE;
    uint8_t opcode = websocket_frame_opcode(&r->frame);
    websocket_frame_end(&r->frame);
    item->data = bytes_of(r->control, r->control_size);
    if (opcode == WEBSOCKET_CLOSE)
        return read_close(r, item);
    return opcode == WEBSOCKET_PING ? WEBSOCKET_PINGED : WEBSOCKET_PONGED;
}

/* False if the piece, or the text that ends with it, is not UTF-8. */
static bool text_goes_on(struct websocket_reader *r,
                         const struct websocket_item *item)
{
    return utf8_check(&r->utf8, item->data) &&
           !(item->last && r->utf8.need > 0);
}

static enum websocket_kind read_message(struct websocket_reader *r,
                                        uint8_t **at, const uint8_t *end,
                                        struct websocket_item *item)
{
    item->data = unmask(r, at, end);
    item->last = r->frame.left == 0 && websocket_frame_is_last(&r->frame);
    if (r->messages == WEBSOCKET_TEXT && !text_goes_on(r, item))
        return wrong(r, item, WEBSOCKET_NO_UTF8, "a text that is not UTF-8");
    if (r->frame.left == 0)
        websocket_frame_end(&r->frame);
    if (item->last)
        r->message_size = 0;
    return item->last || item->data.size > 0 ? WEBSOCKET_PIECE : WEBSOCKET_MORE;
}

enum websocket_kind websocket_read(struct websocket_reader *r, uint8_t **at,
                                   uint8_t *end, struct websocket_item *item)
{
    enum websocket_kind kind = WEBSOCKET_MORE;

    while (!r->over && kind == WEBSOCKET_MORE) {
        if (!r->frame.complete)
            kind = read_head(r, at, end, item);
        else if (websocket_frame_is_control(&r->frame))
            kind = read_control(r, at, end, item);
        else
            kind = read_message(r, at, end, item);
        /* True for an empty payload, of which no byte will come. */
        bool empty = r->frame.complete && r->frame.left == 0;
        if (*at == end && !empty)
            break;
    }
    return kind;
}

/* ---- Writing */

size_t websocket_head(uint8_t buffer[WEBSOCKET_HEAD_SIZE],
                      enum websocket_opcode opcode, bool last, size_t size)
{
    buffer[0] = (uint8_t)((last ? FIN : 0) | (unsigned)opcode);
    if (size < 126) {
        buffer[1] = (uint8_t)size;
        return 2;
    }
    size_t extended = size < 65536 ? 2 : 8;
    buffer[1] = extended == 2 ? 126 : 127;
    for (size_t i = 0; i < extended; i++)
        buffer[2 + i] =
            (uint8_t)((uint64_t)size >> (8 * (extended - 1 - i)) & 0xff);
    return 2 + extended;
}

bool websocket_key_valid(struct bytes key)
{
    if (key.size != WEBSOCKET_KEY_SIZE || key.data[22] != '=' ||
        key.data[23] != '=')
        return false;
    for (size_t i = 0; i < 22; i++) {
        uint8_t c = key.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              (c >= '0' && c <= '9') || c == '+' || c == '/'))
            return false;
    }
    return true;
}
