#include "proxy_kit.h"

#include "common/base/memory.h"
#include "edge/shell/curl_pipe.h"
#include "edge/shell/open_files.h"

static struct kit_certificate certificate;

static struct {
    uv_loop_t loop;
    uv_timer_t tick; /* so that no turn of the loop lasts for ever */
    struct byte_pipe *pipe;
    int opened, ended;
    enum link_failure why;
    uint8_t *sent, *got; /* what is echoed */
    size_t size, sent_size, got_size;
} t;

/* ---- The user */

static void write_more(void)
{
    t.sent_size +=
        byte_pipe_write(t.pipe, t.sent + t.sent_size, t.size - t.sent_size);
}

static void on_opened(void *context)
{
    (void)context;
    t.opened++;
}

static void on_ready(void *context)
{
    ssize_t size;

    (void)context;
    while ((size = byte_pipe_read(t.pipe, t.got + t.got_size,
                                  t.size - t.got_size)) > 0)
        t.got_size += (size_t)size;
    write_more();
}

static void on_ended(void *context, enum link_failure why)
{
    (void)context;
    t.ended++;
    t.why = why;
}

/* ---- The kit */

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static void turn(void)
{
    uv_run(&t.loop, UV_RUN_ONCE);
}

static void pipe_open(const struct curl_pipe_conf *conf)
{
    const struct byte_pipe_user user = {
        .opened = on_opened, .ready = on_ready, .ended = on_ended};

    memset(&t, 0, sizeof t);
    uv_loop_init(&t.loop);
    uv_timer_init(&t.loop, &t.tick);
    uv_timer_start(&t.tick, on_tick, 5, 5);
    t.pipe = curl_pipe_open(&t.loop, conf, &user);
}

static void pipe_close(void)
{
    byte_pipe_close(t.pipe);
    uv_close((uv_handle_t *)&t.tick, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t.loop), 0);
    free(t.sent);
    free(t.got);
}

static void run_until_open(void)
{
    while (t.opened + t.ended == 0)
        turn();
    if (t.ended > 0)
        fail_msg("it ended: %d", (int)t.why);
}

static void echo(size_t size)
{
    t.size = size;
    t.sent = memory_new(size);
    t.got = memory_new(size);
    for (size_t i = 0; i < size; i++)
        t.sent[i] = (uint8_t)(i % 251);
    write_more();
    while (t.got_size < size && t.ended == 0)
        turn();
    assert_int_equal(t.ended, 0);
    assert_memory_equal(t.got, t.sent, size);
}

static void expect_echo(const struct curl_pipe_conf *conf, size_t size)
{
    pipe_open(conf);
    run_until_open();
    echo(size);
    bool shown = t.pipe->has_certificate;
    assert_int_equal(shown, conf->tls);
    if (shown)
        assert_memory_equal(t.pipe->certificate, certificate.sha256, 32);
    pipe_close();
}

static void expect_failure(const struct curl_pipe_conf *conf,
                           enum link_failure why)
{
    pipe_open(conf);
    while (t.opened + t.ended == 0)
        turn();
    assert_int_equal(t.opened, 0);
    if (t.why != why)
        fail_msg("failure %d in place of %d", (int)t.why, (int)why);
    pipe_close();
}

static struct proxy_url proxy_of(const char *start, const struct kit_server *s)
{
    char text[200];
    struct proxy_url url;

    snprintf(text, sizeof text, "%s:%u", start, s->port);
    const char *wrong = proxy_url_parse(text, PROXY_URL_FILE, &url);
    if (wrong != NULL)
        fail_msg("%s %s", text, wrong);
    return url;
}

/* ---- TLS */

static void tls_carries_bytes(void **state)
{
    struct kit_server host = {.kind = KIT_ECHO, .tls = &certificate};
    (void)state;

    kit_start(&host);
    struct curl_pipe_conf conf = {
        .host = "127.0.0.1", .port = host.port, .tls = true};
    expect_echo(&conf, 1000);
    assert_string_equal(host.alpn, "http/1.1");
    assert_string_equal(host.sni, ""); /* An address is no name. */
    conf.name = "relay.test";
    expect_echo(&conf, 3 * 1000 * 1000);
    assert_string_equal(host.sni, "relay.test");
    kit_stop(&host);
}

