/* The heads of HTTP/1.x requests: which are parsed, and which refused. */
#include "common/wire/http_head.h"
#include "tests/unit/kit.h"

#include <stdio.h>

#define HOST "Host: h\r\n"

static int read_text(const char *text, struct http_head *h)
{
    size_t size = 0;
    int status = http_head_read(bytes_of_string(text), h, &size);

    if (status == 0)
        assert_int_equal(size, strlen(text));
    return status;
}

static const struct head_row {
    const char *text;
    int status;
} rows[] = {
    {"GET / HTTP/1.1\r\n" HOST "\r\n", 0},
    {"HEAD / HTTP/1.1\r\n" HOST "\r\n", 0},
    {"GET / HTTP/1.0\r\n\r\n", 0},
    {"\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 0},
    {"GET http://h:1/x?y HTTP/1.1\r\nHost: other\r\n\r\n", 0},
    {"GET /?a=%20&b HTTP/1.1\r\nhOST:h:80\r\nX: \t a b\t \r\nY:\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n" HOST "X: caf\xc3\xa9\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 0},
    /* Not whole yet. */
    {"", HTTP_MORE},
    {"\r\n", HTTP_MORE},
    {"G", HTTP_MORE},
    {"GET / HTTP/1.1\r\n" HOST, HTTP_MORE},
    {"GET / HTTP/1.1\r\n" HOST "\r", HTTP_MORE},
    /* Forbidden forms of lines and names [RFC 9112, 2.2, 5]. */
    {"GET / HTTP/1.1\nHost: h\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X\t: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n X: a\r\n" HOST "\r\n", 400},
    /* The request line. */
    {"\x16\x03\x01", 400},
    {" GET / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
    {"GET /\r\n\r\n", 400},
    {"GET / http/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/11\r\n" HOST "\r\n", 400},
    {"GET x HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /#x HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\x80 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET ftp://h/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET http:/// HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET http://u@h/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"G(T / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\n", 505},
    {"GET / HTTP/0.9\r\n" HOST "\r\n", 505},
    /* Methods. */
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", 405},
    {"PUT / HTTP/1.1\r\n" HOST "\r\n", 405},
    {"DELETE / HTTP/1.1\r\n" HOST "\r\n", 405},
    {"PATCH / HTTP/1.1\r\n" HOST "\r\n", 405},
    {"TRACE / HTTP/1.1\r\n" HOST "\r\n", 405},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 405},
    {"CONNECT h:1 HTTP/1.1\r\n" HOST "\r\n", 405},
    {"get / HTTP/1.1\r\n" HOST "\r\n", 501},
    {"BREW / HTTP/1.1\r\n" HOST "\r\n", 501},
    /* The host [RFC 9112, 3.2]. */
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
    {"GET http://h/ HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400},
    /* The body [RFC 9112, 6]. */
    {"GET / HTTP/1.1\r\n" HOST
     "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
     400},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
     400},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", 413},
    {"GET / HTTP/1.1\r\n" HOST
     "Content-Length: 99999999999999999999999\r\n\r\n",
     413},
    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 413},
    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", 501},
    {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
};

static void each_head_gets_its_status(void **state)
{
    struct http_head h;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int status = read_text(rows[i].text, &h);
        if (status != rows[i].status)
            fail_msg("%d, not %d: %s", status, rows[i].status, rows[i].text);
    }
}

/* For an incomplete head the parser wants more bytes or refuses; it never
 * accepts. */
static void no_prefix_of_a_head_is_a_head(void **state)
{
    struct http_head h;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes text = bytes_of_string(rows[i].text);
        for (size_t cut = 0; rows[i].status == 0 && cut < text.size; cut++) {
            size_t size = 0;
            assert_int_equal(
                http_head_read(bytes_of(text.data, cut), &h, &size), HTTP_MORE);
        }
    }
}

static void a_nul_is_no_character(void **state)
{
    static const char name[] = "GET / HTTP/1.1\r\nHost: h\r\nX\0: a\r\n\r\n";
    static const char value[] = "GET / HTTP/1.1\r\nHost: h\r\nX: \0\r\n\r\n";
    static const char host[] = "GET / HTTP/1.1\r\nHost: h\0\r\n\r\n";
    static const char path[] = "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n";
    struct http_head h;
    size_t size;
    (void)state;

    assert_int_equal(http_head_read(bytes_of(name, sizeof name - 1), &h, &size),
                     400);
    assert_int_equal(
        http_head_read(bytes_of(value, sizeof value - 1), &h, &size), 400);
    assert_int_equal(http_head_read(bytes_of(host, sizeof host - 1), &h, &size),
                     400);
    assert_int_equal(http_head_read(bytes_of(path, sizeof path - 1), &h, &size),
                     400);
}

/* Whether the end of the head is there or not. */
static void a_head_over_8_KiB_is_refused(void **state)
{
    static char text[2 * HTTP_HEAD_SIZE + 64];
    struct http_head h;
    size_t size;
    (void)state;

    int begin = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
    memset(text + begin, 'x', HTTP_HEAD_SIZE);
    assert_int_equal(
        http_head_read(bytes_of(text, HTTP_HEAD_SIZE - 1), &h, &size),
        HTTP_MORE);
    assert_int_equal(http_head_read(bytes_of(text, HTTP_HEAD_SIZE), &h, &size),
                     431);
    memcpy(text + begin + HTTP_HEAD_SIZE, "\r\n\r\n", 5);
    assert_int_equal(read_text(text, &h), 431);
    memcpy(text + HTTP_HEAD_SIZE - 4, "\r\n\r\n", 5);
    assert_int_equal(read_text(text, &h), 0);

    memcpy(text, "GET /", 5);
    memset(text + 5, 'x', HTTP_HEAD_SIZE);
    assert_int_equal(http_head_read(bytes_of(text, HTTP_HEAD_SIZE), &h, &size),
                     414);
}

static void too_many_fields_are_refused(void **state)
{
    char text[HTTP_HEAD_SIZE] = "GET / HTTP/1.1\r\nHost: h\r\n";
    struct http_head h;
    (void)state;

    for (int i = 1; i < HTTP_FIELDS; i++)
        strcat(text, "X:\r\n");
    size_t size = strlen(text);
    strcpy(text + size, "\r\n");
    assert_int_equal(read_text(text, &h), 0);
    strcpy(text + size, "X:\r\n\r\n");
    assert_int_equal(read_text(text, &h), 431);
}

static void assert_bytes(struct bytes bytes, const char *text)
{
    assert_true(bytes_equal(bytes, bytes_of_string(text)));
}

static void the_fields_of_a_head_are_found(void **state)
{
    struct http_head h;
    struct bytes value;
    size_t size;
    (void)state;

    struct bytes two = bytes_of_string(
        "GET /a?x=1&token=ab=&y HTTP/1.1\r\nHost: H:8\r\nCookie: \t c=d \t\r\n"
        "Connection: keep-alive ,UPGRADE\r\n\r\nGET /b HTTP/1.1\r\nHost: "
        "h\r\nConnection: x\r\nconnection: Close\r\n\r\n");
    assert_int_equal(http_head_read(two, &h, &size), 0);
    assert_bytes(h.path, "/a");
    assert_bytes(h.host, "H:8");
    assert_true(h.keep && h.body && h.http_1_1);
    assert_bytes(http_head_field(&h, "COOKIE")->value, "c=d");
    assert_null(http_head_field(&h, "Cooki"));
    assert_true(http_head_lists(&h, "connection", "upgrade"));
    assert_false(http_head_lists(&h, "connection", "up"));
    assert_true(http_head_parameter(&h, "token", &value));
    assert_bytes(value, "ab=");
    assert_true(http_head_parameter(&h, "y", &value));
    assert_int_equal(value.size, 0);
    assert_false(http_head_parameter(&h, "tok", &value));

    two = bytes_of(two.data + size, two.size - size);
    assert_int_equal(http_head_read(two, &h, &size), 0);
    assert_int_equal(size, two.size);
    assert_bytes(h.path, "/b");
    assert_int_equal(h.query.size, 0);
    assert_false(h.keep);
    assert_int_equal(read_text("GET http://a:1?q HTTP/1.1\r\n" HOST "\r\n", &h),
                     400);
    assert_int_equal(read_text("GET http://a:1 HTTP/1.1\r\n" HOST "\r\n", &h),
                     0);
    assert_bytes(h.host, "a:1");
    assert_bytes(h.path, "/");
    assert_int_equal(read_text("HEAD / HTTP/1.0\r\n\r\n", &h), 0);
    assert_false(h.keep || h.body || h.http_1_1);
}

static void headers_of_a_proxy_are_noticed(void **state)
{
    static const char *const by_proxy[] = {
        "Forwarded: for=1.2.3.4",  "X-Forwarded-For: 1.2.3.4",
        "x-forwarded-proto: http", "X-FORWARDED-HOST: h",
        "X-Forwarded: x",          "X-Forwarded-Prefix: /",
        "X-Real-IP: 1.2.3.4",      "Via: 1.1 proxy",
        "CF-Connecting-IP: 1",     "True-Client-IP: 1"};
    static const char *const others[] = {"X: Forwarded", "X-Forward: a",
                                         "Forwarded-X: a", "Viaduct: a"};
    char text[256];
    struct http_head h;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(by_proxy); i++) {
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST "%s\r\n\r\n",
                 by_proxy[i]);
        assert_int_equal(read_text(text, &h), 0);
        if (!http_head_forwarded(&h))
            fail_msg("%s", by_proxy[i]);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST "%s\r\n\r\n",
                 others[i]);
        assert_int_equal(read_text(text, &h), 0);
        if (http_head_forwarded(&h))
            fail_msg("%s", others[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_head_gets_its_status),
        cmocka_unit_test(no_prefix_of_a_head_is_a_head),
        cmocka_unit_test(a_nul_is_no_character),
        cmocka_unit_test(a_head_over_8_KiB_is_refused),
        cmocka_unit_test(too_many_fields_are_refused),
        cmocka_unit_test(the_fields_of_a_head_are_found),
        cmocka_unit_test(headers_of_a_proxy_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
