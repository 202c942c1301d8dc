#include "common/wire/relay_request.h"

#include <string.h>

#include "common/wire/websocket.h"

static bool is_path(const struct http_head *h, const char *path)
{
    return bytes_equal(h->path, bytes_of_string(path));
}

static bool is_for_edges(const struct http_head *h)
{
    return h->body && h->http_1_1 &&
           http_head_lists(h, "upgrade", "websocket") &&
           http_head_lists(h, "connection", "upgrade") &&
           http_head_lists(h, "sec-websocket-protocol", RELAY_SUBPROTOCOL);
}

static enum relay_asks of_websocket(const struct http_head *h)
{
    const struct http_field *key = http_head_field(h, "sec-websocket-key");
    const struct http_field *version =
        http_head_field(h, "sec-websocket-version");

    if (version == NULL || !http_same(version->value, "13"))
        return ASKS_NEW_VERSION;
    return key != NULL && websocket_key_valid(key->value) ? ASKS_LINK
                                                          : ASKS_BADLY;
}

enum relay_asks relay_request_asks(const struct http_head *h)
{
    if (is_path(h, "/"))
        return is_for_edges(h) ? of_websocket(h) : ASKS_PAGE;
    return is_path(h, "/healthz") ? ASKS_HEALTH : ASKS_NOTHING;
}

/* ---- From whom ---------------------------------------------------------- */

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]" or with a
 * port. */
static bool read_address(struct bytes item, struct address *a)
{
    char text[ADDRESS_TEXT_SIZE];

    if (item.size == 0 || item.size >= sizeof text)
        return false;
    memcpy(text, item.data, item.size);
    text[item.size] = '\0';
    /* A scope, or a NUL inside, belongs to no address of a client. */
    if (strspn(text, "0123456789abcdefABCDEF:.[]") != item.size)
        return false;
    if (address_of_ip(text, 0, a) || address_parse(text, a))
        return true;
    if (text[0] != '[' || text[item.size - 1] != ']')
        return false;
    text[item.size - 1] = '\0';
    return address_of_ip(text + 1, 0, a);
}

enum relay_from relay_request_from(const struct http_head *h,
                                   const struct address_prefix *proxies,
                                   size_t count, struct address *client)
{
    enum relay_from from = FROM_SENDER;
    struct bytes item;

    for (size_t n = 0; http_head_last(h, "x-forwarded-for", n, &item); n++) {
        struct address a;
        if (!read_address(item, &a))
            return FROM_MALFORMED;
        *client = a;
        from = FROM_CLIENT;
        if (!address_prefixes_have(proxies, count, &a))
            break;
    }
    return from;
}
