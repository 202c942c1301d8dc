/* Which form of a relay's address is tried when, and which one is used. */
#include "kit.h"

#include "edge/core/routes.h"

enum {
    ALL = (1 << RELAY_FORMS) - 1,
    NO_PROXY = 1 << FORM_TCP | 1 << FORM_WSS | 1 << FORM_WS,
    NEVER_MS = 1000000000,
};

/* How a form fares on the network. */
struct way {
    int opens_ms; /* from the start until the relay proves its key; < 0: no */
    int fails_ms; /* if it does not open */
    enum link_failure failure;
    bool mute; /* it opens, and nothing passes */
};

/* The owner of a struct routes, on a network that is modelled. */
struct route_world {
    struct routes routes;
    struct entropy entropy;
    struct instant now;
    struct way ways[RELAY_FORMS];
    struct instant started[RELAY_FORMS], greeted[RELAY_FORMS];
    bool linked[RELAY_FORMS], is_greeted[RELAY_FORMS], proved[RELAY_FORMS];
    int starts[RELAY_FORMS], hellos[RELAY_FORMS], stops[RELAY_FORMS];
    int up; /* the form that the relay is up by, or ROUTE_NO_FORM */
};

static const struct way opens = {.opens_ms = 50};
static const struct way refuses = {
    .opens_ms = -1, .fails_ms = 10, .failure = LINK_REFUSED};
static const struct way swallows = {
    .opens_ms = -1, .fails_ms = 5000, .failure = LINK_TIMEOUT};
static const struct way mute = {.opens_ms = 50, .mute = true};

static const int start_ms = 1000;

static void begin(struct route_world *w, uint8_t allowed, const struct way *all)
{
    static const uint8_t seed[32] = {8};

    *w = (struct route_world){.now = {(int64_t)start_ms * 1000},
                              .up = ROUTE_NO_FORM};
    entropy_init(&w->entropy, seed);
    for (int i = 0; i < RELAY_FORMS; i++)
        w->ways[i] = *all;
    routes_init(&w->routes, allowed, w->now);
}

static void carry_out(struct route_world *w)
{
    for (int turns = 0;; turns++) {
        struct route_step s = routes_next(&w->routes, w->now);

        assert_true(turns < 50);
        switch (s.verb) {
        case ROUTE_WAIT:
            return;
        case ROUTE_START:
            assert_false(w->linked[s.form]);
            w->linked[s.form] = true;
            w->proved[s.form] = w->is_greeted[s.form] = false;
            w->started[s.form] = w->now;
            w->starts[s.form]++;
            break;
        case ROUTE_GREET:
            assert_true(w->proved[s.form]);
            w->is_greeted[s.form] = true;
            w->greeted[s.form] = w->now;
            w->hellos[s.form]++;
            break;
        case ROUTE_STOP:
            assert_true(w->linked[s.form]);
            w->linked[s.form] = false;
            w->stops[s.form]++;
            break;
        }
    }
}

static void end_link(struct route_world *w, int form, enum link_failure why)
{
    assert_true(w->linked[form]);
    w->linked[form] = false;
    if (w->up == form)
        w->up = ROUTE_NO_FORM;
    routes_ended(&w->routes, (enum relay_form)form, why, w->now, &w->entropy);
    carry_out(w);
}

/* What happens to the link in this form next, and when. */
static struct instant next_of(const struct route_world *w, int i)
{
    const struct way *way = &w->ways[i];

    if (!w->linked[i] || w->up == i)
        return INSTANT_NEVER;
    if (w->is_greeted[i])
        return instant_after(w->greeted[i], span_ms(way->mute ? 5000 : 20));
    if (w->proved[i])
        return INSTANT_NEVER;
    return instant_after(
        w->started[i],
        span_ms(way->opens_ms >= 0 ? way->opens_ms : way->fails_ms));
}

static void happen(struct route_world *w, int i)
{
    const struct way *way = &w->ways[i];

    if (!instant_reached(next_of(w, i), w->now))
        return;
    if (w->is_greeted[i] && !way->mute) {
        w->up = i;
        routes_welcomed(&w->routes, (enum relay_form)i, w->now);
        carry_out(w);
        routes_settled(&w->routes);
    } else if (w->is_greeted[i]) {
        end_link(w, i, LINK_TIMEOUT);
    } else if (way->opens_ms >= 0) {
        w->proved[i] = true;
        routes_proved(&w->routes, (enum relay_form)i, w->now);
    } else {
        end_link(w, i, way->failure);
    }
    carry_out(w);
}

