/* Binding requests and responses of STUN: RFC 5769's vectors, both ends. */
#include "common/wire/stun.h"
#include "tests/unit/kit.h"

static const uint8_t transaction[12] = {0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
                                        0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};

#define ID                                                                     \
    0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,    \
        0xfa, 0x87, 0xdf, 0xae
#define SOFTWARE                                                               \
    0x80, 0x22, 0x00, 0x0b, 't', 'e', 's', 't', ' ', 'v', 'e', 'c', 't', 'o',  \
        'r', ' '

/* RFC 5769, 2.2 and 2.3. */
static const uint8_t response_v4[] = {
    0x01, 0x01, 0x00, 0x3c, ID,   SOFTWARE, 0x00, 0x20, 0x00, 0x08,
    0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12,     0xa6, 0x43, 0x00, 0x08,
    0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99,     0xfd, 0x9e, 0x90, 0xc3,
    0x8c, 0x74, 0x89, 0xf9, 0x2a, 0xf9,     0xba, 0x53, 0xf0, 0x6b,
    0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04,     0xc0, 0x7d, 0x4c, 0x96};
static const uint8_t response_v6[] = {
    0x01, 0x01, 0x00, 0x48, ID,   SOFTWARE, 0x00, 0x20, 0x00, 0x14, 0x00,
    0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9,     0xfa, 0xa5, 0xd3, 0xf1, 0x79,
    0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2,     0xb9, 0xd9, 0x00, 0x08, 0x00,
    0x14, 0xa3, 0x82, 0x95, 0x4e, 0x4b,     0xe6, 0x7b, 0xf1, 0x17, 0x84,
    0xc9, 0x7c, 0x82, 0x92, 0xc2, 0x75,     0xbf, 0xe3, 0xed, 0x41, 0x80,
    0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b,     0x4c};

static struct address address_of(const char *text)
{
    struct address a;
    assert_true(address_parse(text, &a));
    return a;
}

static struct stun_id make_request(uint8_t request[STUN_REQUEST_SIZE])
{
    struct stun_id id;
    stun_write_request(transaction, &id, request);
    return id;
}

static void vectors_of_rfc_5769_are_read(void **state)
{
    uint8_t request[STUN_REQUEST_SIZE];
    struct stun_id id = make_request(request);
    struct address v4 = address_of("192.0.2.1:32853");
    struct address v6 =
        address_of("[2001:db8:1234:5678:11:2233:4455:6677]:32853");
    struct address mapped;
    static const uint8_t expected[] = {0, 1, 0, 0, ID};
    (void)state;

    assert_memory_equal(request, expected, sizeof expected);
    assert_true(stun_read_response(bytes_of(response_v4, sizeof response_v4),
                                   &id, &mapped));
    assert_true(address_equal(&mapped, &v4));
    assert_true(stun_read_response(bytes_of(response_v6, sizeof response_v6),
                                   &id, &mapped));
    assert_true(address_equal(&mapped, &v6));
    id.bytes[15] ^= 1;
    assert_false(stun_read_response(bytes_of(response_v4, sizeof response_v4),
                                    &id, &mapped));
}

static void a_client_learns_where_it_comes_from(void **state)
{
    const char *sources[] = {"192.0.2.1:1", "255.255.255.255:65535",
                             "[2001:db8::1]:443", "[::]:0"};
    uint8_t request[STUN_REQUEST_SIZE], response[STUN_RESPONSE_SIZE];
    struct stun_id id = make_request(request), read;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        struct address source = address_of(sources[i]), mapped;
        assert_true(
            stun_read_request(bytes_of(request, sizeof request), &read));
        struct bytes told = stun_write_response(&read, &source, response);
        assert_int_equal(told.size, source.family == ADDRESS_V4 ? 32 : 44);
        assert_true(stun_read_response(told, &id, &mapped));
        assert_true(address_equal(&mapped, &source));
    }
}

