#include "common/core/websocket_accept.h"

#include <sodium.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/core/digest.h"
#include "common/wire/websocket.h"

void websocket_accept(struct bytes key, char text[static WEBSOCKET_ACCEPT_SIZE])
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t both[WEBSOCKET_KEY_SIZE + sizeof magic - 1];
    uint8_t hash[DIGEST_SHA1_SIZE];

    ASSERT(key.size == WEBSOCKET_KEY_SIZE);
    memcpy(both, key.data, WEBSOCKET_KEY_SIZE);
    memcpy(both + WEBSOCKET_KEY_SIZE, magic, sizeof magic - 1);
    digest_sha1(bytes_of(both, sizeof both), hash);
    sodium_bin2base64(text, WEBSOCKET_ACCEPT_SIZE, hash, sizeof hash,
                      sodium_base64_VARIANT_ORIGINAL);
}
