#include "edge/cli/escape.h"

#include "common/base/jtext.h"
#include "common/base/utf8.h"

#include <stdio.h>

/* Decodes a character of one, two or three bytes. */
static uint32_t decode(const uint8_t *at, size_t length)
{
    if (length == 2)
        return (at[0] & 0x1fU) << 6 | (at[1] & 0x3fU);
    if (length == 3)
        return (at[0] & 0xfU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU);
    return at[0];
}

static bool is_harmful(uint32_t c)
{
    return (c < 0x20 && c != '\t') || (c >= 0x7f && c <= 0x9f) || c == 0x61c ||
           c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

static void add_escape(struct text *out, uint32_t c)
{
    char room[8];

    if (c == '\n')
        text_add_string(out, "\\n");
    else if (c == '\r')
        text_add_string(out, "\\r");
    else {
        snprintf(room, sizeof(room), "\\u%04x", (unsigned)c);
        text_add_string(out, room);
    }
}

/* Finds the first byte that must not be printed, or may begin such a
 * character. */
static const uint8_t *plain_end(const uint8_t *at, const uint8_t *end)
{
    while (at < end && ((*at >= 0x20 && *at < 0x7f) || *at == '\t'))
        at++;
    return at;
}

void escape_text(struct text *out, struct bytes text, enum escape_form form)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.size > 0 ? at + text.size : at;

    while (at < end) {
        const uint8_t *plain = plain_end(at, end);
        text_add(out, bytes_of(at, (size_t)(plain - at)));
        if (plain == end)
            return;
        at = plain;
        size_t length = utf8_length(at, end);
        uint32_t c = length > 0 && length < 4 ? decode(at, length) : 'x';
        if (length == 0)
            text_add_char(out, '?');
        else if (is_harmful(c) && !(c == '\n' && form == ESCAPE_LINES))
            add_escape(out, c);
        else
            text_add(out, bytes_of(at, length));
        at += length > 0 ? length : 1;
    }
}

void escape_string(struct text *out, struct bytes value)
{
    struct text said = {0};
    size_t length;
    char *room = text_room(&said, value.size + 1);

    if (jtext_string(value, room, value.size + 1, &length))
        escape_text(out, bytes_of(room, length), ESCAPE_LINE);
    text_close(&said);
}

void escape_data(struct text *out, struct bytes data, struct bytes data_b64)
{
    if (data_b64.size > 0)
        escape_string(out, data_b64);
    else if (jtext_is_string(data))
        escape_string(out, data);
    else
        escape_text(out, data, ESCAPE_LINE);
}
