/*
 * What happens to a path over UDP: nothing is lost, doubled or out of order,
 * and where a relay stands the silence is short.
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"
#include "tests/sim/udp_homes.h"

enum { STREAM = 2000, EVERY_MS = 10 };

static void begin_stream(struct world *w, const struct homes *h, size_t size)
{
    application_stream(w, h->a, h->b, STREAM, size, span_ms(EVERY_MS));
    application_stream(w, h->b, h->a, STREAM, size, span_ms(EVERY_MS));
    world_run(w, span_s(3));
    checkers_watch_gap(w, h->a, h->b);
    checkers_watch_gap(w, h->b, h->a);
}

/* Messages each way for 20 s, which the caller disturbs. */
static struct homes stream(struct world *w, int kind_a, int kind_b, size_t size)
{
    struct homes h = homes_direct(w, kind_a, kind_b);

    begin_stream(w, &h, size);
    return h;
}

/* All messages came; the longest silence was at most so long. */
static void all_came(struct world *w, const struct homes *h,
                     struct span silence)
{
    finishes_in_the_end(w);
    expect(w, checkers_count(w, h->a, h->b) >= STREAM, "all are there");
    expect(w, checkers_count(w, h->b, h->a) >= STREAM, "all are back");
    world_say(w, "the longest silences are %lld and %lld ms",
              (long long)checkers_gap(w, h->a, h->b).us / 1000,
              (long long)checkers_gap(w, h->b, h->a).us / 1000);
    expect(w,
           checkers_gap(w, h->a, h->b).us <= silence.us &&
               checkers_gap(w, h->b, h->a).us <= silence.us,
           "the silence is short");
}

/* They do not become direct again. */
static void all_came_by_relay(struct world *w, const struct homes *h)
{
    all_came(w, h, span_s(1));
    expect(w, is_mutual(w, h->a, h->b, PATH_RELAY), "the relay carries on");
}

static void direct_again(struct world *w, const struct homes *h,
                         struct span limit)
{
    expect(w, homes_are(w, h->a, h->b, PATH_UDP, limit),
           "they are direct again");
}

/* --- boxes ------------------------------------------------------------- */

static void restart_box(struct world *w, int home)
{
    world_disturb(w, home);
    udp_restart_box(w, home_box(w, home), NULL);
}

static void udp_nat_restarts(struct world *w)
{
    struct homes h = stream(w, NAT_HOME, NAT_PLAIN, 300);

    restart_box(w, h.a);
    world_run(w, span_s(8));
    restart_box(w, h.b);
    direct_again(w, &h, span_s(30));
    all_came(w, &h, span_s(1));
}

static void udp_both_nats_restart(struct world *w)
{
    struct homes h = stream(w, NAT_HOME, NAT_HOME, 300);

    restart_box(w, h.a);
    restart_box(w, h.b);
    world_run(w, span_s(1));
    direct_again(w, &h, span_s(30));
    all_came(w, &h, span_s(1));
}

static void udp_nat_gets_another_address(struct world *w)
{
    struct homes h = stream(w, NAT_HOME, NAT_HOME, 300);

    segment_renumber(w, w->hosts[h.a].interfaces[0].segment);
    world_run(w, span_s(1));
    direct_again(w, &h, span_s(60));
    all_came(w, &h, span_s(10)); /* The relay's connection ends as well. */
}

/* Boxes that forget a mapping after 5 s. */
static struct homes forgetful(struct world *w)
{
    struct homes h = {.relay = homes_begin(w)};
    int *homes[] = {&h.a, &h.b};

    for (int i = 0; i < 2; i++) {
        struct nat_conf c = home_conf(NAT_HOME);

        c.timeout = span_s(5);
        c.outside[c.outside_count++] =
            udp_address(i == 0 ? "198.51.100.1" : "198.51.100.2");
        *homes[i] = homes_add_behind(w, h.relay, &c, UDP_INTERNET);
    }
    host_start_all(w);
    expect(w, homes_are(w, h.a, h.b, PATH_UDP, span_s(10)), "they are direct");
    return h;
}

static void udp_nat_forgets_under_traffic(struct world *w)
{
    struct homes h = forgetful(w);

    begin_stream(w, &h, 300);
    world_run(w, span_s(15));
    expect(w, is_mutual(w, h.a, h.b, PATH_UDP), "they stay direct");
    all_came(w, &h, span_s(1));
}

