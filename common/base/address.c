#include "common/base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t ip_size(const struct address *a)
{
    return a->family == ADDRESS_V4 ? 4 : 16;
}

bool address_same_ip(const struct address *a, const struct address *b)
{
    return a->family == b->family && a->scope == b->scope &&
           (a->family == ADDRESS_NONE || memcmp(a->ip, b->ip, ip_size(a)) == 0);
}

bool address_equal(const struct address *a, const struct address *b)
{
    return address_same_ip(a, b) && a->port == b->port;
}

static const uint8_t mapped_v4[12] = {[10] = 0xff, [11] = 0xff};

static bool begins_with(const struct address *a, const uint8_t *ip, size_t size)
{
    return memcmp(a->ip, ip, size) == 0;
}

struct address address_plain(const struct address *a)
{
    struct address v4 = {.family = ADDRESS_V4, .port = a->port};

    if (a->family != ADDRESS_V6 ||
        !begins_with(a, mapped_v4, sizeof(mapped_v4)))
        return *a;
    memcpy(v4.ip, a->ip + sizeof(mapped_v4), 4);
    return v4;
}

struct address address_network(const struct address *a)
{
    struct address network = address_plain(a);

    network.port = 0;
    if (network.family == ADDRESS_V6)
        memset(network.ip + 8, 0, 8);
    return network;
}

void address_key(const struct address *a, uint8_t key[static ADDRESS_KEY_SIZE])
{
    key[0] = (uint8_t)a->family;
    memcpy(key + 1, a->ip, sizeof a->ip);
    memcpy(key + 1 + sizeof a->ip, &a->scope, sizeof a->scope);
}

bool address_same_network(const struct address *a, const struct address *b)
{
    struct address one = address_network(a);
    struct address other = address_network(b);

    return address_equal(&one, &other);
}

const char *address_format_ip(const struct address *a,
                              char text[ADDRESS_TEXT_SIZE])
{
    int family = a->family == ADDRESS_V4 ? AF_INET : AF_INET6;
    size_t size;

    if (a->family == ADDRESS_NONE ||
        inet_ntop(family, a->ip, text, ADDRESS_TEXT_SIZE) == NULL)
        return strcpy(text, "-");
    size = strlen(text);
    if (a->scope != 0)
        snprintf(text + size, ADDRESS_TEXT_SIZE - size, "%%%u",
                 (unsigned)a->scope);
    return text;
}

const char *address_format(const struct address *a,
                           char text[ADDRESS_TEXT_SIZE])
{
    char ip[ADDRESS_TEXT_SIZE - 8]; /* brackets, colon, port and NUL */

    if (a->family == ADDRESS_NONE)
        return strcpy(text, "-");
    strcpy(ip, address_format_ip(a, text));
    snprintf(text, ADDRESS_TEXT_SIZE,
             a->family == ADDRESS_V4 ? "%s:%u" : "[%s]:%u", ip,
             (unsigned)a->port);
    return text;
}

/* Decimal digits up to the end of the text, without leading zeros. */
static bool parse_number(const char *text, uint32_t max, uint32_t *value)
{
    uint64_t sum = 0;

    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        sum = sum * 10 + (uint64_t)(*text - '0');
        if (sum > max)
            return false;
    }
    *value = (uint32_t)sum;
    return true;
}

/* Cuts the text at the colon before the port; false if there is no port. */
static bool split_port(char *text, uint16_t *port)
{
    char *colon = strrchr(text, ':');
    uint32_t value;

    if (colon == NULL || !parse_number(colon + 1, UINT16_MAX, &value))
        return false;
    *colon = '\0';
    *port = (uint16_t)value;
    return true;
}

/* Parses "[ip]" or "[ip%scope]"; changes the text. */
static bool parse_v6(char *text, struct address *a)
{
    size_t size = strlen(text);
    char *scope;

    if (size < 2 || text[size - 1] != ']')
        return false;
    text[size - 1] = '\0';
    scope = strchr(text, '%');
    if (scope != NULL) {
        *scope = '\0';
        if (!parse_number(scope + 1, UINT32_MAX, &a->scope) || a->scope == 0)
            return false;
    }
    a->family = ADDRESS_V6;
    return inet_pton(AF_INET6, text + 1, a->ip) == 1;
}

bool address_parse(const char *text, struct address *a)
{
    char copy[ADDRESS_TEXT_SIZE];

    memset(a, 0, sizeof(*a));
    if (strlen(text) >= sizeof(copy))
        return false;
    strcpy(copy, text);
    if (split_port(copy, &a->port)) {
        if (copy[0] == '[' && parse_v6(copy, a))
            return true;
        a->family = ADDRESS_V4;
        if (copy[0] != '[' && inet_pton(AF_INET, copy, a->ip) == 1)
            return true;
    }
    memset(a, 0, sizeof(*a));
    return false;
}

bool address_of_ip(const char *ip, uint16_t port, struct address *a)
{
    char text[ADDRESS_TEXT_SIZE];
    int size =
        snprintf(text, sizeof(text),
                 strchr(ip, ':') != NULL ? "[%s]:%u" : "%s:%u", ip, port);

    return size < (int)sizeof(text) && address_parse(text, a);
}

static const uint8_t zeros[16];
static const uint8_t loopback_v6[16] = {[15] = 1};

bool address_is_loopback(const struct address *address)
{
    struct address a = address_plain(address);

    if (a.family == ADDRESS_V4)
        return a.ip[0] == 127;
    return a.family == ADDRESS_V6 && begins_with(&a, loopback_v6, 16);
}

bool address_is_link_local(const struct address *address)
{
    struct address a = address_plain(address);

    if (a.family == ADDRESS_V4)
        return a.ip[0] == 169 && a.ip[1] == 254;
    return a.family == ADDRESS_V6 && a.ip[0] == 0xfe &&
           (a.ip[1] & 0xc0) == 0x80;
}

bool address_is_usable(const struct address *address)
{
    struct address a = address_plain(address);

    if (a.family == ADDRESS_NONE || a.port == 0 ||
        begins_with(&a, zeros, ip_size(&a)))
        return false;
    if (a.family == ADDRESS_V4)
        return a.ip[0] < 224 && a.ip[0] != 0; /* multicast, class E, 0/8 */
    return a.ip[0] != 0xff;
}
