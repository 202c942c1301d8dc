#include "common/base/text.h"

#include "common/base/hex.h"
#include "common/base/jtext.h"
#include "common/base/utf8.h"
#include "common/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_close(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}

void text_clear(struct text *t)
{
    t->size = 0;
}

void text_drop(struct text *t, size_t size)
{
    ASSERT(size <= t->size);
    t->size -= size;
    if (t->size > 0)
        memmove(t->data, t->data + size, t->size);
}

struct bytes text_bytes(const struct text *t)
{
    return bytes_of(t->data, t->size);
}

const char *text_string(struct text *t)
{
    *text_room(t, 1) = '\0';
    return t->data;
}

char *text_room(struct text *t, size_t size)
{
    if (t->capacity - t->size < size) {
        size_t capacity = t->capacity < 256 ? 256 : t->capacity * 2;
        while (capacity - t->size < size)
            capacity *= 2;
        t->data = memory_resize(t->data, capacity, 1);
        t->capacity = capacity;
    }
    return t->data + t->size;
}

void text_wrote(struct text *t, size_t size)
{
    ASSERT(size <= t->capacity - t->size);
    t->size += size;
}

void text_add(struct text *t, struct bytes bytes)
{
    if (bytes.size == 0)
        return;
    memcpy(text_room(t, bytes.size), bytes.data, bytes.size);
    t->size += bytes.size;
}

void text_add_string(struct text *t, const char *string)
{
    text_add(t, bytes_of(string, strlen(string)));
}

void text_add_char(struct text *t, char c)
{
    *text_room(t, 1) = c;
    t->size++;
}

void text_add_number(struct text *t, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    text_add(t, bytes_of(digits + at, sizeof(digits) - at));
}

void text_add_ms(struct text *t, int64_t us)
{
    uint64_t fraction = (uint64_t)us % 1000;

    ASSERT(us >= 0);
    text_add_number(t, (uint64_t)us / 1000);
    if (fraction == 0)
        return;
    text_add_char(t, '.');
    for (uint64_t unit = 100; fraction > 0; unit /= 10) {
        text_add_char(t, (char)('0' + fraction / unit));
        fraction %= unit;
    }
}

void text_add_hex(struct text *t, struct bytes bytes)
{
    hex_encode(bytes, text_room(t, 2 * bytes.size + 1));
    t->size += 2 * bytes.size;
}

static void add_escape(struct text *t, uint8_t c)
{
    static const char short_form[] = "\"\"\\\\\nn\rr\tt\bb\ff";
    static const char digits[] = "0123456789abcdef";

    for (const char *s = short_form; *s != '\0'; s += 2) {
        if (c == (uint8_t)s[0]) {
            text_add_char(t, '\\');
            text_add_char(t, s[1]);
            return;
        }
    }
    text_add_string(t, "\\u00");
    text_add_char(t, digits[c >> 4]);
    text_add_char(t, digits[c & 15]);
}

size_t text_json_size(struct bytes bytes)
{
    const uint8_t *at = bytes.data;
    const uint8_t *end = bytes.size > 0 ? at + bytes.size : at;
    size_t size = 2 + bytes.size;

    /* An escape \u00xx replaces one byte by six; U+FFFD replaces one by three.
     */
    while (at < end && (at = jtext_plain(at, end)) < end) {
        size += 5;
        at++;
    }
    return size;
}

void text_add_json(struct text *t, struct bytes bytes)
{
    const uint8_t *at = bytes.data;
    const uint8_t *end = bytes.size > 0 ? at + bytes.size : at;

    text_add_char(t, '"');
    while (at < end) {
        const uint8_t *plain = at;
        at = jtext_plain(at, end);
        text_add(t, bytes_of(plain, (size_t)(at - plain)));
        if (at == end)
            break;
        size_t length = utf8_length(at, end);
        if (length > 1)
            text_add(t, bytes_of(at, length));
        else if (length == 1)
            add_escape(t, *at);
        else
            text_add_string(t, "\xef\xbf\xbd");
        at += length > 0 ? length : 1;
    }
    text_add_char(t, '"');
}
