/* All forms of a relay's address at once: which are tried, and which of their
 * failures is told. */
#include "kit.h"

#include "edge/core/routes.h"
#include "edge/shell/relay_probe.h"

/* A pipe that ends, in the loop, with the failure of its form. */
struct dead_pipe {
    struct byte_pipe base;
    uv_timer_t timer;
    enum link_failure failure;
};

static enum link_failure failures[RELAY_FORMS];
static int made[RELAY_FORMS];

static void dead_close(struct byte_pipe *p)
{
    (void)p;
}

static const struct byte_pipe_ops dead_ops = {.close = dead_close};

static void on_timer(uv_timer_t *timer)
{
    struct dead_pipe *p = timer->data;

    uv_close((uv_handle_t *)timer, NULL);
    p->base.user.ended(p->base.user.context, p->failure);
}

static struct byte_pipe *dead_open(uv_loop_t *loop, const struct relay_way *way,
                                   const struct byte_pipe_user *user)
{
    static struct dead_pipe pipes[RELAY_FORMS];
    struct dead_pipe *p = &pipes[way->form];

    *p = (struct dead_pipe){.base = {.ops = &dead_ops, .user = *user},
                            .failure = failures[way->form]};
    made[way->form]++;
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    uv_timer_start(&p->timer, on_timer, 1, 0);
    return &p->base;
}

struct probed {
    int resolved, done;
    struct relay_probe_result result;
};

static void on_told(void *context, enum relay_probe_step step)
{
    struct probed *p = context;

    p->resolved += step == RELAY_PROBE_RESOLVED;
    p->done += step == RELAY_PROBE_DONE;
}

static struct probed probe(unsigned forms)
{
    struct probed p = {0};
    struct edge_relay relay;
    struct relay_url url = {.transport = TRANSPORT_TCP, .port = 443};
    uv_loop_t loop;

    memset(made, 0, sizeof made);
    strcpy(url.host, "127.0.0.1");
    edge_relay_init(&relay, &url, false);
    assert_int_equal(uv_loop_init(&loop), 0);
    struct relay_probe *r = relay_probe_open(&loop, dead_open, &relay, forms,
                                             &p.result, on_told, &p);
    assert_int_equal(p.resolved, 1); /* An address needs no DNS. */
    uv_run(&loop, UV_RUN_DEFAULT);
    relay_probe_close(&r);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(p.done, 1);
    return p;
}

static void each_form_that_is_allowed_is_tried_once(void **state)
{
    (void)state;
    for (int i = 0; i < RELAY_FORMS; i++)
        failures[i] = LINK_REFUSED;
    struct probed p =
        probe(1U << FORM_TCP | 1U << FORM_WSS | 1U << FORM_WS_PROXY);
    assert_int_equal(p.result.form_count, 3);
    assert_int_equal(p.result.forms[0].form, FORM_TCP);
    assert_int_equal(p.result.forms[1].form, FORM_WSS);
    assert_int_equal(p.result.forms[2].form, FORM_WS_PROXY);
    for (int i = 0; i < RELAY_FORMS; i++)
        assert_int_equal(made[i],
                         i == FORM_TCP || i == FORM_WSS || i == FORM_WS_PROXY);
    assert_int_equal(p.result.count, 1);
    assert_true(p.result.dns.us >= 0);
    assert_false(relay_probe_connects(&p.result));
    assert_int_equal(relay_probe_failure(&p.result), LINK_REFUSED);
}

static void the_most_telling_failure_counts(void **state)
{
    (void)state;
    failures[FORM_TCP] = LINK_TIMEOUT;
    failures[FORM_WSS] = LINK_TIMEOUT;
    failures[FORM_WS] = LINK_CAPTIVE_PORTAL;
    failures[FORM_TCP_PROXY] = LINK_PROXY_AUTH;
    struct probed p = probe(1U << FORM_TCP | 1U << FORM_WSS | 1U << FORM_WS |
                            1U << FORM_TCP_PROXY);
    assert_int_equal(relay_probe_failure(&p.result), LINK_CAPTIVE_PORTAL);
    p = probe(1U << FORM_TCP_PROXY | 1U << FORM_TCP);
    assert_int_equal(relay_probe_failure(&p.result), LINK_PROXY_AUTH);
    /* Where the others tell little more, the better form counts. */
    failures[FORM_WS] = LINK_REFUSED;
    p = probe(1U << FORM_TCP | 1U << FORM_WSS | 1U << FORM_WS);
    assert_int_equal(relay_probe_failure(&p.result), LINK_TIMEOUT);
    failures[FORM_WSS] = LINK_TLS;
    p = probe(1U << FORM_TCP | 1U << FORM_WSS);
    assert_int_equal(relay_probe_failure(&p.result), LINK_TLS);
    failures[FORM_TCP] = LINK_NOT_A_RELAY;
    p = probe(1U << FORM_TCP | 1U << FORM_WSS);
    assert_int_equal(relay_probe_failure(&p.result), LINK_NOT_A_RELAY);
    failures[FORM_TCP] = LINK_TIMEOUT;
    p = probe(1U << FORM_TCP | 1U << FORM_TCP_PROXY);
    /* One form that works is enough. */
    p.result.forms[0].failure = (enum link_failure)0;
    p.result.forms[0].connect = span_us(5);
    assert_int_equal(relay_probe_failure(&p.result), 0);
    assert_true(relay_probe_connects(&p.result));
    p = probe(0);
    assert_int_equal(p.result.form_count, 0);
    assert_int_equal(relay_probe_failure(&p.result), LINK_UNREACHABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_that_is_allowed_is_tried_once),
        cmocka_unit_test(the_most_telling_failure_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
