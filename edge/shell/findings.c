#include "edge/shell/findings_private.h"

#include "edge/shell/remedies.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void findings_add(struct findings *out, const char *severity, const char *id,
                  const char *remedy, const char *text, ...)
{
    va_list arguments;

    if (out->count == FINDINGS_MOST)
        return;
    struct finding *f = &out->list[out->count++];
    *f = (struct finding){.id = id, .severity = severity, .remedy = remedy};
    va_start(arguments, text);
    vsnprintf(f->text, sizeof f->text, text, arguments);
    va_end(arguments);
}

/* ---- Relays */

/* The node's words for the errors of a relay, and the contract's. */
static const struct {
    const char *own, *word;
} relay_words[] = {
    {"connection_lost", "unreachable"}, {"silent", "timeout"},
    {"wrong_mesh", "certificate"},      {"forged", "certificate"},
    {"expired", "certificate"},         {"not_yet", "clock"},
    {"key_mismatch", "certificate"},    {"malformed", "version"},
    {"shutdown", "restarting"},
};

const char *finding_relay_word(const char *own_error)
{
    for (size_t i = 0; i < sizeof relay_words / sizeof relay_words[0]; i++)
        if (strcmp(own_error, relay_words[i].own) == 0)
            return relay_words[i].word;
    return own_error;
}

/* What a word says of a relay, after "The relay HOST:PORT ". A remedy of NULL
 * is that of the node's own error. */
static const struct relay_sentence {
    const char *word, *id, *severity, *text, *remedy;
} relay_sentences[] = {
    {"dns", "relay_dns", ERROR, "is unknown here: DNS has no address for it.",
     "Check the host in the URL and the DNS here (getent hosts NAME), or use "
     "an address instead of the name."},
    {"refused", "relay_refused", ERROR,
     "refuses the connection: the host is up, but nothing listens at that "
     "port.",
     "Start zs-relay there, or correct the port in the relay's URL."},
    {"timeout", "relay_timeout", ERROR, "does not answer.",
     "Check that the host is up, and that firewalls let TCP to that port pass: "
     "out of this network, and into the relay's."},
    {"unreachable", "relay_unreachable", ERROR, "cannot be reached.",
     "Check that this host is connected and has a route there (ip route), and "
     "that zs-relay runs there."},
    {"not_a_relay", "relay_not_a_relay", ERROR,
     "is another program: what answers there is no relay.",
     "Check host and port in the URL; at that host, `ss -ltnp` shows which "
     "program has the port."},
    {"tls", "relay_tls", ERROR,
     "is not reached by TLS: it failed, or the certificate is not accepted.",
     NULL},
    {"proxy_auth", "relay_proxy_auth", ERROR,
     "is not reached: the proxy wants a user and a password, or others.", NULL},
    {"proxy_refused", "relay_proxy_refused", ERROR,
     "is not reached: the proxy does not connect to that host or port.", NULL},
    {"captive_portal", "relay_captive_portal", ERROR,
     "is not reached: this network answers in its place, and wants somebody to "
     "log in first.",
     NULL},
    {"wrong_key", "relay_wrong_key", ERROR, "does not have the key of its URL.",
     NULL},
    {"mesh_unknown", "relay_mesh_unknown", ERROR,
     "does not serve this node's mesh.", NULL},
    {"certificate", "relay_certificate", ERROR,
     "does not accept this node's certificate.", NULL},
    {"clock", "relay_clock", ERROR,
     "does not accept this node's certificate by its clock: the relay's clock "
     "or this host's is wrong.",
     NULL},
    {"revoked", "relay_revoked", ERROR, "says that this node is revoked.",
     NULL},
    {"replaced", "relay_replaced", ERROR,
     "has another process with this node's identity.", NULL},
    {"name_taken", "relay_name_taken", ERROR,
     "has another node with this node's name.", NULL},
    {"version", "relay_version", ERROR,
     "speaks another version of the protocol.", NULL},
    {"full", "relay_full", WARNING, "is full.", NULL},
    {"restarting", "relay_restarting", WARNING, "is restarting.", NULL},
};

