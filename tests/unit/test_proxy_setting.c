#include "kit.h"

#include "common/conf/proxy_setting.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- URLs */

static void urls_are_read_and_printed_without_the_password(void **state)
{
    static const struct {
        const char *text, *printed, *user, *password;
        enum proxy_scheme scheme;
    } rows[] = {
        {"http://proxy:3128", "http://proxy:3128", NULL, "", PROXY_HTTP},
        {"HTTPS://proxy:3129/", "https://proxy:3129", NULL, "", PROXY_HTTPS},
        {"socks4://192.0.2.1:1080", "socks4://192.0.2.1:1080", NULL, "",
         PROXY_SOCKS4},
        {"socks4a://p:1", "socks4a://p:1", NULL, "", PROXY_SOCKS4A},
        {"socks5://[2001:db8::1]:1080", "socks5://[2001:db8::1]:1080", NULL, "",
         PROXY_SOCKS5},
        {"socks5h://ann@p:1", "socks5h://p:1", "ann", "", PROXY_SOCKS5H},
        {"http://ann:secret@p:1", "http://p:1", "ann", "secret", PROXY_HTTP},
        {"http://ann:p@ss:w/rd@p:1", "http://p:1", "ann", "p@ss:w/rd",
         PROXY_HTTP},
        {"http://a%40b:%25%3a%c3%a4@p:1", "http://p:1", "a@b", "%:\xc3\xa4",
         PROXY_HTTP},
        {"http://:@p:1", "http://p:1", "", "", PROXY_HTTP},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct proxy_url url;
        char text[PROXY_URL_SIZE];
        const char *wrong = proxy_url_parse(rows[i].text, PROXY_URL_FILE, &url);
        if (wrong != NULL)
            fail_msg("%s %s", rows[i].text, wrong);
        assert_int_equal(url.scheme, rows[i].scheme);
        assert_string_equal(proxy_url_print(&url, text), rows[i].printed);
        assert_int_equal(url.has_user, rows[i].user != NULL);
        assert_string_equal(url.user, rows[i].user != NULL ? rows[i].user : "");
        assert_string_equal(url.password, rows[i].password);
    }
}

static void wrong_urls_are_refused_and_not_repeated(void **state)
{
    static const char *const rows[] = {
        "",
        "proxy:3128",
        "ftp://secret:secret@proxy:3128",
        "http:/secret@proxy:3128",
        "http://proxy",
        "http://proxy:0",
        "http://proxy:secret",
        "http://",
        "http://secret@",
        "http://proxy:3128/secret",
        "http://ann:secret%4@proxy:3128",
        "http://ann:secret%@proxy:3128",
        "http://ann:secret%zz@proxy:3128",
        "http://ann:secret%0d%0aHost: x@proxy:3128",
        "http://a%3ann:secret@proxy:3128",
        "http://ann:secret\n@proxy:3128",
        "socks5h://[2001:db8::1:1080",
    };
    char longest[700];
    struct proxy_url url;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *wrong = proxy_url_parse(rows[i], PROXY_URL_FILE, &url);
        if (wrong == NULL)
            fail_msg("%s passes", rows[i]);
        assert_null(strstr(wrong, "secret"));
    }
    snprintf(longest, sizeof longest, "http://%0256d:x@proxy:1", 0);
    assert_non_null(proxy_url_parse(longest, PROXY_URL_FILE, &url));
    snprintf(longest, sizeof longest, "http://x:%0255d@proxy:1", 0);
    assert_null(proxy_url_parse(longest, PROXY_URL_FILE, &url));
    snprintf(longest, sizeof longest, "http://%0600d:1", 0);
    assert_non_null(proxy_url_parse(longest, PROXY_URL_FILE, &url));
}

static void the_environment_may_leave_scheme_and_port_out(void **state)
{
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"proxy:3128", "http://proxy:3128"},
        {"proxy", "http://proxy:80"},
        {"ann:b@proxy", "http://proxy:80"},
        {"https://proxy/", "https://proxy:443"},
        {"socks5://[::1]", "socks5://[::1]:1080"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct proxy_url url;
        char text[PROXY_URL_SIZE];
        const char *wrong =
            proxy_url_parse(rows[i].text, PROXY_URL_ENVIRONMENT, &url);
        if (wrong != NULL)
            fail_msg("%s %s", rows[i].text, wrong);
        assert_string_equal(proxy_url_print(&url, text), rows[i].printed);
    }
}

/* ---- no_proxy */