static void run(struct route_world *w, int64_t ms)
{
    struct instant until = instant_after(w->now, span_ms(ms));

    carry_out(w);
    for (;;) {
        struct instant next = routes_deadline(&w->routes);

        assert_true(next.us > w->now.us); /* Else it never ends. */
        for (int i = 0; i < RELAY_FORMS; i++)
            next = instant_min(next, next_of(w, i));
        if (next.us > until.us)
            break;

        w->now = instant_max(w->now, next);
        for (int i = 0; i < RELAY_FORMS; i++)
            happen(w, i);
        carry_out(w);
    }
    w->now = until;
}

static int since_start(const struct route_world *w, int form)
{
    if (w->starts[form] == 0)
        return NEVER_MS;
    return (int)(w->started[form].us / 1000) - start_ms;
}

static int links(const struct route_world *w)
{
    int count = 0;

    for (int i = 0; i < RELAY_FORMS; i++)
        count += w->linked[i];
    return count;
}

/* --- a race --------------------------------------------------------------- */

static void the_forms_are_tried_in_steps(void **state)
{
    static const int at[] = {0, 300, 600, 0, 300, 600};
    struct route_world w;

    (void)state;
    begin(&w, ALL, &swallows);
    run(&w, 700);
    for (int i = 0; i < RELAY_FORMS; i++)
        assert_int_equal(since_start(&w, i), at[i]);
}

static void only_what_is_allowed_is_tried(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, 1 << FORM_WSS | 1 << FORM_WS, &swallows);
    run(&w, 700);
    assert_int_equal(since_start(&w, FORM_TCP), NEVER_MS);
    assert_int_equal(since_start(&w, FORM_WSS), 0);
    assert_int_equal(since_start(&w, FORM_WS), 300);
}

static void a_failure_moves_the_next_ones_up(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &swallows);
    w.ways[FORM_TCP] = refuses;
    run(&w, 500);
    assert_int_equal(since_start(&w, FORM_WSS), 10);
    assert_int_equal(since_start(&w, FORM_WS), 310);
}

/* The proxy refuses at once, and the plain connection is still under way. */
static void a_step_lasts_while_one_of_its_attempts_is_open(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, ALL, &swallows);
    w.ways[FORM_TCP_PROXY] = refuses;
    run(&w, 700);
    assert_int_equal(since_start(&w, FORM_WSS), 300);
    assert_int_equal(since_start(&w, FORM_WSS_PROXY), 300);
    assert_int_equal(since_start(&w, FORM_WS), 600);
}

static void a_step_ends_with_the_last_of_its_attempts(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, ALL, &swallows);
    w.ways[FORM_TCP_PROXY] = refuses;
    w.ways[FORM_TCP] = refuses;
    w.ways[FORM_TCP].fails_ms = 70;
    run(&w, 500);
    assert_int_equal(since_start(&w, FORM_WSS), 70);
    assert_int_equal(since_start(&w, FORM_WSS_PROXY), 70);
    assert_int_equal(since_start(&w, FORM_WS), 370);
}

/* Its own step is over: it had its time. */
static void an_earlier_step_keeps_none_back(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, ALL, &swallows);
    w.ways[FORM_WSS] = w.ways[FORM_WSS_PROXY] = refuses;
    run(&w, 500);
    assert_true(w.linked[FORM_TCP]);
    assert_int_equal(since_start(&w, FORM_WSS), 300);
    assert_int_equal(since_start(&w, FORM_WS), 310);
}

static void the_first_that_opens_wins(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, ALL, &swallows);
    w.ways[FORM_WSS] = opens;
    run(&w, 2000);
    assert_int_equal(w.up, FORM_WSS);
    assert_int_equal(links(&w), 1);
    assert_int_equal(w.hellos[FORM_WSS], 1);
    assert_int_equal(w.stops[FORM_TCP], 1);
    assert_int_equal(since_start(&w, FORM_WS), NEVER_MS);
}

static void the_form_that_is_remembered_begins(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &swallows);
    routes_remember(&w.routes, FORM_WS);
    routes_network_changed(&w.routes, w.now);
    run(&w, 1000);
    assert_int_equal(since_start(&w, FORM_WS), 0);
    assert_int_equal(since_start(&w, FORM_TCP), 300);
    assert_int_equal(since_start(&w, FORM_WSS), 600);
}

