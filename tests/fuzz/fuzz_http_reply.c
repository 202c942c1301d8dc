#include "common/wire/http_reply.h"

#include "tests/fuzz/fuzz.h"

static void lies_within(struct bytes part, const uint8_t *data, size_t size)
{
    ASSERT(part.data >= data && part.data + part.size <= data + size);
}

/* A response lies within its bytes, and one that is not whole leaves them as
 * they are. What is whole before the stream ends is so afterwards. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[4096];
    struct http_reply r = {.status = 0};
    struct bytes value;

    if (size > sizeof room)
        return 0;
    memcpy(room, data, size);
    enum http_reply_part open = http_reply_read(room, size, false, &r);
    if (open != HTTP_REPLY_WHOLE)
        ASSERT(memcmp(room, data, size) == 0);
    memcpy(room, data, size);
    enum http_reply_part ended = http_reply_read(room, size, true, &r);
    ASSERT(open == ended || open == HTTP_REPLY_MORE);
    if (ended != HTTP_REPLY_WHOLE)
        return 0;
    ASSERT(r.status >= 100 && r.status < 600);
    lies_within(r.head, room, size);
    lies_within(r.body, room, size);
    if (http_reply_field(&r, "location", &value))
        lies_within(value, r.head.data, r.head.size);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const char text[] =
        "HTTP/1.1 200 OK\r\nLocation: http://192.168.1.1:80/d.xml\r\n"
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;a=b\r\nyou\r\n0\r\n";

    return fuzz_keep(bytes_of(text, sizeof(text) - 1), room, size);
}
