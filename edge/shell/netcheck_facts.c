#include "common/conf/edge_conf.h"
#include "common/io/clock.h"
#include "edge/core/mapping_plan.h"
#include "edge/shell/edge_relay.h"
#include "edge/shell/interfaces.h"
#include "edge/shell/netcheck.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- The host */

static bool is_loopback(const struct interface *i)
{
    return i->count > 0 && address_is_loopback(&i->addresses[0]);
}

static bool is_global(const struct address *a)
{
    return !address_is_loopback(a) && !address_is_link_local(a);
}

static void add_host(const struct edge *e, const struct interfaces *all,
                     struct net_facts *f)
{
    for (size_t i = 0; all != NULL && i < all->count; i++) {
        const struct interface *at = &all->list[i];
        uint64_t sent, heard;
        if (is_loopback(at))
            continue;
        f->has_network = true;
        edge_beacons(e, at->index, &sent, &heard);
        f->beacons_sent += sent;
        f->beacons_heard += heard;
        for (size_t k = 0; k < at->count; k++)
            f->host_v4 |= at->addresses[k].family == ADDRESS_V4;
        for (size_t k = 0; k < at->count; k++)
            f->host_v6 |= at->addresses[k].family == ADDRESS_V6 &&
                          is_global(&at->addresses[k]);
    }
}

/* "eth0, eth1" */
static void add_names(const struct edge *e, enum edge_gap gap,
                      char text[FACT_NAMES_SIZE])
{
    const char *name = "";
    size_t used = 0;

    for (size_t i = 0; i < edge_gap(e, gap, i, &name); i++)
        if (used < FACT_NAMES_SIZE)
            used += (size_t)snprintf(text + used, FACT_NAMES_SIZE - used,
                                     "%s%s", i > 0 ? ", " : "", name);
}

/* What counts for one host: no_proxy may name it. Returns whether a proxy, or
 * a variable that should name one, was found. */
static bool read_proxy(const struct edge_relay *relay, struct net_facts *f)
{
    static char text[PROXY_URL_SIZE]; /* the loop has one thread */
    struct proxy_setting found;

    edge_relay_proxy(relay, FORM_WSS, &found);
    bool good = found.use != PROXY_WITHOUT_ONLY;
    if (good)
        f->proxy = proxy_url_print(&found.url, text);
    if (found.wrong != NULL)
        f->proxy_wrong = found.wrong;
    if (found.source == PROXY_FROM_FILE)
        f->proxy_from = "file";
    else if (found.source == PROXY_FROM_VARIABLE)
        f->proxy_from = found.variable;
    sodium_memzero(&found, sizeof found);
    return good || f->proxy_wrong[0] != '\0';
}

static void add_proxy(const struct edge_netinfo *info, struct net_facts *f)
{
    const char *variable = getenv("auto_proxy");

    f->proxy = f->proxy_wrong = f->pac_from = "";
    f->proxy_from = "none";
    for (size_t i = 0; i < info->relay_count; i++)
        if (read_proxy(&info->relays[i], f))
            break;
    if (variable != NULL && variable[0] != '\0')
        f->pac_from = "auto_proxy in the environment";
    else if (f->pac)
        f->pac_from = "the name wpad has an address here";
    f->pac = f->pac_from[0] != '\0';
}

/* ---- Relays */

static enum stun_verdict better(enum stun_verdict a, enum stun_verdict b)
{
    return a > b ? a : b;
}

/* What STUN said at one port, over all addresses of the relay. */
static struct fact_port port_of(const struct netcheck_report *r,
                                const struct relay_probe_result *relay,
                                uint16_t port)
{
    struct fact_port f = {.port = port};

    for (size_t i = 0; i < r->stun.count; i++)
        for (size_t k = 0; k < relay->count; k++) {
            const struct address *server = &r->stun.servers[i].server;
            if (server->port != port ||
                !address_same_ip(server, &relay->addresses[k]))
                continue;
            f.verdict = f.asked ? better(f.verdict, r->stun.verdicts[i])
                                : r->stun.verdicts[i];
            f.asked = true;
        }
    return f;
}

/* Whether a relay's error is one of connecting to it: what was tried just now
 * is newer, and says the same or better. */
static bool is_of_connecting(const char *own)
{
    for (int i = 0; i < RELAY_ERRORS; i++)
        if (strcmp(own, relay_error_name((enum relay_error)i)) == 0)
            return true;
    return false;
}

static const char *error_of(const struct relay_probe_result *probe,
                            const char *own)
{
    enum link_failure failure = relay_probe_failure(probe);

    if (failure != 0)
        return netcheck_word(failure);
    return is_of_connecting(own) ? "" : finding_relay_word(own);
}

static bool is_valid_now(const struct net_facts *f)
{
    return f->now >= f->not_before &&
           (f->not_after == 0 || f->now < f->not_after);
}

/* [P-7.9] */
static void add_skew(const struct net_facts *f, const struct node_relay *relay,
                     struct fact_relay *to)
{
    struct span since = instant_between(relay->at, clock_now());

    to->skew_known =
        relay->unix_seconds > 0 && relay->unix_seconds <= INT64_MAX / 2;
    if (to->skew_known)
        to->skew_s =
            (int64_t)relay->unix_seconds + since.us / 1000000 - (int64_t)f->now;
}

