#include "common/wire/http_upgrade.h"

#include "tests/fuzz/fuzz.h"

static const struct http_upgrade_asked asked = {
    .host = "relay.example.org",
    .accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    .protocol = "zeroservices"};

/* What a part of the bytes decides, the whole does not change. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t head = 0, part_head;
    int status, part_status;
    enum http_upgrade whole =
        http_upgrade_read(bytes_of(data, size), &asked, &head, &status);

    ASSERT(whole != HTTP_UPGRADE_YES ||
           (status == 101 && head <= size && head <= HTTP_UPGRADE_SIZE));
    for (size_t i = 0; i < size; i += 1 + size / 64) {
        enum http_upgrade part = http_upgrade_read(bytes_of(data, i), &asked,
                                                   &part_head, &part_status);
        ASSERT(part == HTTP_UPGRADE_MORE || part == whole);
        ASSERT(part == HTTP_UPGRADE_MORE || part_status == status);
        ASSERT(part != HTTP_UPGRADE_YES || part_head == head);
    }
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const char text[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        "Sec-WebSocket-Protocol: zeroservices\r\n\r\n\x82\x01x";

    return fuzz_keep(bytes_of(text, sizeof text - 1), room, size);
}
