/*
 * Health: problems of the node, and what to do about them.
 */
#include "edge/shell/api_internal.h"

#include "common/conf/identity.h"
#include "edge/shell/netcheck.h"
#include "edge/shell/remedies.h"

#include <string.h>
#include <time.h>

enum {
    EXPIRES_SOON_S = 14 * 24 * 3600,
    HOURS_TOLD_S = 72 * 3600, /* beyond, days */
    NAMES_TOLD = 3,
};

/* The date of this code: a clock before it is wrong. */
static const uint64_t clock_least = 1767225600; /* 2026-01-01 */

void health_add(struct text *t, const struct health *h, struct text *what)
{
    if (t->data[t->size - 1] != '[')
        text_add_char(t, ',');
    text_add_string(t, "{\"severity\":");
    text_add_json(t, bytes_of_string(h->severity));
    member_add(t, "code", h->code);
    member_add(t, "text", text_string(what));
    member_add(t, "remedy", h->remedy);
    text_add_char(t, '}');
    text_clear(what);
}

/* An old word for the line's code, whatever the error: the text names that. */
static void health_relay(const struct api *a, struct text *t, struct text *what,
                         size_t index)
{
    struct health down = {"warning", "relay_down", NULL};
    struct node_relay relay;

    node_relay_get(edge_node(a->edge), index, &relay);
    if (relay.state == RELAY_UP)
        return;
    text_add_string(what, "The relay ");
    text_add_string(what, edge_relay_url(a->edge, index));
    text_add_string(what, " is not connected");
    if (relay.error[0] != '\0') {
        text_add_string(what, ": ");
        text_add_string(what, relay.error);
    }
    struct remedy remedy = remedy_of_relay(relay.error);
    down.severity = remedy.severity;
    down.remedy = remedy.text;
    health_add(t, &down, what);
}

static void health_relays(const struct api *a, struct text *t,
                          struct text *what)
{
    static const struct health none = {
        "info", "no_relay",
        "To reach peers elsewhere, give the edge a relay: --relay URL, or "
        "relays: in its file."};
    size_t count = edge_relay_count(a->edge);

    if (count == 0) {
        text_add_string(what, "No relay is configured: this node finds only "
                              "peers that it can reach directly.");
        health_add(t, &none, what);
    }
    for (size_t i = 0; i < count; i++)
        health_relay(a, t, what, i);
}

/* "alice, bob, carol and 2 more are": all peers with this path. False: none. */
static bool add_names(const struct api *a, struct text *what,
                      enum node_path path)
{
    struct node_peer peer;
    size_t cursor = 0;
    size_t count = 0;

    while (node_peer_next(edge_node(a->edge), &cursor, &peer)) {
        if (peer.path != path || ++count > NAMES_TOLD)
            continue;
        if (count > 1)
            text_add_string(what, ", ");
        text_add_string(what, peer.name);
    }
    if (count > NAMES_TOLD) {
        text_add_string(what, " and ");
        text_add_number(what, count - NAMES_TOLD);
        text_add_string(what, " more");
    }
    text_add_string(what, count == 1 ? " is" : " are");
    if (count == 0)
        text_clear(what);
    return count > 0;
}

static void health_peers(const struct api *a, struct text *t, struct text *what)
{
    static const struct health relayed = {
        "info", "relay_only",
        "Messages are delivered all the same. zs netcheck says why, and what "
        "would help."};
    static const struct health no_path = {
        "warning", "no_path",
        "A firewall between the two passes UDP but not TCP, or nothing at all: "
        "let incoming TCP connections through to one of them (listen.port sets "
        "the port), or give both a relay."};

    if (add_names(a, what, PATH_RELAY)) {
        text_add_string(what, " reached through the relay only.");
        health_add(t, &relayed, what);
    }
    if (add_names(a, what, PATH_NONE)) {
        text_add_string(what, " present, but cannot be reached now.");
        health_add(t, &no_path, what);
    }
}

static void add_time(struct text *t, uint64_t unix_seconds)
{
    char text[IDENTITY_TIME_SIZE];

    text_add_string(t, identity_print_time(unix_seconds, text));
}

static void health_expiry(const struct api *a, struct text *t,
                          struct text *what, uint64_t now)
{
    static const struct health soon = {
        "warning", "certificate_expires",
        "Renew this identity in the mesh's folder (zs mesh add NAME --renew) "
        "and give the new file to this edge."};
    static const struct health over = {
        "error", "certificate_expired",
        "Others refuse this node. If this host's clock is right, renew this "
        "identity in the mesh's folder (zs mesh add NAME --renew) and give "
        "the new file to this edge."};
    uint64_t left = a->not_after > now ? a->not_after - now : 0;

    if (left == 0) {
        text_add_string(what, "The node's certificate has expired, on ");
        add_time(what, a->not_after);
        text_add_char(what, '.');
        health_add(t, &over, what);
        return;
    }
    text_add_string(what, "The node's certificate expires in ");
    text_add_number(what, left / (left > HOURS_TOLD_S ? 86400 : 3600));
    text_add_string(what, left > HOURS_TOLD_S ? " days." : " hours.");
    health_add(t, &soon, what);
}

