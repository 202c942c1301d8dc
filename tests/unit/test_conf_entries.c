/* Lists of structs: the relays of edge.yaml, as texts, mappings, or both; and
 * that no password of a URL is shown. */
#include "common/conf/edge_conf.h"
#include "common/conf/url_password.h"
#include "tests/unit/conf_kit.h"

#define KEY64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define URL1 "tcp://192.0.2.1:443?key=" KEY64
#define URL2 "wss://relay.example.org/?key=" KEY64

static void taken(struct edge_conf *c, const char *relays)
{
    char text[2000];
    snprintf(text, sizeof text, "node: {identity: a}\nrelays:%s\n", relays);
    kit_taken(&edge_conf_table, c, text);
}

static void refused(const char *relays, const char *lines)
{
    struct edge_conf c;
    char text[2000];
    snprintf(text, sizeof text, "node: {identity: a}\nrelays:%s\n", relays);
    kit_refused(&edge_conf_table, &c, text, lines);
}

static void is_entry(const struct edge_conf *c, size_t index, const char *url,
                     const char *connect_to, const char *server_name,
                     const char *verify)
{
    const struct relay_entry *e = edge_conf_relay(c, index);
    assert_string_equal(e->url, url);
    assert_string_equal(e->connect_to, connect_to);
    assert_string_equal(e->server_name, server_name);
    assert_string_equal(e->verify, verify);
    assert_int_equal(relay_entry_is_plain(e), *connect_to == '\0' &&
                                                  *server_name == '\0' &&
                                                  *verify == '\0');
}

static void test_texts_and_mappings(void **state)
{
    struct edge_conf c;
    (void)state;
    taken(&c, "\n- " URL1 "\n- {url: '" URL2 "', connect_to: 10.0.0.7:8443}\n"
              "- url: " URL1 "\n  server_name: www.example.org\n"
              "  verify: True\n- {url: '" URL2 "', verify: false}\n"
              "- {url: '" URL2 "', connect_to: '', verify: }");
    assert_int_equal(c.relays.count, 5);
    is_entry(&c, 0, URL1, "", "", "");
    is_entry(&c, 1, URL2, "10.0.0.7:8443", "", "");
    is_entry(&c, 2, URL1, "", "www.example.org", "true");
    is_entry(&c, 3, URL2, "", "", "false");
    is_entry(&c, 4, URL2, "", "", "");
    edge_conf_free(&c);
}

static void test_mistakes(void **state)
{
    (void)state;
    refused(" " URL1, "f:2:9: `relays` wants a list such as [a, b]: "
                      "`" URL1 "`\n");
    refused(" {url: '" URL1 "'}",
            "f:2:9: `relays` wants a list such as [a, b], not a mapping\n");
    refused(" [http://x, {url: http://y}, '', [], {}, ~x]",
            "f:2:10: `relays` wants tcp://, wss:// or ws:// at its start: "
            "`http://x`\n"
            "f:2:26: `relays.url` wants tcp://, wss:// or ws:// at its start: "
            "`http://y`\n"
            "f:2:37: `relays` may not hold an empty text\n"
            "f:2:41: `relays` wants a text, not a list\n"
            "f:2:45: `relays.url` is missing\n"
            "f:2:49: `relays` wants tcp://HOST:PORT?key=KEY, or wss:// or "
            "ws://: `~x`\n");
    refused("\n- url: " URL1 "\n  sever_name: x\n  server_name: 10.0.0.1\n"
            "  connect_to: 'a b'\n  verify: perhaps\n"
            "- {uri: '" URL1 "', verify: true}\n"
            "- {url: '" URL1 "', url: '" URL2 "'}",
            "f:4:3: unknown key `sever_name` in `relays`: did you mean "
            "`server_name`?\n"
            "f:5:16: `relays.server_name` wants a name of DNS, without a "
            "port: `10.0.0.1`\n"
            "f:6:15: `relays.connect_to` wants a host name or an address "
            "before the port: `a b`\n"
            "f:7:11: `relays.verify` wants one of true false: `perhaps`\n"
            "f:8:3: `relays.url` is missing\n"
            "f:8:4: unknown key `uri` in `relays`: did you mean `url`?\n"
            "f:9:101: duplicate key `url`, first in line 9\n");
    refused(" [" URL1 "," URL1 "," URL1 "," URL1 "," URL1 "," URL1 "," URL1
            ",{url: '" URL1 "'}," URL1 "]",
            "f:2:9: `relays` may hold at most 8, not 9\n");
    refused(" [{url: '" URL1 "', verify: tru",
            "f:3:1: broken YAML: did not find expected ',' or '}' while "
            "parsing a flow mapping\n");
}