static void beside_tcp_the_others_wait_one_step(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &swallows);
    routes_remember(&w.routes, FORM_TCP);
    routes_network_changed(&w.routes, w.now);
    run(&w, 1000);
    assert_int_equal(since_start(&w, FORM_TCP), 0);
    assert_int_equal(since_start(&w, FORM_WSS), 300);
    assert_int_equal(since_start(&w, FORM_WS), 600);
}

static void what_is_not_allowed_is_not_remembered(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, 1 << FORM_TCP, &opens);
    routes_remember(&w.routes, FORM_WSS);
    assert_int_equal(w.routes.remembered, ROUTE_NO_FORM);
    routes_remember(&w.routes, RELAY_FORMS);
    assert_int_equal(w.routes.remembered, ROUTE_NO_FORM);
}

static void all_fail_and_are_tried_again_after_a_pause(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &refuses);
    run(&w, 100);
    assert_true(routes_have_failed(&w.routes));
    assert_false(routes_are_trying(&w.routes));
    run(&w, 60000);
    /* A pause is 1 to 2 s in the end. */
    assert_in_range(w.starts[FORM_TCP], 28, 60);
    assert_int_equal(w.starts[FORM_TCP], w.starts[FORM_WS]);
    w.ways[FORM_WS] = opens;
    run(&w, 2500);
    assert_int_equal(w.up, FORM_WS);
}

/* A captive portal answers at once and lets through later; plain CURVE is
 * swallowed. */
static void a_form_need_not_wait_for_a_slow_one(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &refuses);
    w.ways[FORM_TCP] = swallows;
    run(&w, 1500);
    w.ways[FORM_WSS] = opens;
    run(&w, 1500);
    assert_int_equal(w.up, FORM_WSS);
    assert_int_equal(w.starts[FORM_TCP], 1);
}

/* --- what does not keep its promise --------------------------------------- */

static void a_mute_form_loses_the_hello(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &opens);
    w.ways[FORM_TCP] = mute;
    run(&w, 800);
    assert_int_equal(w.up, FORM_WSS);
    assert_int_equal(links(&w), 1);
    assert_int_equal(w.routes.list[FORM_TCP].failure, LINK_TIMEOUT);
}

static void a_mute_form_is_kept_if_there_is_no_other(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &refuses);
    w.ways[FORM_TCP] = mute;
    run(&w, 4900);
    assert_true(w.linked[FORM_TCP]);
    assert_int_equal(w.stops[FORM_TCP], 0);
    run(&w, 20000);
    assert_in_range(w.hellos[FORM_TCP], 3, 6);
}

static void a_mute_form_is_doubted_in_the_next_race(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &opens);
    w.ways[FORM_TCP] = mute;
    run(&w, 5000);
    end_link(&w, FORM_WSS, LINK_TIMEOUT);
    routes_remember(&w.routes, ROUTE_NO_FORM);
    run(&w, 1000);
    assert_int_equal(w.hellos[FORM_TCP], 1);
    assert_int_equal(w.up, FORM_WSS);
}

static void cut(struct route_world *w, int form, int times, int after_ms)
{
    for (int i = 0; i < times; i++) {
        run(w, after_ms);
        assert_int_equal(w->up, form);
        end_link(w, form, LINK_BROKEN);
    }
}

/* Nothing else works: it is opened at once each time, but for the search. */
static void a_tunnel_that_is_cut_is_opened_at_once(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &swallows);
    w.ways[FORM_WSS] = opens;
    run(&w, 10000);
    for (int i = 0; i < 20; i++) {
        end_link(&w, FORM_WSS, LINK_BROKEN);
        run(&w, i == 2 || i == 8 ? 1400 : 100);
        assert_int_equal(w.up, FORM_WSS);
        run(&w, 10000);
    }
}

/* At once, but for a random pause: the edges of a relay that restarts do not
 * come all together. If it is not there yet, the pauses grow. */
