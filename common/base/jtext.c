#include "common/base/jtext.h"

#include "common/base/hex.h"
#include "common/base/utf8.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t *skip_space(const uint8_t *at, const uint8_t *end)
{
    while (at < end &&
           (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* The four digits of \uXXXX as a number; -1 if they are not four digits. */
static int32_t hex_unit(const uint8_t *at, const uint8_t *end)
{
    int32_t unit = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value((char)at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

/* Skips the rest of an escape after its backslash; NULL if it is invalid. A
 * surrogate is valid only as half of a pair, so that every string has a UTF-8
 * form. */
static const uint8_t *skip_escape(const uint8_t *at, const uint8_t *end)
{
    if (at == end)
        return NULL;
    if (*at != 'u')
        return *at != '\0' && strchr("\"\\/bfnrt", *at) ? at + 1 : NULL;

    int32_t unit = hex_unit(at + 1, end);
    if (unit < 0 || is_low_surrogate(unit))
        return NULL;
    at += 5;
    if (!is_high_surrogate(unit))
        return at;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u' ||
        !is_low_surrogate(hex_unit(at + 2, end)))
        return NULL;
    return at + 6;
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Messages are mostly long strings of plain characters, so the loop checks
 * eight at a time: a subtraction sets the high bit of each byte that is below
 * the subtrahend, or that is zero after XOR with the character looked for. */
const uint8_t *jtext_plain(const uint8_t *at, const uint8_t *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = ones * 0x80;
    uint64_t word;

    for (; end - at >= (ptrdiff_t)sizeof(word); at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        uint64_t quote = word ^ (ones * '"');
        uint64_t slash = word ^ (ones * '\\');
        uint64_t found =
            (word - ones * 0x20) | (quote - ones) | (slash - ones) | word;
        if (found & highs)
            break;
    }
    while (at < end && is_plain(*at))
        at++;
    return at;
}

static const uint8_t *skip_string(const uint8_t *at, const uint8_t *end)
{
    for (at++; (at = jtext_plain(at, end)) < end;) {
        if (*at == '"')
            return at + 1;
        if (*at < 0x20)
            return NULL;
        if (*at == '\\') {
            at = skip_escape(at + 1, end);
            if (!at)
                return NULL;
        } else {
            size_t length = utf8_length(at, end);
            if (length == 0)
                return NULL;
            at += length;
        }
    }
    return NULL;
}

static const uint8_t *skip_digits(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *start = at;

    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at > start ? at : NULL;
}

static const uint8_t *skip_number(const uint8_t *at, const uint8_t *end)
{
    if (at < end && *at == '-')
        at++;
    if (at < end && *at == '0')
        at++;
    else
        at = skip_digits(at, end);
    if (at && at < end && *at == '.')
        at = skip_digits(at + 1, end);
    if (at && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        at = skip_digits(at, end);
    }
    return at;
}

static const uint8_t *skip_word(const uint8_t *at, const uint8_t *end,
                                const char *word)
{
    size_t length = strlen(word);

    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0
               ? at + length
               : NULL;
}

static const uint8_t *skip_scalar(const uint8_t *at, const uint8_t *end)
{
    switch (*at) {
    case '"':
        return skip_string(at, end);
    case 't':
        return skip_word(at, end, "true");
    case 'f':
        return skip_word(at, end, "false");
    case 'n':
        return skip_word(at, end, "null");
    default:
        return skip_number(at, end);
    }
}

static const uint8_t *skip_key(const uint8_t *at, const uint8_t *end)
{
    at = skip_space(at, end);
    if (at == end || *at != '"')
        return NULL;
    at = skip_string(at, end);
    if (!at)
        return NULL;
    at = skip_space(at, end);
    return at < end && *at == ':' ? at + 1 : NULL;
}

/*
 * Skips the value at `at`; NULL if it is invalid. `open` is a stack of the
 * closing brackets that are still expected; there is no recursion, because the
 * sender chooses how deep values nest.
 */
static const uint8_t *skip_value(const uint8_t *at, const uint8_t *end)
{
    uint8_t open[JTEXT_DEPTH];
    size_t depth = 0;

    for (;;) {
        at = skip_space(at, end);
        if (at == end)
            return NULL;
        if (*at == '{' || *at == '[') {
            if (depth == JTEXT_DEPTH)
                return NULL;
            open[depth++] = *at == '{' ? '}' : ']';
            at = skip_space(at + 1, end);
            if (at == end || *at != open[depth - 1]) {
                if (open[depth - 1] == '}')
                    at = skip_key(at, end);
                if (!at)
                    return NULL;
                continue;
            }
        } else {
            at = skip_scalar(at, end);
            if (!at)
                return NULL;
        }
        /* Here a value has ended, or an empty object or array is about to
         * close. */
        for (;;) {
            if (depth == 0)
                return at;
            at = skip_space(at, end);
            if (at == end || *at != open[depth - 1])
                break;
            at++;
            depth--;
        }
        if (at == end || *at != ',')
            return NULL;
        at++;
        if (open[depth - 1] == '}')
            at = skip_key(at, end);
        if (!at)
            return NULL;
    }
}

bool jtext_valid(struct bytes text)
{
    if (text.size == 0)
        return false;

    const uint8_t *end = text.data + text.size;
    const uint8_t *at = skip_value(text.data, end);
    return at && skip_space(at, end) == end;
}

bool jtext_enter(struct jtext_walk *w, struct bytes text, char open)
{
    *w = (struct jtext_walk){.close = open == '{' ? '}' : ']'};
    if (text.size == 0)
        return false;
    w->end = text.data + text.size;
    w->at = skip_space(text.data, w->end);
    if (w->at == w->end || *w->at != (uint8_t)open)
        return false;
    w->at++;
    return true;
}

static bool walk_fail(struct jtext_walk *w)
{
    w->failed = true;
    return false;
}

/* Moves to the next member or element; false at the end or at an error. */
static bool walk_on(struct jtext_walk *w)
{
    if (w->failed || w->closed)
        return false;
    w->at = skip_space(w->at, w->end);
    if (w->at == w->end)
        return walk_fail(w);
    if (*w->at == (uint8_t)w->close) {
        w->at = skip_space(w->at + 1, w->end);
        w->closed = true;
        return false;
    }
    if (w->begun) {
        if (*w->at != ',')
            return walk_fail(w);
        w->at = skip_space(w->at + 1, w->end);
    }
    w->begun = true;
    return true;
}

static bool walk_value(struct jtext_walk *w, struct bytes *value)
{
    const uint8_t *start = skip_space(w->at, w->end);
    const uint8_t *past = skip_value(start, w->end);

    if (!past)
        return walk_fail(w);
    *value = bytes_of(start, (size_t)(past - start));
    w->at = past;
    return true;
}

bool jtext_member(struct jtext_walk *w, struct bytes *key, struct bytes *value)
{
    if (!walk_on(w))
        return false;
    if (w->at == w->end || *w->at != '"')
        return walk_fail(w);

    const uint8_t *past = skip_string(w->at, w->end);
    if (!past)
        return walk_fail(w);
    *key = bytes_of(w->at + 1, (size_t)(past - w->at) - 2);
    past = skip_space(past, w->end);
    if (past == w->end || *past != ':')
        return walk_fail(w);
    w->at = past + 1;
    return walk_value(w, value);
}

bool jtext_element(struct jtext_walk *w, struct bytes *value)
{
    return walk_on(w) && walk_value(w, value);
}

bool jtext_left(const struct jtext_walk *w)
{
    return !w->failed && w->closed && w->at == w->end;
}

bool jtext_is_scalar(struct bytes value)
{
    return value.size > 0 && value.data[0] != '{' && value.data[0] != '[';
}

bool jtext_is_string(struct bytes value)
{
    return value.size > 0 && value.data[0] == '"';
}

bool jtext_is(struct bytes value, const char *literal)
{
    return value.size == strlen(literal) &&
           memcmp(value.data, literal, value.size) == 0;
}

static size_t utf8_write(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* Decodes an escape that was checked before; *at is behind its backslash and
 * moves beyond it. Returns how many bytes `out` got. */
static size_t resolve(const uint8_t **at, const uint8_t *end, char out[4])
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    uint8_t c = *(*at)++;

    if (c != 'u') {
        out[0] = to[strchr(from, c) - from];
        return 1;
    }
    uint32_t unit = (uint32_t)hex_unit(*at, end);
    *at += 4;
    if (is_high_surrogate((int32_t)unit)) {
        uint32_t low = (uint32_t)hex_unit(*at + 2, end);
        *at += 6;
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    return utf8_write(unit, out);
}

bool jtext_string(struct bytes value, char *buffer, size_t size, size_t *length)
{
    size_t used = 0;

    *length = 0;
    if (value.size < 2 || value.data[0] != '"')
        return false;
    const uint8_t *end = value.data + value.size - 1;
    for (const uint8_t *at = value.data + 1; at < end;) {
        char one[4] = {(char)*at};
        size_t count = 1;
        if (*at++ == '\\')
            count = resolve(&at, end, one);
        if (used + count >= size)
            return false;
        memcpy(buffer + used, one, count);
        used += count;
    }
    if (used >= size)
        return false;
    buffer[used] = '\0';
    *length = used;
    return true;
}

bool jtext_number(struct bytes value, uint64_t *number)
{
    uint64_t n = 0;

    if (value.size == 0 || value.size > 20)
        return false;
    for (size_t i = 0; i < value.size; i++) {
        uint64_t digit = (uint64_t)value.data[i] - '0';
        if (digit > 9 || n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *number = n;
    return true;
}