static void test_printed_is_read_again(void **state)
{
    struct edge_conf a, b;
    (void)state;
    taken(&a, " ['" URL1 "', {url: '" URL2 "', connect_to: '[::1]:8443',"
              " server_name: 'true', verify: false}]");
    char *printed = kit_printed(&edge_conf_table, &a, false);
    const char *line = strstr(printed, "\nrelays: ");
    assert_non_null(line);
    static const char expected[] =
        "\nrelays: [\"" URL1 "\", {url: \"" URL2 "\", connect_to: "
        "\"[::1]:8443\", server_name: \"true\", verify: false}]\n";
    assert_memory_equal(line, expected, strlen(expected));
    kit_taken(&edge_conf_table, &b, printed);
    assert_int_equal(kit_differ(&edge_conf_table, &a, &b), 0);
    free(printed);
    edge_conf_free(&a);
    edge_conf_free(&b);
}

static void say(void *context, const char *key, bool live)
{
    strcat(strcat(context, key), live ? "+ " : "- ");
}

static void differs(const char *before, const char *after, const char *keys)
{
    struct edge_conf a, b;
    char said[200] = "";
    taken(&a, before);
    taken(&b, after);
    edge_conf_diff(&a, &b, say, said);
    assert_string_equal(said, keys);
    edge_conf_free(&a);
    edge_conf_free(&b);
}

static void test_diff(void **state)
{
    (void)state;
    differs(" ['" URL1 "']", " [{url: '" URL1 "'}]", "");
    differs(" ['" URL1 "']", " []", "relays- ");
    differs(" ['" URL1 "']", " ['" URL2 "']", "relays- ");
    differs(" ['" URL1 "']", " [{url: '" URL1 "', verify: true}]", "relays- ");
    differs(" [{url: '" URL1 "', verify: false}]",
            " [{url: '" URL1 "', verify: true}]", "relays- ");
    differs("", "\ntls: {verify: true}", "tls.verify- ");
}

static bool set(struct edge_conf *c, const char *key, const char *text,
                const char *option, const char *expected)
{
    char *said;
    size_t size;
    FILE *errors = open_memstream(&said, &size);
    assert_non_null(errors);
    bool good = edge_conf_set(c, key, text, option, errors);
    fclose(errors);
    assert_string_equal(said, expected);
    free(said);
    return good;
}

static void test_options_add_to_the_list(void **state)
{
    struct edge_conf c;
    (void)state;
    taken(&c, " [{url: '" URL1 "', verify: true}]");
    assert_true(set(&c, "relays", URL2, "--relay", ""));
    assert_false(set(&c, "relays", "x", "--relay",
                     "--relay: `relays` wants tcp://HOST:PORT?key=KEY, or "
                     "wss:// or ws://: `x`\n"));
    assert_false(set(&c, "relays", "", "--relay",
                     "--relay: `relays` may not hold an empty text\n"));
    assert_int_equal(c.relays.count, 2);
    is_entry(&c, 0, URL1, "", "", "true");
    is_entry(&c, 1, URL2, "", "", "");
    for (int i = 0; i < 6; i++)
        assert_true(set(&c, "relays", URL2, "--relay", ""));
    assert_false(set(&c, "relays", URL2, "--relay",
                     "--relay: `relays` may hold at most 8\n"));
    edge_conf_free(&c);
}

static void test_passwords_are_not_shown(void **state)
{
    static const struct {
        const char *url, *shown;
    } rows[] = {
        {"http://ann:s3cret@proxy:3128", "http://ann:***@proxy:3128"},
        {"http://ann:s3:c@ret/@proxy:3128", "http://ann:***@proxy:3128"},
        {"http://:s3cret@proxy:3128", "http://:***@proxy:3128"},
        {"http://ann@proxy:3128", "http://ann@proxy:3128"},
        {"http://proxy:3128", "http://proxy:3128"},
        {"http:/ann:s3cret@proxy", "http:***@proxy"},
        {"ann:s3cret@proxy:3128", "ann:***@proxy:3128"},
        {"ann:s3cret://x@proxy:3128", "ann:***@proxy:3128"},
        {"a://b:s3cret@proxy", "a://b:***@proxy"},

        {"none", "none"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *shown = url_without_password(rows[i].url);
        assert_string_equal(shown, rows[i].shown);
        free(shown);
    }
}

static void test_a_wrong_proxy_is_not_shown(void **state)
{
    struct edge_conf c;
    char *said;
    static const char text[] = "node: {identity: a}\n"
                               "proxy: ftp://ann:s3cret@proxy:3128\n";
    (void)state;
    assert_false(kit_read(&edge_conf_table, text, sizeof text - 1, &c, &said));
    assert_memory_equal(said, "f:2:8: `proxy` wants ", 21);
    assert_null(strstr(said, "s3cret"));
    free(said);

    kit_taken(&edge_conf_table, &c,
              "node: {identity: a}\nproxy: http://ann:s3cret@proxy:3128\n");
    assert_string_equal(c.proxy, "http://ann:s3cret@proxy:3128");
    char *printed = kit_printed(&edge_conf_table, &c, true);
    assert_non_null(strstr(printed, "\nproxy: \"http://ann:***@proxy:3128\""));
    assert_null(strstr(printed, "s3cret"));
    free(printed);
    edge_conf_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_and_mappings),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_printed_is_read_again),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_options_add_to_the_list),
        cmocka_unit_test(test_passwords_are_not_shown),
        cmocka_unit_test(test_a_wrong_proxy_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