static void a_plain_connection_that_is_cut_is_opened_soon(void **state)
{
    struct route_world w;
    int64_t least = INT64_MAX, most = 0;

    (void)state;
    begin(&w, 1 << FORM_TCP, &opens);
    for (int i = 0; i < 20; i++) {
        run(&w, 10000);
        assert_int_equal(w.up, FORM_TCP);
        struct instant from = w.now;
        end_link(&w, FORM_TCP, LINK_BROKEN);
        run(&w, 100);
        int64_t pause = instant_between(from, w.started[FORM_TCP]).us;
        assert_in_range(pause, 0, 100 * 1000);
        least = pause < least ? pause : least;
        most = pause > most ? pause : most;
    }
    assert_true(most - least > 60 * 1000);
    run(&w, 10000);
    w.ways[FORM_TCP] = refuses;
    int before = w.starts[FORM_TCP];
    end_link(&w, FORM_TCP, LINK_BROKEN);
    run(&w, 2000);
    assert_in_range(w.starts[FORM_TCP] - before, 3, 6);
}

/* One that ends soon after it began is no relay that restarts. */
static void one_that_is_cut_at_once_is_not_dialed_at_once(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, 1 << FORM_TCP, &opens);
    run(&w, 900);
    end_link(&w, FORM_TCP, LINK_BROKEN);
    run(&w, 120);
    assert_int_equal(w.starts[FORM_TCP], 1);
    run(&w, 140);
    assert_int_equal(w.starts[FORM_TCP], 2);
}

static void a_tunnel_that_is_cut_gives_way_to_another(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &opens);
    cut(&w, FORM_TCP, 3, 10000);
    run(&w, 2000);
    assert_int_equal(w.up, FORM_WSS);
    run(&w, 9 * 60 * 1000);
    assert_int_equal(w.up, FORM_WSS);
    run(&w, 2 * 60 * 1000); /* Perhaps it is better now. */
    assert_int_equal(w.up, FORM_TCP);
}

static void one_that_lasts_is_trusted_again(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &opens);
    for (int i = 0; i < 5; i++) {
        cut(&w, FORM_TCP, 2, 10000);
        cut(&w, FORM_TCP, 1, 70000);
    }
    run(&w, 1000);
    assert_int_equal(w.up, FORM_TCP);
}

static void after_a_silence_the_others_follow_at_once(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &swallows);
    w.ways[FORM_WSS] = opens;
    run(&w, 70000);
    w.ways[FORM_WSS] = swallows;
    end_link(&w, FORM_WSS, LINK_TIMEOUT);
    struct instant from = w.now;
    run(&w, 1000);
    assert_int_equal(w.started[FORM_WSS].us, from.us);
    assert_int_equal(w.started[FORM_TCP].us, from.us);
    assert_int_equal(w.started[FORM_WS].us, from.us + 300 * 1000);
}

static void on_tcp(struct route_world *w)
{
    begin(w, NO_PROXY, &opens);
    run(w, 70000);
    assert_int_equal(w->up, FORM_TCP);
}

static void beside_a_silent_one_the_others_race(void **state)
{
    struct route_world w;

    (void)state;
    on_tcp(&w);
    assert_true(routes_may_doubt(&w.routes));
    struct instant from = w.now;
    routes_silent(&w.routes, w.now);
    assert_false(routes_may_doubt(&w.routes));
    run(&w, 100);
    assert_int_equal(w.started[FORM_WSS].us, from.us);
    assert_int_equal(w.up, FORM_WSS);
    assert_int_equal(w.stops[FORM_TCP], 1);
    run(&w, 55 * 1000);
    assert_int_equal(w.starts[FORM_TCP], 1);
    run(&w, 10 * 1000);
    assert_int_equal(w.up, FORM_TCP);
}

static void a_silent_one_that_answers_ends_the_race(void **state)
{
    struct route_world w;

    (void)state;
    on_tcp(&w);
    routes_silent(&w.routes, w.now);
    run(&w, 20);
    assert_int_equal(links(&w), 2);
    routes_heard(&w.routes);
    run(&w, 5000);
    assert_int_equal(w.up, FORM_TCP);
    assert_int_equal(links(&w), 1);
    assert_int_equal(w.hellos[FORM_WSS] + w.hellos[FORM_WS], 0);
    assert_true(instant_is_never(routes_deadline(&w.routes)));
    assert_true(routes_may_doubt(&w.routes));
}

static void a_silent_one_that_answers_late_gives_way(void **state)
{
    struct route_world w;

    (void)state;
    on_tcp(&w);
    routes_silent(&w.routes, w.now);
    run(&w, 55);
    assert_int_equal(w.hellos[FORM_WSS], 1);
    routes_heard(&w.routes); /* The relay may have replaced it by now. */
    run(&w, 100);
    assert_int_equal(w.up, FORM_WSS);
}

