#include "tests/sim/nat_ends.h"

#include "tests/sim/scenarios.h"

#include <stdio.h>

enum { SERVER_HOST = 0, SERVER_PORT = 3478 };

static const char *const server_ip = "203.0.113.250";

void nat_slow_link(struct world *w, int plug)
{
    const struct udp_link link = {.delay = span_ms(10), .jitter = span_ms(1)};

    udp_set_links(w, plug, &link);
}

void nat_server(struct world *w)
{
    udp_plug(w, SERVER_HOST, UDP_INTERNET, server_ip);
    nat_slow_link(w, udp_plug_of_host(w, SERVER_HOST, UDP_INTERNET));
    udp_prober_add(w, SERVER_HOST, SERVER_PORT);
}

void nat_ask_server(struct world *w, int prober)
{
    struct address server = udp_address(server_ip);

    server.port = SERVER_PORT;
    udp_prober_ask(w, prober, &server);
}

struct nat_conf nat_conf_at(enum nat_kind kind, int number)
{
    struct nat_conf conf = nat_kind_conf(kind);
    char ip[ADDRESS_TEXT_SIZE];

    if (kind == NAT_FIREWALL)
        return conf;
    snprintf(ip, sizeof(ip), "198.51.%d.%d", 1 + number / 100, number % 100);
    conf.outside[0] = udp_address(ip);
    conf.outside_count = 1;
    return conf;
}

int nat_add_prober(struct world *w, int number, int realm, const char *ip)
{
    udp_plug(w, number, realm, ip);
    return udp_prober_add(w, number, 0);
}

struct nat_end nat_add_behind(struct world *w, int number, int realm,
                              const struct nat_conf *conf)
{
    char ip[ADDRESS_TEXT_SIZE] = "192.168.1.2";
    struct nat_end end = {.box = udp_add_box(w, realm, conf)};

    if (conf->outside_count == 0)
        snprintf(ip, sizeof(ip), "203.0.114.%d", number);
    nat_slow_link(w, udp_plug_of_box(w, end.box));
    end.prober = nat_add_prober(w, number, end.box, ip);
    return end;
}

struct nat_end nat_add_end(struct world *w, int number, int kind)
{
    struct nat_end end = {.box = UDP_INTERNET};
    struct nat_conf conf;
    char ip[ADDRESS_TEXT_SIZE];

    if (kind != NAT_OPEN) {
        conf = nat_conf_at((enum nat_kind)kind, number);
        return nat_add_behind(w, number, UDP_INTERNET, &conf);
    }
    snprintf(ip, sizeof(ip), "203.0.115.%d", number);
    end.prober = nat_add_prober(w, number, UDP_INTERNET, ip);
    nat_slow_link(w, udp_plug_of_host(w, number, UDP_INTERNET));
    return end;
}

void nat_learn(struct world *w, int a, int b)
{
    udp_prober_reset(w, a);
    udp_prober_reset(w, b);
    nat_ask_server(w, a);
    nat_ask_server(w, b);
}

void nat_probe(struct world *w, int from, int to, int ttl)
{
    struct address seen = udp_prober_get(w, to)->seen;

    expect(w, seen.family != ADDRESS_NONE, "the server told the address");
    if (!w->failed)
        udp_prober_probe(w, from, &seen, ttl);
}

bool nat_is_direct(struct world *w, int a, int b)
{
    return udp_prober_get(w, a)->answered > 0 ||
           udp_prober_get(w, b)->answered > 0;
}

bool nat_punches(struct world *w, int a, int b, struct span lag)
{
    nat_learn(w, a, b);
    world_run(w, span_s(1));
    for (int round = 0; round < 3; round++) {
        nat_probe(w, a, b, 0);
        world_run(w, lag);
        nat_probe(w, b, a, 0);
        world_run(w, span_ms(500));
    }
    return nat_is_direct(w, a, b);
}

void nat_settle(struct world *w)
{
    world_run(w, span_s(5));
    if (!w->failed)
        udp_settle(w);
}
