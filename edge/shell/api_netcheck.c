#include "edge/shell/api_internal.h"

#include "common/base/memory.h"
#include "common/conf/relay_url.h"
#include "edge/core/mapping_plan.h"
#include "edge/shell/interfaces.h"
#include "edge/shell/netcheck.h"

#include <stdlib.h>
#include <string.h>

/* A client that waits for the netcheck that runs. */
struct netcheck_ask {
    struct netcheck_ask *next;
    struct client *client;
    struct bytes ref; /* in `room` */
    uint8_t room[];
};

enum { ASKS = 64 };

/* ---- Writing */

static void begin_item(struct text *t)
{
    if (t->data[t->size - 1] != '[')
        text_add_char(t, ',');
    text_add_char(t, '{');
}

/* ,"key":... or "key":... as the first member. */
static void key_add(struct text *t, const char *key)
{
    if (t->data[t->size - 1] != '{')
        text_add_char(t, ',');
    text_add_json(t, bytes_of_string(key));
    text_add_char(t, ':');
}

static void word_add(struct text *t, const char *key, const char *value)
{
    key_add(t, key);
    text_add_json(t, bytes_of_string(value));
}

static void bool_add(struct text *t, const char *key, bool value)
{
    key_add(t, key);
    text_add_string(t, value ? "true" : "false");
}

/* true, false, or "unknown" */
static void maybe_add(struct text *t, const char *key, bool known, bool value)
{
    key_add(t, key);
    text_add_string(t, !known ? "\"unknown\"" : value ? "true" : "false");
}

static void number_add(struct text *t, const char *key, uint64_t value)
{
    key_add(t, key);
    text_add_number(t, value);
}

static void span_add(struct text *t, const char *key, struct span span)
{
    key_add(t, key);
    if (span.us >= 0)
        text_add_ms(t, span.us);
    else
        text_add_string(t, "null");
}

static void address_add(struct text *t, const struct address *a, bool port)
{
    char text[ADDRESS_TEXT_SIZE];

    if (t->data[t->size - 1] != '[')
        text_add_char(t, ',');
    text_add_json(t, bytes_of_string(port ? address_format(a, text)
                                          : address_format_ip(a, text)));
}

static void write_interfaces(const struct edge *e, const struct interfaces *all,
                             struct text *t)
{
    key_add(t, "interfaces");
    text_add_char(t, '[');
    for (size_t i = 0; all != NULL && i < all->count; i++) {
        const struct interface *at = &all->list[i];
        uint64_t sent, heard;
        begin_item(t);
        word_add(t, "name", at->name);
        key_add(t, "addresses");
        text_add_char(t, '[');
        for (size_t k = 0; k < at->count; k++)
            address_add(t, &at->addresses[k], false);
        text_add_char(t, ']');
        edge_beacons(e, at->index, &sent, &heard);
        key_add(t, "multicast");
        text_add_char(t, '{');
        number_add(t, "sent", sent);
        number_add(t, "heard", heard);
        text_add_string(t, "}}");
    }
    text_add_char(t, ']');
}

static const char *mapping_word(enum nat_mapping mapping)
{
    switch (mapping) {
    case MAPPING_UNKNOWN:
        return "unknown";
    case MAPPING_NONE:
        return "none";
    case MAPPING_ENDPOINT_INDEPENDENT:
        return "endpoint-independent";
    case MAPPING_DEPENDENT:
        return "address-dependent";
    }
    return "unknown";
}

static const char *filtering_word(enum nat_filtering filtering)
{
    switch (filtering) {
    case FILTERING_UNKNOWN:
        return "unknown";
    case FILTERING_BY_ADDRESS_AT_MOST:
        return "endpoint-independent-or-address";
    case FILTERING_BY_PORT:
        return "address-and-port-dependent";
    }
    return "unknown";
}

static void write_nat(const struct net_facts *f,
                      const struct stun_probe_result *r, struct text *t)
{
    const struct outside_view *v = &r->view;

    key_add(t, "udp");
    text_add_char(t, '{');
    bool_add(t, "ipv4", v->answered_v4);
    bool_add(t, "ipv6", v->answered_v6);
    bool_add(t, "asked_ipv4", f->asked_v4);
    bool_add(t, "asked_ipv6", f->asked_v6);
    bool_add(t, "host_ipv4", f->host_v4);
    bool_add(t, "host_ipv6", f->host_v6);
    number_add(t, "servers_asked", (uint64_t)f->stun_asked);
    text_add_string(t, "}");
    key_add(t, "nat");
    text_add_char(t, '{');
    word_add(t, "mapping", mapping_word(v->mapping));
    number_add(t, "servers", (uint64_t)v->servers);
    key_add(t, "port_step");
    text_add_number(t, v->step > 0 ? (uint64_t)v->step : 0);
    word_add(t, "filtering", filtering_word(r->filtering));
    maybe_add(t, "hairpin", r->hairpin_tested, r->hairpin);
    key_add(t, "outside");
    text_add_char(t, '[');
    for (int i = 0; i < v->count; i++)
        address_add(t, &v->found[i], true);
    text_add_string(t, "]}");
}