/* An idle path ends without notice, and is opened again when it is needed. */
static void udp_nat_forgets_while_idle(struct world *w)
{
    struct homes h = forgetful(w);

    for (int i = 0; i < 3; i++) {
        world_run(w, span_s(60));
        talks_within(w, h.a, h.b, span_s(3));
        application_stream(w, h.a, h.b, 500, 300, span_ms(EVERY_MS));
        direct_again(w, &h, span_s(20));
        finishes_within(w, span_s(20));
    }
}

/* --- links ------------------------------------------------------------- */

static void block(struct world *w, int home, bool blocked)
{
    struct udp_link wire = *udp_hosts_get_wire(w, home);

    wire.down = blocked;
    world_disturb(w, home);
    udp_hosts_wire(w, home, &wire);
}

static void udp_is_blocked_on_one_side(struct world *w)
{
    struct homes h = stream(w, NAT_HOME, NAT_HOME, 300);

    block(w, h.a, true);
    world_run(w, span_s(8));
    expect(w, is_mutual(w, h.a, h.b, PATH_RELAY), "the relay carries on");
    block(w, h.a, false);
    all_came(w, &h, span_s(1));
    direct_again(w, &h, span_s(320));
}

static void udp_is_blocked_on_both_sides(struct world *w)
{
    struct homes h = stream(w, NAT_PLAIN, NAT_HOME, 300);

    block(w, h.a, true);
    block(w, h.b, true);
    all_came_by_relay(w, &h);
}

static void udp_link_goes_down(struct world *w)
{
    struct homes h = stream(w, NAT_HOME, NAT_HOME, 300);

    host_unplug(w, h.a, 0);
    world_run(w, span_s(5));
    host_plug_in(w, h.a, 0);
    direct_again(w, &h, span_s(60));
    all_came(w, &h, span_s(15)); /* The relay is out of reach as well. */
}

static void udp_new_address(struct world *w)
{
    struct homes h = stream(w, NAT_HOME, NAT_HOME, 300);

    host_moves(w, h.a, 0, w->hosts[h.a].interfaces[0].segment, true);
    world_run(w, span_s(1));
    direct_again(w, &h, span_s(60));
    host_moves(w, h.b, 0, w->hosts[h.b].interfaces[0].segment, true);
    world_run(w, span_s(1));
    direct_again(w, &h, span_s(60));
    all_came(w, &h, span_s(10));
}

static void narrow(struct world *w, int home, size_t mtu)
{
    struct udp_link wire = *udp_hosts_get_wire(w, home);

    wire.mtu = mtu;
    world_disturb(w, home);
    udp_hosts_wire(w, home, &wire);
}

/* Datagrams over 1,200 bytes vanish from one moment on: a new connection begins
 * at 1,200. */
static void udp_large_vanish(struct world *w)
{
    struct homes h = stream(w, NAT_HOME, NAT_HOME, 8000);

    narrow(w, h.a, 1200);
    world_run(w, span_s(2));
    direct_again(w, &h, span_s(30));
    all_came(w, &h, span_s(1));
    expect(w, is_mutual(w, h.a, h.b, PATH_UDP), "and stay so");
}

/* Below 1,200 bytes there is no QUIC. */
static void udp_too_narrow(struct world *w)
{
    struct homes h = stream(w, NAT_HOME, NAT_HOME, 8000);

    narrow(w, h.a, 1100);
    all_came_by_relay(w, &h);
}

static void udp_loses_and_reorders(struct world *w)
{
    struct homes h = stream(w, NAT_HOME, NAT_PLAIN, 2000);
    struct udp_link wire = *udp_hosts_get_wire(w, h.a);

    wire.loss_percent = 5;
    wire.double_percent = wire.reorder_percent = 5;
    wire.reorder_by = span_ms(30);
    udp_hosts_wire(w, h.a, &wire);
    all_came(w, &h, span_s(1));
}

/* --- the relay, and others ------------------------------------------------ */

static void udp_without_relay(struct world *w)
{
    struct homes h = stream(w, NAT_HOME, NAT_HOME, 300);

    host_kill(w, h.relay);
    world_run(w, span_s(10));
    expect(w, is_mutual(w, h.a, h.b, PATH_UDP), "they stay direct");
    host_start(w, h.relay);
    all_came(w, &h, span_s(1));
    expect(w, checkers_leaves(w, h.a, h.b) == 0, "nobody left");
}

/* Without a relay an idle path is probed, and its end is found. */
static void udp_ends_without_relay(struct world *w)
{
    struct homes h = homes_direct(w, NAT_HOME, NAT_HOME);

    host_kill(w, h.relay);
    world_run(w, span_s(120));
    expect(w, is_mutual(w, h.a, h.b, PATH_UDP), "they stay direct");
    host_power_off(w, h.b);
    expect(w, sees_within(w, h.a, h.b, false, span_s(10)), "b is lost");
}

