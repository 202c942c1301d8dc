#include "edge/term/glyph.h"

#include <string.h>
#include <wchar.h>

#include "common/base/utf8.h"

static struct bytes after(struct bytes text, size_t size)
{
    return bytes_of(text.data + size, text.size - size);
}

uint32_t glyph_decode(struct bytes text, size_t *size)
{
    static const uint8_t lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t length = utf8_length(text.data, text.data + text.size);

    *size = length > 0 ? length : 1;
    if (length == 0)
        return 0xfffd;
    uint32_t character = text.data[0] & lead[length];
    for (size_t i = 1; i < length; i++)
        character = character << 6 | (text.data[i] & 0x3f);
    return character;
}

int glyph_width(uint32_t character)
{
    int width = wcwidth((wchar_t)character);

    return width < 0 || width > 2 ? 1 : width;
}

size_t glyph_next(struct bytes text, int *columns)
{
    size_t size, more;

    if (columns)
        *columns = 0;
    if (text.size == 0)
        return 0;
    int width = glyph_width(glyph_decode(text, &size));
    if (columns)
        *columns = width > 0 ? width : 1; /* 1 for a mark that stands alone. */
    while (size < text.size &&
           glyph_width(glyph_decode(after(text, size), &more)) == 0)
        size += more;
    return size;
}

size_t glyph_before(struct bytes text, size_t at)
{
    size_t begin = 0, size;

    while ((size = glyph_next(after(text, begin), NULL)) > 0 &&
           begin + size < at)
        begin += size;
    return begin;
}

int glyph_columns(struct bytes text)
{
    int all = 0, columns;
    size_t size;

    for (; (size = glyph_next(text, &columns)) > 0; text = after(text, size))
        all += columns;
    return all;
}

size_t glyph_fit(struct bytes text, int columns)
{
    size_t fit = 0, size;
    int width;

    while ((size = glyph_next(after(text, fit), &width)) > 0 &&
           width <= columns) {
        columns -= width;
        fit += size;
    }
    return fit;
}

size_t glyph_wrap(struct bytes text, int columns, size_t *skip)
{
    const uint8_t *end = memchr(text.data, '\n', text.size);
    size_t line = end ? (size_t)(end - text.data) : text.size;
    size_t fit = glyph_fit(bytes_of(text.data, line), columns);

    *skip = 0;
    if (fit == line) {
        *skip = end ? 1 : 0;
        return line;
    }
    *skip = 1;
    if (text.data[fit] == ' ')
        return fit;
    for (size_t at = fit; at > 0; at--)
        if (text.data[at - 1] == ' ')
            return at - 1;
    *skip = 0;
    return fit > 0 ? fit : glyph_next(text, NULL);
}