static void no_proxy_names_hosts_suffixes_and_networks(void **state)
{
    static const struct {
        const char *list, *host;
        bool has;
    } rows[] = {
        {"", "relay.example.org", false},
        {"*", "relay.example.org", true},
        {"*", "192.0.2.1", true},
        {"relay.example.org", "relay.example.org", true},
        {"RELAY.example.org.", "relay.EXAMPLE.org", true},
        {"example.org", "relay.example.org.", true},
        {".example.org", "relay.example.org", true},
        {".example.org", "example.org", true},
        {"ample.org", "relay.example.org", false},
        {"relay.example.org.uk", "relay.example.org", false},
        {"a, b\texample.org", "relay.example.org", true},
        {".", "relay.example.org", false},
        {"localhost,127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"0.2.1", "192.0.2.1", false},
        {"192.0.2.0/24", "192.0.2.77", true},
        {"192.0.2.0/24", "192.0.3.77", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"0.0.0.0/0", "192.0.2.1", true},
        {"192.0.2.0/33", "192.0.2.1", false},
        {"192.0.2.0/", "192.0.2.0", false},
        {"192.0.2.0/x", "192.0.2.0", false},
        {"192.0.2.0/24", "2001:db8::1", false},
        {"2001:db8::/32", "2001:db8:1::1", true},
        {"2001:db8::/47", "2001:db8:2::1", false},
        {"[2001:db8::1]", "2001:db8::1", true},
        {"2001:db8::1/128", "2001:db8::2", false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (proxy_list_has(rows[i].list, rows[i].host) != rows[i].has)
            fail_msg("%s in %s", rows[i].host, rows[i].list);
}

/* ---- Which one */

/* Pairs of a name and a value; NULL ends them. */
static const char *variable(void *context, const char *name)
{
    for (const char *const *pair = context; *pair != NULL; pair += 2)
        if (strcmp(pair[0], name) == 0)
            return pair[1];
    return NULL;
}

static void file_and_environment_decide(void **state)
{
    static const struct {
        const char *setting, *environment[9];
        bool plain_http;
        enum proxy_use use;
        const char *url, *name;
    } rows[] = {
        {"", {NULL}, false, PROXY_WITHOUT_ONLY, NULL, NULL},
        {"none",
         {"https_proxy", "p:1", NULL},
         false,
         PROXY_WITHOUT_ONLY,
         NULL,
         NULL},
        {"socks5h://s:1",
         {"https_proxy", "p:1", "no_proxy", "*", NULL},
         false,
         PROXY_WITH_ONLY,
         "socks5h://s:1",
         NULL},
        {"",
         {"https_proxy", "p:1", NULL},
         false,
         PROXY_BOTH,
         "http://p:1",
         "https_proxy"},
        {"",
         {"https_proxy", "", "HTTPS_PROXY", "q:1", NULL},
         false,
         PROXY_BOTH,
         "http://q:1",
         "HTTPS_PROXY"},
        {"",
         {"ALL_PROXY", "socks5://q:1", NULL},
         false,
         PROXY_BOTH,
         "socks5://q:1",
         "ALL_PROXY"},
        {"",
         {"http_proxy", "q:1", NULL},
         false,
         PROXY_WITHOUT_ONLY,
         NULL,
         NULL},
        {"",
         {"http_proxy", "q:1", "https_proxy", "p:1", NULL},
         true,
         PROXY_BOTH,
         "http://q:1",
         "http_proxy"},
        {"",
         {"https_proxy", "p:1", NULL},
         true,
         PROXY_BOTH,
         "http://p:1",
         "https_proxy"},
        {"",
         {"https_proxy", "p:1", "no_proxy", "example.org", NULL},
         false,
         PROXY_WITHOUT_ONLY,
         NULL,
         NULL},
        {"",
         {"https_proxy", "p:1", "NO_PROXY", "example.com", NULL},
         false,
         PROXY_BOTH,
         "http://p:1",
         "https_proxy"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct proxy_setting s;
        char text[PROXY_URL_SIZE];
        void *environment = (void *)(uintptr_t)rows[i].environment;
        proxy_setting_find(rows[i].setting, "relay.example.org",
                           rows[i].plain_http, variable, environment, &s);
        if (s.use != rows[i].use)
            fail_msg("row %zu: use %d", i, (int)s.use);
        assert_null(s.wrong);
        if (s.use == PROXY_WITHOUT_ONLY)
            continue;
        assert_string_equal(proxy_url_print(&s.url, text), rows[i].url);
        if (s.source == PROXY_FROM_VARIABLE)
            assert_string_equal(s.variable, rows[i].name);
    }
}

static void a_wrong_variable_is_told_and_not_used(void **state)
{
    static const char *const environment[] = {"https_proxy", "ftp://p:1", NULL};
    struct proxy_setting s;
    (void)state;

    proxy_setting_find("", "h", false, variable, (void *)(uintptr_t)environment,
                       &s);
    assert_int_equal(s.use, PROXY_WITHOUT_ONLY);
    assert_non_null(s.wrong);
    assert_string_equal(s.variable, "https_proxy");
}

/* What the check of the file accepts is what a connection then takes. */
static void the_file_is_read_in_one_way(void **state)
{
    static const char *const good[] = {"none", "socks5://p:1", "http://u@p:2"};
    static const char *const bad[] = {"", "None", "p:1", "http://p"};
    struct proxy_setting parsed, found;
    (void)state;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_null(proxy_setting_parse(good[i], &parsed));
        proxy_setting_find(good[i], "h", false, variable, NULL, &found);
        assert_int_equal(parsed.use, found.use);
        assert_int_equal(parsed.source, PROXY_FROM_FILE);
        assert_int_equal(parsed.url.scheme, found.url.scheme);
        assert_int_equal(parsed.url.at.port, found.url.at.port);
        assert_string_equal(parsed.url.at.host, found.url.at.host);
        assert_string_equal(parsed.url.user, found.url.user);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(proxy_setting_parse(bad[i], &parsed));
}

static void this_process_is_asked_by_default(void **state)
{
    struct proxy_setting s;
    (void)state;

    setenv("https_proxy", "http://ann:secret@p:1", 1);
    setenv("no_proxy", "other", 1);
    proxy_setting_read("", "h", false, &s);
    assert_int_equal(s.use, PROXY_BOTH);
    assert_string_equal(s.url.password, "secret");
    setenv("no_proxy", "h", 1);
    proxy_setting_read("", "h", false, &s);
    assert_int_equal(s.use, PROXY_WITHOUT_ONLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read_and_printed_without_the_password),
        cmocka_unit_test(wrong_urls_are_refused_and_not_repeated),
        cmocka_unit_test(the_environment_may_leave_scheme_and_port_out),
        cmocka_unit_test(no_proxy_names_hosts_suffixes_and_networks),
        cmocka_unit_test(file_and_environment_decide),
        cmocka_unit_test(a_wrong_variable_is_told_and_not_used),
        cmocka_unit_test(the_file_is_read_in_one_way),
        cmocka_unit_test(this_process_is_asked_by_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
