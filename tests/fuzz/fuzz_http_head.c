#include "common/wire/http_head.h"

#include "tests/fuzz/fuzz.h"

static void lies_within(struct bytes part, const uint8_t *data, size_t size)
{
    if (part.size == 0 || bytes_equal(part, bytes_of_string("/")))
        return; /* the path of an address that has none is not in it */
    ASSERT(part.data >= data && part.data + part.size <= data + size);
}

/* A head that is taken is within its bytes, and no beginning of it is one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_head head, cut;
    size_t whole = 0, ignored = 0;

    if (http_head_read(bytes_of(data, size), &head, &whole) != 0)
        return 0;
    ASSERT(whole <= size);
    ASSERT(head.path.size > 0 && head.path.data[0] == '/');
    lies_within(head.path, data, whole);
    lies_within(head.query, data, whole);
    lies_within(head.host, data, whole);
    for (size_t i = 0; i < head.count; i++) {
        lies_within(head.fields[i].name, data, whole);
        lies_within(head.fields[i].value, data, whole);
        ASSERT(
            !memchr(head.fields[i].name.data, ':', head.fields[i].name.size));
    }
    (void)http_head_forwarded(&head);
    (void)http_head_lists(&head, "connection", "upgrade");
    ASSERT(http_head_read(bytes_of(data, whole), &cut, &ignored) == 0);
    for (size_t at = 0; at < whole; at += 1 + whole / 16)
        ASSERT(http_head_read(bytes_of(data, at), &cut, &ignored) != 0);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const char text[] =
        "GET http://h:80/api?token=1&x HTTP/1.1\r\nHost: h\r\nOrigin: "
        "http://h\r\nConnection: keep-alive, Upgrade\r\nCookie: a=b; c=d\r\n"
        "X-Forwarded-For: ::1\r\nContent-Length: 0\r\n\r\n";

    return fuzz_keep(bytes_of(text, sizeof(text) - 1), room, size);
}
