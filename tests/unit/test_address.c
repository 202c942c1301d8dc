#include "common/base/address.h"

#include "tests/unit/kit.h"

static struct address parsed(const char *text)
{
    struct address a;

    if (!address_parse(text, &a))
        fail_msg("%s is an address", text);
    return a;
}

static void all_forms_come_back(void **state)
{
    static const char *const texts[] = {
        "192.0.2.1:443",
        "0.0.0.0:0",
        "255.255.255.255:1",
        "[2001:db8::1]:65535",
        "[::]:0",
        "[fe80::1%3]:443",
        "[::ffff:1.2.3.4]:80",
        "[fe80:1:2:3:4:5:6:7%4294967295]:65535",
    };
    char text[ADDRESS_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct address a = parsed(texts[i]);

        assert_string_equal(address_format(&a, text), texts[i]);
    }
}

static void an_ip_may_stand_alone(void **state)
{
    struct address a = parsed("[fe80::1%3]:443");
    char text[ADDRESS_TEXT_SIZE];

    (void)state;
    assert_string_equal(address_format_ip(&a, text), "fe80::1%3");
    a = parsed("192.0.2.1:443");
    assert_string_equal(address_format_ip(&a, text), "192.0.2.1");
    a = (struct address){0};
    assert_string_equal(address_format(&a, text), "-");
    assert_string_equal(address_format_ip(&a, text), "-");
}

static void text_that_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "-",
        ":",
        "192.0.2.1",
        "192.0.2.1:",
        "1.2.3:4",
        "192.0.2.256:1",
        "1.2.3.4:65536",
        "1.2.3.4:01",
        "1.2.3.4:+1",
        "1.2.3.4: 1",
        "::1:443",
        "[::1]",
        "[::1]:",
        "[::1:443",
        "::1]:443",
        "[fe80::1%]:1",
        "[fe80::1%0]:1",
        "[fe80::1%lo]:1",
        "[1.2.3.4]:1",
        "localhost:80",
        "[]:1",
        "[fe80::1%4294967296]:1",
        "1.2.3.4:99999999999999999999",
        ("[fe80::1%"
         "000000000000000000000000000000000000000000000000000000000000003]:1"),
    };
    struct address a;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (address_parse(bad[i], &a))
            fail_msg("%s is no address", bad[i]);
        assert_int_equal(a.family, ADDRESS_NONE);
    }
}

static void equality_compares_every_part(void **state)
{
    struct address a = parsed("192.0.2.1:443");
    struct address b = parsed("192.0.2.1:444");
    struct address c = parsed("[fe80::1%3]:443");
    struct address d = parsed("[fe80::1%4]:443");
    struct address none = {0};

    (void)state;
    assert_true(address_equal(&a, &a));
    assert_false(address_equal(&a, &b));
    assert_true(address_same_ip(&a, &b));
    assert_false(address_same_ip(&a, &c));
    assert_false(address_same_ip(&c, &d));
    assert_true(address_equal(&none, &none));
    assert_false(address_equal(&none, &a));
}

static void a_network_is_a_v4_address_or_a_v6_64(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"192.0.2.1:443", "192.0.2.1:1", true},
        {"192.0.2.1:443", "192.0.2.2:443", false},
        {"[::ffff:192.0.2.1]:443", "192.0.2.1:443", true},
        {"[2001:db8:1:2::1]:443", "[2001:db8:1:2:ffff:ffff:ffff:ffff]:1", true},
        {"[2001:db8:1:2::1]:443", "[2001:db8:1:3::1]:443", false},
        {"[fe80::1%3]:443", "[fe80::1%4]:443", false},
        {"[2001::1]:443", "32.1.0.0:443", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address a = parsed(cases[i].a);
        struct address b = parsed(cases[i].b);
        if (address_same_network(&a, &b) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
        a = address_network(&a);
        assert_int_equal(a.port, 0);
    }
}

static void kinds_are_told_apart(void **state)
{
    static const struct {
        const char *text;
        bool loopback, link_local, usable;
    } cases[] = {
        {"127.0.0.1:1", true, false, true},
        {"127.255.0.9:1", true, false, true},
        {"[::1]:1", true, false, true},
        {"[::ffff:127.0.0.1]:1", true, false, true},
        {"169.254.3.4:1", false, true, true},
        {"[fe80::1%2]:1", false, true, true},
        {"[febf::1%2]:1", false, true, true},
        {"[fec0::1]:1", false, false, true},
        {"10.0.0.1:1", false, false, true},
        {"10.0.0.1:0", false, false, false},
        {"0.0.0.0:1", false, false, false},
        {"[::]:1", false, false, false},
        {"224.0.0.1:1", false, false, false},
        {"239.255.90.83:1", false, false, false},
        {"255.255.255.255:1", false, false, false},
        {"[ff12::5a53]:1", false, false, false},
        {"[::ffff:0.0.0.0]:1", false, false, false},
    };
    struct address none = {.port = 1};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct address a = parsed(cases[i].text);

        assert_int_equal(address_is_loopback(&a), cases[i].loopback);
        assert_int_equal(address_is_link_local(&a), cases[i].link_local);
        assert_int_equal(address_is_usable(&a), cases[i].usable);
    }
    assert_false(address_is_usable(&none));
    assert_false(address_is_loopback(&none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms_come_back),
        cmocka_unit_test(an_ip_may_stand_alone),
        cmocka_unit_test(text_that_is_no_address_is_refused),
        cmocka_unit_test(equality_compares_every_part),
        cmocka_unit_test(a_network_is_a_v4_address_or_a_v6_64),
        cmocka_unit_test(kinds_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
