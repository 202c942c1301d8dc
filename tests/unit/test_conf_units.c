/* units, endpoint and nearest: the small readers of the configuration. */
#include "common/conf/endpoint.h"
#include "common/conf/nearest.h"
#include "common/conf/units.h"
#include "common/conf/yaml_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
        const char *printed;
    } good[] = {
        {"0", 0, "0s"},
        {"0s", 0, "0s"},
        {"100us", 100, "100us"},
        {"250ms", 250000, "250ms"},
        {"1s", 1000000, "1s"},
        {"1.5s", 1500000, "1500ms"},
        {"0.001ms", 1, "1us"},
        {"90s", 90000000, "90s"},
        {"5m", 300000000, "5m"},
        {"60m", 3600000000, "1h"},
        {"90d", 7776000000000, "90d"},
        {"36500d", 3153600000000000, "36500d"},
    };
    static const char *const bad[] = {
        "",
        "1",
        "s",
        "-1s",
        "+1s",
        " 1s",
        "1 s",
        "1S",
        "1sec",
        "1.s",
        ".5s",
        "1.5",
        "1.5us",
        "1.0001ms",
        "1e3s",
        "36501d",
        "0x1s",
        "1s1",
        "99999999999999999999s",
        "18446744073709551616us",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct span value = {-1}, again = {-1};
        char text[UNITS_TEXT_SIZE];
        assert_true(units_duration(good[i].text, &value));
        assert_int_equal(value.us, good[i].us);
        assert_string_equal(units_print_duration(value, text), good[i].printed);
        assert_true(units_duration(text, &again));
        assert_int_equal(again.us, value.us);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct span value = {-1};
        if (units_duration(bad[i], &value))
            fail_msg("took the duration `%s`", bad[i]);
    }
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
        const char *printed;
    } good[] = {
        {"0", 0, "0"},
        {"1500", 1500, "1500"},
        {"1024", 1024, "1KiB"},
        {"64KiB", 65536, "64KiB"},
        {"4MiB", 4194304, "4MiB"},
        {"1GiB", 1073741824, "1GiB"},
        {"20MB", 20000000, "20000000"},
        {"18446744073709551615", UINT64_MAX, "18446744073709551615"},
    };
    static const char *const bad[] = {
        "",
        "KiB",
        "-1",
        "1 KiB",
        "1kib",
        "1.5MiB",
        "1MiBs",
        "0x10",
        "18446744073709551616",
        "16777216TiB",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        uint64_t value = 1, again = 1;
        char text[UNITS_TEXT_SIZE];
        assert_true(units_size(good[i].text, &value));
        assert_true(value == good[i].bytes);
        assert_string_equal(units_print_size(value, text), good[i].printed);
        assert_true(units_size(text, &again));
        assert_true(again == value);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint64_t value;
        if (units_size(bad[i], &value))
            fail_msg("took the size `%s`", bad[i]);
    }
}

static void test_integers(void **state)
{
    static const char *const bad[] = {
        "", "-", "+1", " 1", "1 ", "1a", "0x1", "1.0", "9223372036854775808"};
    int64_t value;
    (void)state;
    assert_true(units_integer("-9223372036854775808", &value));
    assert_true(value == INT64_MIN);
    assert_true(units_integer("9223372036854775807", &value));
    assert_true(value == INT64_MAX);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (units_integer(bad[i], &value))
            fail_msg("took the number `%s`", bad[i]);
}