/* A relay that accepts connections but does not answer as it should. */
static const struct relay_sentence relay_stalls = {
    "timeout", "relay_stalls", ERROR,
    "accepts the connection, but does not admit this node in time.", NULL};
static const struct relay_sentence relay_other = {"", "relay_refuses", ERROR,
                                                  "refuses this node.", NULL};

static const struct relay_sentence *row_of(const struct fact_relay *r)
{
    if (strcmp(r->error, "timeout") == 0 && r->connects)
        return &relay_stalls;
    for (size_t i = 0; i < sizeof relay_sentences / sizeof relay_sentences[0];
         i++)
        if (strcmp(r->error, relay_sentences[i].word) == 0)
            return &relay_sentences[i];
    return &relay_other;
}

/* The node dials again within 2 s; see what netcheck says then. */
static void add_dialled(const struct fact_relay *r, struct findings *out)
{
    if (!r->up && r->error[0] == '\0')
        findings_add(
            out, WARNING, "relay_connecting",
            "Run zs netcheck again in a few "
            "seconds.",
            "The relay %s:%u can be reached, but this node is not connected to "
            "it yet.",
            r->host, r->port);
}

/* The node's own error says more than the contract's word for it; but what was
 * tried just now may have failed in another way. */
static const char *remedy_of(const struct fact_relay *r)
{
    bool same = strcmp(finding_relay_word(r->own_error), r->error) == 0;

    return remedy_of_relay(same ? r->own_error : r->error).text;
}

static void add_relays(const struct net_facts *f, struct findings *out)
{
    if (f->relay_count == 0)
        findings_add(
            out, INFO, "no_relay",
            "To reach peers elsewhere, give the edge a relay: --relay URL, or "
            "relays: in its file.",
            "No relay is configured: this node finds only peers that it can "
            "reach directly.");
    for (size_t i = 0; i < f->relay_count; i++) {
        const struct fact_relay *r = &f->relays[i];
        add_dialled(r, out);
        if (r->up || r->error[0] == '\0')
            continue;
        const struct relay_sentence *row = row_of(r);
        findings_add(out, row->severity, row->id,
                     row->remedy != NULL ? row->remedy : remedy_of(r),
                     "The relay %s:%u %s", r->host, r->port, row->text);
    }
}

static bool some_relay_is_up(const struct net_facts *f)
{
    for (size_t i = 0; i < f->relay_count; i++)
        if (f->relays[i].up)
            return true;
    return false;
}

static bool some_relay_connects(const struct net_facts *f)
{
    for (size_t i = 0; i < f->relay_count; i++)
        if (f->relays[i].up || f->relays[i].connects)
            return true;
    return false;
}

bool facts_reach(const struct net_facts *f)
{
    for (size_t i = 0; i < f->peer_count; i++)
        if (f->peers[i].reachable)
            return true;
    return some_relay_is_up(f);
}

/* ---- The interfaces */

static void add_interfaces(const struct net_facts *f, struct findings *out)
{
    if (!f->has_network && !facts_reach(f))
        findings_add(
            out, ERROR, "no_network",
            "Connect the host to a network (ip address). The edge uses an "
            "interface as soon as it has an address.",
            "This host has no network: no interface but loopback has an "
            "address.");
    if (f->missing[0] != '\0')
        findings_add(
            out, WARNING, "interface_missing",
            "`ip address` shows the interfaces: correct listen.interfaces, or "
            "bring the interface up.",
            "listen.interfaces names %s: missing, down, or without an address.",
            f->missing);
    if (f->deaf)
        findings_add(
            out, WARNING, "discovery_deaf",
            "Find the program that has the port exclusively (ss -lunp) and end "
            "it, or set another discovery.port at all nodes.",
            "The discovery port is not available: this node hears no "
            "multicast.");
    if (f->unjoined[0] != '\0')
        findings_add(
            out, WARNING, "multicast_not_joined",
            "Raise net.ipv4.igmp_max_memberships and net.core.optmem_max "
            "(sysctl), or list only the interfaces that matter in "
            "listen.interfaces.",
            "The kernel lets this process join no more multicast groups: on %s "
            "this node hears no multicast.",
            f->unjoined);
    if (f->has_network && f->multicast && !f->deaf && f->beacons_sent > 0 &&
        f->beacons_heard == 0)
        findings_add(
            out, INFO, "multicast_unheard",
            "If another node is on this LAN, the switch or the access point "
            "does not pass multicast: list that node in discovery.peers, as "
            "host:port.",
            "No other node was heard by multicast on this LAN.");
}