static void a_certificate_is_checked_where_it_is_wanted(void **state)
{
    struct kit_server host = {.kind = KIT_ECHO, .tls = &certificate};
    (void)state;

    kit_start(&host);
    struct curl_pipe_conf conf = {.host = "127.0.0.1",
                                  .port = host.port,
                                  .tls = true,
                                  .verify = true,
                                  .name = "relay.test"};
    expect_failure(&conf, LINK_TLS);
    conf.authorities = certificate.file;
    expect_echo(&conf, 1000);
    conf.name = "other.test";
    expect_failure(&conf, LINK_TLS);
    conf.name = NULL; /* the address, which the certificate has as well */
    expect_echo(&conf, 1000);
    kit_stop(&host);
}

static void old_tls_and_other_services_are_refused(void **state)
{
    struct kit_server host = {.kind = KIT_ECHO,
                              .tls = &certificate,
                              .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1"};
    struct kit_server plain = {.kind = KIT_CONNECT,
                               .answer = "HTTP/1.1 400 Bad Request\r\n\r\n"};
    (void)state;

    kit_start(&host);
    kit_start(&plain);
    struct curl_pipe_conf conf = {
        .host = "127.0.0.1", .port = host.port, .tls = true};
    expect_failure(&conf, LINK_TLS);
    kit_stop(&host);
    conf.port = host.port;
    expect_failure(&conf, LINK_REFUSED);
    kit_stop(&plain);
}

static void it_pauses_and_goes_on(void **state)
{
    struct kit_server host = {.kind = KIT_ECHO, .tls = &certificate};
    uint8_t byte;
    (void)state;

    kit_start(&host);
    struct curl_pipe_conf conf = {
        .host = "127.0.0.1", .port = host.port, .tls = true};
    pipe_open(&conf);
    run_until_open();
    /* One record, of which one byte is read: the rest waits inside. */
    assert_int_equal(byte_pipe_write(t.pipe, (const uint8_t *)"abc", 3), 3);
    t.sent = memory_new(3);
    t.got = memory_new(3);
    while (byte_pipe_read(t.pipe, &byte, 1) == 0)
        uv_run(&t.loop, UV_RUN_NOWAIT);
    byte_pipe_pause(t.pipe, true);
    assert_int_equal(byte_pipe_read(t.pipe, &byte, 1), 0);
    byte_pipe_pause(t.pipe, false);
    t.size = t.sent_size = 2; /* on_ready reads from now on. */
    while (t.got_size < 2)
        turn();
    assert_memory_equal(t.got, "bc", 2);
    pipe_close();
    kit_stop(&host);
}

static void the_other_end_may_end(void **state)
{
    struct kit_server proxy = {.kind = KIT_CONNECT,
                               .answer = "HTTP/1.1 200 x\r\n\r\n"};
    uint8_t room[10];
    (void)state;

    kit_start(&proxy);
    struct proxy_url url = proxy_of("http://127.0.0.1", &proxy);
    struct curl_pipe_conf conf = {
        .host = "relay.test", .port = 443, .proxy = &url};
    pipe_open(&conf);
    t.got = memory_new(1);
    t.size = t.sent_size = 1;
    run_until_open();
    while (t.ended == 0)
        turn();
    assert_int_equal(t.why, LINK_BROKEN);
    assert_int_equal(byte_pipe_read(t.pipe, room, sizeof room), -1);
    pipe_close();
    kit_stop(&proxy);
}

static size_t files_of_a_loop(void)
{
    uv_loop_t loop;
    size_t before = open_files_count();

    assert_int_equal(uv_loop_init(&loop), 0);
    size_t files = open_files_count() - before;
    assert_int_equal(uv_loop_close(&loop), 0);
    return files;
}

/* Its connection, and two by which libcurl could be woken. */
static void an_open_one_has_three_descriptors(void **state)
{
    size_t of_loop = files_of_a_loop(), of_pipe = 0;
    (void)state;

    for (int i = 0; i < 2; i++) { /* Libraries open some files once. */
        struct kit_server host = {.kind = KIT_ECHO, .tls = &certificate};
        kit_start(&host);
        struct curl_pipe_conf conf = {
            .host = "127.0.0.1", .port = host.port, .tls = true};
        size_t before = open_files_count();
        pipe_open(&conf);
        run_until_open();
        of_pipe = open_files_count() - before - of_loop;
        pipe_close();
        kit_stop(&host);
    }
    assert_int_equal(of_pipe, 3 + 1); /* The host's end is ours as well. */
}

static void it_closes_at_every_step(void **state)
{
    struct kit_server host = {.kind = KIT_ECHO, .tls = &certificate};
    (void)state;

    kit_start(&host);
    struct curl_pipe_conf conf = {
        .host = "127.0.0.1", .port = host.port, .tls = true};
    for (int turns = 0; turns < 20; turns++) {
        pipe_open(&conf);
        for (int i = 0; i < turns && t.opened == 0; i++)
            turn();
        pipe_close();
        assert_int_equal(t.ended, 0);
    }
    kit_stop(&host);
}

/* ---- Proxies */

static void proxies_pass_bytes_on(void **state)
{
    static const struct {
        const char *url, *asked;
        enum kit_kind kind;
        bool by_address; /* the host is given by its address */
        const char *basic, *user;
        bool closes;
    } rows[] = {
        {"http://127.0.0.1", "CONNECT relay.test:4430 HTTP/1.1", KIT_CONNECT,
         false, NULL, NULL, false},
        {"http://ann:b%40d@127.0.0.1", "CONNECT relay.test:4430 HTTP/1.1",
         KIT_CONNECT, false, "YW5uOmJAZA==", NULL, false},
        {"http://ann:b%40d@127.0.0.1", "CONNECT relay.test:4430 HTTP/1.1",
         KIT_CONNECT, false, "YW5uOmJAZA==", NULL, true},
        {"socks5h://127.0.0.1", "relay.test:4430", KIT_SOCKS, false, NULL, NULL,
         false},
        {"socks5h://ann:b%40d@127.0.0.1", "relay.test:4430", KIT_SOCKS, false,
         NULL, "ann:b@d", false},
        {"socks5://127.0.0.1", "127.0.0.1:4430", KIT_SOCKS, true, NULL, NULL,
         false},
        {"socks4a://127.0.0.1", "relay.test:4430", KIT_SOCKS, false, NULL, NULL,
         false},
        {"socks4://127.0.0.1", "127.0.0.1:4430", KIT_SOCKS, true, NULL, NULL,
         false},
        {"socks5://127.0.0.1", "127.0.0.1:4430", KIT_SOCKS, true, NULL, NULL,
         false},
    };
    (void)state;

    for (int tls = 0; tls < 2; tls++) {
        struct kit_server host = {.kind = KIT_ECHO,
                                  .tls = tls ? &certificate : NULL};
        kit_start(&host);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct kit_server proxy = {.kind = rows[i].kind,
                                       .behind = host.port,
                                       .basic = rows[i].basic,
                                       .user = rows[i].user,
                                       .closes = rows[i].closes};
            kit_start(&proxy);
            struct proxy_url url = proxy_of(rows[i].url, &proxy);
            struct curl_pipe_conf conf = {
                .host = rows[i].by_address ? "127.0.0.1" : "relay.test",
                .port = 4430,
                .tls = tls != 0,
                .proxy = &url};
            expect_echo(&conf, 200 * 1000);
            kit_stop(&proxy);
            assert_string_equal(proxy.asked, rows[i].asked);
        }
        kit_stop(&host);
        if (tls)
            assert_string_equal(host.sni, "");
    }
}

