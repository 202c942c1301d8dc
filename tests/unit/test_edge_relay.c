/* A relay's settings: which host, port and name each form uses. */
#include "kit.h"

#include "edge/shell/edge_relay.h"

#define KEY                                                                    \
    "?key=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct edge_relay relay_of(const char *url, const char *connect_to,
                                  const char *server_name, const char *verify,
                                  bool all_verify)
{
    struct edge_relay r;
    char text[RELAY_URL_SIZE];
    struct relay_entry entry = {.url = text,
                                .connect_to = (char *)(uintptr_t)connect_to,
                                .server_name = (char *)(uintptr_t)server_name,
                                .verify = (char *)(uintptr_t)verify};
    snprintf(text, sizeof text, "%s%s", url, KEY);
    assert_null(edge_relay_of_entry(&entry, all_verify, &r));
    return r;
}

static void the_url_alone(void **state)
{
    static const struct {
        const char *url, *host, *server_name;
    } rows[] = {
        {"tcp://relay.example.org:443", "relay.example.org",
         "relay.example.org"},
        {"tcp://192.0.2.1:443", "192.0.2.1", ""},
        {"tcp://[2001:db8::1]:443", "2001:db8::1", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct edge_relay r = relay_of(rows[i].url, "", "", "", false);
        assert_string_equal(r.connect_to.host, rows[i].host);
        assert_string_equal(r.server_name, rows[i].server_name);
        assert_false(r.verify);
    }
}

static void verify_is_that_of_the_relay_or_of_all(void **state)
{
    (void)state;
    assert_true(relay_of("tcp://a:1", "", "", "", true).verify);
    assert_true(relay_of("tcp://a:1", "", "", "true", false).verify);
    assert_false(relay_of("tcp://a:1", "", "", "false", true).verify);
}

static void has_ports(const struct edge_relay *r, int tcp, int wss, int ws)
{
    const int ports[] = {tcp, wss, ws};

    for (int form = 0; form < RELAY_FORMS; form++) {
        int port = ports[form % FORM_TCP_PROXY];
        assert_int_equal(edge_relay_allows(r, (enum relay_form)form),
                         port != 0);
        if (port != 0)
            assert_int_equal(edge_relay_port(r, (enum relay_form)form), port);
    }
}

static void forms_and_their_ports(void **state)
{
    (void)state;
    struct edge_relay r = relay_of("tcp://a:5443", "", "", "", false);
    has_ports(&r, 5443, 5443, 80);
    r = relay_of("wss://a/", "", "", "", false);
    has_ports(&r, 0, 443, 0);
    r = relay_of("ws://a:8080/", "", "", "", false);
    has_ports(&r, 0, 0, 8080);

    r = relay_of("tcp://a:443", "10.0.0.7", "", "", false);
    assert_string_equal(r.connect_to.host, "10.0.0.7");
    assert_string_equal(r.server_name, "a");
    has_ports(&r, 443, 443, 80);
    r = relay_of("tcp://192.0.2.1:443", "[::1]:8443", "www.example.org", "",
                 false);
    assert_string_equal(r.connect_to.host, "::1");
    assert_string_equal(r.server_name, "www.example.org");
    has_ports(&r, 8443, 8443, 80);
    r = relay_of("ws://a/", "b:8081", "", "", false);
    has_ports(&r, 0, 0, 8081);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_url_alone),
        cmocka_unit_test(verify_is_that_of_the_relay_or_of_all),
        cmocka_unit_test(forms_and_their_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
