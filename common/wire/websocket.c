#include "common/wire/websocket.h"

enum { FIN = 0x80, RESERVED = 0x70, MASKED = 0x80 };

void websocket_reader_init(struct websocket_reader *r,
                           enum websocket_opcode messages, size_t message_limit)
{
    *r = (struct websocket_reader){.messages = messages,
                                   .message_limit = message_limit};
}

/* ---- A frame's head */

static bool is_control(uint8_t opcode)
{
    return opcode >= WEBSOCKET_CLOSE;
}

static bool begins_message(uint8_t opcode)
{
    return opcode == WEBSOCKET_TEXT || opcode == WEBSOCKET_BINARY;
}

static uint8_t opcode_of(const struct websocket_reader *r)
{
    return r->head[0] & 0xf;
}

static enum websocket_kind wrong(struct websocket_reader *r,
                                 struct websocket_item *item,
                                 enum websocket_code code, const char *why)
{
    r->over = true;
    item->code = (int)code;
    item->why = why;
    return WEBSOCKET_WRONG;
}

/* The size of the head, as far as the bytes read so far tell it. */
static size_t head_wanted(const struct websocket_reader *r)
{
    if (r->head_size < 2)
        return 2;
    size_t length = r->head[1] & 0x7f;
    size_t extended = length == 127 ? 8 : length == 126 ? 2 : 0;
    return 2 + extended + 4;
}

/* Checks the first two bytes of the head. */
static const char *check_start(const struct websocket_reader *r)
{
    uint8_t opcode = opcode_of(r);
    bool last = (r->head[0] & FIN) != 0;

    if (r->head[0] & RESERVED)
        return "reserved bits are set";
    if ((opcode > WEBSOCKET_BINARY && opcode < WEBSOCKET_CLOSE) ||
        opcode > WEBSOCKET_PONG)
        return "an unknown opcode";
    if (!(r->head[1] & MASKED))
        return "a client's frames must be masked";
    if (is_control(opcode) && !last)
        return "a fragmented control frame";
    if (is_control(opcode) && (r->head[1] & 0x7f) > WEBSOCKET_CONTROL)
        return "a control frame of more than 125 bytes";
    if (opcode == WEBSOCKET_CONTINUATION && !r->in_message)
        return "a continuation without a message";
    if (begins_message(opcode) && r->in_message)
        return "a message within a message";
    return NULL;
}

static uint64_t length_of(const struct websocket_reader *r, bool *shortest)
{
    size_t size = head_wanted(r) - 6;
    uint64_t length = 0;

    *shortest = true;
    if (size == 0)
        return r->head[1] & 0x7f;
    for (size_t i = 0; i < size; i++)
        length = length << 8 | r->head[2 + i];
    *shortest = length >= (size == 2 ? 126 : 65536) && length >> 63 == 0;
    return length;
}

/* The head is complete: checks it. MORE: the payload may follow. */
static enum websocket_kind begin_frame(struct websocket_reader *r,
                                       struct websocket_item *item)
{
    bool shortest;

    r->left = length_of(r, &shortest);
    r->offset = 0;
    if (!shortest)
        return wrong(r, item, WEBSOCKET_PROTOCOL,
                     "a length that is not in its shortest form");
    if (begins_message(opcode_of(r)) && opcode_of(r) != r->messages)
        return wrong(r, item, WEBSOCKET_UNACCEPTABLE,
                     r->messages == WEBSOCKET_TEXT ? "text messages only"
                                                   : "binary messages only");
    r->in_frame = true;
    r->control_size = 0;
    if (is_control(opcode_of(r)))
        return WEBSOCKET_MORE;
    r->message_size += r->left;
    if (r->message_size > r->message_limit)
        return wrong(r, item, WEBSOCKET_TOO_LARGE,
                     "longer than limits.message allows");
    r->in_message = true;
    return WEBSOCKET_MORE;
}

static enum websocket_kind read_head(struct websocket_reader *r, uint8_t **at,
                                     uint8_t *end, struct websocket_item *item)
{
    const char *why;

    while (r->head_size < head_wanted(r)) {
        if (*at == end)
            return WEBSOCKET_MORE;
        r->head[r->head_size++] = *(*at)++;
        if (r->head_size == 2 && (why = check_start(r)) != NULL)
            return wrong(r, item, WEBSOCKET_PROTOCOL, why);
    }
    return begin_frame(r, item);
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
    const uint8_t *mask = r->head + r->head_size - 4;
    uint8_t *data = *at;
    size_t size = (size_t)(end - data);

    if (size > r->left)
        size = (size_t)r->left;
    apply_mask(mask, r->offset, data, size);
    r->offset += size;
    r->left -= size;
    *at += size;
    return bytes_of(data, size);
}

static void end_frame(struct websocket_reader *r)
{
    r->in_frame = false;
    r->head_size = 0;
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
    if (r->left > 0)
        return WEBSOCKET_MORE;
    uint8_t opcode = opcode_of(r);
    end_frame(r);
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
    item->last = r->left == 0 && (r->head[0] & FIN) != 0;
    if (r->messages == WEBSOCKET_TEXT && !text_goes_on(r, item))
        return wrong(r, item, WEBSOCKET_NO_UTF8, "a text that is not UTF-8");
    if (r->left == 0)
        end_frame(r);
    if (item->last) {
        r->in_message = false;
        r->message_size = 0;
    }
    return item->last || item->data.size > 0 ? WEBSOCKET_PIECE : WEBSOCKET_MORE;
}

enum websocket_kind websocket_read(struct websocket_reader *r, uint8_t **at,
                                   uint8_t *end, struct websocket_item *item)
{
    enum websocket_kind kind = WEBSOCKET_MORE;

    while (!r->over && kind == WEBSOCKET_MORE) {
        bool in_frame = r->in_frame;
        if (!in_frame)
            kind = read_head(r, at, end, item);
        else if (is_control(opcode_of(r)))
            kind = read_control(r, at, end, item);
        else
            kind = read_message(r, at, end, item);
        /* True for an empty payload, of which no byte will come. */
        bool empty = r->in_frame && r->left == 0;
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
