/*
 * Which nodes find each other, and by which path.
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"

/* One segment with multicast: all see all within milliseconds. */
static void lan(struct world *w)
{
    int segment = world_add_segment(w, true);

    for (int i = 0; i < 3; i++)
        world_add_edge(w, segment);
    host_start_all(w);
    settles_within(w, span_ms(50), "joins within 50 ms");
    talks_within(w, 0, 1, span_ms(20));
    application_publish(w, 2, 0, 500);
    world_run(w, span_s(1));
    expect(w, checkers_count(w, 2, 0) == 1 && checkers_count(w, 2, 1) == 1,
           "a publication reaches everybody");
}

/* Twenty start at once: the last dial of so many is delayed by 1.3 s. */
static void crowd(struct world *w)
{
    int segment = world_add_segment(w, true);

    for (int i = 0; i < 20; i++)
        world_add_edge(w, segment);
    host_start_all(w);
    settles_within(w, span_ms(1500), "twenty are linked within 1.5 s");
}

/* A second node starts on a LAN that was quiet for long. */
static void latecomer(struct world *w)
{
    int segment = world_add_segment(w, true);
    int first = world_add_edge(w, segment);
    int second = world_add_edge(w, segment);

    host_start(w, first);
    world_run(w, span_s(30));
    host_start(w, second);
    settles_within(w, span_ms(20), "joins within 20 ms of the start");
}

static void two_homes(struct world *w, int *relay, int *a, int *b)
{
    *relay = world_add_relay(w);
    *a = world_add_edge(w, world_add_nat(w));
    *b = world_add_edge(w, world_add_nat(w));
    world_uses_relay(w, *a, *relay);
    world_uses_relay(w, *b, *relay);
}

/* Two NATs that let nothing in: the relay carries everything. */
static void relay_only(struct world *w)
{
    int relay, a, b;

    two_homes(w, &relay, &a, &b);
    host_start_all(w);
    settles_within(w, span_s(1), "they meet at the relay");
    expect(w, is_mutual(w, a, b, PATH_RELAY), "by the relay");
    application_stream(w, a, b, 2000, 300, span_us(500));
    application_stream(w, b, a, 2000, 300, span_us(500));
    finishes_within(w, span_s(20));
    expect(w, checkers_count(w, a, b) == 2000, "all are there");
    expect(w, checkers_count(w, b, a) == 2000, "all are back");
}

/* A firewall that passes nothing but the relay's port. */
static void relay_port_only(struct world *w)
{
    int relay = world_add_relay(w), segment = world_add_segment(w, true);
    int a = world_add_edge(w, segment), b = world_add_edge(w, segment);

    w->segments[segment].reaches[INTERNET] = true;
    w->hosts[a].only_relays = w->hosts[b].only_relays = true;
    world_uses_relay(w, a, relay);
    world_uses_relay(w, b, relay);
    host_start_all(w);
    settles_within(w, span_s(1), "they meet at the relay");
    expect(w, is_mutual(w, a, b, PATH_RELAY), "by the relay");
    talks_within(w, a, b, span_ms(500));
}

/* A LAN whose switch drops multicast: nodes meet at the relay, then
 * directly. */
static void relay_then_tcp(struct world *w)
{
    int relay = world_add_relay(w), segment = world_add_segment(w, false);
    int a = world_add_edge(w, segment), b = world_add_edge(w, segment);

    w->segments[segment].reaches[INTERNET] = true;
    world_uses_relay(w, a, relay);
    world_uses_relay(w, b, relay);
    host_start_all(w);
    expect(w, sees_within(w, a, b, true, span_s(1)), "they meet");
    application_stream(w, a, b, 1000, 200, span_ms(2));
    settles_within(w, span_s(3), "direct within three seconds");
    expect(w, is_mutual(w, a, b, PATH_TCP), "by tcp");
    finishes_within(w, span_s(10));
    expect(w, checkers_count(w, a, b) == 1000, "all came across the change");
}

/* Only the inner side may open connections. */
static void dmz(struct world *w)
{
    int relay = world_add_relay(w);
    int inner = world_add_segment(w, true), outer = world_add_segment(w, true);
    int a = world_add_edge(w, inner), b = world_add_edge(w, outer);

    w->segments[inner].reaches[outer] = true;
    w->segments[inner].reaches[INTERNET] = true;
    w->segments[outer].reaches[INTERNET] = true;
    world_uses_relay(w, a, relay);
    world_uses_relay(w, b, relay);
    host_start_all(w);
    settles_within(w, span_s(4), "one open side is enough");
    expect(w, is_mutual(w, a, b, PATH_TCP), "by tcp");
    talks_within(w, b, a, span_ms(50));
}

