#include "tests/sim/udp_sabotage.h"

static const struct {
    const char *name, *found_by;
} sabotages[UDP_SABOTAGE_COUNT] = {
    [UDP_SABOTAGE_NONE] = {"none", ""},
    [UDP_SABOTAGE_OPEN_FILTER] = {"udp-open-filter", "nat-filter"},
    [UDP_SABOTAGE_STRICT_FILTER] = {"udp-strict-filter", "nat-open"},
    [UDP_SABOTAGE_LONG_TIMEOUT] = {"udp-long-timeout", "nat-filter"},
    [UDP_SABOTAGE_SHORT_TIMEOUT] = {"udp-short-timeout", "nat-open"},
    [UDP_SABOTAGE_SHARED_PORT] = {"udp-shared-port", "nat-ports"},
    [UDP_SABOTAGE_UNSTABLE] = {"udp-unstable", "nat-stable"},
    [UDP_SABOTAGE_UNPAIRED] = {"udp-unpaired", "nat-paired"},
    [UDP_SABOTAGE_NO_TRANSLATION] = {"udp-untranslated", "nat-translate"},
    [UDP_SABOTAGE_TRANSLATION] = {"udp-translated", "nat-translate"},
    [UDP_SABOTAGE_HAIRPIN] = {"udp-hairpin", "nat-hairpin"},
    [UDP_SABOTAGE_NO_HAIRPIN] = {"udp-no-hairpin", "nat-hairpin"},
    [UDP_SABOTAGE_TAKES] = {"udp-takes", "nat-taken"},
    [UDP_SABOTAGE_TAKES_NOT] = {"udp-takes-not", "nat-taken"},
    [UDP_SABOTAGE_FORGETS] = {"udp-forgets", "nat-given"},
    [UDP_SABOTAGE_NO_LIMIT] = {"udp-no-limit", "nat-limit"},
    [UDP_SABOTAGE_LOW_LIMIT] = {"udp-low-limit", "nat-limit"},
    [UDP_SABOTAGE_LARGE] = {"udp-large", "udp-mtu"},
    [UDP_SABOTAGE_NARROW] = {"udp-narrow", "udp-mtu"},
    [UDP_SABOTAGE_DOUBLE] = {"udp-double", "udp-once"},
    [UDP_SABOTAGE_REORDER] = {"udp-reorder", "udp-order"},
    [UDP_SABOTAGE_LOSS] = {"udp-loss", "udp-loss"},
    [UDP_SABOTAGE_DOWN] = {"udp-down", "udp-loss"},
    [UDP_SABOTAGE_FAST] = {"udp-fast", "udp-delay"},
    [UDP_SABOTAGE_STUCK] = {"udp-stuck", "udp-fate"},
    [UDP_SABOTAGE_CORRUPT] = {"udp-corrupt", "udp-content"},
    [UDP_SABOTAGE_MISROUTE] = {"udp-misroute", "udp-host"},
    [UDP_SABOTAGE_SECRET] = {"udp-secret", "settle"},
    [UDP_SABOTAGE_LEAK] = {"udp-leak", "udp-socket"},
};

const char *udp_sabotage_name(enum udp_sabotage s)
{
    return sabotages[s].name;
}

const char *udp_sabotage_found_by(enum udp_sabotage s)
{
    return sabotages[s].found_by;
}

static void depend_on_remote(struct nat_conf *c)
{
    if (c->outside_count == 0)
        return;
    c->mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
    c->ports = NAT_PORTS_RANDOM;
}

static void share_ports(struct nat_conf *c)
{
    if (c->outside_count == 0)
        return;
    c->mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
    c->filtering = NAT_ADDRESS_AND_PORT_DEPENDENT;
    c->shares_ports = true;
}

static void translate_nothing(struct nat_conf *c)
{
    c->mapping = NAT_ENDPOINT_INDEPENDENT;
    c->shares_ports = false;
    c->takes_tuples = false;
    c->outside_count = 0;
}

void udp_sabotage_box(enum udp_sabotage s, struct nat_conf *c)
{
    switch ((unsigned)s) {
    case UDP_SABOTAGE_OPEN_FILTER:
        if (!c->shares_ports)
            c->filtering = NAT_ENDPOINT_INDEPENDENT;
        break;
    case UDP_SABOTAGE_STRICT_FILTER:
        c->filtering = NAT_ADDRESS_AND_PORT_DEPENDENT;
        break;
    case UDP_SABOTAGE_LONG_TIMEOUT:
        c->timeout = span_times(c->timeout, 3);
        break;
    case UDP_SABOTAGE_SHORT_TIMEOUT:
        c->timeout = span_us(c->timeout.us / 3);
        break;
    case UDP_SABOTAGE_SHARED_PORT:
        share_ports(c);
        break;
    case UDP_SABOTAGE_UNSTABLE:
        depend_on_remote(c);
        break;
    case UDP_SABOTAGE_UNPAIRED:
        c->paired = false;
        break;
    case UDP_SABOTAGE_NO_TRANSLATION:
        translate_nothing(c);
        break;
    case UDP_SABOTAGE_TRANSLATION:
        if (c->outside_count == 0)
            c->outside[c->outside_count++] = (struct address){
                .family = ADDRESS_V4, .ip = {203, 0, 113, 200}};
        break;
    case UDP_SABOTAGE_HAIRPIN:
        c->hairpins = true;
        break;
    case UDP_SABOTAGE_NO_HAIRPIN:
        c->hairpins = false;
        break;
    case UDP_SABOTAGE_TAKES:
        c->takes_tuples = c->outside_count > 0;
        break;
    case UDP_SABOTAGE_TAKES_NOT:
        c->takes_tuples = false;
        break;
    case UDP_SABOTAGE_FORGETS:
        c->taken_timeout = span_us(1);
        break;
    case UDP_SABOTAGE_NO_LIMIT:
        c->mappings_max = c->mappings_per_host_max = 0;
        break;
    case UDP_SABOTAGE_LOW_LIMIT:
        c->mappings_max = 1;
        break;
    }
}

void udp_sabotage_link(enum udp_sabotage s, struct udp_link *link)
{
    switch ((unsigned)s) {
    case UDP_SABOTAGE_LARGE:
        link->mtu = 0;
        break;
    case UDP_SABOTAGE_NARROW:
        link->mtu = 300;
        break;
    case UDP_SABOTAGE_DOUBLE:
        link->double_percent = 5;
        break;
    case UDP_SABOTAGE_REORDER:
        link->reorder_percent = 5;
        link->reorder_by = span_ms(50);
        break;
    case UDP_SABOTAGE_LOSS:
        link->loss_percent = 5;
        break;
    case UDP_SABOTAGE_DOWN:
        link->down = true;
        break;
    case UDP_SABOTAGE_FAST:
        link->delay = link->jitter = span_us(0);
        break;
    case UDP_SABOTAGE_STUCK:
        link->delay = span_s(3600);
        break;
    }
}
