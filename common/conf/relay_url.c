#include "common/conf/relay_url.h"

#include "common/base/address.h"
#include "common/base/hex.h"
#include "common/conf/z85.h"

#include <sodium.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    uint16_t port; /* the default port; 0: a port is required */
} transports[] = {
    [TRANSPORT_TCP] = {"tcp", 0},
    [TRANSPORT_WS] = {"ws", 80},
    [TRANSPORT_WSS] = {"wss", 443},
};

const char *relay_transport_name(enum relay_transport transport)
{
    return transports[transport].name;
}

/* A part of the text. */
struct piece {
    const char *at;
    size_t size;
};

static bool piece_is(struct piece p, const char *text)
{
    return p.size == strlen(text) && strncasecmp(p.at, text, p.size) == 0;
}

/* Takes the text before the first character of `ends`, which stays in `rest`.
 */
static struct piece take_until(struct piece *rest, const char *ends)
{
    struct piece taken = {rest->at, strcspn(rest->at, ends)};

    if (taken.size > rest->size)
        taken.size = rest->size;
    rest->at += taken.size;
    rest->size -= taken.size;
    return taken;
}

static bool skip(struct piece *rest, char c)
{
    if (rest->size == 0 || *rest->at != c)
        return false;
    rest->at++;
    rest->size--;
    return true;
}

static const char *read_transport(struct piece *rest, struct relay_url *url)
{
    struct piece scheme = take_until(rest, ":");

    if (rest->size < 3 || strncmp(rest->at, "://", 3) != 0)
        return "wants tcp://HOST:PORT?key=KEY, or wss:// or ws://";
    rest->at += 3;
    rest->size -= 3;
    for (size_t i = 0; i < sizeof(transports) / sizeof(*transports); i++) {
        if (!piece_is(scheme, transports[i].name))
            continue;
        url->transport = (enum relay_transport)i;
        return NULL;
    }
    return "wants tcp://, wss:// or ws:// at its start";
}

static bool is_name(struct piece host)
{
    for (size_t i = 0; i < host.size; i++) {
        unsigned char c = (unsigned char)host.at[i];

        if (!isalnum(c) && c != '.' && c != '-' && c != '_')
            return false;
    }
    return host.size > 0 && host.at[0] != '-' && host.at[0] != '.';
}

static bool is_v6(const char *host)
{
    struct address a;

    return address_of_ip(host, 1, &a) && a.family == ADDRESS_V6;
}

static const char *read_host(struct piece *rest, struct relay_url *url)
{
    bool brackets = skip(rest, '[');
    struct piece host = take_until(rest, brackets ? "]" : ":/?#[]@");

    if (host.size == 0)
        return "wants a host";
    if (host.size >= sizeof(url->host))
        return "has a host that is too long";
    for (size_t i = 0; i < host.size; i++)
        url->host[i] = (char)tolower((unsigned char)host.at[i]);
    url->host[host.size] = '\0';
    if (!brackets)
        return is_name(host) ? NULL : "has a host that is none";
    if (!skip(rest, ']'))
        return "wants a ] after the IPv6 address";
    return is_v6(url->host) ? NULL : "wants an IPv6 address in the brackets";
}

static const char *read_port(struct piece *rest, struct relay_url *url)
{
    struct piece digits;
    unsigned long port = 0;

    url->port = transports[url->transport].port;
    if (!skip(rest, ':'))
        return url->port != 0 ? NULL : "wants a port after the host";

    digits = take_until(rest, "/?");
    for (size_t i = 0; i < digits.size; i++) {
        if (!isdigit((unsigned char)digits.at[i]) || i == 5)
            return "wants a port from 1 to 65535";
        port = port * 10 + (unsigned long)(digits.at[i] - '0');
    }
    if (port < 1 || port > UINT16_MAX)
        return "wants a port from 1 to 65535";
    url->port = (uint16_t)port;
    return NULL;
}