/* ---- UDP */

/* "443, 3478": the ports of the relay with this verdict. */
static const char *ports_that(const struct fact_relay *r,
                              enum stun_verdict verdict, char text[64])
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < r->port_count; i++)
        if (r->ports[i].asked && r->ports[i].verdict == verdict && used < 48)
            used += (size_t)snprintf(text + used, 64 - used, "%s%u",
                                     used > 0 ? ", " : "", r->ports[i].port);
    return text;
}

static size_t port_count(const struct fact_relay *r, enum stun_verdict verdict)
{
    size_t count = 0;

    for (size_t i = 0; i < r->port_count; i++)
        count += r->ports[i].asked && r->ports[i].verdict == verdict;
    return count;
}

/* A host that says that its port is closed received the datagram. */
static bool some_are_closed(const struct net_facts *f)
{
    for (size_t i = 0; i < f->relay_count; i++)
        if (port_count(&f->relays[i], STUN_CLOSED) > 0)
            return true;
    return false;
}

bool facts_udp_passes(const struct net_facts *f)
{
    return f->seen.answered_v4 || f->seen.answered_v6 || f->stun_asked == 0 ||
           some_are_closed(f) || !some_relay_connects(f);
}

static const char stun_remedy[] =
    "At the relay: see that listen.udp in relay.yaml has these ports, and that "
    "the firewalls before it (a cloud's security group too) let UDP to them "
    "in.";

/* Two ports of a relay are enough: its URL may name another TCP port than those
 * that answer STUN. */
static void add_closed(const struct fact_relay *r, struct findings *out)
{
    size_t answered = port_count(r, STUN_ANSWERED);
    bool closed = port_count(r, STUN_CLOSED) > 0;
    char ports[64];

    if (answered >= 2 || (!r->up && !r->connects))
        return;
    ports_that(r, closed ? STUN_CLOSED : STUN_SILENT, ports);
    if (ports[0] == '\0')
        return;
    if (answered == 1)
        findings_add(
            out, INFO, "stun_one_port", stun_remedy,
            "The relay %s answers STUN at one port only, and not at UDP %s: "
            "the kind of this node's NAT shows less clearly.",
            r->host, ports);
    else if (closed)
        findings_add(
            out, WARNING, "stun_closed", stun_remedy,
            "The relay %s answers no STUN at UDP %s: its host says that the "
            "port is closed. UDP out of this network is not the problem.",
            r->host, ports);
    else
        findings_add(
            out, WARNING, "stun_closed", stun_remedy,
            "The relay %s answers no STUN at UDP %s, while other servers "
            "answer: a firewall at the relay drops it.",
            r->host, ports);
}

static void add_blocked(const struct net_facts *f, struct findings *out)
{
    if (facts_udp_passes(f))
        return;
    if (f->relay_count == 1 && f->relays[0].port_count == (size_t)f->stun_asked)
        findings_add(
            out, WARNING, "udp_blocked",
            "Let outgoing UDP pass, at least to the relay's ports 443 and "
            "3478. If this network does pass UDP, the relay's firewall drops "
            "it: a second server in discovery.stun shows which it is.",
            "The relay does not answer by UDP, though it does by TCP: this "
            "network lets no UDP out, or its answers not back in. Peers behind "
            "NATs are reached by the relay.");
    else
        findings_add(
            out, WARNING, "udp_blocked",
            "Let outgoing UDP pass: the firewall of this network, or of this "
            "host, drops it or its answers.",
            "None of %d STUN servers and ports answers, though a relay does by "
            "TCP: this network lets no UDP out, or its answers not back in. "
            "Peers behind NATs are reached by the relay.",
            f->stun_asked);
}

