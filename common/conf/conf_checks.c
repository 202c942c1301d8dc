#include "common/conf/conf_checks.h"

#include "common/base/address_prefix.h"
#include "common/base/hex.h"
#include "common/conf/endpoint.h"
#include "common/conf/proxy_setting.h"
#include "common/conf/relay_url.h"
#include "common/wire/certificate.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sodium.h>
#include <string.h>

const char *const conf_log_levels[] = {"error", "warn", "info", "debug", NULL};
const char *const conf_log_formats[] = {"text", "json", NULL};

const char *check_name(const char *value)
{
    return name_is_valid(bytes_of_string(value))
               ? NULL
               : "wants 1 to 63 of A-Z a-z 0-9 . _ - (not . or - at first)";
}

const char *check_mesh(const char *value)
{
    uint8_t id[KEY_SIZE];
    if (strcmp(value, "any") == 0 || hex_decode(value, id, sizeof id))
        return NULL;
    return "wants a mesh id of 64 hexadecimal digits, or any";
}

const char *check_interface(const char *value)
{
    size_t size = strlen(value);
    bool good = size > 0 && size < IFNAMSIZ && strpbrk(value, "/ \t\n") == NULL;
    return good ? NULL : "wants the name of an interface, or all";
}

const char *check_multicast4(const char *value)
{
    struct in_addr ip;
    if (inet_pton(AF_INET, value, &ip) == 1 && IN_MULTICAST(ntohl(ip.s_addr)))
        return NULL;
    return "wants an IPv4 multicast address (224.0.0.0 to 239.255.255.255)";
}

const char *check_multicast6(const char *value)
{
    struct in6_addr ip;
    if (inet_pton(AF_INET6, value, &ip) == 1 && ip.s6_addr[0] == 0xff)
        return NULL;
    return "wants an IPv6 multicast address (ff..)";
}

const char *check_connect(const char *value)
{
    struct endpoint endpoint;
    return endpoint_parse(value, ENDPOINT_CONNECT, &endpoint);
}

const char *check_dial(const char *value)
{
    struct endpoint endpoint;
    return endpoint_parse(value, ENDPOINT_HOST, &endpoint);
}

/* RFC 6066: an address is no server name. */
const char *check_server_name(const char *value)
{
    static const char wrong[] = "wants a name of DNS, without a port";
    struct endpoint endpoint;
    struct in_addr ip;
    bool good = endpoint_parse(value, ENDPOINT_HOST, &endpoint) == NULL &&
                strpbrk(value, ":[") == NULL &&
                inet_pton(AF_INET, value, &ip) != 1;
    return good ? NULL : wrong;
}

const char *check_prefix(const char *value)
{
    struct address_prefix prefix;
    return address_prefix_parse(value, &prefix)
               ? NULL
               : "wants an address, or a network such as 10.0.0.0/8 whose "
                 "other bits are 0";
}

const char *check_listen(const char *value)
{
    struct endpoint endpoint;
    return endpoint_parse(value, ENDPOINT_LISTEN, &endpoint);
}

/* The part of the URL behind its scheme; NULL unless the scheme is one of the
 * list, which ends with NULL. */
static const char *behind_scheme(const char *url, const char *const *schemes)
{
    for (; *schemes != NULL; schemes++)
        if (strncmp(url, *schemes, strlen(*schemes)) == 0)
            return url + strlen(*schemes);
    return NULL;
}

const char *check_proxy(const char *value)
{
    struct proxy_setting proxy;
    const char *wrong = proxy_setting_parse(value, &proxy);
    sodium_memzero(&proxy, sizeof proxy);
    return wrong;
}

const char *check_relay(const char *value)
{
    struct relay_url url;
    return relay_url_parse(value, &url);
}

const char *check_nats(const char *value)
{
    static const char *const schemes[] = {"nats://", "tls://", NULL};
    const char *rest = behind_scheme(value, schemes);
    return rest != NULL && *rest != '\0' ? NULL : "wants nats://HOST:PORT";
}

bool conf_list_has(const struct conf_list *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], word) == 0)
            return true;
    return false;
}