/* Decodes %XX; returns how many bytes it wrote, or SIZE_MAX on a mistake. */
static size_t percent_decode(struct piece from, char *to, size_t capacity)
{
    size_t size = 0;

    for (size_t i = 0; i < from.size; i++) {
        char pair[3] = {0};
        uint8_t byte = (uint8_t)from.at[i];

        if (byte == '%') {
            if (from.size - i < 3)
                return SIZE_MAX;
            memcpy(pair, from.at + i + 1, 2);
            if (!hex_decode(pair, &byte, 1))
                return SIZE_MAX;
            i += 2;
        }
        if (size == capacity)
            return SIZE_MAX;
        to[size++] = (char)byte;
    }
    return size;
}

/* False for a point whose product with any secret is known (a low-order point).
 */
static bool is_key(const struct curve_key *key)
{
    static const uint8_t secret[32] = {1};
    uint8_t shared[32];

    return crypto_scalarmult(shared, secret, key->key) == 0;
}

static const char *read_key(struct piece value, struct curve_key *key)
{
    char text[2 * KEY_SIZE + 1] = {0};
    size_t size = percent_decode(value, text, 2 * KEY_SIZE);

    if (size == 2 * KEY_SIZE ? !hex_decode(text, key->key, KEY_SIZE)
                             : !z85_decode(text, size, key->key))
        return "wants a key of 64 hexadecimal digits, or of 40 characters of "
               "Z85, percent-encoded";
    return is_key(key) ? NULL : "has a key that no relay can have";
}

static const char *read_parameters(struct piece *rest, struct relay_url *url)
{
    bool found = false;

    if (!skip(rest, '?'))
        return rest->size > 0 ? "wants ?key=KEY after the port"
                              : "wants the relay's key: ?key=KEY";
    while (rest->size > 0) {
        struct piece value = take_until(rest, "&");
        struct piece name = take_until(&value, "=");
        const char *wrong;

        skip(rest, '&');
        if (!piece_is(name, "key"))
            return "has a parameter that is not key=KEY";
        if (found)
            return "has two keys";
        found = true;
        skip(&value, '=');
        wrong = read_key(value, &url->key);
        if (wrong != NULL)
            return wrong;
    }
    return found ? NULL : "wants the relay's key: ?key=KEY";
}

const char *relay_url_parse(const char *text, struct relay_url *url)
{
    struct piece rest = {text, strlen(text)};
    const char *wrong;

    memset(url, 0, sizeof(*url));
    if ((wrong = read_transport(&rest, url)) != NULL)
        return wrong;
    if ((wrong = read_host(&rest, url)) != NULL)
        return wrong;
    if ((wrong = read_port(&rest, url)) != NULL)
        return wrong;
    skip(&rest, '/');
    return read_parameters(&rest, url);
}

const char *relay_url_authority(const struct relay_url *url,
                                char text[RELAY_URL_SIZE])
{
    bool v6 = strchr(url->host, ':') != NULL;

    snprintf(text, RELAY_URL_SIZE, "%s%s%s:%u", v6 ? "[" : "", url->host,
             v6 ? "]" : "", url->port);
    return text;
}

const char *relay_url_print(const struct relay_url *url,
                            char text[RELAY_URL_SIZE])
{
    char authority[RELAY_URL_SIZE], key[2 * KEY_SIZE + 1];

    hex_encode(bytes_of(url->key.key, KEY_SIZE), key);
    snprintf(text, RELAY_URL_SIZE, "%s://%.270s%s?key=%s",
             transports[url->transport].name,
             relay_url_authority(url, authority),
             url->transport == TRANSPORT_TCP ? "" : "/", key);
    return text;
}

bool relay_url_equal(const struct relay_url *a, const struct relay_url *b)
{
    return a->transport == b->transport && a->port == b->port &&
           strcmp(a->host, b->host) == 0 &&
           memcmp(a->key.key, b->key.key, KEY_SIZE) == 0;
}