/* Without a relay: the inner side knows the outer one's address. */
static void dmz_configured(struct world *w)
{
    int inner = world_add_segment(w, true), outer = world_add_segment(w, true);
    int a = world_add_edge(w, inner), b = world_add_edge(w, outer);

    w->segments[inner].reaches[outer] = true;
    w->hosts[a].peers[w->hosts[a].peer_count++] = b;
    host_start_all(w);
    settles_within(w, span_s(4), "found by its address");
    talks_within(w, b, a, span_ms(50));
}

/* A VPN passes no multicast. */
static void vpn(struct world *w)
{
    int tunnel = world_add_segment(w, false);
    int a = world_add_edge(w, world_add_nat(w));
    int b = world_add_edge(w, world_add_nat(w));

    world_plug(w, a, tunnel);
    world_plug(w, b, tunnel);
    w->hosts[b].peers[w->hosts[b].peer_count++] = a;
    host_start_all(w);
    settles_within(w, span_s(4), "found by discovery.peers");
    expect(w, is_mutual(w, a, b, PATH_TCP), "by tcp over the VPN");
    talks_within(w, a, b, span_ms(50));
}

static void vpn_by_relay(struct world *w)
{
    int tunnel = world_add_segment(w, false), relay, a, b;

    two_homes(w, &relay, &a, &b);
    world_plug(w, a, tunnel);
    world_plug(w, b, tunnel);
    host_start_all(w);
    settles_within(w, span_s(4), "found by the relay");
    expect(w, is_mutual(w, a, b, PATH_TCP), "by tcp over the VPN");
}

/* No relay at the start: the LAN works, and the nodes use the relay when it
 * comes. */
static void relay_comes_late(struct world *w)
{
    int relay, a, b, c;

    two_homes(w, &relay, &a, &b);
    c = world_add_edge(w, w->hosts[a].interfaces[0].segment);
    world_uses_relay(w, c, relay);
    host_start(w, a);
    host_start(w, b);
    host_start(w, c);
    expect(w, sees_within(w, a, c, true, span_ms(50)), "the LAN works");
    world_run(w, span_s(60));
    talks_within(w, a, c, span_ms(50));
    host_start(w, relay);
    settles_within(w, span_s(5), "the relay is used within 5 s");
}

/* Ten minutes without events: no peer leaves, nothing changes. */
static void calm(struct world *w)
{
    int relay, a, b, c;

    two_homes(w, &relay, &a, &b);
    c = world_add_edge(w, w->hosts[a].interfaces[0].segment);
    world_uses_relay(w, c, relay);
    host_start_all(w);
    settles_within(w, span_s(2), "all meet");
    application_stream(w, a, b, 500, 100, span_s(1));
    application_stream(w, c, a, 500, 100, span_s(1));
    world_run(w, span_s(600));
    if (!w->failed)
        checkers_settle(w);
    expect(w, checkers_count(w, a, b) == 500, "all are there");
}

/* The window is too small for what is sent. */
static void busy(struct world *w)
{
    int relay, a, b;

    w->limits.window = 64 * 1024;
    w->high_water = 32 * 1024;
    w->rate = 200 * 1000;
    two_homes(w, &relay, &a, &b);
    host_start_all(w);
    settles_within(w, span_s(1), "they meet");
    application_stream(w, a, b, 3000, 1000, span_us(10));
    finishes_within(w, span_s(60));
    expect(w, checkers_count(w, a, b) == 3000, "all are there in the end");
}

/* Messages of many fragments, and one larger than the window. */
static void large(struct world *w)
{
    int segment = world_add_segment(w, true);
    int a = world_add_edge(w, segment), b = world_add_edge(w, segment);

    w->limits.window = 256 * 1024;
    host_start_all(w);
    settles_within(w, span_ms(50), "they meet");
    application_stream(w, a, b, 10, 1024 * 1024, span_ms(1));
    application_stream(w, b, a, 200, 70000, span_ms(1));
    finishes_within(w, span_s(30));
    expect(w, checkers_count(w, a, b) == 10, "all large ones are there");
    expect(w, checkers_count(w, b, a) == 200, "all others are there");
}

const struct scenario scenarios_of_paths[] = {
    {"lan", lan},
    {"crowd", crowd},
    {"latecomer", latecomer},
    {"relay-only", relay_only},
    {"relay-port-only", relay_port_only},
    {"relay-then-tcp", relay_then_tcp},
    {"dmz", dmz},
    {"dmz-configured", dmz_configured},
    {"vpn", vpn},
    {"vpn-by-relay", vpn_by_relay},
    {"relay-comes-late", relay_comes_late},
    {"calm", calm},
    {"busy", busy},
    {"large", large},
    {NULL, NULL},
};