/* Without the cookie, and with CHANGE-REQUEST's flags off, as `stun` sends. */
static void a_classic_client_gets_its_address_unmasked(void **state)
{
    static const uint8_t request[] = {0, 1, 0, 8, 1, 2,  3,  4,  5,  6,
                                      7, 8, 9, 1, 0, 11, 12, 13, 14, 15,
                                      0, 3, 0, 4, 0, 0,  0,  0};
    static const uint8_t expected[] = {
        1,  1,  0,  12, 1, 2, 3, 4, 5, 6, 7,    8,    9,   1, 0, 11,
        12, 13, 14, 15, 0, 1, 0, 8, 0, 1, 0x12, 0x34, 192, 0, 2, 7};
    struct address source = address_of("192.0.2.7:4660");
    uint8_t response[STUN_RESPONSE_SIZE];
    struct stun_id id;
    (void)state;

    assert_true(stun_read_request(bytes_of(request, sizeof request), &id));
    struct bytes told = stun_write_response(&id, &source, response);
    assert_int_equal(told.size, sizeof expected);
    assert_memory_equal(told.data, expected, sizeof expected);
}

static const struct row {
    const char *what;
    size_t size;
    uint8_t bytes[32];
    bool answered;
} rows[] = {
    {"a bare request", 20, {0, 1, 0, 0, ID}, true},
    {"SOFTWARE", 28, {0, 1, 0, 8, ID, 0x80, 0x22, 0, 1, 'x', 0, 0, 0}, true},
    {"FINGERPRINT", 28, {0, 1, 0, 8, ID, 0x80, 0x28, 0, 4, 1, 2, 3, 4}, true},
    {"an empty attribute", 24, {0, 1, 0, 4, ID, 0xff, 0xff, 0, 0}, true},
    {"another method", 20, {0, 3, 0, 0, ID}, false},
    {"an indication", 20, {0, 0x11, 0, 0, ID}, false},
    {"a success", 20, {1, 1, 0, 0, ID}, false},
    {"an error", 20, {1, 0x11, 0, 0, ID}, false},
    {"QUIC's fixed bit", 20, {0x40, 1, 0, 0, ID}, false},
    {"a byte too few", 19, {0, 1, 0, 0, ID}, false},
    {"a byte too many", 21, {0, 1, 0, 0, ID}, false},
    {"a size that is larger", 20, {0, 1, 0, 4, ID}, false},
    {"a size that is smaller", 24, {0, 1, 0, 0, ID, 0x80, 0x22, 0, 0}, false},
    {"a size of no words", 22, {0, 1, 0, 2, ID, 0, 0}, false},
    {"half an attribute", 24, {0, 1, 0, 4, ID, 0x80, 0x22, 0, 4}, false},
    {"an attribute to ask about", 24, {0, 1, 0, 4, ID, 0, 6, 0, 0}, false},
    {"RESPONSE-ADDRESS", 28, {0, 1, 0, 8, ID, 0, 2, 0, 4, 1, 2, 3, 4}, false},
    {"RESPONSE-PORT", 28, {0, 1, 0, 8, ID, 0, 0x27, 0, 4, 0, 1, 0, 0}, false},
    {"change no address", 28, {0, 1, 0, 8, ID, 0, 3, 0, 4, 0, 0, 0, 0}, true},
    {"change the port", 28, {0, 1, 0, 8, ID, 0, 3, 0, 4, 0, 0, 0, 2}, false},
    {"change a bit", 28, {0, 1, 0, 8, ID, 0, 3, 0, 1, 0, 0, 0, 0}, false},
};

static void only_plain_requests_are_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct stun_id id;
        if (stun_read_request(bytes_of(rows[i].bytes, rows[i].size), &id) !=
            rows[i].answered)
            fail_msg("%s", rows[i].what);
    }
}

/* A response that is cut short or changed does not pass. */
static void broken_responses_are_refused(void **state)
{
    uint8_t request[STUN_REQUEST_SIZE], broken[sizeof response_v6 + 1];
    struct stun_id id = make_request(request);
    struct address mapped;
    (void)state;

    for (size_t size = 0; size < sizeof response_v6; size++)
        assert_false(
            stun_read_response(bytes_of(response_v6, size), &id, &mapped));
    for (size_t at = 0; at < 20; at++) {
        memcpy(broken, response_v6, sizeof response_v6);
        broken[at] ^= 1;
        assert_false(stun_read_response(bytes_of(broken, sizeof response_v6),
                                        &id, &mapped));
    }
    static const uint8_t without[] = {1, 1, 0, 0, ID};
    assert_false(
        stun_read_response(bytes_of(without, sizeof without), &id, &mapped));
    static const uint8_t family[] = {1, 1,    0, 12, ID, 0, 1, 0, 8,
                                     0, 0x03, 0, 1,  1,  2, 3, 4};
    assert_false(
        stun_read_response(bytes_of(family, sizeof family), &id, &mapped));
}

