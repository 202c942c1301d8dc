#include "kit.h"

#include "edge/shell/stun_servers.h"

struct stun_world {
    uv_loop_t loop;
    struct zloop zloop;
    struct event_queue events;
    struct stun_servers *servers;
};

static void start(struct stun_world *w, const char *const *urls,
                  size_t url_count, const char *const *texts, size_t count)
{
    struct edge_relay relays[32];
    for (size_t i = 0; i < url_count; i++) {
        char url[RELAY_URL_SIZE];
        snprintf(url, sizeof url, "%s?key=%064d", urls[i], 7);
        struct relay_url parsed;
        assert_null(relay_url_parse(url, &parsed));
        edge_relay_init(&relays[i], &parsed, false);
    }
    uv_loop_init(&w->loop);
    zloop_open(&w->zloop, &w->loop, NULL, NULL);
    event_queue_init(&w->events, &w->zloop);
    w->servers = stun_servers_open(&w->loop, &w->events, relays, url_count,
                                   texts, count);
}

/* Expects `events` events; returns the addresses of the last one as text. */
static const char *told(struct stun_world *w, size_t events, char text[4096])
{
    struct event_batch *b = event_queue_take(&w->events);
    assert_int_equal(b->count, events);
    const struct node_event *e = &b->events[events - 1];
    assert_int_equal(e->kind, NODE_STUN_SERVERS_ARE);
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < e->addresses.count; i++) {
        char one[ADDRESS_TEXT_SIZE];
        used +=
            (size_t)snprintf(text + used, 4096 - used, "%s%s", i > 0 ? " " : "",
                             address_format(&e->addresses.list[i], one));
    }
    event_queue_done(b);
    return text;
}

static void stop(struct stun_world *w)
{
    stun_servers_close(&w->servers);
    assert_null(w->servers);
    stun_servers_close(&w->servers);
    stun_servers_again(w->servers);
    zloop_close(&w->zloop);
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    event_queue_close(&w->events);
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void each_relay_is_asked_at_three_ports(void **state)
{
    (void)state;
    struct stun_world w;
    char text[4096];
    const char *const urls[] = {"tcp://203.0.113.1:5443",
                                "tcp://[2001:db8::1]:443"};
    start(&w, urls, 2, NULL, 0);
    assert_string_equal(told(&w, 1, text),
                        "203.0.113.1:5443 [2001:db8::1]:443 203.0.113.1:443 "
                        "[2001:db8::1]:3478 203.0.113.1:3478");
    stop(&w);
}

static void servers_of_the_file_are_added(void **state)
{
    (void)state;
    struct stun_world w;
    char text[4096];
    const char *const urls[] = {"tcp://203.0.113.1:443"};
    const char *const texts[] = {"203.0.113.1:3478", "nonsense",
                                 "192.0.2.1:3478"};
    start(&w, urls, 1, texts, 3);
    assert_string_equal(told(&w, 1, text),
                        "203.0.113.1:443 192.0.2.1:3478 203.0.113.1:3478");
    /* Addresses do not change, so the node is told once. */
    stun_servers_again(w.servers);
    assert_int_equal(w.events.filling->count, 0);
    stop(&w);
}

static void without_servers_the_node_gets_an_empty_list(void **state)
{
    (void)state;
    struct stun_world w;
    char text[4096];
    start(&w, NULL, 0, NULL, 0);
    assert_string_equal(told(&w, 1, text), "");
    stop(&w);
}

/* Each host has one port in the list before any host has a second one. */
static void the_list_has_a_limit(void **state)
{
    (void)state;
    struct stun_world w;
    char text[4096], relays[8][40], more[30][40];
    const char *urls[8], *texts[30];
    for (int i = 0; i < 8; i++) {
        snprintf(relays[i], sizeof relays[i], "tcp://203.0.113.%d:99", i);
        urls[i] = relays[i];
    }
    for (int i = 0; i < 30; i++) {
        snprintf(more[i], sizeof more[i], "192.0.2.%d:1", i + 1);
        texts[i] = more[i];
    }
    start(&w, urls, 8, texts, 30);
    told(&w, 1, text);
    size_t count = 1;
    for (const char *c = text; *c != '\0'; c++)
        count += *c == ' ';
    assert_int_equal(count, STUN_SERVERS_MAX);
    assert_non_null(strstr(text, "203.0.113.7:99 192.0.2.1:1 "));
    assert_non_null(strstr(text, " 192.0.2.16:1 203.0.113.0:443 "));
    stop(&w);
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

/* The system resolves this name without DNS. */
static void a_name_is_looked_up(void **state)
{
    (void)state;
    struct stun_world w;
    char text[4096];
    const char *const texts[] = {"localhost:3478"};
    start(&w, NULL, 0, texts, 1);
    assert_string_equal(told(&w, 1, text), "");
    while (w.events.filling->count == 0)
        uv_run(&w.loop, UV_RUN_ONCE);
    assert_true(ends_with(told(&w, 1, text), ":3478"));
    stun_servers_again(
        w.servers); /* The module is closed while a lookup runs. */
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_relay_is_asked_at_three_ports),
        cmocka_unit_test(servers_of_the_file_are_added),
        cmocka_unit_test(without_servers_the_node_gets_an_empty_list),
        cmocka_unit_test(the_list_has_a_limit),
        cmocka_unit_test(a_name_is_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
