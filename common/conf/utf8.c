#include "common/conf/utf8.h"

struct utf8 utf8_of(const char *text, size_t size)
{
    const unsigned char *start = (const unsigned char *)text;
    return (struct utf8){start, start + size};
}

/* The number of bytes that must follow a first byte; 0 also for an invalid one.
 */
static size_t tail_size(unsigned char first)
{
    if (first >= 0xf0 && first <= 0xf4)
        return 3;
    if (first >= 0xe0 && first < 0xf0)
        return 2;
    return first >= 0xc2 && first < 0xe0 ? 1 : 0;
}

bool utf8_next(struct utf8 *u, uint32_t *character)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    static const unsigned char mask[] = {0x7f, 0x1f, 0x0f, 0x07};
    if (u->at == u->end)
        return false;
    unsigned char first = *u->at++;
    size_t tail = tail_size(first);
    *character = UTF8_BAD;
    if ((first >= 0x80 && tail == 0) || (size_t)(u->end - u->at) < tail)
        return true;
    uint32_t c = first & mask[tail];
    for (size_t i = 0; i < tail; i++) {
        if ((u->at[i] & 0xc0) != 0x80)
            return true;
        c = c << 6 | (u->at[i] & 0x3fu);
    }
    if (c < least[tail] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return true;
    u->at += tail;
    *character = c;
    return true;
}