static void the_only_form_is_never_doubted(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, 1 << FORM_TCP, &opens);
    cut(&w, FORM_TCP, 20, 5000);
    run(&w, 400);
    assert_int_equal(w.up, FORM_TCP);
    assert_false(routes_may_doubt(&w.routes));
}

/* --- a better one --------------------------------------------------------- */

static void on_wss(struct route_world *w)
{
    begin(w, NO_PROXY, &opens);
    w->ways[FORM_TCP] = refuses;
    run(w, 5000);
    assert_int_equal(w->up, FORM_WSS);
}

static void a_better_form_is_tried_every_ten_minutes(void **state)
{
    struct route_world w;

    (void)state;
    on_wss(&w);
    run(&w, 9 * 60 * 1000);
    assert_int_equal(w.starts[FORM_TCP], 1);
    run(&w, 60 * 1000);
    assert_int_equal(w.starts[FORM_TCP], 2);
    assert_int_equal(w.starts[FORM_WS], 0);
    w.ways[FORM_TCP] = opens;
    run(&w, 10 * 60 * 1000);
    assert_int_equal(w.up, FORM_TCP);
    assert_int_equal(links(&w), 1);
    assert_true(instant_is_never(routes_deadline(&w.routes)));
}

static void a_better_form_is_tried_on_another_network(void **state)
{
    struct route_world w;

    (void)state;
    on_wss(&w);
    w.ways[FORM_TCP] = opens;
    routes_network_changed(&w.routes, w.now);
    run(&w, 100);
    assert_int_equal(w.up, FORM_TCP);
    assert_int_equal(links(&w), 1);
}

static void a_better_form_that_lost_narrowly_is_tried_soon(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, NO_PROXY, &opens);
    w.ways[FORM_TCP].opens_ms = 500;
    run(&w, 5000);
    assert_int_equal(w.up, FORM_WSS);
    run(&w, 60 * 1000);
    assert_int_equal(w.up, FORM_TCP);
}

static void a_better_form_that_is_mute_changes_nothing(void **state)
{
    struct route_world w;

    (void)state;
    on_wss(&w);
    w.ways[FORM_TCP] = mute;
    routes_network_changed(&w.routes, w.now);
    run(&w, 1000);
    assert_int_equal(w.hellos[FORM_TCP], 1);
    run(&w, 5000);
    assert_int_equal(w.up, FORM_WSS);
    assert_int_equal(links(&w), 1);
    run(&w, 8 * 60 * 1000);
    assert_int_equal(w.hellos[FORM_TCP], 1);
}

/* The old one ends while the better one has HELLO and no WELCOME yet. */
static void the_old_one_may_end_before_the_welcome(void **state)
{
    struct route_world w;

    (void)state;
    on_wss(&w);
    w.ways[FORM_TCP] = opens;
    routes_network_changed(&w.routes, w.now);
    run(&w, 60);
    assert_true(routes_are_greeting(&w.routes));
    end_link(&w, FORM_WSS, LINK_BROKEN);
    run(&w, 20);
    assert_int_equal(w.up, FORM_TCP);
    assert_int_equal(w.starts[FORM_TCP], 2);
}

/* --- the rest ------------------------------------------------------------- */

static void a_relay_that_refuses_is_left_alone(void **state)
{
    struct route_world w;

    (void)state;
    on_wss(&w);
    routes_wait_until(&w.routes, instant_after(w.now, span_s(20)));
    carry_out(&w);
    w.up = ROUTE_NO_FORM;
    assert_int_equal(links(&w), 0);
    run(&w, 19999);
    assert_int_equal(links(&w), 0);
    run(&w, 1);
    assert_int_equal(links(&w), 1);
}

/* Of the last failures of the forms that are allowed. */
static void the_most_telling_failure_is_told(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, 1 << FORM_TCP | 1 << FORM_WSS, &refuses);
    w.ways[FORM_WSS].failure = LINK_TLS;
    assert_int_equal(routes_failure(&w.routes), 0);
    run(&w, 100);
    assert_int_equal(routes_failure(&w.routes), LINK_TLS);
    assert_int_equal(w.routes.list[FORM_TCP].failure, LINK_REFUSED);
    w.ways[FORM_WSS].failure = LINK_TIMEOUT;
    run(&w, 2500);
    assert_int_equal(routes_failure(&w.routes), LINK_REFUSED);
    w.routes.list[FORM_WS].failure = LINK_CAPTIVE_PORTAL;
    assert_int_equal(routes_failure(&w.routes), LINK_REFUSED);
}

