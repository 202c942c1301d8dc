#include "common/conf/endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *port_parse(const char *text, enum endpoint_form form,
                              uint16_t *port)
{
    size_t size = strlen(text);
    if (size == 0 || size > 5 || strspn(text, "0123456789") != size)
        return "wants a port of 1 to 65535 after the last colon";
    long value = strtol(text, NULL, 10);
    if (value > UINT16_MAX || (value == 0 && form != ENDPOINT_LISTEN))
        return "wants a port of 1 to 65535 after the last colon";
    *port = (uint16_t)value;
    return NULL;
}

/* True for an IPv6 address; link-local ones need a %zone. */
static bool is_v6(const char *host)
{
    char address[ENDPOINT_HOST_SIZE];
    struct in6_addr ip;
    size_t size = strcspn(host, "%");
    memcpy(address, host, size);
    address[size] = '\0';
    return inet_pton(AF_INET6, address, &ip) == 1 &&
           (host[size] == '\0' || host[size + 1] != '\0');
}

/* True for an IPv4 address or a host name: letters, digits, hyphens and
 * underscores between single dots. A name of digits and dots only must be an
 * address. */
static bool is_v4_or_name(const char *host)
{
    struct in_addr ip;
    bool numeric = true;
    char before = '.';
    for (const char *at = host; *at != '\0'; before = *at++) {
        unsigned char c = (unsigned char)*at;
        if (!isalnum(c) && c != '-' && c != '_' && c != '.')
            return false;
        if (c == '.' && before == '.')
            return false;
        numeric = numeric && (isdigit(c) || c == '.');
    }
    return numeric ? inet_pton(AF_INET, host, &ip) == 1 : true;
}

static const char *host_check(const char *host, bool bracketed,
                              enum endpoint_form form)
{
    if (bracketed)
        return is_v6(host) ? NULL : "wants an IPv6 address in the brackets";
    if (form == ENDPOINT_LISTEN && strcmp(host, "*") == 0)
        return NULL;
    if (*host == '\0')
        return "wants a host name or an address";
    if (strchr(host, ':') != NULL)
        return "wants brackets around an IPv6 address: [::1]:443";
    return is_v4_or_name(host) ? NULL
                               : "wants a host name or an address "
                                 "before the port";
}

static bool ends_with(const char *text, char c)
{
    size_t size = strlen(text);
    return size > 0 && text[size - 1] == c;
}

/* The colon before the port; the end of the text if it may lack a port and
 * does; else NULL. */
static const char *host_end(const char *text, enum endpoint_form form)
{
    const char *colon = strrchr(text, ':');
    if (form == ENDPOINT_HOST && (colon == NULL || ends_with(text, ']')))
        return text + strlen(text);
    return colon == text && form != ENDPOINT_LISTEN ? NULL : colon;
}

const char *endpoint_parse(const char *text, enum endpoint_form form,
                           struct endpoint *endpoint)
{
    const char *end = host_end(text, form);
    if (end == NULL)
        return "wants HOST:PORT";
    size_t size = (size_t)(end - text);
    bool bracketed = size >= 2 && text[0] == '[' && text[size - 1] == ']';
    const char *start = bracketed ? text + 1 : text;
    size -= bracketed ? 2u : 0u;
    if (size >= ENDPOINT_HOST_SIZE)
        return "wants a host of at most 253 letters";
    memcpy(endpoint->host, start, size);
    endpoint->host[size] = '\0';
    if (size == 0 && !bracketed)
        strcpy(endpoint->host, form == ENDPOINT_LISTEN ? "*" : "");
    const char *wrong = host_check(endpoint->host, bracketed, form);
    endpoint->port = 0;
    if (wrong != NULL || *end == '\0')
        return wrong;
    return port_parse(end + 1, form, &endpoint->port);
}