static void test_endpoints(void **state)
{
    static const struct {
        const char *text;
        enum endpoint_form form;
        const char *host; /* NULL: refused */
        uint16_t port;
    } rows[] = {
        {"192.0.2.1:443", ENDPOINT_CONNECT, "192.0.2.1", 443},
        {"[2001:db8::1]:443", ENDPOINT_CONNECT, "2001:db8::1", 443},
        {"[fe80::1%eth0]:1", ENDPOINT_CONNECT, "fe80::1%eth0", 1},
        {"relay.example.org:65535", ENDPOINT_CONNECT, "relay.example.org",
         65535},
        {"my_host-1:80", ENDPOINT_CONNECT, "my_host-1", 80},
        {"*:443", ENDPOINT_LISTEN, "*", 443},
        {":443", ENDPOINT_LISTEN, "*", 443},
        {"127.0.0.1:0", ENDPOINT_LISTEN, "127.0.0.1", 0},
        {"*:443", ENDPOINT_CONNECT, NULL, 0},
        {":443", ENDPOINT_CONNECT, NULL, 0},
        {"a:0", ENDPOINT_CONNECT, NULL, 0},
        {"a:65536", ENDPOINT_CONNECT, NULL, 0},
        {"a:-1", ENDPOINT_CONNECT, NULL, 0},
        {"a:", ENDPOINT_CONNECT, NULL, 0},
        {"a", ENDPOINT_CONNECT, NULL, 0},
        {"", ENDPOINT_LISTEN, NULL, 0},
        {"[]:1", ENDPOINT_LISTEN, NULL, 0},
        {"[1.2.3.4]:1", ENDPOINT_CONNECT, NULL, 0},
        {"[fe80::1%]:1", ENDPOINT_CONNECT, NULL, 0},
        {"::1:443", ENDPOINT_CONNECT, NULL, 0},
        {"1.2.3:443", ENDPOINT_CONNECT, NULL, 0},
        {"256.1.1.1:443", ENDPOINT_CONNECT, NULL, 0},
        {"a..b:443", ENDPOINT_CONNECT, NULL, 0},
        {"a b:443", ENDPOINT_CONNECT, NULL, 0},
        {"tcp://a:443", ENDPOINT_CONNECT, NULL, 0},
        {"a:443 ", ENDPOINT_CONNECT, NULL, 0},
        {"a", ENDPOINT_HOST, "a", 0},
        {"a:443", ENDPOINT_HOST, "a", 443},
        {"192.0.2.1", ENDPOINT_HOST, "192.0.2.1", 0},
        {"[::1]", ENDPOINT_HOST, "::1", 0},
        {"[::1]:443", ENDPOINT_HOST, "::1", 443},
        {"::1", ENDPOINT_HOST, NULL, 0},
        {"[::1", ENDPOINT_HOST, NULL, 0},
        {"a:0", ENDPOINT_HOST, NULL, 0},
        {"a:", ENDPOINT_HOST, NULL, 0},
        {":443", ENDPOINT_HOST, NULL, 0},
        {"*", ENDPOINT_HOST, NULL, 0},
        {"", ENDPOINT_HOST, NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct endpoint endpoint;
        const char *wrong =
            endpoint_parse(rows[i].text, rows[i].form, &endpoint);
        if ((wrong == NULL) != (rows[i].host != NULL))
            fail_msg("`%s`: %s", rows[i].text, wrong ? wrong : "was taken");
        if (rows[i].host == NULL)
            continue;
        assert_string_equal(endpoint.host, rows[i].host);
        assert_int_equal(endpoint.port, rows[i].port);
    }
}

static void test_long_host(void **state)
{
    char text[300];
    struct endpoint endpoint;
    (void)state;
    memset(text, 'a', sizeof text);
    strcpy(text + ENDPOINT_HOST_SIZE - 1, ":1");
    assert_null(endpoint_parse(text, ENDPOINT_CONNECT, &endpoint));
    memset(text, 'a', sizeof text);
    strcpy(text + ENDPOINT_HOST_SIZE, ":1");
    assert_non_null(endpoint_parse(text, ENDPOINT_CONNECT, &endpoint));
}

static const char *nearest_of(const char *wrong)
{
    static const char *const words[] = {"window", "message", "peers", "tcp"};
    struct nearest n = {0};
    for (size_t i = 0; i < COUNT(words); i++)
        nearest_offer(&n, wrong, words[i]);
    return n.word;
}

static void test_nearest(void **state)
{
    char endless[200];
    (void)state;
    assert_string_equal(nearest_of("windwo"), "window");
    assert_string_equal(nearest_of("windows"), "window");
    assert_string_equal(nearest_of("mesage"), "message");
    assert_string_equal(nearest_of("pears"), "peers");
    assert_string_equal(nearest_of("tpc"), "tcp");
    assert_null(nearest_of("xyz"));
    assert_null(nearest_of("interval"));
    assert_null(nearest_of(""));
    memset(endless, 'w', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(nearest_of(endless));
}

static void test_core_schema(void **state)
{
    static const struct {
        const char *text;
        enum yaml_type type;
    } rows[] = {
        {"", YAML_TYPE_NULL},
        {"~", YAML_TYPE_NULL},
        {"null", YAML_TYPE_NULL},
        {"nULL", YAML_TYPE_STRING},
        {"true", YAML_TYPE_BOOL},
        {"FALSE", YAML_TYPE_BOOL},
        {"yes", YAML_TYPE_STRING},
        {"on", YAML_TYPE_STRING},
        {"0", YAML_TYPE_INTEGER},
        {"-12", YAML_TYPE_INTEGER},
        {"+012", YAML_TYPE_INTEGER},
        {"-", YAML_TYPE_STRING},
        {"0x1F", YAML_TYPE_OTHER_BASE},
        {"0o17", YAML_TYPE_OTHER_BASE},
        {"-0x1F", YAML_TYPE_STRING},
        {"0o18", YAML_TYPE_STRING},
        {"0x", YAML_TYPE_STRING},
        {"1.", YAML_TYPE_REAL},
        {".5", YAML_TYPE_REAL},
        {".", YAML_TYPE_STRING},
        {"-1.5e-3", YAML_TYPE_REAL},
        {"1e5", YAML_TYPE_REAL},
        {"1e", YAML_TYPE_STRING},
        {"e5", YAML_TYPE_STRING},
        {"1.2.3", YAML_TYPE_STRING},
        {".inf", YAML_TYPE_NOT_A_NUMBER},
        {"-.INF", YAML_TYPE_NOT_A_NUMBER},
        {".nan", YAML_TYPE_NOT_A_NUMBER},
        {"1_000", YAML_TYPE_STRING},
        {"12:30", YAML_TYPE_STRING},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (yaml_type_of(rows[i].text) != rows[i].type)
            fail_msg("`%s` is of type %d", rows[i].text,
                     yaml_type_of(rows[i].text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),   cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_integers),    cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_long_host),   cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_core_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
