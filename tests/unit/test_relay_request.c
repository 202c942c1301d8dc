/* From whom a request comes that load balancers passed on. */
#include "common/wire/relay_request.h"
#include "tests/unit/kit.h"

#include <stdio.h>
#include <string.h>

static const struct from_row {
    const char *fields;
    enum relay_from from;
    const char *client;
} rows[] = {
    {"", FROM_SENDER, NULL},
    {"X-Real-IP: 192.0.2.1\r\n", FROM_SENDER, NULL},
    {"X-Forwarded-For: 192.0.2.1\r\n", FROM_CLIENT, "192.0.2.1:0"},
    {"x-forwarded-for:  2001:db8::1 \r\n", FROM_CLIENT, "[2001:db8::1]:0"},
    {"X-Forwarded-For: [2001:db8::1]\r\n", FROM_CLIENT, "[2001:db8::1]:0"},
    {"X-Forwarded-For: [2001:db8::1]:80\r\n", FROM_CLIENT, "[2001:db8::1]:80"},
    {"X-Forwarded-For: 192.0.2.1:80\r\n", FROM_CLIENT, "192.0.2.1:80"},
    /* Anybody can write the ones before. */
    {"X-Forwarded-For: 9.9.9.9, 192.0.2.1\r\n", FROM_CLIENT, "192.0.2.1:0"},
    {"X-Forwarded-For: junk,,192.0.2.1\r\n", FROM_CLIENT, "192.0.2.1:0"},
    {"X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For: 192.0.2.1\r\n", FROM_CLIENT,
     "192.0.2.1:0"},
    /* Proxies of ours are passed over. */
    {"X-Forwarded-For: 9.9.9.9, 192.0.2.1, 10.0.0.7\r\n", FROM_CLIENT,
     "192.0.2.1:0"},
    {"X-Forwarded-For: 192.0.2.1,10.0.0.7\r\nX-Forwarded-For: 10.9.9.9,"
     "::ffff:10.1.1.1\r\n",
     FROM_CLIENT, "192.0.2.1:0"},
    {"X-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n", FROM_CLIENT, "10.0.0.1:0"},
    {"X-Forwarded-For: \r\n", FROM_MALFORMED, NULL},
    {"X-Forwarded-For: 192.0.2.1,\r\n", FROM_MALFORMED, NULL},
    {"X-Forwarded-For: unknown\r\n", FROM_MALFORMED, NULL},
    {"X-Forwarded-For: unknown, 10.0.0.1\r\n", FROM_MALFORMED, NULL},
    {"X-Forwarded-For: fe80::1%1\r\n", FROM_MALFORMED, NULL},
    {"X-Forwarded-For: [::1\r\n", FROM_MALFORMED, NULL},
    {"X-Forwarded-For: 192.0.2.1.\r\n", FROM_MALFORMED, NULL},
};

static void the_last_that_is_no_proxy_is_the_client(void **state)
{
    struct address_prefix proxies[2];
    char request[512], text[ADDRESS_TEXT_SIZE];
    struct http_head head;
    (void)state;

    assert_true(address_prefix_parse("10.0.0.0/8", &proxies[0]));
    assert_true(address_prefix_parse("::1", &proxies[1]));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address client = {0};
        size_t size;
        snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n",
                 rows[i].fields);
        assert_int_equal(http_head_read(bytes_of_string(request), &head, &size),
                         0);
        enum relay_from from = relay_request_from(&head, proxies, 2, &client);
        if (from != rows[i].from)
            fail_msg("%s: %d", rows[i].fields, (int)from);
        if (rows[i].client != NULL)
            assert_string_equal(address_format(&client, text), rows[i].client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_that_is_no_proxy_is_the_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