static void the_name_in_tls_may_differ_behind_a_proxy(void **state)
{
    struct kit_server host = {.kind = KIT_ECHO, .tls = &certificate};
    (void)state;

    kit_start(&host);
    struct kit_server proxy = {.kind = KIT_CONNECT, .behind = host.port};
    kit_start(&proxy);
    struct proxy_url url = proxy_of("http://127.0.0.1", &proxy);
    struct curl_pipe_conf conf = {.host = "192.0.2.1",
                                  .port = 4430,
                                  .tls = true,
                                  .verify = true,
                                  .name = "relay.test",
                                  .authorities = certificate.file,
                                  .proxy = &url};
    expect_echo(&conf, 1000);
    kit_stop(&proxy);
    kit_stop(&host);
    assert_string_equal(proxy.asked, "CONNECT 192.0.2.1:4430 HTTP/1.1");
    assert_string_equal(host.sni, "relay.test");
}

static void a_proxy_with_tls_is_checked(void **state)
{
    struct kit_server host = {.kind = KIT_ECHO, .tls = &certificate};
    (void)state;

    kit_start(&host);
    struct kit_server proxy = {
        .kind = KIT_CONNECT, .behind = host.port, .tls = &certificate};
    kit_start(&proxy);
    struct proxy_url url = proxy_of("https://localhost", &proxy);
    struct curl_pipe_conf conf = {
        .host = "relay.test", .port = 4430, .tls = true, .proxy = &url};
    expect_failure(&conf, LINK_TLS);
    conf.authorities = certificate.file;
    expect_echo(&conf, 500 * 1000);
    assert_string_equal(proxy.sni, "localhost");
    kit_stop(&proxy);
    kit_stop(&host);
}

