#include "common/wire/proxy_header.h"

#include "tests/unit/kit.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"

/* A header with what it should lead to; `source` NULL: it names nobody. */
struct good_header {
    const char *data;
    size_t size;
    const char *source, *destination;
};
#define GOOD(text, source, destination)                                        \
    {                                                                          \
        text, sizeof(text) - 1, source, destination                            \
    }

static const struct good_header good[] = {
    GOOD("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
         "192.168.0.1:56324", "192.168.0.11:443"),
    GOOD("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
         "255.255.255.255:65535", "255.255.255.255:65535"),
    GOOD("PROXY TCP4 0.0.0.0 1.2.3.4 0 1\r\n", "0.0.0.0:0", "1.2.3.4:1"),
    GOOD("PROXY TCP6 2001:db8::1 ::1 4124 443\r\n", "[2001:db8::1]:4124",
         "[::1]:443"),
    GOOD("PROXY TCP6 2001:DB8:0:0:0:0:0:1 fe80::2 1 2\r\n", "[2001:db8::1]:1",
         "[fe80::2]:2"),
    GOOD("PROXY UNKNOWN\r\n", NULL, NULL),
    GOOD("PROXY UNKNOWN anything at all\r\n", NULL, NULL),
    GOOD("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         NULL, NULL),
    GOOD(V2 "\x21\x11\0\14\xc0\0\2\1\xcb\0\x71\2\xdc\4\1\xbb",
         "192.0.2.1:56324", "203.0.113.2:443"),
    GOOD(V2 "\x21\x21\0\44 \1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
            " \1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\1\1\xbb",
         "[2001:db8::1]:1", "[2001:db8::2]:443"),
    /* With more behind the addresses: a TLV, and no TLV at all. */
    GOOD(V2 "\x21\x11\0\22\1\2\3\4\5\6\7\10\0\1\0\2\x20\0\3abc", "1.2.3.4:1",
         "5.6.7.8:2"),
    GOOD(V2 "\x21\x11\0\15\1\2\3\4\5\6\7\10\0\1\0\2?", "1.2.3.4:1",
         "5.6.7.8:2"),
    GOOD(V2 "\x20\0\0\0", NULL, NULL),      /* LOCAL */
    GOOD(V2 "\x20\xff\0\3abc", NULL, NULL), /* its family is ignored */
    GOOD(V2 "\x20\x11\0\14\1\2\3\4\5\6\7\10\0\1\0\2", NULL, NULL),
    GOOD(V2 "\x21\0\0\0", NULL, NULL),                             /* UNSPEC */
    GOOD(V2 "\x21\x12\0\14\1\2\3\4\5\6\7\10\0\1\0\2", NULL, NULL), /* UDP */
    GOOD(V2 "\x21\x31\0\0", NULL, NULL),                           /* UNIX */
    GOOD(V2 "\x21\x01\0\0", NULL, NULL),
};

static void assert_address(const struct address *a, const char *expected)
{
    char text[ADDRESS_TEXT_SIZE];
    assert_string_equal(address_format(a, text), expected ? expected : "-");
}

static void good_headers_are_read_in_any_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct proxy_header h;
        uint8_t room[256];
        size_t size = good[i].size;
        memcpy(room, good[i].data, size);
        memcpy(room + size, "GET /\r\n", 7); /* the connection's own bytes */
        for (size_t part = 0; part < size; part++) {
            h.size = 1;
            assert_int_equal(proxy_header_read(bytes_of(room, part), &h),
                             PROXY_MORE);
            assert_int_equal(h.size, 0);
        }
        for (size_t part = size; part <= size + 7; part++) {
            assert_int_equal(proxy_header_read(bytes_of(room, part), &h),
                             PROXY_DONE);
            assert_int_equal(h.size, size);
            assert_int_equal(h.named, good[i].source != NULL);
            assert_address(&h.source, good[i].source);
            assert_address(&h.destination, good[i].destination);
        }
    }
}

#define BAD(text)                                                              \
    {                                                                          \
        text, sizeof(text) - 1                                                 \
    }

