#include "common/wire/relay_request.h"
#include "common/wire/websocket.h"

#include "tests/fuzz/fuzz.h"

/* What the relay answers by a WebSocket has all that RFC 6455 wants, in
 * whatever pieces the request came. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_head head;
    size_t whole = 0;

    if (http_head_read(bytes_of(data, size), &head, &whole) != 0)
        return 0;
    enum relay_asks asks = relay_request_asks(&head);
    if (asks == ASKS_LINK) {
        const struct http_field *key =
            http_head_field(&head, "sec-websocket-key");
        ASSERT(head.body && head.http_1_1);
        ASSERT(bytes_equal(head.path, bytes_of_string("/")));
        ASSERT(key != NULL && websocket_key_valid(key->value));
        ASSERT(http_head_lists(&head, "sec-websocket-protocol",
                               RELAY_SUBPROTOCOL));
    }
    size_t again = 0;
    ASSERT(http_head_read(bytes_of(data, whole), &head, &again) == 0);
    ASSERT(again == whole && relay_request_asks(&head) == asks);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const char text[] =
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: chat, zeroservices\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    return fuzz_keep(bytes_of(text, sizeof(text) - 1), room, size);
}
