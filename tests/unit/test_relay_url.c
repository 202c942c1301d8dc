#include "common/conf/relay_url.h"

#include "common/conf/z85.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define KEY "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"

static struct relay_url parsed(const char *text)
{
    struct relay_url url;
    const char *wrong = relay_url_parse(text, &url);

    if (wrong != NULL)
        fail_msg("%s: %s", text, wrong);
    return url;
}

static void reads_and_prints(void **state)
{
    static const struct {
        const char *text;
        const char *printed; /* NULL: the same */
        enum relay_transport transport;
        const char *host;
        uint16_t port;
    } rows[] = {
        {"tcp://203.0.113.10:443?key=" KEY, NULL, TRANSPORT_TCP, "203.0.113.10",
         443},
        {"tcp://relay.example.org:65535/?key=" KEY,
         "tcp://relay.example.org:65535?key=" KEY, TRANSPORT_TCP,
         "relay.example.org", 65535},
        {"TCP://h:1?key=" KEY, "tcp://h:1?key=" KEY, TRANSPORT_TCP, "h", 1},
        {"wss://h/?key=" KEY, "wss://h:443/?key=" KEY, TRANSPORT_WSS, "h", 443},
        {"wss://h:8443/?key=" KEY, NULL, TRANSPORT_WSS, "h", 8443},
        {"wss://h?key=" KEY, "wss://h:443/?key=" KEY, TRANSPORT_WSS, "h", 443},
        {"ws://h/?key=" KEY, "ws://h:80/?key=" KEY, TRANSPORT_WS, "h", 80},
        {"tcp://[2001:db8::1]:443?key=" KEY, NULL, TRANSPORT_TCP, "2001:db8::1",
         443},
        {"wss://[::1]/?key=" KEY, "wss://[::1]:443/?key=" KEY, TRANSPORT_WSS,
         "::1", 443},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct relay_url url = parsed(rows[i].text), again;
        char text[RELAY_URL_SIZE];

        assert_int_equal(url.transport, rows[i].transport);
        assert_string_equal(url.host, rows[i].host);
        assert_int_equal(url.port, rows[i].port);
        assert_int_equal(url.key.key[0], 0x85);
        assert_int_equal(url.key.key[31], 0x6a);
        relay_url_print(&url, text);
        assert_string_equal(text, rows[i].printed != NULL ? rows[i].printed
                                                          : rows[i].text);
        again = parsed(text);
        assert_true(relay_url_equal(&url, &again));
    }
}

static void reads_z85_percent_encoded(void **state)
{
    struct relay_url hex = parsed("tcp://h:443?key=" KEY), z85;
    char key[Z85_KEY_SIZE + 1], text[RELAY_URL_SIZE] = "tcp://h:443?key=";

    (void)state;
    z85_encode(hex.key.key, key);
    for (const char *c = key; *c != '\0'; c++)
        sprintf(text + strlen(text), "%%%02x", (unsigned char)*c);
    z85 = parsed(text);
    assert_true(relay_url_equal(&hex, &z85));
}

/* ZeroMQ RFC 32's test, and zmq_curve's documented key. */
static void z85_is_zeromqs(void **state)
{
    static const uint8_t alice[32] = {
        0xBB, 0x88, 0x47, 0x1D, 0x65, 0xE2, 0x65, 0x9B, 0x30, 0xC5, 0x5A,
        0x53, 0x21, 0xCE, 0xBB, 0x5A, 0xAB, 0x2B, 0x70, 0xA3, 0x98, 0x64,
        0x5C, 0x26, 0xDC, 0xA2, 0xB2, 0xFC, 0xB4, 0x3F, 0xC5, 0x18};
    static const char alice_z85[] = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    char text[Z85_KEY_SIZE + 1];
    uint8_t key[32];

    (void)state;
    assert_string_equal(z85_encode(alice, text), alice_z85);
    assert_true(z85_decode(alice_z85, 40, key));
    assert_memory_equal(key, alice, 32);
}