static void udp_peer_restarts(struct world *w)
{
    struct homes h = homes_direct(w, NAT_HOME, NAT_PLAIN);

    for (int i = 0; i < 2 && !w->failed; i++) {
        int home = i == 0 ? h.a : h.b;

        host_kill(w, home);
        world_run(w, span_s(1));
        host_start(w, home);
        world_run(w, span_s(2));
        direct_again(w, &h, span_s(20));
        talks_within(w, h.a, h.b, span_ms(200));
    }
    host_leave(w, h.a);
    expect(w, sees_within(w, h.b, h.a, false, span_s(2)), "a left");
    world_run(w, span_s(2));
    if (w->failed)
        return;
    host_start(w, h.a);
    world_run(w, span_s(1));
    direct_again(w, &h, span_s(20));
}

static void udp_host_sleeps(struct world *w)
{
    struct homes h = homes_direct(w, NAT_HOME, NAT_HOME);

    host_sleep(w, h.a);
    world_run(w, span_s(300));
    host_thaw(w, h.a);
    world_run(w, span_s(5));
    direct_again(w, &h, span_s(30));
    talks_within(w, h.a, h.b, span_ms(200));
}

/* A TCP link that ends while there is a link over UDP is dialled anew
 * [P-11.11]. */
static void udp_while_tcp_ends(struct world *w)
{
    struct homes h = homes_make(w, HOME_OPEN, NAT_HOME);

    w->hosts[h.a].tcp = w->hosts[h.b].tcp = true;
    host_start_all(w);
    expect(w, homes_are(w, h.a, h.b, PATH_TCP, span_s(10)), "by TCP");
    /* a forgets the link, and b finds it silent. */
    host_freeze(w, h.b);
    world_run(w, span_s(10));
    application_stream(w, h.a, h.b, 10, 7000, span_ms(5));
    host_thaw(w, h.b);
    application_stream(w, h.b, h.a, 100, 300, span_ms(20));
    expect(w, homes_are(w, h.a, h.b, PATH_UDP, span_s(10)), "by UDP");
    expect(w, homes_are(w, h.a, h.b, PATH_TCP, span_s(30)), "by TCP again");
    finishes_in_the_end(w);
}

/* Two peers get into one LAN. */
static void udp_lan_appears(struct world *w)
{
    struct homes h = homes_make(w, NAT_SYM, NAT_SYM);
    int lan = world_add_segment(w, true), *homes[] = {&h.a, &h.b};

    for (int i = 0; i < 2; i++) {
        world_plug(w, *homes[i], lan);
        w->hosts[*homes[i]].interfaces[1].down = true;
        w->hosts[*homes[i]].tcp = true;
    }
    host_start_all(w);
    world_run(w, span_s(20));
    expect(w, is_mutual(w, h.a, h.b, PATH_RELAY), "they are relayed");
    begin_stream(w, &h, 300);
    host_plug_in(w, h.a, 1);
    host_plug_in(w, h.b, 1);
    expect(w, homes_are(w, h.a, h.b, PATH_TCP, span_s(10)), "by TCP");
    all_came(w, &h, span_s(1));
}

const struct scenario scenarios_of_udp_faults[] = {
    {"udp-nat-restarts", udp_nat_restarts},
    {"udp-both-nats-restart", udp_both_nats_restart},
    {"udp-nat-gets-another-address", udp_nat_gets_another_address},
    {"udp-nat-forgets-under-traffic", udp_nat_forgets_under_traffic},
    {"udp-nat-forgets-while-idle", udp_nat_forgets_while_idle},
    {"udp-is-blocked-on-one-side", udp_is_blocked_on_one_side},
    {"udp-is-blocked-on-both-sides", udp_is_blocked_on_both_sides},
    {"udp-link-goes-down", udp_link_goes_down},
    {"udp-new-address", udp_new_address},
    {"udp-large-vanish", udp_large_vanish},
    {"udp-too-narrow", udp_too_narrow},
    {"udp-loses-and-reorders", udp_loses_and_reorders},
    {"udp-without-relay", udp_without_relay},
    {"udp-ends-without-relay", udp_ends_without_relay},
    {"udp-peer-restarts", udp_peer_restarts},
    {"udp-host-sleeps", udp_host_sleeps},
    {"udp-while-tcp-ends", udp_while_tcp_ends},
    {"udp-lan-appears", udp_lan_appears},
    {0},
};