/* The relay told which certificate it has [P-14.4], and another one came. */
static bool is_inspected(const struct node_relay *relay,
                         const struct relay_probe_result *probe)
{
    if (relay->tls.end != RELAY_TLS_HERE)
        return false;
    for (size_t i = 0; i < probe->form_count; i++) {
        const struct form_probe_result *form = &probe->forms[i];
        if (form->failure == 0 && form->has_certificate &&
            memcmp(form->certificate, relay->tls.hash,
                   sizeof form->certificate) != 0)
            return true;
    }
    return false;
}

static void add_relay(const struct edge *e, const struct netcheck_report *r,
                      const struct edge_relay *at, size_t index,
                      struct net_facts *f)
{
    const struct relay_probe_result *probe = &r->relays[index];
    struct fact_relay *to = &f->relays[f->relay_count++];
    struct node_relay relay;
    uint16_t ports[FACT_PORTS];
    uint16_t port = edge_relay_port(at, FORM_TCP);

    node_relay_get(edge_node(e), index, &relay);
    *to = (struct fact_relay){.host = at->connect_to.host,
                              .port = port,
                              .up = relay.state == RELAY_UP,
                              .connects = relay_probe_connects(probe),
                              .error = "",
                              .own_error = relay.error,
                              .inspected = is_inspected(&relay, probe)};
    if (!to->up)
        to->error = error_of(probe, relay.error);
    if (strcmp(to->error, "certificate") == 0 &&
        strcmp(relay.error, "expired") == 0 && is_valid_now(f))
        to->error = "clock";
    add_skew(f, &relay, to);
    to->port_count = (size_t)netcheck_stun_ports(port, ports);
    for (size_t i = 0; i < to->port_count; i++)
        to->ports[i] = port_of(r, probe, ports[i]);
}

const char *netcheck_word(enum link_failure failure)
{
    return failure == 0
               ? ""
               : finding_relay_word(relay_error_name(relay_error_of(failure)));
}

void netcheck_clocks(const struct edge *e, struct net_facts *f)
{
    struct edge_netinfo info;
    struct node_relay relay;

    edge_netinfo(e, &info);
    f->now = clock_unix_seconds();
    f->relay_count = 0;
    for (size_t i = 0; i < info.relay_count && i < FACT_RELAYS; i++) {
        struct fact_relay *to = &f->relays[f->relay_count++];
        *to = (struct fact_relay){
            .host = info.relays[i].connect_to.host,
            .port = edge_relay_port(&info.relays[i], FORM_TCP)};
        node_relay_get(edge_node(e), i, &relay);
        add_skew(f, &relay, to);
    }
}

/* ---- Peers */

static void add_peers(const struct edge *e, struct net_facts *f,
                      struct fact_peer *peers)
{
    struct node_peer peer;
    size_t cursor = 0;

    f->peers = peers;
    while (node_peer_next(edge_node(e), &cursor, &peer)) {
        bool relayed = peer.path == PATH_RELAY;
        peers[f->peer_count++] =
            (struct fact_peer){.name = peer.name,
                               .reachable = peer.path != PATH_NONE,
                               .why = relayed ? node_why_name(peer.why) : "",
                               .peer_mapping = peer.peer_mapping};
    }
}

static void add_udp(const struct edge *e, const struct edge_netinfo *info,
                    struct net_facts *f)
{
    const struct mapping_state *m = info->mapping;
    struct node_udp udp;

    node_udp_get(edge_node(e), &udp);
    f->udp = udp.on ? FACT_UDP_ON : FACT_UDP_ABSENT;
    if (!edge_conf_has_udp(info->conf))
        f->udp = FACT_UDP_OFF;
    f->udp_easy = edge_conf_is_udp_easy(info->conf);
    f->mapped_udp = udp.mapped_udp.family != ADDRESS_NONE;
    f->upnp = f->nat_pmp = "off";
    if (m == NULL)
        return;
    f->upnp = mapping_finding_name(m->findings[MAPPING_UPNP]);
    f->nat_pmp = mapping_finding_name(m->findings[MAPPING_NAT_PMP]);
}

void netcheck_facts(const struct edge *e, const struct netcheck_report *r,
                    struct net_facts *f, struct fact_peer *peers)
{
    struct edge_netinfo info;
    const char *none;

    edge_netinfo(e, &info);
    f->now = (uint64_t)time(NULL);
    f->multicast = info.conf->discovery.multicast;
    f->deaf = edge_gap(e, EDGE_GAP_DEAF, 0, &none) > 0;
    add_host(e, info.interfaces, f);
    add_names(e, EDGE_GAP_MISSING, f->missing);
    add_names(e, EDGE_GAP_UNJOINED, f->unjoined);
    f->pac = r->wpad;
    add_proxy(&info, f);
    add_udp(e, &info, f);
    f->seen = r->stun.view;
    f->stun_asked = (int)r->stun.count;
    for (size_t i = 0; i < r->stun.count; i++) {
        enum address_family family = r->stun.servers[i].server.family;
        f->asked_v4 |= family == ADDRESS_V4;
        f->asked_v6 |= family == ADDRESS_V6;
    }
    for (size_t i = 0; i < info.relay_count && i < r->relay_count; i++)
        add_relay(e, r, &info.relays[i], i, f);
    add_peers(e, f, peers);
}