/* A router that rewrites MAPPED-ADDRESS does not find the masked address. */
static void the_masked_address_counts(void **state)
{
    static const uint8_t both[] = {
        1, 1, 0, 24,   ID, 0, 1, 0, 8,    0,    1,    0,    1,    10,  0,
        0, 1, 0, 0x20, 0,  8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43};
    static const uint8_t turned[] = {
        1,    1,    0, 24, ID, 0, 0x20, 0, 8, 0, 1,  0xa1, 0x47, 0xe1, 0x12,
        0xa6, 0x43, 0, 1,  0,  8, 0,    1, 0, 1, 10, 0,    0,    1};
    uint8_t request[STUN_REQUEST_SIZE];
    struct stun_id id = make_request(request);
    struct address v4 = address_of("192.0.2.1:32853"), mapped;
    (void)state;

    assert_true(stun_read_response(bytes_of(both, sizeof both), &id, &mapped));
    assert_true(address_equal(&mapped, &v4));
    assert_true(
        stun_read_response(bytes_of(turned, sizeof turned), &id, &mapped));
    assert_true(address_equal(&mapped, &v4));
}

/* [P-10.4]: the two responses together are no longer than the request. */
static void two_responses_are_asked_for(void **state)
{
    uint8_t request[STUN_TWO_REQUEST_SIZE], room[STUN_TWO_RESPONSE_SIZE];
    uint8_t plain[STUN_REQUEST_SIZE];
    struct address v4 = address_of("192.0.2.1:5"), mapped;
    struct address v6 = address_of("[2001:db8::1]:5");
    const struct address *const sources[] = {&v4, &v6};
    struct stun_id id, read;
    (void)state;

    make_request(plain);
    assert_false(stun_asks_two_ports(bytes_of(plain, sizeof plain), &v4));
    stun_write_two_request(transaction, &id, request);
    struct bytes asked = bytes_of(request, sizeof request);
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        assert_true(stun_read_request(asked, &read));
        assert_memory_equal(&read, &id, sizeof id);
        assert_true(stun_asks_two_ports(asked, sources[i]));
        struct bytes told = stun_write_two_response(&id, sources[i], 443, room);
        assert_true(2 * told.size <= asked.size);
        assert_true(stun_read_response(told, &id, &mapped));
        assert_true(address_equal(&mapped, sources[i]));
        assert_int_equal(stun_second_port(told), 443);
        told = stun_write_response(&id, sources[i], room);
        assert_int_equal(stun_second_port(told), 0);
    }
}

static void a_request_that_is_too_short_gets_one_response(void **state)
{
    struct address v4 = address_of("192.0.2.1:5");
    struct address v6 = address_of("[2001:db8::1]:5");
    (void)state;

    for (size_t size = 24; size <= STUN_TWO_REQUEST_SIZE; size += 4) {
        uint8_t request[STUN_TWO_REQUEST_SIZE] = {
            0,    1,    0, (uint8_t)(size - 20), ID,
            0xda, 0x5a, 0, (uint8_t)(size - 24)};
        struct bytes asked = bytes_of(request, size);
        struct stun_id id;
        assert_true(stun_read_request(asked, &id));
        assert_int_equal(stun_asks_two_ports(asked, &v4), size >= 2 * 40);
        assert_int_equal(stun_asks_two_ports(asked, &v6), size >= 2 * 52);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_rfc_5769_are_read),
        cmocka_unit_test(a_client_learns_where_it_comes_from),
        cmocka_unit_test(a_classic_client_gets_its_address_unmasked),
        cmocka_unit_test(only_plain_requests_are_answered),
        cmocka_unit_test(broken_responses_are_refused),
        cmocka_unit_test(the_masked_address_counts),
        cmocka_unit_test(two_responses_are_asked_for),
        cmocka_unit_test(a_request_that_is_too_short_gets_one_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