static void a_form_that_works_has_no_failure(void **state)
{
    struct route_world w;

    (void)state;
    begin(&w, 1 << FORM_TCP, &refuses);
    run(&w, 100);
    assert_true(routes_have_failed(&w.routes));
    w.ways[FORM_TCP] = opens;
    run(&w, 1000);
    assert_false(routes_have_failed(&w.routes));
    assert_int_equal(routes_failure(&w.routes), 0);
}

/* Random ways: it never spins, and settles on one that works. */
static void random_networks(void **state)
{
    static const uint8_t seed[32] = {77};
    const struct way kinds[] = {opens, refuses, swallows, mute};
    struct entropy dice;
    struct route_world w;

    (void)state;
    entropy_init(&dice, seed);
    for (int round = 0; round < 300; round++) {
        begin(&w, (uint8_t)(1 + entropy_below(&dice, ALL)), &swallows);
        for (int change = 0; change < 20; change++) {
            int form = (int)entropy_below(&dice, RELAY_FORMS);

            for (int i = 0; i < RELAY_FORMS; i++)
                w.ways[i] = kinds[entropy_below(&dice, 4)];
            if (w.linked[form])
                end_link(&w, form, LINK_BROKEN);
            if (entropy_below(&dice, 4) == 0)
                routes_network_changed(&w.routes, w.now);
            run(&w, (int64_t)entropy_below(&dice, 30000));
        }
        for (int i = 0; i < RELAY_FORMS; i++) {
            w.ways[i] = swallows;
            if (w.linked[i])
                end_link(&w, i, LINK_BROKEN);
            if (routes_allow(&w.routes, (enum relay_form)i))
                w.ways[i] = opens;
        }
        run(&w, 20000);
        assert_int_not_equal(w.up, ROUTE_NO_FORM);
        assert_int_equal(links(&w), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forms_are_tried_in_steps),
        cmocka_unit_test(only_what_is_allowed_is_tried),
        cmocka_unit_test(a_failure_moves_the_next_ones_up),
        cmocka_unit_test(a_step_lasts_while_one_of_its_attempts_is_open),
        cmocka_unit_test(a_step_ends_with_the_last_of_its_attempts),
        cmocka_unit_test(an_earlier_step_keeps_none_back),
        cmocka_unit_test(the_first_that_opens_wins),
        cmocka_unit_test(the_form_that_is_remembered_begins),
        cmocka_unit_test(beside_tcp_the_others_wait_one_step),
        cmocka_unit_test(what_is_not_allowed_is_not_remembered),
        cmocka_unit_test(all_fail_and_are_tried_again_after_a_pause),
        cmocka_unit_test(a_form_need_not_wait_for_a_slow_one),
        cmocka_unit_test(a_mute_form_loses_the_hello),
        cmocka_unit_test(a_mute_form_is_kept_if_there_is_no_other),
        cmocka_unit_test(a_mute_form_is_doubted_in_the_next_race),
        cmocka_unit_test(a_tunnel_that_is_cut_is_opened_at_once),
        cmocka_unit_test(a_plain_connection_that_is_cut_is_opened_soon),
        cmocka_unit_test(one_that_is_cut_at_once_is_not_dialed_at_once),
        cmocka_unit_test(a_tunnel_that_is_cut_gives_way_to_another),
        cmocka_unit_test(one_that_lasts_is_trusted_again),
        cmocka_unit_test(after_a_silence_the_others_follow_at_once),
        cmocka_unit_test(beside_a_silent_one_the_others_race),
        cmocka_unit_test(a_silent_one_that_answers_ends_the_race),
        cmocka_unit_test(a_silent_one_that_answers_late_gives_way),
        cmocka_unit_test(the_only_form_is_never_doubted),
        cmocka_unit_test(a_better_form_is_tried_every_ten_minutes),
        cmocka_unit_test(a_better_form_is_tried_on_another_network),
        cmocka_unit_test(a_better_form_that_lost_narrowly_is_tried_soon),
        cmocka_unit_test(a_better_form_that_is_mute_changes_nothing),
        cmocka_unit_test(the_old_one_may_end_before_the_welcome),
        cmocka_unit_test(a_relay_that_refuses_is_left_alone),
        cmocka_unit_test(the_most_telling_failure_is_told),
        cmocka_unit_test(a_form_that_works_has_no_failure),
        cmocka_unit_test(random_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
