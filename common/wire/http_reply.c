#include "common/wire/http_reply.h"

#include "common/wire/http_head.h"

/* ---- Lines */

/* Takes a line off `rest`, without its end; false if the end is missing. */
static bool take_line(struct bytes *rest, struct bytes *line)
{
    const uint8_t *end =
        rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;

    if (end == NULL)
        return false;
    size_t size = (size_t)(end - rest->data);
    *line = bytes_of(rest->data, size);
    *rest = bytes_of(end + 1, rest->size - size - 1);
    if (line->size > 0 && line->data[line->size - 1] == '\r')
        line->size--;
    return true;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK" */
static bool read_status(struct bytes line, int *status)
{
    static const char name[] = "HTTP/1.";
    const size_t at = sizeof name + 1; /* behind the digit and the space */
    const uint8_t *d = line.data;

    if (line.size < at + 3 || memcmp(d, name, sizeof name - 1) != 0 ||
        !is_digit(d[at - 2]) || d[at - 1] != ' ' || !is_digit(d[at]) ||
        !is_digit(d[at + 1]) || !is_digit(d[at + 2]) ||
        (line.size > at + 3 && d[at + 3] != ' '))
        return false;
    *status = (d[at] - '0') * 100 + (d[at + 1] - '0') * 10 + d[at + 2] - '0';
    return *status >= 100 && *status < 600;
}

bool http_field_value(struct bytes line, const char *name, struct bytes *value)
{
    const uint8_t *colon =
        line.size > 0 ? memchr(line.data, ':', line.size) : NULL;
    if (colon == NULL)
        return false;
    size_t size = (size_t)(colon - line.data);
    if (!http_same(bytes_of(line.data, size), name))
        return false;
    *value = http_trimmed(bytes_of(colon + 1, line.size - size - 1));
    return true;
}

bool http_reply_field(const struct http_reply *r, const char *name,
                      struct bytes *value)
{
    struct bytes rest = r->head, line;

    while (take_line(&rest, &line))
        if (http_field_value(line, name, value))
            return true;
    return false;
}

/* ---- Bodies */

/* 16 and more: not a digit. */
static unsigned digit_of(uint8_t c)
{
    uint8_t letter = c | 32;

    if (is_digit(c))
        return c - (unsigned)'0';
    return letter >= 'a' && letter <= 'f' ? 10u + letter - (unsigned)'a' : 16;
}

/* Digits of the base, up to the end of the text or a semicolon. False also for
 * a number beyond what a caller may have in memory. */
static bool read_number(struct bytes text, unsigned base, size_t *value)
{
    size_t at = 0;

    *value = 0;
    for (; at < text.size && text.data[at] != ';'; at++) {
        unsigned digit = digit_of(text.data[at]);
        if (digit >= base || *value > UINT32_MAX)
            return false;
        *value = *value * base + digit;
    }
    return at > 0;
}

/* Walks over the chunks. With `to` also moves their bytes there, one behind the
 * other; `to` is before them in the same memory. */
static enum http_reply_part walk_chunks(struct bytes rest, uint8_t *to,
                                        size_t *total)
{
    struct bytes line;
    size_t size;

    for (*total = 0;; *total += size) {
        if (!take_line(&rest, &line))
            return HTTP_REPLY_MORE;
        if (!read_number(http_trimmed(line), 16, &size))
            return HTTP_REPLY_WRONG;
        if (size == 0)
            return HTTP_REPLY_WHOLE; /* Trailers are of no interest. */
        if (size > rest.size)
            return HTTP_REPLY_MORE;
        if (to != NULL)
            memmove(to + *total, rest.data, size);
        rest = bytes_of(rest.data + size, rest.size - size);
        if (!take_line(&rest, &line))
            return HTTP_REPLY_MORE;
        if (line.size > 0)
            return HTTP_REPLY_WRONG;
    }
}

static enum http_reply_part read_chunks(uint8_t *bytes, struct http_reply *r,
                                        struct bytes rest)
{
    uint8_t *to = bytes + (rest.data - bytes);
    enum http_reply_part part = walk_chunks(rest, NULL, &r->body.size);

    if (part == HTTP_REPLY_WHOLE)
        part = walk_chunks(rest, to, &r->body.size);
    r->body.data = to;
    return part;
}

static enum http_reply_part read_body(uint8_t *bytes, struct http_reply *r,
                                      struct bytes rest, bool ended)
{
    struct bytes value;
    size_t size;

    if (http_reply_field(r, "transfer-encoding", &value) &&
        http_same(value, "chunked"))
        return read_chunks(bytes, r, rest);
    r->body = rest;
    if (!http_reply_field(r, "content-length", &value))
        return ended ? HTTP_REPLY_WHOLE : HTTP_REPLY_MORE;
    if (!read_number(value, 10, &size))
        return HTTP_REPLY_WRONG;
    if (size > rest.size)
        return HTTP_REPLY_MORE;
    r->body.size = size;
    return HTTP_REPLY_WHOLE;
}

enum http_reply_part http_reply_read(uint8_t *bytes, size_t size, bool ended,
                                     struct http_reply *r)
{
    struct bytes rest = bytes_of(bytes, size), line;

    if (!take_line(&rest, &line))
        return HTTP_REPLY_MORE;
    if (!read_status(line, &r->status))
        return HTTP_REPLY_WRONG;
    r->head = bytes_of(rest.data, 0);
    do {
        if (!take_line(&rest, &line))
            return HTTP_REPLY_MORE;
        r->head.size = (size_t)(line.data - r->head.data);
    } while (line.size > 0);
    return read_body(bytes, r, rest, ended);
}
