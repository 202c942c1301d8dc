#include "tests/sim/nat_ends.h"
#include "tests/sim/punch_pairs_private.h"

#include <stdio.h>

enum { SERVERS = 2 };
static const uint16_t server_ports[] = {3478, 443};
enum { SERVER_PORTS = sizeof server_ports / sizeof server_ports[0] };

struct pair_home pair_home(int kind, int number)
{
    struct pair_home home = {.box_count = kind == NAT_OPEN ? 0 : 1};
    if (home.box_count > 0)
        home.boxes[0] = nat_conf_at((enum nat_kind)kind, 1 + number);
    return home;
}

struct pair_home pair_home_of_carrier(int kind, int carrier, int number)
{
    struct pair_home home = pair_home(kind, number);
    home.boxes[1] = nat_conf_at((enum nat_kind)carrier, 11 + number);
    home.boxes[0].outside[0] =
        udp_address(number == 0 ? "100.64.0.1" : "100.64.0.2");
    home.box_count = 2;
    return home;
}

static void slow(struct world *w, int plug, unsigned loss_percent)
{
    const struct udp_link link = {
        .delay = rng_span(&w->rng, span_ms(3), span_ms(40)),
        .jitter = span_ms(2),
        .loss_percent = loss_percent};
    udp_set_links(w, plug, &link);
}

static void add_servers(struct world *w, bool is_v6, struct address *list)
{
    for (int i = 0; i < SERVERS; i++) {
        char ip[ADDRESS_TEXT_SIZE];
        snprintf(ip, sizeof ip, is_v6 ? "2001:db8:ff::%d" : "203.0.113.%d",
                 101 + i);
        udp_plug(w, SERVER_HOST + i, UDP_INTERNET, ip);
        slow(w, udp_plug_of_host(w, SERVER_HOST + i, UDP_INTERNET), 0);
        for (int k = 0; k < SERVER_PORTS; k++) {
            struct address *a = &list[i * SERVER_PORTS + k];
            *a = udp_address(ip);
            a->port = udp_open(w, SERVER_HOST + i, server_ports[k]);
        }
    }
}

/* The realm that the end is in. */
static int add_boxes(struct world *w, const struct pair_conf *conf, int end,
                     int *carrier)
{
    const struct pair_home *home = &conf->homes[end];
    int realm = UDP_INTERNET;
    for (int i = home->box_count - 1; i >= 0; i--) {
        bool is_outer = i == home->box_count - 1;
        if (is_outer && i > 0 && end == 1 && conf->carrier_is_shared) {
            realm = *carrier;
            continue;
        }
        realm = udp_add_box(w, realm, &home->boxes[i]);
        if (is_outer)
            slow(w, udp_plug_of_box(w, realm),
                 end == 0 ? conf->loss_percent : 0);
        if (i == 1)
            *carrier = realm;
    }
    return realm;
}

static const char *ip_of(const struct pair_conf *conf, int end)
{
    if (conf->is_v6)
        return end == 0 ? "2001:db8:1::2" : "2001:db8:2::2";
    if (conf->homes[conf->is_shared ? 0 : end].box_count == 0)
        return end == 0 ? "203.0.113.1" : "203.0.113.2";
    if (conf->homes[end].boxes[0].outside_count == 0)
        return end == 0 ? "203.0.114.1" : "203.0.114.2";
    /* Both homes use the same addresses. */
    return conf->is_shared && end == 1 ? "192.168.1.3" : "192.168.1.2";
}

static void add_end(struct world *w, struct punched_pair *p, int end, int realm,
                    const struct address *servers)
{
    struct pair_end *e = &p->ends[end];
    uint8_t seed[32];
    struct punch_conf conf = {.self.key = {(uint8_t)(1 + end)},
                              .peer.key = {(uint8_t)(2 - end)},
                              .easy_only = end == 1 && p->conf->easy_only,
                              .entropy = &e->entropy,
                              .next_socket = &e->next_socket};
    rng_fill(&w->rng, seed, sizeof seed);
    entropy_init(&e->entropy, seed);
    e->host = end;
    e->ip = udp_address(ip_of(p->conf, end));
    e->next_socket = 1;
    e->wake_at = INSTANT_NEVER;
    udp_plug(w, end, realm, ip_of(p->conf, end));
    if (realm == UDP_INTERNET)
        slow(w, udp_plug_of_host(w, end, realm),
             end == 0 ? p->conf->loss_percent : 0);
    pair_open_socket(w, e, 0, 9083);
    e->punch = punch_new(&conf);
    e->outside = outside_new(&e->entropy);
    outside_servers(e->outside, servers, SERVERS * SERVER_PORTS);
    outside_hosts(e->outside, &e->ip, 1);
}

void pair_build(struct world *w, struct punched_pair *p)
{
    struct address servers[SERVERS * SERVER_PORTS];
    int realms[2], carrier = UDP_INTERNET;
    (void)udp_of(w);
    add_servers(w, p->conf->is_v6, servers);
    for (int end = 0; end < 2; end++)
        realms[end] = end == 1 && p->conf->is_shared
                          ? realms[0]
                          : add_boxes(w, p->conf, end, &carrier);
    w->udp->owner = p;
    for (int end = 0; end < 2; end++) {
        add_end(w, p, end, realms[end], servers);
        p->record_delay[end] = p->conf->delays[end];
        if (p->record_delay[end].us == 0)
            p->record_delay[end] = rng_span(&w->rng, span_ms(10), span_ms(150));
    }
    for (int end = 0; end < 2; end++)
        punch_rtt(p->ends[end].punch,
                  span_us(p->record_delay[0].us + p->record_delay[1].us));
}
