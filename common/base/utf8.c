#include "common/base/utf8.h"

/* Sets how many bytes follow a character's first byte, and the bounds of the
 * second: RFC 3629, section 4. False if no character begins so. */
static bool begin(struct utf8_check *u, uint8_t c)
{
    u->low = 0x80;
    u->high = 0xbf;
    if (c >= 0xc2 && c <= 0xdf) {
        u->need = 1;
    } else if (c >= 0xe0 && c <= 0xef) {
        u->need = 2;
        u->low = c == 0xe0 ? 0xa0 : u->low;
        u->high = c == 0xed ? 0x9f : u->high;
    } else if (c >= 0xf0 && c <= 0xf4) {
        u->need = 3;
        u->low = c == 0xf0 ? 0x90 : u->low;
        u->high = c == 0xf4 ? 0x8f : u->high;
    }
    return u->need > 0;
}

static bool check_byte(struct utf8_check *u, uint8_t c)
{
    if (u->need == 0)
        return c < 0x80 || begin(u, c);
    if (c < u->low || c > u->high)
        return false;
    u->need--;
    u->low = 0x80;
    u->high = 0xbf;
    return true;
}

bool utf8_check(struct utf8_check *u, struct bytes piece)
{
    for (size_t i = 0; i < piece.size; i++)
        if (!check_byte(u, piece.data[i]))
            return false;
    return true;
}

bool utf8_valid(struct bytes text)
{
    struct utf8_check u = {0};
    size_t ascii = 0;
    while (ascii < text.size && text.data[ascii] < 0x80)
        ascii++;
    struct bytes rest = bytes_of(text.data + ascii, text.size - ascii);
    return rest.size == 0 || (utf8_check(&u, rest) && u.need == 0);
}

size_t utf8_length(const uint8_t *at, const uint8_t *end)
{
    struct utf8_check u = {0};
    for (size_t i = 0; at + i < end && check_byte(&u, at[i]); i++)
        if (u.need == 0)
            return i + 1;
    return 0;
}

struct utf8 utf8_of(const char *text, size_t size)
{
    const uint8_t *start = (const uint8_t *)text;
    return (struct utf8){start, start + size};
}

bool utf8_next(struct utf8 *u, uint32_t *character)
{
    static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t length = utf8_length(u->at, u->end);
    if (u->at == u->end)
        return false;
    uint32_t c = *u->at++ & mask[length];
    for (size_t i = 1; i < length; i++)
        c = c << 6 | (*u->at++ & 0x3f);
    *character = length > 0 ? c : UTF8_BAD;
    return true;
}