static void proxies_that_refuse_are_told_apart(void **state)
{
    static const struct {
        const char *url, *answer;
        enum kit_kind kind;
        enum link_failure why;
        const char *basic, *user;
        uint8_t refusal;
    } rows[] = {
        {"http://127.0.0.1", NULL, KIT_CONNECT, LINK_PROXY_AUTH, "x", NULL, 0},
        {"http://ann:wrong@127.0.0.1", NULL, KIT_CONNECT, LINK_PROXY_AUTH, "x",
         NULL, 0},
        {"http://127.0.0.1", "HTTP/1.1 401 Unauthorized\r\n\r\n", KIT_CONNECT,
         LINK_PROXY_AUTH, NULL, NULL, 0}, /* tinyproxy */
        {"http://127.0.0.1", "HTTP/1.1 403 Forbidden\r\n\r\n", KIT_CONNECT,
         LINK_PROXY_REFUSED, NULL, NULL, 0},
        {"http://127.0.0.1", "HTTP/1.1 502 Bad Gateway\r\n\r\n", KIT_CONNECT,
         LINK_PROXY_REFUSED, NULL, NULL, 0},
        {"http://127.0.0.1",
         "HTTP/1.1 302 Found\r\nLocation: http://login/\r\n\r\n", KIT_CONNECT,
         LINK_CAPTIVE_PORTAL, NULL, NULL, 0},
        {"http://127.0.0.1", "HTTP/1.1 511 Login\r\n\r\n", KIT_CONNECT,
         LINK_CAPTIVE_PORTAL, NULL, NULL, 0},
        {"http://127.0.0.1", "", KIT_CONNECT, LINK_PROXY_REFUSED, NULL, NULL,
         0},
        {"http://127.0.0.1", "SSH-2.0-x\r\n\r\n", KIT_CONNECT,
         LINK_PROXY_REFUSED, NULL, NULL, 0},
        {"socks5h://127.0.0.1", NULL, KIT_SOCKS, LINK_PROXY_REFUSED, NULL, NULL,
         2},
        {"socks5h://127.0.0.1", NULL, KIT_SOCKS, LINK_PROXY_REFUSED, NULL, NULL,
         5},
        {"socks5h://ann:wrong@127.0.0.1", NULL, KIT_SOCKS, LINK_PROXY_AUTH,
         NULL, "ann:x", 0},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kit_server proxy = {.kind = rows[i].kind,
                                   .answer = rows[i].answer,
                                   .basic = rows[i].basic,
                                   .user = rows[i].user,
                                   .refusal = rows[i].refusal};
        kit_start(&proxy);
        struct proxy_url url = proxy_of(rows[i].url, &proxy);
        struct curl_pipe_conf conf = {
            .host = "relay.test", .port = 443, .tls = true, .proxy = &url};
        expect_failure(&conf, rows[i].why);
        kit_stop(&proxy);
    }
}

static int make(void **state)
{
    (void)state;
    kit_certificate_make(&certificate);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    kit_certificate_free(&certificate);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_carries_bytes),
        cmocka_unit_test(a_certificate_is_checked_where_it_is_wanted),
        cmocka_unit_test(old_tls_and_other_services_are_refused),
        cmocka_unit_test(it_pauses_and_goes_on),
        cmocka_unit_test(the_other_end_may_end),
        cmocka_unit_test(an_open_one_has_three_descriptors),
        cmocka_unit_test(it_closes_at_every_step),
        cmocka_unit_test(proxies_pass_bytes_on),
        cmocka_unit_test(the_name_in_tls_may_differ_behind_a_proxy),
        cmocka_unit_test(a_proxy_with_tls_is_checked),
        cmocka_unit_test(proxies_that_refuse_are_told_apart),
    };

    return cmocka_run_group_tests(tests, make, clean);
}