static void add_stun(const struct net_facts *f, struct findings *out)
{
    bool answered = f->seen.answered_v4 || f->seen.answered_v6;

    if (f->stun_asked == 0)
        findings_add(
            out, INFO, "stun_unknown",
            "Give the edge a relay, or name a server in discovery.stun.",
            "No STUN server is known, or none has an address: this node cannot "
            "know its outside address.");
    add_blocked(f, out);
    if (answered || some_are_closed(f))
        for (size_t i = 0; i < f->relay_count; i++)
            add_closed(&f->relays[i], out);
    if (f->seen.answered_v4 && f->host_v6 && f->asked_v6 &&
        !f->seen.answered_v6)
        findings_add(
            out, INFO, "udp_ipv6_blocked",
            "Nothing needs to be done: IPv4 is used. To use IPv6, let outgoing "
            "UDP pass for it as well.",
            "UDP gets out by IPv4, but not by IPv6.");
}

static void add_nat(const struct net_facts *f, struct findings *out)
{
    const struct outside_view *v = &f->seen;

    if (v->mapping == MAPPING_DEPENDENT && !f->mapped_udp)
        findings_add(
            out, INFO, "nat_address_dependent",
            "Most peers are reached directly all the same, after some seconds. "
            "For the others, let the router map a port (switch on UPnP or "
            "NAT-PMP), or forward a UDP port to this host and set listen.udp.",
            "Your NAT gives each connection another port%s (address-dependent "
            "mapping, a symmetric NAT). Peers behind such a NAT too are "
            "reached by the relay.",
            v->step != 0 ? ", in sequence" : "");
    else if (v->mapping == MAPPING_UNKNOWN && v->servers == 1)
        findings_add(
            out, INFO, "nat_unknown",
            "Nothing needs to be done. To know it, name a second server in "
            "discovery.stun, or use a second relay.",
            "There is a NAT. Whether it gives each connection another port is "
            "not known: only one server was asked.");
}

static void add_udp(const struct net_facts *f, struct findings *out)
{
    if (f->udp == FACT_UDP_OFF)
        findings_add(
            out, INFO, "udp_off",
            "Set paths.udp: true in the edge's file and restart the edge.",
            "paths.udp is false: peers behind NATs are reached by the relay "
            "only.");
    else if (f->udp == FACT_UDP_ABSENT)
        findings_add(
            out, INFO, "udp_absent",
            "Use a build with QUIC (libngtcp2 and GnuTLS), if peers should be "
            "reached directly through NATs.",
            "Paths over UDP are not open here: this build lacks QUIC, or the "
            "sockets could not be opened.");
    add_stun(f, out);
    add_nat(f, out);
}

/* ---- Peers */

static const char relayed_remedy[] =
    "Messages are delivered all the same. For a direct path, let the router of "
    "one of the two map a port (UPnP or NAT-PMP), or forward a port to it "
    "(listen.port for TCP, listen.udp for UDP).";

static void add_peer_nat(const struct net_facts *f, const struct fact_peer *p,
                         struct findings *out)
{
    bool here = f->seen.mapping == MAPPING_DEPENDENT;
    bool there = p->peer_mapping == MAPPING_DEPENDENT;

    if (here && there)
        findings_add(
            out, INFO, "peer_nat", relayed_remedy,
            "%s is relayed: both of you have a NAT with address-dependent "
            "mapping, so neither can know the port of the other.",
            p->name);
    else if ((here || there) && f->udp_easy)
        findings_add(
            out, INFO, "peer_nat",
            "Set paths.udp: true, which uses 256 sockets for some seconds, or "
            "let a router map a port.",
            "%s is relayed: %s NAT has address-dependent mapping, and "
            "paths.udp is easy here.",
            p->name, here ? "your" : "its");
    else if (here || there)
        findings_add(
            out, INFO, "peer_nat", relayed_remedy,
            "%s is relayed: %s NAT has address-dependent mapping, and no port "
            "of it was hit so far.",
            p->name, here ? "your" : "its");
    else
        findings_add(
            out, INFO, "peer_nat", relayed_remedy,
            "%s is relayed: the NATs or firewalls between you let no direct "
            "path open.",
            p->name);
}

