#include "common/wire/proxy_header.h"

enum {
    HEAD_2 = 16, /* signature, version and command, family, length */
    VERSION_AT = 12,
    FAMILY_AT = 13,
    LENGTH_AT = 14,
    VERSION_2 = 2,
    COMMAND_LOCAL = 0,
    COMMAND_PROXY = 1,
    FAMILY_UNIX = 3, /* the last one */
    TRANSPORT_DATAGRAM = 2,
    TCP_V4 = 0x11,
    TCP_V6 = 0x21,
    PORT_DIGITS = 5,
};

static const uint8_t prefix_1[] = {'P', 'R', 'O', 'X', 'Y', ' '};
static const uint8_t prefix_2[] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                   0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
_Static_assert(sizeof(prefix_1) == PROXY_1_PREFIX, "prefix of version 1");
_Static_assert(sizeof(prefix_2) == PROXY_2_PREFIX, "prefix of version 2");

static enum proxy_result begins_with(struct bytes in, const uint8_t *prefix,
                                     size_t size)
{
    size_t there = in.size < size ? in.size : size;

    if (there > 0 && memcmp(in.data, prefix, there) != 0)
        return PROXY_MALFORMED;
    return there == size ? PROXY_DONE : PROXY_MORE;
}

enum proxy_result proxy_header_begins(struct bytes in)
{
    enum proxy_result first = begins_with(in, prefix_1, sizeof(prefix_1));

    return first != PROXY_MALFORMED
               ? first
               : begins_with(in, prefix_2, sizeof(prefix_2));
}

/* ---- Version 1 -------------------------------------------------------- */

/* Takes a word and the separator behind it; the last word ends the line. False
 * if a separator is missing. */
static bool take_word(struct reader *r, bool last, struct bytes *word)
{
    const uint8_t *end = last ? r->end : memchr(r->at, ' ', reader_left(r));

    if (!end)
        return false;
    *word = read_bytes(r, (size_t)(end - r->at));
    if (!last)
        (void)read_u8(r);
    return true;
}

static bool take_port(struct reader *r, bool last, uint16_t *port)
{
    struct bytes word;
    uint32_t value = 0;

    if (!take_word(r, last, &word) || word.size == 0 ||
        word.size > PORT_DIGITS || (word.data[0] == '0' && word.size > 1))
        return false;
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] < '0' || word.data[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(word.data[i] - '0');
    }
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

static bool take_ip(struct reader *r, enum address_family family,
                    struct address *a)
{
    struct bytes word;
    char text[ADDRESS_TEXT_SIZE];

    if (!take_word(r, false, &word) || word.size >= sizeof(text))
        return false;
    memcpy(text, word.data, word.size);
    text[word.size] = '\0';
    /* A scope, or a NUL inside, belongs to no address of this protocol. */
    return strspn(text, "0123456789abcdefABCDEF:.") == word.size &&
           address_of_ip(text, 0, a) && a->family == family;
}

/* "SOURCE DESTINATION PORT PORT", to the end. */
static bool take_addresses(struct reader *r, enum address_family family,
                           struct proxy_header *h)
{
    h->named = true;
    return take_ip(r, family, &h->source) &&
           take_ip(r, family, &h->destination) &&
           take_port(r, false, &h->source.port) &&
           take_port(r, true, &h->destination.port);
}

/* The line behind the prefix, without its CRLF. */
static bool read_line(struct bytes line, struct proxy_header *h)
{
    struct reader r = reader_of(line);
    struct bytes family;

    if (bytes_equal(line, bytes_of_string("UNKNOWN")))
        return true;
    if (!take_word(&r, false, &family))
        return false;
    if (bytes_equal(family, bytes_of_string("TCP4")))
        return take_addresses(&r, ADDRESS_V4, h);
    if (bytes_equal(family, bytes_of_string("TCP6")))
        return take_addresses(&r, ADDRESS_V6, h);
    /* The rest of the line means nothing then. */
    return bytes_equal(family, bytes_of_string("UNKNOWN"));
}

