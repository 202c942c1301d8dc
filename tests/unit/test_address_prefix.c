/* Networks of addresses, as configurations name them. */
#include "common/base/address_prefix.h"
#include "tests/unit/kit.h"

static const struct prefix_row {
    const char *prefix, *address;
    bool has;
} rows[] = {
    {"192.0.2.0/24", "192.0.2.0", true},
    {"192.0.2.0/24", "192.0.2.255", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"192.0.2.0/24", "::ffff:192.0.2.9", true},
    {"192.0.2.0/24", "c000:0200::", false},
    {"192.0.2.128/25", "192.0.2.128", true},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.4/31", "192.0.2.5", true},
    {"192.0.2.4/31", "192.0.2.6", false},
    {"192.0.2.4", "192.0.2.4", true},
    {"192.0.2.4", "192.0.2.5", false},
    {"0.0.0.0/0", "203.0.113.1", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::1", false},
    {"2001:db8::8/125", "2001:db8::f", true},
    {"2001:db8::8/125", "2001:db8::7", false},
    {"::1", "::1", true},
    {"::1/128", "::2", false},
    {"::/0", "::1", true},
    {"::/0", "127.0.0.1", false},
};

static void a_prefix_has_its_addresses(void **state)
{
    struct address_prefix p;
    struct address a;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(address_prefix_parse(rows[i].prefix, &p));
        assert_true(address_of_ip(rows[i].address, 443, &a));
        if (address_prefix_has(&p, &a) != rows[i].has)
            fail_msg("%s, %s", rows[i].prefix, rows[i].address);
    }
}

static void what_is_no_prefix_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "*",
        "localhost",
        "192.0.2.0/",
        "192.0.2/24",
        "192.0.2.0/33",
        "192.0.2.1/24",
        "192.0.2.0/24/1",
        "192.0.2.0/+8",
        "192.0.2.0/0024",
        "2001:db8::/129",
        "2001:db8::1/64",
        "[::1]",
        "[::1]/128",
        "::1%1",
        "/8",
        "192.0.2.1:443",
        "192.0.2.0 /24",
        "192.0.2.0/ 24",
    };
    struct address_prefix p;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (address_prefix_parse(wrong[i], &p))
            fail_msg("%s", wrong[i]);
}

static void one_of_many_is_enough(void **state)
{
    struct address_prefix p[2];
    struct address a;
    (void)state;

    assert_true(address_prefix_parse("192.0.2.0/24", &p[0]));
    assert_true(address_prefix_parse("::1", &p[1]));
    assert_true(address_of_ip("::1", 0, &a));
    assert_true(address_prefixes_have(p, 2, &a));
    assert_false(address_prefixes_have(p, 1, &a));
    assert_false(address_prefixes_have(p, 0, &a));
    a = (struct address){0};
    assert_false(address_prefixes_have(p, 2, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_has_its_addresses),
        cmocka_unit_test(what_is_no_prefix_is_refused),
        cmocka_unit_test(one_of_many_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