static void z85_refuses_what_is_no_key(void **state)
{
    uint8_t key[32];
    char text[] = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

    (void)state;
    assert_false(z85_decode(text, 39, key));
    assert_false(z85_decode(text, 0, key));
    text[7] = '"';
    assert_false(z85_decode(text, 40, key));
    text[7] = '\0';
    assert_false(z85_decode(text, 40, key));
    memset(text, '#', 40); /* 84 in each place, which exceeds 32 bits */
    assert_false(z85_decode(text, 40, key));
}

static void refuses_what_is_wrong(void **state)
{
    static const char *const wrong[] = {
        "",
        "tcp",
        "tcp:",
        "tcp://",
        "tcp://:443?key=" KEY,
        "tcp://h?key=" KEY,
        "tcp://h:?key=" KEY,
        "tcp://h:0?key=" KEY,
        "tcp://h:65536?key=" KEY,
        "tcp://h:999999999999999999999?key=" KEY,
        "tcp://h:+1?key=" KEY,
        "tcp://h:443",
        "tcp://h:443?",
        "tcp://h:443?key=",
        "tcp://h:443?key",
        "tcp://h:443?key=" KEY "0",
        "tcp://h:443?key=x" KEY,
        "tcp://h:443?key=8520f0098930a754",
        "tcp://h:443?key=" KEY "&key=" KEY,
        "tcp://h:443?name=x&key=" KEY,
        "tcp://h:443?key=" KEY "&x",
        "tcp://h:443/path?key=" KEY,
        "tcp://h:443?key=%2",
        "tcp://h:443?key=%",
        "tcp://h:443?key=%zz",
        "tcp://user@h:443?key=" KEY,
        "tcp://a b:443?key=" KEY,
        "tcp://-h:443?key=" KEY,
        "tcp://[2001:db8::1:443?key=" KEY,
        "tcp://[h]:443?key=" KEY,
        "tcp://[]:443?key=" KEY,
        "tcp://2001:db8::1:443?key=" KEY,
        "http://h:443?key=" KEY,
        "udp://h:443?key=" KEY,
        "://h:443?key=" KEY,
        " tcp://h:443?key=" KEY,
        "tcp://h:443?key=" KEY " ",
        "tcp://h:443#?key=" KEY,
        "tcp://h:443?key=0000000000000000000000000000000000000000000000000000"
        "000000000000",
        "tcp://h:443?key=0100000000000000000000000000000000000000000000000000"
        "000000000000",
    };
    struct relay_url url;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        if (relay_url_parse(wrong[i], &url) == NULL)
            fail_msg("taken: %s", wrong[i]);
}

static void refuses_hosts_that_are_too_long(void **state)
{
    char text[1000] = "tcp://";
    struct relay_url url;

    (void)state;
    memset(text + 6, 'a', ENDPOINT_HOST_SIZE);
    strcpy(text + 6 + ENDPOINT_HOST_SIZE, ":443?key=" KEY);
    assert_non_null(relay_url_parse(text, &url));
    strcpy(text + 6 + ENDPOINT_HOST_SIZE - 1, ":443?key=" KEY);
    url = parsed(text);
    assert_string_equal(relay_url_print(&url, (char[RELAY_URL_SIZE]){0}), text);
}

static void equal_means_the_same_relay(void **state)
{
    struct relay_url a = parsed("tcp://h:443?key=" KEY);
    static const char *const others[] = {
        "tcp://i:443?key=" KEY,
        "tcp://h:444?key=" KEY,
        "wss://h:443?key=" KEY,
        "tcp://h:443?key=9520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4"
        "a98eaa9b4e6a",
    };
    struct relay_url b = parsed("tcp://H:443/?key=" KEY);

    (void)state;
    assert_true(relay_url_equal(&a, &b));
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        b = parsed(others[i]);
        assert_false(relay_url_equal(&a, &b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_prints),
        cmocka_unit_test(reads_z85_percent_encoded),
        cmocka_unit_test(z85_is_zeromqs),
        cmocka_unit_test(z85_refuses_what_is_no_key),
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(refuses_hosts_that_are_too_long),
        cmocka_unit_test(equal_means_the_same_relay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