static void health_certificate(const struct api *a, struct text *t,
                               struct text *what, uint64_t now)
{
    static const struct health not_yet = {
        "error", "certificate_not_yet",
        "Others refuse this node. Set this host's clock (timedatectl set-ntp "
        "true): the node then joins by itself. If this clock is right, the "
        "machine that made the identity had a wrong clock."};
    static const struct health clock = {
        "error", "clock_wrong",
        "Set this host's clock (timedatectl set-ntp true): nodes check each "
        "other's certificates by their own clocks."};

    if (now < a->not_before) {
        text_add_string(what, "The node's certificate is not valid before ");
        add_time(what, a->not_before);
        text_add_string(what, ", and this host's clock says ");
        add_time(what, now);
        text_add_char(what, '.');
        health_add(t, &not_yet, what);
    } else if (now < clock_least) {
        text_add_string(what, "This host's clock says ");
        add_time(what, now);
        text_add_char(what, '.');
        health_add(t, &clock, what);
    } else if (a->not_after != 0 && a->not_after <= now + EXPIRES_SOON_S) {
        health_expiry(a, t, what, now);
    }
}

/* In the words of zs netcheck. */
static void health_skew(const struct api *a, struct text *t, struct text *what)
{
    static struct findings found; /* large; the loop has one thread */
    struct net_facts facts = {.now = 0};

    netcheck_clocks(a->edge, &facts);
    findings_make_skew(&facts, &found);
    for (size_t i = 0; i < found.count; i++) {
        const struct finding *f = &found.list[i];
        text_add_string(what, f->text);
        health_add(t, &(struct health){f->severity, f->id, f->remedy}, what);
    }
}

/* "eth1, eth2, eth3 and 7 more" */
static size_t add_gap(const struct api *a, struct text *what, enum edge_gap gap)
{
    const char *name = "";
    size_t count = edge_gap(a->edge, gap, 0, &name);

    for (size_t i = 0; i < count && i < NAMES_TOLD; i++) {
        (void)edge_gap(a->edge, gap, i, &name);
        text_add_string(what, i > 0 ? ", " : "");
        text_add_string(what, name);
    }
    if (count > NAMES_TOLD) {
        text_add_string(what, " and ");
        text_add_number(what, count - NAMES_TOLD);
        text_add_string(what, " more");
    }
    return count;
}

static void health_interfaces(const struct api *a, struct text *t,
                              struct text *what)
{
    static const struct health missing = {
        "warning", "interface_missing",
        "`ip address` shows the interfaces: correct listen.interfaces, or "
        "bring the interface up. The edge uses an interface that appears "
        "later."};
    static const struct health unjoined = {
        "warning", "multicast_not_joined",
        "The kernel lets this process join no more multicast groups: raise "
        "net.ipv4.igmp_max_memberships and net.core.optmem_max (sysctl), or "
        "list only the interfaces that matter in listen.interfaces."};

    if (add_gap(a, what, EDGE_GAP_MISSING) > 0) {
        text_add_string(what, ", which listen.interfaces names: missing, down, "
                              "or without an address.");
        health_add(t, &missing, what);
    }
    if (add_gap(a, what, EDGE_GAP_UNJOINED) > 0) {
        text_add_string(what, ": multicast is not heard there, so this node "
                              "finds no other nodes there by multicast.");
        health_add(t, &unjoined, what);
    }
}

static void health_network(const struct api *a, struct text *t,
                           struct text *what)
{
    static const struct health deaf = {
        "warning", "discovery_deaf",
        "Find the program that has the port exclusively (ss -lunp) and end it, "
        "or set another discovery.port at all nodes."};
    static const struct health unannounced = {
        "info", "addresses_left_out",
        "Nodes on those networks still find this node by multicast. For other "
        "nodes, list only the interfaces that matter in listen.interfaces."};
    const char *name;
    size_t count;

    health_interfaces(a, t, what);
    if (edge_gap(a->edge, EDGE_GAP_DEAF, 0, &name) > 0) {
        text_add_string(what, "The discovery port is not available: this node "
                              "hears no multicast.");
        health_add(t, &deaf, what);
    }
    if ((count = edge_gap(a->edge, EDGE_GAP_ADDRESSES, 0, &name)) > 0) {
        text_add_number(what, count);
        text_add_string(
            what,
            " of this host's addresses do not fit into its announcement.");
        health_add(t, &unannounced, what);
    }
}

static void health_large(const struct api *a, struct text *t, struct text *what)
{
    static const struct health large = {
        "warning", "large_packets_lost",
        "A tunnel on the way takes smaller packets than the MTU of the "
        "interface here, and a firewall drops its ICMP messages: lower the "
        "interface's MTU (ip link set dev DEV mtu 1280), or clamp the MSS at "
        "the router."};
    const char *name = "";
    size_t segment = edge_gap(a->edge, EDGE_GAP_LARGE, 0, &name);

    if (name[0] == '\0')
        return;
    text_add_string(what, "Large packets do not reach ");
    text_add_string(what, name);
    text_add_string(what, " directly.");
    if (segment > 0) {
        text_add_string(what, " New connections use TCP segments of ");
        text_add_number(what, segment);
        text_add_string(what, " bytes.");
    }
    health_add(t, &large, what);
}

void health_write(const struct api *a, struct text *t, struct text *what)
{
    health_certificate(a, t, what, (uint64_t)time(NULL));
    health_skew(a, t, what);
    health_network(a, t, what);
    health_refusals(a, t, what);
    health_large(a, t, what);
    health_relays(a, t, what);
    health_peers(a, t, what);
}
