#include "edge/shell/http_gate.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HOST_SIZE = 262 };

static bool is_token(const struct http_gate *gate, const char *token)
{
    return token && strlen(token) == HTTP_TOKEN_SIZE - 1 &&
           sodium_memcmp(token, gate->token, HTTP_TOKEN_SIZE - 1) == 0;
}

/* Of "http://HOST" or "https://HOST" (a proxy may do the TLS): the HOST, as the
 * Host header writes it. */
static bool is_own_origin(const char *origin, const char *host)
{
    if (strncasecmp(origin, "http://", 7) == 0)
        origin += 7;
    else if (strncasecmp(origin, "https://", 8) == 0)
        origin += 8;
    else
        return false;
    return host && strcasecmp(origin, host) == 0;
}

/* Any port is fine: the request got here by it, maybe through a tunnel. */
static bool is_own_host(const struct http_gate *gate, const char *host)
{
    char with_port[HOST_SIZE + 4];
    struct address address;
    size_t name = strcspn(host, ":");

    if (strlen(host) >= HOST_SIZE)
        return false;
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
                                  const struct http_knock *knock)
{
    bool own_page = !knock->origin || is_own_origin(knock->origin, knock->host);

    if (knock->token)
        return is_token(gate, knock->token) ? HTTP_PASS : HTTP_WRONG_TOKEN;
    if (is_token(gate, knock->cookie))
        return own_page ? HTTP_PASS : HTTP_FOREIGN_ORIGIN;
    if (!address_is_loopback(&gate->listen))
        return HTTP_NO_TOKEN;
    if (!knock->host || !is_own_host(gate, knock->host))
        return HTTP_FOREIGN_HOST;
    return own_page ? HTTP_PASS : HTTP_FOREIGN_ORIGIN;
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
    case HTTP_FOREIGN_HOST:
        return "foreign_host";
    case HTTP_FOREIGN_ORIGIN:
        return "foreign_origin";
    }
    return "pass";
}
