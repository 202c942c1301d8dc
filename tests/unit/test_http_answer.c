/* Answers as RFC 9112 and RFC 6455 write them. */
#include "common/core/websocket_accept.h"
#include "common/wire/http_answer.h"
#include "tests/unit/kit.h"

#include <string.h>
#include <time.h>

static void dates_are_those_of_the_system(void **state)
{
    static const uint64_t times[] = {0,          784111777,  951782399,
                                     951868800,  1709164800, 1709251199,
                                     4107542399, 1735689599, 253402300799};
    char text[HTTP_DATE_SIZE], wanted[64];
    struct tm tm;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(times) + 20000; i++) {
        time_t at = i < COUNT_OF(times) ? (time_t)times[i]
                                        : (time_t)(i * UINT64_C(86399) * 3);
        assert_non_null(gmtime_r(&at, &tm));
        strftime(wanted, sizeof wanted, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        http_date((uint64_t)at, text);
        assert_string_equal(text, wanted);
    }
    http_date(784111777, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    http_date(UINT64_MAX, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
}

static void an_answer_has_its_fields_and_its_body(void **state)
{
    static const char wanted[] =
        "HTTP/1.1 404 Not Found\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        "Connection: close\r\n"
        "Content-Security-Policy: default-src 'none'\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "X-Frame-Options: DENY\r\n"
        "Referrer-Policy: no-referrer\r\n"
        "Cross-Origin-Resource-Policy: same-origin\r\n"
        "Cross-Origin-Opener-Policy: same-origin\r\n"
        "Cache-Control: no-store\r\n"
        "X: y\r\n"
        "Content-Type: text/plain\r\n"
        "Content-Length: 3\r\n\r\n";
    struct http_answer a = {
        404, false, true, "text/plain", "default-src 'none'", "X: y\r\n"};
    struct text t = {0};
    (void)state;

    http_answer_write(&t, &a, 784111777, bytes_of_string("no\n"));
    assert_int_equal(strncmp(text_string(&t), wanted, strlen(wanted)), 0);
    assert_string_equal(text_string(&t) + strlen(wanted), "no\n");
    text_clear(&t);
    a.body = false;
    http_answer_write(&t, &a, 784111777, bytes_of_string("no\n"));
    assert_string_equal(text_string(&t), wanted);
    text_clear(&t);
    a.keep = true;
    http_answer_write(&t, &a, 784111777, bytes_of_string("no\n"));
    assert_null(strstr(text_string(&t), "Connection:"));
    text_close(&t);
}

/* The example of RFC 6455, 1.3. */
static void a_key_is_accepted_as_the_rfc_says(void **state)
{
    char accept[WEBSOCKET_ACCEPT_SIZE];
    struct text t = {0};
    (void)state;

    websocket_accept(bytes_of_string("dGhlIHNhbXBsZSBub25jZQ=="), accept);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    http_answer_upgrade(&t, accept, "chat");
    assert_string_equal(text_string(&t),
                        "HTTP/1.1 101 Switching Protocols\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                        "Sec-WebSocket-Protocol: chat\r\n\r\n");
    text_clear(&t);
    http_answer_upgrade(&t, accept, NULL);
    assert_null(strstr(text_string(&t), "Protocol:"));
    text_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_those_of_the_system),
        cmocka_unit_test(an_answer_has_its_fields_and_its_body),
        cmocka_unit_test(a_key_is_accepted_as_the_rfc_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