static void add_peer_blocked(const struct net_facts *f,
                             const struct fact_peer *p, struct findings *out)
{
    if (!facts_udp_passes(f))
        findings_add(
            out, INFO, "peer_udp_blocked",
            "Messages are delivered all the same. For a direct path, let "
            "outgoing UDP pass here, or incoming TCP to listen.port.",
            "%s is relayed: your side lets no UDP out.", p->name);
    else
        findings_add(
            out, INFO, "peer_udp_blocked",
            "Messages are delivered all the same. For a direct path, let "
            "outgoing UDP pass at that side; `zs netcheck` there says more.",
            "%s is relayed: %s's side lets no UDP out.", p->name, p->name);
}

static void add_peer_off(const struct net_facts *f, const struct fact_peer *p,
                         struct findings *out)
{
    if (f->udp != FACT_UDP_ON)
        findings_add(
            out, INFO, "peer_paths_off",
            "Messages are delivered all the same. For a direct path, switch "
            "UDP on here (paths.udp: true), or let incoming TCP to listen.port "
            "of one of the two pass.",
            "%s is relayed: this node has no paths over UDP.", p->name);
    else
        findings_add(
            out, INFO, "peer_paths_off",
            "Messages are delivered all the same. For a direct path, switch "
            "UDP on there (paths.udp: true), or update that node.",
            "%s is relayed: %s has no paths over UDP.", p->name, p->name);
}

static void add_unreachable(const struct net_facts *f,
                            const struct fact_peer *p, struct findings *out)
{
    bool relays_are_down = f->relay_count > 0 && !some_relay_is_up(f);

    findings_add(out, WARNING, "peer_no_path",
                 relays_are_down
                     ? "No relay is connected that could forward to it: see "
                       "above. Without one, incoming TCP connections have to "
                       "pass to one of the two (listen.port sets the port)."
                     : "Let incoming TCP connections pass to one of the two "
                       "(listen.port sets the port), or give both a relay.",
                 "%s is present, but cannot be reached now.", p->name);
}

static void add_peer(const struct net_facts *f, const struct fact_peer *p,
                     struct findings *out)
{
    if (!p->reachable)
        add_unreachable(f, p, out);
    else if (strcmp(p->why, "nat") == 0)
        add_peer_nat(f, p, out);
    else if (strcmp(p->why, "udp_blocked") == 0)
        add_peer_blocked(f, p, out);
    else if (strcmp(p->why, "paths_off") == 0)
        add_peer_off(f, p, out);
    else if (strcmp(p->why, "no_candidates") == 0)
        findings_add(
            out, INFO, "peer_no_candidates",
            "Messages are delivered all the same. Run `zs netcheck` at both "
            "ends: one of them knows no address that the other could try.",
            "%s is relayed: one of you has no address that the other can "
            "try, or only IPv4 while the other has only IPv6.",
            p->name);
    else if (strcmp(p->why, "held_down") == 0)
        findings_add(
            out, INFO, "peer_held_down", "",
            "%s is relayed for now: the direct path failed a while ago, and is "
            "used again when it has been well for some time.",
            p->name);
    else if (strcmp(p->why, "trying") == 0)
        findings_add(out, INFO, "peer_trying", "",
                     "%s is relayed so far: a direct path is being tried.",
                     p->name);
}

void findings_make(const struct net_facts *f, struct findings *out)
{
    out->count = 0;
    findings_add_clock(f, out);
    add_interfaces(f, out);
    add_relays(f, out);
    findings_add_way(f, out);
    add_udp(f, out);
    for (size_t i = 0; i < f->peer_count; i++)
        add_peer(f, &f->peers[i], out);
}