/* The outside addresses that the router forwards to this node. */
static void write_leases(const struct mapping_state *mapping, struct text *t)
{
    key_add(t, "outside");
    text_add_char(t, '[');
    for (int i = 0; mapping != NULL && i < MAPPING_PORTS; i++)
        if (mapping->leases[i].outside.port != 0)
            address_add(t, &mapping->leases[i].outside, true);
    text_add_char(t, ']');
}

static const char *verdict_word(const struct fact_port *p)
{
    if (!p->asked)
        return "not_asked";
    switch (p->verdict) {
    case STUN_SILENT:
        return "silent";
    case STUN_CLOSED:
        return "closed";
    case STUN_ANSWERED:
        return "answered";
    }
    return "silent";
}

/* The proxy looks the name up, so DNS here does not count. A form in which the
 * relay proved its key has the error with which the relay refuses this node. */
static void write_form(const struct node_relay *relay,
                       const struct fact_relay *f,
                       const struct relay_probe_result *probe,
                       const struct form_probe_result *form, struct text *t)
{
    bool used = relay->state == RELAY_UP && relay->form == form->form;
    bool by_proxy = relay_form_by_proxy(form->form);

    begin_item(t);
    word_add(t, "form", relay_form_name(form->form));
    bool_add(t, "used", used);
    span_add(t, "dns_ms", by_proxy ? span_us(-1) : probe->dns);
    span_add(t, "connect_ms", form->connect);
    span_add(t, "hello_ms", form->hello);
    span_add(t, "rtt_ms", used ? relay->rtt : span_us(-1));
    word_add(t, "error",
             form->failure != 0 ? netcheck_word(form->failure) : f->error);
    text_add_char(t, '}');
}

static void write_relay(const struct api *a, size_t index,
                        const struct fact_relay *f,
                        const struct relay_probe_result *probe, struct text *t)
{
    struct node_relay relay;

    node_relay_get(edge_node(a->edge), index, &relay);
    begin_item(t);
    word_add(t, "url", edge_relay_url(a->edge, index));
    word_add(t, "name", relay.name);
    bool_add(t, "up", f->up);
    key_add(t, "forms");
    text_add_char(t, '[');
    for (size_t i = 0; i < probe->form_count; i++)
        write_form(&relay, f, probe, &probe->forms[i], t);
    text_add_char(t, ']');
    word_add(t, "error", f->error);
    key_add(t, "stun");
    text_add_char(t, '[');
    for (size_t i = 0; i < f->port_count; i++) {
        begin_item(t);
        number_add(t, "port", f->ports[i].port);
        word_add(t, "answer", verdict_word(&f->ports[i]));
        text_add_char(t, '}');
    }
    text_add_string(t, "]}");
}

static void write_peers(const struct api *a, const struct net_facts *f,
                        struct text *t)
{
    struct node_peer peer;
    size_t cursor = 0;

    key_add(t, "peers");
    text_add_char(t, '[');
    for (size_t i = 0; node_peer_next(edge_node(a->edge), &cursor, &peer) &&
                       i < f->peer_count;
         i++) {
        begin_item(t);
        word_add(t, "name", peer.name);
        word_add(t, "path", node_path_name(peer.path));
        word_add(t, "why", f->peers[i].why);
        text_add_char(t, '}');
    }
    text_add_char(t, ']');
}

/* How far the clock of another host is ahead of this one's; negative: behind.
 */
struct clock_skew {
    const char *from; /* "relay", "node", or "": none told its clock */
    int64_t seconds;
};

static struct clock_skew find_skew(const struct net_facts *f,
                                   const struct node *node)
{
    struct node_refusals cursor = {0};
    struct node_refusal refusal;

    for (size_t i = 0; i < f->relay_count; i++)
        if (f->relays[i].skew_known)
            return (struct clock_skew){"relay", f->relays[i].skew_s};
    while (node_refusal_next(node, &cursor, &refusal))
        if (refusal.skew_known)
            return (struct clock_skew){"node", refusal.skew_s};
    return (struct clock_skew){.from = ""};
}

static const char *certificate_word(const struct net_facts *f)
{
    if (f->now < f->not_before)
        return "not_yet";
    return f->not_after != 0 && f->now >= f->not_after ? "expired" : "valid";
}

static void skew_add(struct text *t, const struct clock_skew *skew)
{
    key_add(t, "skew_s");
    if (skew->from[0] == '\0') {
        text_add_string(t, "null");
        return;
    }
    if (skew->seconds < 0)
        text_add_char(t, '-');
    text_add_number(t, (uint64_t)llabs(skew->seconds));
}

static void write_clock(const struct net_facts *f, const struct node *node,
                        struct text *t)
{
    struct clock_skew skew = find_skew(f, node);

    key_add(t, "clock");
    text_add_char(t, '{');
    skew_add(t, &skew);
    word_add(t, "from", skew.from);
    word_add(t, "certificate", certificate_word(f));
    key_add(t, "not_before");
    text_add_number(t, f->not_before);
    key_add(t, "not_after");
    text_add_number(t, f->not_after);
    text_add_char(t, '}');
}