/* The size of the line with its CRLF; 0 if its end is missing. */
static size_t line_size(struct bytes in)
{
    size_t most = in.size < PROXY_1_SIZE ? in.size : PROXY_1_SIZE;
    const uint8_t *end = memchr(in.data, '\n', most);

    return end ? (size_t)(end - in.data) + 1 : 0;
}

static enum proxy_result read_1(struct bytes in, struct proxy_header *h)
{
    size_t size = line_size(in);

    if (size == 0)
        return in.size < PROXY_1_SIZE ? PROXY_MORE : PROXY_MALFORMED;
    const uint8_t *text = in.data + PROXY_1_PREFIX;
    size_t text_size = size - PROXY_1_PREFIX;
    /* A lone CR ends no line. */
    if (text_size < 2 || memchr(text, '\r', text_size) != in.data + size - 2)
        return PROXY_MALFORMED;
    h->size = size;
    return read_line(bytes_of(text, text_size - 2), h) ? PROXY_DONE
                                                       : PROXY_MALFORMED;
}

/* ---- Version 2 -------------------------------------------------------- */

static uint16_t read_be16(struct reader *r)
{
    uint16_t high = read_u8(r);

    return (uint16_t)(high << 8 | read_u8(r));
}

/* What follows the addresses is ignored. */
static bool read_addresses(struct reader *r, enum address_family family,
                           struct proxy_header *h)
{
    size_t size = family == ADDRESS_V4 ? 4 : 16;

    h->named = true;
    h->source.family = h->destination.family = family;
    read_copy(r, h->source.ip, size);
    read_copy(r, h->destination.ip, size);
    h->source.port = read_be16(r);
    h->destination.port = read_be16(r);
    return reader_ok(r);
}

/* False if the byte has no meaning in version 2. */
static bool family_exists(uint8_t family)
{
    return family >> 4 <= FAMILY_UNIX && (family & 0x0f) <= TRANSPORT_DATAGRAM;
}

static bool read_block(uint8_t command, uint8_t family, struct bytes block,
                       struct proxy_header *h)
{
    struct reader r = reader_of(block);

    if (command == COMMAND_LOCAL)
        return true;
    if (family == TCP_V4)
        return read_addresses(&r, ADDRESS_V4, h);
    if (family == TCP_V6)
        return read_addresses(&r, ADDRESS_V6, h);
    return family_exists(family);
}

static enum proxy_result read_2(struct bytes in, struct proxy_header *h)
{
    if (in.size > VERSION_AT && (in.data[VERSION_AT] >> 4 != VERSION_2 ||
                                 (in.data[VERSION_AT] & 0x0f) > COMMAND_PROXY))
        return PROXY_MALFORMED;
    if (in.size < HEAD_2)
        return PROXY_MORE;
    size_t block = (size_t)in.data[LENGTH_AT] << 8 | in.data[LENGTH_AT + 1];
    if (HEAD_2 + block > PROXY_2_SIZE)
        return PROXY_MALFORMED;
    if (in.size < HEAD_2 + block)
        return PROXY_MORE;
    h->size = HEAD_2 + block;
    return read_block(in.data[VERSION_AT] & 0x0f, in.data[FAMILY_AT],
                      bytes_of(in.data + HEAD_2, block), h)
               ? PROXY_DONE
               : PROXY_MALFORMED;
}

enum proxy_result proxy_header_read(struct bytes in, struct proxy_header *h)
{
    enum proxy_result begins = proxy_header_begins(in);

    *h = (struct proxy_header){0};
    if (begins != PROXY_DONE)
        return begins;
    enum proxy_result result =
        in.data[0] == prefix_1[0] ? read_1(in, h) : read_2(in, h);
    if (result != PROXY_DONE)
        *h = (struct proxy_header){0};
    return result;
}