static const struct {
    const char *data;
    size_t size;
} bad[] = {
    BAD("GET / HTTP/1.1\r\n"),
    BAD("PROXY\r\n"),
    BAD("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"),
    BAD("PROXY \r\n"),
    BAD("PROXY \n"),
    BAD("PROXY TCP4\r\n"),
    BAD("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"),
    BAD("PROXY UNKNOWNX\r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n"),
    BAD("PROXY UNKNOWN a\rb\r\n"),
    BAD("PROXY UNKNOWN\n\r\n"),
    BAD("PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1  2\r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4  1\r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 123456\r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 4294967298\r\n"), /* 2 in 32 bits */
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n"),
    BAD("PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n"),
    BAD("PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n"),
    BAD("PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n"),
    BAD("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"),
    BAD("PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n"),
    BAD("PROXY TCP4 ::1 ::1 1 2\r\n"),
    BAD("PROXY TCP4 1.2.3.4 ::1 1 2\r\n"),
    BAD("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"),
    BAD("PROXY TCP6 [::1] ::1 1 2\r\n"),
    BAD("PROXY TCP6 fe80::1%2 ::1 1 2\r\n"),
    BAD("PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n"),
    BAD("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 655350\r\n"),
    BAD("\r\n\r\n\0\r\nQUIT\r\x21\x11\0\14"),
    BAD(V2 "\x11"), /* another version, */
    BAD(V2 "\x31"),
    BAD(V2 "\x22"), /* command, */
    BAD(V2 "\x2f"),
    BAD(V2 "\x21\x41\0\0"), /* family */
    BAD(V2 "\x21\x13\0\14\1\2\3\4\5\6\7\10\0\1\0\2"),
    BAD(V2 "\x21\x11\0\0"), /* or no room for the addresses */
    BAD(V2 "\x21\x11\0\13\1\2\3\4\5\6\7\10\0\1\0"),
    BAD(V2 "\x21\x21\0\14\1\2\3\4\5\6\7\10\0\1\0\2"),
    BAD(V2 "\x21\x11\7\361"), /* 2,049 bytes in all */
    BAD(V2 "\x20\0\377\377"),
};

static void bad_headers_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct proxy_header h = {.size = 9, .named = true};
        struct bytes in = bytes_of(bad[i].data, bad[i].size);
        if (proxy_header_read(in, &h) != PROXY_MALFORMED)
            fail_msg("read: %s (%zu)", bad[i].data, i);
        assert_int_equal(h.size, 0);
        assert_false(h.named);
        assert_address(&h.source, NULL);
    }
}

/* A line that does not end within its limit. */
static void a_line_without_an_end_is_refused(void **state)
{
    uint8_t room[PROXY_1_SIZE + 2];
    struct proxy_header h;
    (void)state;

    memset(room, ' ', sizeof(room));
    memcpy(room, "PROXY UNKNOWN", 13);
    for (size_t size = 13; size <= sizeof(room); size++)
        assert_int_equal(proxy_header_read(bytes_of(room, size), &h),
                         size < PROXY_1_SIZE ? PROXY_MORE : PROXY_MALFORMED);
    room[PROXY_1_SIZE - 1] = '\r';
    room[PROXY_1_SIZE] = '\n';
    assert_int_equal(proxy_header_read(bytes_of(room, sizeof(room)), &h),
                     PROXY_MALFORMED);
}

static void the_longest_header_of_version_2_fits(void **state)
{
    static uint8_t room[PROXY_2_SIZE] = V2 "\x20\0\7\360";
    struct proxy_header h;
    (void)state;

    assert_int_equal(proxy_header_read(bytes_of(room, sizeof(room) - 1), &h),
                     PROXY_MORE);
    assert_int_equal(proxy_header_read(bytes_of(room, sizeof(room)), &h),
                     PROXY_DONE);
    assert_int_equal(h.size, PROXY_2_SIZE);
}

static void the_prefix_alone_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        size_t prefix =
            good[i].data[0] == 'P' ? PROXY_1_PREFIX : PROXY_2_PREFIX;
        for (size_t size = 0; size <= good[i].size; size++)
            assert_int_equal(proxy_header_begins(bytes_of(good[i].data, size)),
                             size < prefix ? PROXY_MORE : PROXY_DONE);
    }
    assert_int_equal(proxy_header_begins(bytes_of("PROXIES", 7)),
                     PROXY_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_headers_are_read_in_any_pieces),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(a_line_without_an_end_is_refused),
        cmocka_unit_test(the_longest_header_of_version_2_fits),
        cmocka_unit_test(the_prefix_alone_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