static void write_findings(const struct findings *list, struct text *t)
{
    key_add(t, "findings");
    text_add_char(t, '[');
    for (size_t i = 0; i < list->count; i++) {
        const struct finding *f = &list->list[i];
        begin_item(t);
        word_add(t, "id", f->id);
        word_add(t, "severity", f->severity);
        word_add(t, "text", f->text);
        word_add(t, "remedy", f->remedy);
        text_add_char(t, '}');
    }
    text_add_char(t, ']');
}

/* Unknown where no relay was reached, and nothing answered in its place. */
static void write_portal(const struct net_facts *f,
                         const struct netcheck_report *r, struct text *t)
{
    bool seen = false, reached = false;

    for (size_t i = 0; i < f->relay_count; i++) {
        const struct relay_probe_result *probe = &r->relays[i];
        reached |= f->relays[i].up || relay_probe_failure(probe) == 0;
        for (size_t k = 0; k < probe->form_count; k++)
            seen |= probe->forms[k].failure == LINK_CAPTIVE_PORTAL;
    }
    maybe_add(t, "captive_portal", seen || reached, seen);
}

static void write_report(const struct api *a, const struct net_facts *f,
                         const struct netcheck_report *r, struct text *t)
{
    struct edge_netinfo info;
    static struct findings findings; /* large; the loop has one thread */

    edge_netinfo(a->edge, &info);
    text_add_string(t, ",\"version\":1");
    bool_add(t, "reachable", facts_reach(f));
    write_interfaces(a->edge, info.interfaces, t);
    write_nat(f, &r->stun, t);
    key_add(t, "port_mapping");
    text_add_char(t, '{');
    word_add(t, "upnp", f->upnp);
    word_add(t, "nat_pmp", f->nat_pmp);
    word_add(t, "pcp", "not_tried"); /* This version does not speak it. */
    write_leases(info.mapping, t);
    text_add_char(t, '}');
    key_add(t, "proxy");
    text_add_char(t, '{');
    word_add(t, "found", f->proxy);
    word_add(t, "from", f->proxy_from);
    word_add(t, "error", f->proxy_wrong);
    bool_add(t, "pac", f->pac);
    text_add_char(t, '}');
    write_portal(f, r, t);
    write_clock(f, edge_node(a->edge), t);
    key_add(t, "relays");
    text_add_char(t, '[');
    for (size_t i = 0; i < f->relay_count; i++)
        write_relay(a, i, &f->relays[i], &r->relays[i], t);
    text_add_char(t, ']');
    write_peers(a, f, t);
    findings_make(f, &findings);
    write_findings(&findings, t);
}

/* ---- Asks and answers */

static void answer_all(struct api *a, struct bytes members)
{
    struct netcheck_ask *ask;

    while ((ask = a->netcheck_asks) != NULL) {
        a->netcheck_asks = ask->next;
        struct text *out = answer_begin(ask->client, ask->ref);
        text_add(out, members);
        answer_end(out);
        ask->client->netchecks--;
        free(ask);
    }
    a->netcheck_ask_count = 0;
    clients_review(a);
}

static void on_done(void *context, const struct netcheck_report *r)
{
    struct api *a = context;
    struct net_facts facts = {.not_before = a->not_before,
                              .not_after = a->not_after};
    size_t count = node_peer_count(edge_node(a->edge));
    struct fact_peer *peers = memory_array(count + 1, sizeof *peers);
    struct text members = {0};

    netcheck_facts(a->edge, r, &facts, peers);
    write_report(a, &facts, r, &members);
    netcheck_close(&a->netcheck);
    answer_all(a, text_bytes(&members));
    text_close(&members);
    free(peers);
}

void netcheck_ask(struct client *c, struct bytes ref)
{
    struct api *a = c->api;

    if (a->netcheck_ask_count == ASKS) {
        answer_error(c, ref, "busy", "too many programs wait for a netcheck");
        return;
    }
    struct netcheck_ask *ask = memory_new(sizeof *ask + ref.size);
    ask->client = c;
    if (ref.size > 0)
        memcpy(ask->room, ref.data, ref.size);
    ask->ref = bytes_of(ask->room, ref.size);
    ask->next = a->netcheck_asks;
    a->netcheck_asks = ask;
    a->netcheck_ask_count++;
    c->netchecks++;
    if (a->netcheck == NULL)
        a->netcheck = netcheck_open(a->edge, on_done, a);
}

void netcheck_forget(struct client *c)
{
    struct api *a = c->api;
    struct netcheck_ask **at = &a->netcheck_asks;

    while (*at != NULL) {
        struct netcheck_ask *ask = *at;
        if (ask->client != c) {
            at = &ask->next;
            continue;
        }
        *at = ask->next;
        a->netcheck_ask_count--;
        free(ask);
    }
    if (a->netcheck_asks == NULL)
        netcheck_close(&a->netcheck);
}
