#include "common/wire/first_bytes.h"

#include "tests/unit/kit.h"

#define CASE(text, protocol, at)                                               \
    {                                                                          \
        text, sizeof(text) - 1, protocol, at                                   \
    }

/* What the bytes are, and how many of them it takes to know. */
static const struct {
    const char *data;
    size_t size;
    enum first_protocol protocol;
    size_t decided_at;
} cases[] = {
    CASE("\377\0\0\0\0\0\0\0\0\177", FIRST_ZMTP, 10),
    CASE("\377\0\0\0\0\0\0\0\1\177\3\1CURVE", FIRST_ZMTP, 10),
    CASE("\377\1\2\3\4\5\6\7\10\176", FIRST_UNKNOWN, 10),
    CASE("\1\0", FIRST_UNKNOWN, 1), /* ZMTP 1 */
    CASE("\26\3\1\2\0\1\0\1\374\3\3", FIRST_TLS, 6),
    CASE("\26\3\3\100\0\1", FIRST_TLS, 6),
    CASE("\26\3\4\0\1\1", FIRST_TLS, 6),
    CASE("\26\3\5", FIRST_UNKNOWN, 3),
    CASE("\26\2", FIRST_UNKNOWN, 2),
    CASE("\26\3\1\0\0\1", FIRST_UNKNOWN, 6),
    CASE("\26\3\1\100\1\1", FIRST_UNKNOWN, 6),
    CASE("\26\3\1\2\0\2", FIRST_UNKNOWN, 6), /* a ServerHello */
    CASE("\25\3\1\0\2\2", FIRST_UNKNOWN, 1), /* an alert */
    CASE("\200\56\1\3\1", FIRST_UNKNOWN, 1), /* SSL 2 */
    CASE("GET / HTTP/1.1\r\n", FIRST_HTTP, 4),
    CASE("POST /", FIRST_HTTP, 5),
    CASE("PUT /", FIRST_HTTP, 4),
    CASE("PROPFIND /", FIRST_HTTP, 9),
    CASE("OPTIONS *", FIRST_HTTP, 8),
    CASE("M-SEARCH * HTTP/1.1", FIRST_HTTP, 9),
    CASE("PRI * HTTP/2.0\r\n", FIRST_HTTP, 4),
    CASE("ABCDEFGHIJKLMNOP /", FIRST_HTTP, 17),
    CASE("ABCDEFGHIJKLMNOPQ /", FIRST_UNKNOWN, 17),
    CASE(" GET", FIRST_UNKNOWN, 1),
    CASE("-GET", FIRST_UNKNOWN, 1),
    CASE("get /", FIRST_UNKNOWN, 1),
    CASE("SSH-2.0-OpenSSH", FIRST_UNKNOWN, 5),
    CASE("EHLO\r\n", FIRST_UNKNOWN, 5),
    CASE("PROXY TCP4 1.2.3.4", FIRST_PROXY, 6),
    CASE("PROXY/", FIRST_UNKNOWN, 6),
    CASE("PROXYX ", FIRST_HTTP, 7),
    CASE("\r\n\r\n\0\r\nQUIT\n", FIRST_PROXY, 12),
    CASE("\r\n\r\n\0\r\nQUIT\r", FIRST_UNKNOWN, 12),
    CASE("\r\nGET / HTTP/1.1", FIRST_UNKNOWN, 3),
    CASE("\0\0\0\0", FIRST_UNKNOWN, 1),
};

static void protocols_are_told_as_soon_as_they_can_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t size = 0; size <= cases[i].size; size++)
            assert_int_equal(first_bytes_tell(bytes_of(cases[i].data, size)),
                             size < cases[i].decided_at ? FIRST_MORE
                                                        : cases[i].protocol);
}

/* Whatever the bytes are, a few of them are enough. */
static void no_one_is_waited_for_without_end(void **state)
{
    uint8_t bytes[FIRST_BYTES_MOST];
    (void)state;

    for (unsigned first = 0; first < 256; first++)
        for (unsigned rest = 0; rest < 256; rest++) {
            memset(bytes, (int)rest, sizeof(bytes));
            bytes[0] = (uint8_t)first;
            assert_int_not_equal(
                first_bytes_tell(bytes_of(bytes, sizeof(bytes))), FIRST_MORE);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocols_are_told_as_soon_as_they_can_be),
        cmocka_unit_test(no_one_is_waited_for_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
