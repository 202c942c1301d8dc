#include "kit.h"

#include "common/wire/http_reply.h"

static uint8_t room[1024];

static enum http_reply_part read_text(const char *text, bool ended,
                                      struct http_reply *r)
{
    size_t size = strlen(text);

    assert_true(size <= sizeof room);
    memcpy(room, text, size);
    return http_reply_read(room, size, ended, r);
}

static void same(struct bytes bytes, const char *text)
{
    assert_int_equal(bytes.size, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.size);
}

static void a_length_tells_where_the_body_ends(void **state)
{
    (void)state;
    struct http_reply r;
    static const char text[] =
        "HTTP/1.1 200 OK\r\nServer: x\r\nCONTENT-LENGTH:  5 \r\n\r\nhelloxx";
    assert_int_equal(read_text(text, false, &r), HTTP_REPLY_WHOLE);
    assert_int_equal(r.status, 200);
    same(r.body, "hello");
    for (size_t size = 0; size < sizeof text - 3; size++)
        assert_int_equal(http_reply_read(room, size, true, &r),
                         HTTP_REPLY_MORE);
}

static void without_a_length_the_end_of_the_stream_does(void **state)
{
    (void)state;
    struct http_reply r;
    static const char text[] = "HTTP/1.0 500 no\nA:b\n\nhello";
    assert_int_equal(read_text(text, false, &r), HTTP_REPLY_MORE);
    assert_int_equal(read_text(text, true, &r), HTTP_REPLY_WHOLE);
    assert_int_equal(r.status, 500);
    same(r.body, "hello");
    assert_int_equal(read_text("HTTP/1.1 204\r\n\r\n", true, &r),
                     HTTP_REPLY_WHOLE);
    assert_int_equal(r.body.size, 0);
}

static void chunks_are_moved_together(void **state)
{
    (void)state;
    struct http_reply r;
    static const char text[] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "5;x=y\r\nhello\r\nA \r\n, 10 bytes\r\n0\r\n\r\n";
    for (size_t size = 0; size < sizeof text - 3; size++) {
        memcpy(room, text, size);
        assert_int_equal(http_reply_read(room, size, true, &r),
                         HTTP_REPLY_MORE);
        assert_memory_equal(room, text, size);
    }
    assert_int_equal(read_text(text, false, &r), HTTP_REPLY_WHOLE);
    same(r.body, "hello, 10 bytes");
}

static void fields_are_found_by_name(void **state)
{
    (void)state;
    struct http_reply r;
    struct bytes value;
    assert_int_equal(
        read_text("HTTP/1.1 200 OK\r\nno colon\r\n: x\r\nEmpty:\r\n"
                  "LOCATION:\thttp://h:1/d \r\nLocation: other\r\n\r\n",
                  true, &r),
        HTTP_REPLY_WHOLE);
    assert_true(http_reply_field(&r, "location", &value));
    same(value, "http://h:1/d");
    assert_true(http_reply_field(&r, "EMPTY", &value));
    assert_int_equal(value.size, 0);
    assert_false(http_reply_field(&r, "Loc", &value));
}

static void nonsense_is_wrong(void **state)
{
    (void)state;
    struct http_reply r;
    static const char *const texts[] = {
        "\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.x 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_int_equal(read_text(texts[i], true, &r), HTTP_REPLY_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_tells_where_the_body_ends),
        cmocka_unit_test(without_a_length_the_end_of_the_stream_does),
        cmocka_unit_test(chunks_are_moved_together),
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(nonsense_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
