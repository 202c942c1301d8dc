#include "common/base/address_prefix.h"

#include <string.h>

enum { BYTE_BITS = 8, DIGITS = 3 };

static unsigned bits_of(const struct address *a)
{
    return a->family == ADDRESS_V4 ? 32 : 128;
}

/* One to three digits, and nothing else. */
static bool read_bits(const char *text, unsigned most, unsigned *bits)
{
    size_t size = strlen(text);

    *bits = 0;
    if (size == 0 || size > DIGITS || strspn(text, "0123456789") != size)
        return false;
    for (; *text; text++)
        *bits = *bits * 10 + (unsigned)(*text - '0');
    return *bits <= most;
}

/* The mask of the byte at `i`. */
static uint8_t mask_at(const struct address_prefix *p, size_t i)
{
    unsigned before = BYTE_BITS * (unsigned)i;
    unsigned there = p->bits > before ? p->bits - before : 0;

    return (uint8_t)(0xff00U >> (there < BYTE_BITS ? there : BYTE_BITS));
}

bool address_prefix_parse(const char *text, struct address_prefix *p)
{
    char ip[ADDRESS_TEXT_SIZE];
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t)(slash - text) : strlen(text);

    *p = (struct address_prefix){0};
    if (size >= sizeof ip)
        return false;
    memcpy(ip, text, size);
    ip[size] = '\0';
    if (!address_of_ip(ip, 0, &p->network) || p->network.scope != 0)
        return false;
    p->bits = bits_of(&p->network);
    if (slash && !read_bits(slash + 1, p->bits, &p->bits))
        return false;
    for (size_t i = 0; i < sizeof p->network.ip; i++)
        if (p->network.ip[i] & (uint8_t)~mask_at(p, i))
            return false;
    return true;
}

bool address_prefix_has(const struct address_prefix *p, const struct address *a)
{
    struct address plain = address_plain(a);

    if (plain.family != p->network.family)
        return false;
    for (size_t i = 0; i < sizeof plain.ip; i++)
        if ((plain.ip[i] & mask_at(p, i)) != p->network.ip[i])
            return false;
    return true;
}

bool address_prefixes_have(const struct address_prefix *p, size_t count,
                           const struct address *a)
{
    for (size_t i = 0; i < count; i++)
        if (address_prefix_has(&p[i], a))
            return true;
    return false;
}
