/* Which HTTP requests the edge accepts: a table of requests by their headers.
 */
#include "edge/shell/http_gate.h"
#include "edge/shell/http_token.h"
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define AT(host) "Host: " host "\r\n"
#define FROM(page) "Origin: " page "\r\n"
#define COOKIE                                                                 \
    "Cookie: a=b; COOKIE\r\n" /* replaced by the right cookie for the host */

static const struct gate_row {
    const char *fields;
    const char *query;
    enum http_verdict page;      /* on loopback: a page, or figures */
    enum http_verdict api;       /* on loopback */
    enum http_verdict elsewhere; /* the server listens on 192.0.2.7 */
} rows[] = {
    /* Any program of this host. */
    {AT("127.0.0.1:8080"), "", HTTP_PASS, HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    {AT("localhost:8080"), "", HTTP_PASS, HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    {AT("LocalHost"), "", HTTP_PASS, HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    {AT("[::1]:8080"), "", HTTP_PASS, HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    {AT("127.0.0.1"), "", HTTP_PASS, HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    {AT("[::1]"), "", HTTP_PASS, HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    {AT("127.0.0.1:8080") FROM("http://127.0.0.1:8080"), "", HTTP_PASS,
     HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    {AT("localhost:8080") FROM("http://localhost:8080"), "", HTTP_PASS,
     HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    /* Pages of other servers. */
    {AT("127.0.0.1:8080") FROM("http://evil.example"), "", HTTP_FOREIGN_ORIGIN,
     HTTP_FOREIGN_ORIGIN, HTTP_NO_TOKEN},
    {AT("127.0.0.1:8080") FROM("http://127.0.0.1:3000"), "",
     HTTP_FOREIGN_ORIGIN, HTTP_FOREIGN_ORIGIN, HTTP_NO_TOKEN},
    {AT("127.0.0.1:8080") FROM("http://localhost:8080"), "",
     HTTP_FOREIGN_ORIGIN, HTTP_FOREIGN_ORIGIN, HTTP_NO_TOKEN},
    {AT("127.0.0.1:8080") FROM("null"), "", HTTP_FOREIGN_ORIGIN,
     HTTP_FOREIGN_ORIGIN, HTTP_NO_TOKEN},
    {AT("127.0.0.1:8080") FROM("http://127.0.0.1:8080.evil.example"), "",
     HTTP_FOREIGN_ORIGIN, HTTP_FOREIGN_ORIGIN, HTTP_NO_TOKEN},
    {AT("127.0.0.1:8080") FROM("http://evil.127.0.0.1:8080"), "",
     HTTP_FOREIGN_ORIGIN, HTTP_FOREIGN_ORIGIN, HTTP_NO_TOKEN},
    {AT("127.0.0.1:8080") FROM(""), "", HTTP_FOREIGN_ORIGIN,
     HTTP_FOREIGN_ORIGIN, HTTP_NO_TOKEN},
    /* Names that somebody made to point here (DNS rebinding). */
    {AT("evil.example:8080") FROM("http://evil.example:8080"), "",
     HTTP_FOREIGN_HOST, HTTP_FOREIGN_HOST, HTTP_NO_TOKEN},
    {AT("localhost.evil.example:8080"), "", HTTP_FOREIGN_HOST,
     HTTP_FOREIGN_HOST, HTTP_NO_TOKEN},
    {AT("localhost:80.evil.example"), "", HTTP_FOREIGN_HOST, HTTP_FOREIGN_HOST,
     HTTP_NO_TOKEN},
    {AT("127.0.0.1.evil.example"), "", HTTP_FOREIGN_HOST, HTTP_FOREIGN_HOST,
     HTTP_NO_TOKEN},
    {AT("198.51.100.1:8080"), "", HTTP_FOREIGN_HOST, HTTP_FOREIGN_HOST,
     HTTP_NO_TOKEN},
    {AT(""), "", HTTP_FOREIGN_HOST, HTTP_FOREIGN_HOST, HTTP_NO_TOKEN},
    {"", "", HTTP_FOREIGN_HOST, HTTP_FOREIGN_HOST, HTTP_NO_TOKEN},
    /* Requests that came through a proxy, however local they look. */
    {AT("127.0.0.1:8080") "X-Forwarded-For: 203.0.113.9\r\n", "",
     HTTP_FORWARDED, HTTP_FORWARDED, HTTP_FORWARDED},
    {AT("localhost") "Forwarded: for=203.0.113.9\r\n", "", HTTP_FORWARDED,
     HTTP_FORWARDED, HTTP_FORWARDED},
    {AT("127.0.0.1:8080") "Via: 1.1 x\r\nX-Forwarded-For: a\r\n",
     "token=" TOKEN, HTTP_PASS, HTTP_PASS, HTTP_PASS},
    {AT("edge.example") FROM("https://edge.example") COOKIE
     "X-Real-IP: 203.0.113.9\r\n",
     "", HTTP_PASS, HTTP_PASS, HTTP_PASS},
    /* The token, from anywhere. */
    {AT("127.0.0.1:8080"), "token=" TOKEN, HTTP_PASS, HTTP_PASS, HTTP_PASS},
    {AT("evil.example") FROM("http://evil.example"), "x=1&token=" TOKEN,
     HTTP_PASS, HTTP_PASS, HTTP_PASS},
    {AT("127.0.0.1:8080") "Authorization: Bearer " TOKEN "\r\n", "", HTTP_PASS,
     HTTP_PASS, HTTP_PASS},
    {AT("127.0.0.1:8080") "authorization: bearer  " TOKEN "\r\n", "", HTTP_PASS,
     HTTP_PASS, HTTP_PASS},
    {AT("127.0.0.1:8080"), "token=" OTHER, HTTP_WRONG_TOKEN, HTTP_WRONG_TOKEN,
     HTTP_WRONG_TOKEN},
    {AT("127.0.0.1:8080"), "token=", HTTP_WRONG_TOKEN, HTTP_WRONG_TOKEN,
     HTTP_WRONG_TOKEN},
    {AT("127.0.0.1:8080"), "token=" TOKEN "0", HTTP_WRONG_TOKEN,
     HTTP_WRONG_TOKEN, HTTP_WRONG_TOKEN},
    {AT("127.0.0.1:8080") COOKIE, "token=" OTHER, HTTP_WRONG_TOKEN,
     HTTP_WRONG_TOKEN, HTTP_WRONG_TOKEN},
    {AT("127.0.0.1:8080") "Authorization: Bearer\r\n", "", HTTP_PASS,
     HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    /* This header is a matter of the browser and a proxy. */
    {AT("edge.example") COOKIE "Authorization: Basic YTpi\r\n", "", HTTP_PASS,
     HTTP_PASS, HTTP_PASS},
    /* The cookie, which a browser also sends with requests of other pages. */
    {AT("192.0.2.7:8080") COOKIE, "", HTTP_PASS, HTTP_PASS, HTTP_PASS},
    {AT("edge.example") FROM("https://edge.example") COOKIE, "", HTTP_PASS,
     HTTP_PASS, HTTP_PASS},
    {AT("127.0.0.1:8080")
         FROM("http://127.0.0.1:8080") "Cookie: COOKIE; x=y\r\n",
     "", HTTP_PASS, HTTP_PASS, HTTP_PASS},
    {AT("127.0.0.1:8080") FROM("http://127.0.0.1:9090") COOKIE, "",
     HTTP_FOREIGN_ORIGIN, HTTP_FOREIGN_ORIGIN, HTTP_FOREIGN_ORIGIN},
    {AT("192.0.2.7:8080") FROM("http://evil.example") COOKIE, "",
     HTTP_FOREIGN_ORIGIN, HTTP_FOREIGN_ORIGIN, HTTP_FOREIGN_ORIGIN},
    /* The server of another port set a cookie of the same name first. */
    {AT("127.0.0.1:8080") "Cookie: zs_edge_8080=" OTHER "; COOKIE\r\n", "",
     HTTP_PASS, HTTP_PASS, HTTP_PASS},
    {AT("127.0.0.1:8080") "Cookie: a=b\r\n" COOKIE, "", HTTP_PASS, HTTP_PASS,
     HTTP_PASS},
    {AT("127.0.0.1:8080") "Cookie: zs_edge_8080=" OTHER "\r\n", "", HTTP_PASS,
     HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    {AT("127.0.0.1:8080") "Cookie: zs_edge_8080=" TOKEN "\r\n", "", HTTP_PASS,
     HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    {AT("127.0.0.1:8080") "Cookie: zs_edge_8080\r\n", "", HTTP_PASS,
     HTTP_NO_TOKEN, HTTP_NO_TOKEN},
    {AT("127.0.0.1:8080") "Cookie:\r\n", "", HTTP_PASS, HTTP_NO_TOKEN,
     HTTP_NO_TOKEN},
    {AT("127.0.0.1:8080") "Cookie: xCOOKIE\r\n", "", HTTP_PASS, HTTP_NO_TOKEN,
     HTTP_NO_TOKEN},
};

/* The pair NAME=VALUE that the gate gives to a client that asks for this host.
 */
static void cookie_of(const struct http_gate *gate, struct bytes host,
                      char pair[256])
{
    char name[HTTP_COOKIE_SIZE], value[HTTP_TOKEN_SIZE];

    http_gate_cookie_name(gate, name);
    http_gate_cookie_value(gate, host, value);
    snprintf(pair, 256, "%s=%s", name, value);
}

static enum http_verdict judge(const struct http_gate *gate, const char *fields,
                               const char *query, bool api)
{
    char text[2048], pair[256];
    struct http_head head;
    size_t size = 0;
    bool by_query;
    const char *at = strstr(fields, "COOKIE");
    const char *host = strstr(fields, "Host: ");

    host = host ? host + 6 : "";
    cookie_of(gate, bytes_of(host, strcspn(host, "\r")), pair);
    snprintf(text, sizeof text, "GET /x?%s HTTP/1.0\r\n%.*s%s%s\r\n", query,
             at ? (int)(at - fields) : (int)strlen(fields), fields,
             at ? pair : "", at ? at + 6 : "");
    int status = http_head_read(bytes_of_string(text), &head, &size);
    if (status != 0)
        fail_msg("%d: %s", status, text);
    enum http_verdict verdict = http_gate_judge(gate, &head, api, &by_query);
    assert_int_equal(by_query, strstr(query, "token=") != NULL);
    return verdict;
}

static void each_request_gets_its_verdict(void **state)
{
    struct http_gate loopback = {.token = TOKEN};
    struct http_gate elsewhere = {.token = TOKEN};
    (void)state;

    assert_true(address_parse("127.0.0.1:8080", &loopback.listen));
    assert_true(address_parse("192.0.2.7:8080", &elsewhere.listen));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct gate_row *r = &rows[i];
        if (judge(&loopback, r->fields, r->query, false) != r->page ||
            judge(&loopback, r->fields, r->query, true) != r->api ||
            judge(&elsewhere, r->fields, r->query, false) != r->elsewhere ||
            judge(&elsewhere, r->fields, r->query, true) != r->elsewhere)
            fail_msg("row %zu: %s%s", i, r->fields, r->query);
    }
}

/* A browser may also send the cookie to another port, or to another name of the
 * host. */
static void a_cookie_is_good_for_one_host_and_port(void **state)
{
    static const char *const hosts[] = {"127.0.0.1:8080", "127.0.0.1:8081",
                                        "localhost:8080", "127.0.0.1"};
    struct http_gate gate = {.token = TOKEN};
    struct http_gate next = {.token = OTHER};
    char pair[256], fields[512];
    (void)state;

    assert_true(address_parse("127.0.0.1:8080", &gate.listen));
    next.listen = gate.listen;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        cookie_of(&gate, bytes_of_string(hosts[i]), pair);
        assert_null(strstr(pair, TOKEN));
        for (size_t k = 0; k < COUNT_OF(hosts); k++) {
            snprintf(fields, sizeof fields, "Host: %s\r\nCookie: %s\r\n",
                     hosts[k], pair);
            assert_int_equal(judge(&gate, fields, "", true),
                             i == k ? HTTP_PASS : HTTP_NO_TOKEN);
            assert_int_equal(judge(&next, fields, "", true), HTTP_NO_TOKEN);
        }
    }
    cookie_of(&gate, bytes_of_string("EDGE.Example"), pair);
    snprintf(fields, sizeof fields, "Host: edge.example\r\nCookie: %s\r\n",
             pair);
    assert_int_equal(judge(&gate, fields, "", true), HTTP_PASS);
}

static void every_address_is_not_loopback(void **state)
{
    struct http_gate all = {.token = TOKEN};
    (void)state;

    assert_true(address_parse("[::]:8080", &all.listen));
    assert_int_equal(judge(&all, AT("127.0.0.1:8080"), "", false),
                     HTTP_NO_TOKEN);
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
        cmocka_unit_test(a_cookie_is_good_for_one_host_and_port),
        cmocka_unit_test(every_address_is_not_loopback),
        cmocka_unit_test(a_token_is_made_once_and_kept_private),
        cmocka_unit_test(its_file_is_beside_the_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
