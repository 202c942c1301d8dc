#include "common/wire/relay_request.h"

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
