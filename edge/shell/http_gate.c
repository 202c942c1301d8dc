#include "edge/shell/http_gate.h"

#include "common/base/hex.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HOST_SIZE = 262 };

static bool is_secret(struct bytes value, const char secret[HTTP_TOKEN_SIZE])
{
    return value.size == HTTP_TOKEN_SIZE - 1 &&
           sodium_memcmp(value.data, secret, HTTP_TOKEN_SIZE - 1) == 0;
}

static struct bytes field(const struct http_head *head, const char *name)
{
    const struct http_field *f = http_head_field(head, name);

    return f ? f->value : (struct bytes){0};
}

/* ---- The token */

/* Other schemes than Bearer are meant for a proxy. */
static bool bearer(const struct http_head *head, struct bytes *token)
{
    struct bytes value = field(head, "authorization");

    if (value.size < 7 || !http_same(bytes_of(value.data, 7), "Bearer "))
        return false;
    *token = bytes_of(value.data + 7, value.size - 7);
    while (token->size > 0 && token->data[0] == ' ')
        *token = bytes_of(token->data + 1, token->size - 1);
    return true;
}

/* ---- The cookie */

void http_gate_cookie_name(const struct http_gate *gate,
                           char name[HTTP_COOKIE_SIZE])
{
    snprintf(name, HTTP_COOKIE_SIZE, "zs_edge_%u", gate->listen.port);
}

void http_gate_cookie_value(const struct http_gate *gate, struct bytes host,
                            char value[HTTP_TOKEN_SIZE])
{
    static const char what[] = "zs-edge cookie";
    uint8_t text[sizeof what + HOST_SIZE], hash[(HTTP_TOKEN_SIZE - 1) / 2];
    size_t size = host.size < HOST_SIZE ? host.size : HOST_SIZE;

    memcpy(text, what, sizeof what);
    for (size_t i = 0; i < size; i++) {
        uint8_t c = host.data[i];
        text[sizeof what + i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
    }
    crypto_generichash(hash, sizeof hash, text, sizeof what + size,
                       (const uint8_t *)gate->token, HTTP_TOKEN_SIZE - 1);
    hex_encode(bytes_of(hash, sizeof hash), value);
    sodium_memzero(hash, sizeof hash);
}

/* Checks every cookie of that name, as servers on other ports of the host may
 * have set one, too. */
static bool has_pair(struct bytes cookies, const char *name,
                     const char secret[HTTP_TOKEN_SIZE])
{
    size_t length = strlen(name);
    const uint8_t *at = cookies.data;
    const uint8_t *end = at + cookies.size;

    while (at < end) {
        const uint8_t *past = memchr(at, ';', (size_t)(end - at));
        past = past ? past : end;
        while (at < past && *at == ' ')
            at++;
        size_t size = (size_t)(past - at);
        if (size > length && memcmp(at, name, length) == 0 &&
            at[length] == '=' &&
            is_secret(bytes_of(at + length + 1, size - length - 1), secret))
            return true;
        at = past + 1;
    }
    return false;
}

static bool has_cookie(const struct http_gate *gate,
                       const struct http_head *head)
{
    char name[HTTP_COOKIE_SIZE], value[HTTP_TOKEN_SIZE];
    bool found = false;

    http_gate_cookie_name(gate, name);
    http_gate_cookie_value(gate, head->host, value);
    for (size_t i = 0; i < head->count && !found; i++)
        found = http_same(head->fields[i].name, "cookie") &&
                head->fields[i].value.size > 0 &&
                has_pair(head->fields[i].value, name, value);
    sodium_memzero(value, sizeof value);
    return found;
}

/* ---- Origin and Host */

/* Whether Origin is "http://HOST" or "https://HOST" (a proxy may do the TLS),
 * with the HOST of the Host header. */
static bool is_own_page(const struct http_head *head)
{
    const struct http_field *f = http_head_field(head, "origin");

    if (!f)
        return true;
    size_t scheme =
        f->value.size -
        (head->host.size < f->value.size ? head->host.size : f->value.size);
    struct bytes before = bytes_of(f->value.data, scheme);
    struct bytes host =
        bytes_of(f->value.data + scheme, f->value.size - scheme);
    char name[HOST_SIZE];
    if (head->host.size == 0 || head->host.size >= sizeof name)
        return false;
    memcpy(name, head->host.data, head->host.size);
    name[head->host.size] = '\0';
    return (http_same(before, "http://") || http_same(before, "https://")) &&
           http_same(host, name);
}

/* Any port is allowed: the request may have come through a tunnel. */
static bool is_own_host(const struct http_gate *gate, struct bytes given)
{
    char host[HOST_SIZE], with_port[HOST_SIZE + 4];
    struct address address;

    if (given.size == 0 || given.size >= sizeof host)
        return false;
    memcpy(host, given.data, given.size);
    host[given.size] = '\0';
    size_t name = strcspn(host, ":");
    if (name == 9 && strncasecmp(host, "localhost", 9) == 0)
        return strspn(host + name, ":0123456789") == strlen(host + name);
    if (address_parse(host, &address))
        return address_is_loopback(&address) ||
               address_same_ip(&address, &gate->listen);
    snprintf(with_port, sizeof with_port, "%s:80", host);
    return address_parse(with_port, &address) &&
           (address_is_loopback(&address) ||
            address_same_ip(&address, &gate->listen));
}

enum http_verdict http_gate_judge(const struct http_gate *gate,
                                  const struct http_head *head, bool api,
                                  bool *by_query)
{
    struct bytes token;

    *by_query = http_head_parameter(head, "token", &token);
    if (*by_query || bearer(head, &token))
        return is_secret(token, gate->token) ? HTTP_PASS : HTTP_WRONG_TOKEN;
    if (has_cookie(gate, head))
        return is_own_page(head) ? HTTP_PASS : HTTP_FOREIGN_ORIGIN;
    if (http_head_forwarded(head))
        return HTTP_FORWARDED;
    if (!address_is_loopback(&gate->listen))
        return HTTP_NO_TOKEN;
    if (!is_own_host(gate, head->host))
        return HTTP_FOREIGN_HOST;
    if (!is_own_page(head))
        return HTTP_FOREIGN_ORIGIN;
    return api ? HTTP_NO_TOKEN : HTTP_PASS;
}

const char *http_verdict_name(enum http_verdict verdict)
{
    switch (verdict) {
    case HTTP_PASS:
        return "pass";
    case HTTP_WRONG_TOKEN:
        return "wrong_token";
    case HTTP_NO_TOKEN:
        return "no_token";
    case HTTP_FORWARDED:
        return "forwarded";
    case HTTP_FOREIGN_HOST:
        return "foreign_host";
    case HTTP_FOREIGN_ORIGIN:
        return "foreign_origin";
    }
    return "pass";
}
