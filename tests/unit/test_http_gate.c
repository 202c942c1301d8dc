/* Who may use the edge by HTTP: a table of what a request says of itself. */
#include "edge/shell/http_gate.h"
#include "edge/shell/http_token.h"
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct row {
    struct http_knock knock; /* host, origin, token, cookie */
    enum http_verdict on_loopback;
    enum http_verdict elsewhere; /* the server listens on 192.0.2.7 */
} rows[] = {
    /* Programs of this host. */
    {{"127.0.0.1:8080", NULL, NULL, NULL}, HTTP_PASS, HTTP_NO_TOKEN},
    {{"localhost:8080", NULL, NULL, NULL}, HTTP_PASS, HTTP_NO_TOKEN},
    {{"LocalHost", NULL, NULL, NULL}, HTTP_PASS, HTTP_NO_TOKEN},
    {{"[::1]:8080", NULL, NULL, NULL}, HTTP_PASS, HTTP_NO_TOKEN},
    {{"127.0.0.1", NULL, NULL, NULL}, HTTP_PASS, HTTP_NO_TOKEN},
    {{"[::1]", NULL, NULL, NULL}, HTTP_PASS, HTTP_NO_TOKEN},
    /* Its own pages. */
    {{"127.0.0.1:8080", "http://127.0.0.1:8080", NULL, NULL},
     HTTP_PASS,
     HTTP_NO_TOKEN},
    {{"localhost:8080", "http://localhost:8080", NULL, NULL},
     HTTP_PASS,
     HTTP_NO_TOKEN},
    /* Pages of others. */
    {{"127.0.0.1:8080", "http://evil.example", NULL, NULL},
     HTTP_FOREIGN_ORIGIN,
     HTTP_NO_TOKEN},
    {{"127.0.0.1:8080", "http://127.0.0.1:3000", NULL, NULL},
     HTTP_FOREIGN_ORIGIN,
     HTTP_NO_TOKEN},
    {{"127.0.0.1:8080", "http://localhost:8080", NULL, NULL},
     HTTP_FOREIGN_ORIGIN,
     HTTP_NO_TOKEN},
    {{"127.0.0.1:8080", "null", NULL, NULL},
     HTTP_FOREIGN_ORIGIN,
     HTTP_NO_TOKEN},
    {{"127.0.0.1:8080", "http://127.0.0.1:8080.evil.example", NULL, NULL},
     HTTP_FOREIGN_ORIGIN,
     HTTP_NO_TOKEN},
    /* Names that were made to point here. */
    {{"evil.example:8080", "http://evil.example:8080", NULL, NULL},
     HTTP_FOREIGN_HOST,
     HTTP_NO_TOKEN},
    {{"localhost.evil.example:8080", NULL, NULL, NULL},
     HTTP_FOREIGN_HOST,
     HTTP_NO_TOKEN},
    {{"localhost:80.evil.example", NULL, NULL, NULL},
     HTTP_FOREIGN_HOST,
     HTTP_NO_TOKEN},
    {{"127.0.0.1.evil.example", NULL, NULL, NULL},
     HTTP_FOREIGN_HOST,
     HTTP_NO_TOKEN},
    {{"198.51.100.1:8080", NULL, NULL, NULL}, HTTP_FOREIGN_HOST, HTTP_NO_TOKEN},
    {{"", NULL, NULL, NULL}, HTTP_FOREIGN_HOST, HTTP_NO_TOKEN},
    {{NULL, NULL, NULL, NULL}, HTTP_FOREIGN_HOST, HTTP_NO_TOKEN},
    /* The token, from anywhere. */
    {{"127.0.0.1:8080", NULL, TOKEN, NULL}, HTTP_PASS, HTTP_PASS},
    {{"evil.example", "http://evil.example", TOKEN, NULL},
     HTTP_PASS,
     HTTP_PASS},
    {{"127.0.0.1:8080", NULL, OTHER, NULL}, HTTP_WRONG_TOKEN, HTTP_WRONG_TOKEN},
    {{"127.0.0.1:8080", NULL, "", NULL}, HTTP_WRONG_TOKEN, HTTP_WRONG_TOKEN},
    {{"127.0.0.1:8080", NULL, TOKEN "0", NULL},
     HTTP_WRONG_TOKEN,
     HTTP_WRONG_TOKEN},
    {{"127.0.0.1:8080", NULL, OTHER, TOKEN},
     HTTP_WRONG_TOKEN,
     HTTP_WRONG_TOKEN},
    /* The cookie, which the browser sends whoever asks it to. */
    {{"192.0.2.7:8080", NULL, NULL, TOKEN}, HTTP_PASS, HTTP_PASS},
    {{"edge.example", "https://edge.example", NULL, TOKEN},
     HTTP_PASS,
     HTTP_PASS},
    {{"192.0.2.7:8080", "http://evil.example", NULL, TOKEN},
     HTTP_FOREIGN_ORIGIN,
     HTTP_FOREIGN_ORIGIN},
    {{"127.0.0.1:8080", NULL, NULL, OTHER}, HTTP_PASS, HTTP_NO_TOKEN},
};

static void each_request_gets_its_verdict(void **state)
{
    struct http_gate loopback = {.token = TOKEN};
    struct http_gate elsewhere = {.token = TOKEN};
    (void)state;

    assert_true(address_parse("127.0.0.1:8080", &loopback.listen));
    assert_true(address_parse("192.0.2.7:8080", &elsewhere.listen));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *r = &rows[i];
        if (http_gate_judge(&loopback, &r->knock) != r->on_loopback ||
            http_gate_judge(&elsewhere, &r->knock) != r->elsewhere)
            fail_msg("row %zu: host %s", i, r->knock.host);
    }
}

static void every_address_is_not_loopback(void **state)
{
    struct http_gate all = {.token = TOKEN};
    struct http_knock knock = {.host = "127.0.0.1:8080"};
    (void)state;

    assert_true(address_parse("[::]:8080", &all.listen));
    assert_int_equal(http_gate_judge(&all, &knock), HTTP_NO_TOKEN);
}

static void a_token_is_made_once_and_kept_private(void **state)
{
    char path[] = "/tmp/test_http_gate.XXXXXX";
    char first[HTTP_TOKEN_SIZE], second[HTTP_TOKEN_SIZE];
    char error[API_ERROR_SIZE];
    struct stat st;
    (void)state;

    close(mkstemp(path));
    unlink(path);
    assert_true(http_token_load(path, first, error));
    assert_int_equal(strlen(first), HTTP_TOKEN_SIZE - 1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(http_token_load(path, second, error));
    assert_string_equal(first, second);

    assert_int_equal(truncate(path, 10), 0);
    assert_true(http_token_load(path, second, error));
    assert_string_not_equal(first, second);

    assert_int_equal(chmod(path, 0640), 0);
    assert_false(http_token_load(path, second, error));
    assert_non_null(strstr(error, "chmod 600"));
    unlink(path);
}

static void its_file_is_beside_the_socket(void **state)
{
    char *path = http_token_path("/run/zeroservices/alice.sock");
    char *other = http_token_path("edge");
    (void)state;

    assert_string_equal(path, "/run/zeroservices/alice.token");
    assert_string_equal(other, "edge.token");
    free(path);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_gets_its_verdict),
        cmocka_unit_test(every_address_is_not_loopback),
        cmocka_unit_test(a_token_is_made_once_and_kept_private),
        cmocka_unit_test(its_file_is_beside_the_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
