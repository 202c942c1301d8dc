#include "common/conf/edge_conf.h"

#include "common/conf/conf_checks.h"
#include "common/wire/announcement.h"

#include <string.h>
#include <sys/un.h>

#define AT(member) .offset = offsetof(struct edge_conf, member)
#define MS(count) ((count)*UINT64_C(1000))
#define HOURS(count) ((count)*UINT64_C(3600000000))
#define KIB(count) ((count)*UINT64_C(1024))
#define GIB(count) ((count)*UINT64_C(1073741824))

enum { RELAYS = 8, PEERS = 256, STUN_SERVERS = 16 };
enum { INTERFACES = 64, PORTS = 65535 };

static const char *const udp_uses[] = {"true", "false", "easy", NULL};

static const char *const yes_or_no[] = {"true", "false", NULL};

#define IN_ENTRY(member) .offset = offsetof(struct relay_entry, member)

/* clang-format off */
static const struct conf_key relay_keys[] = {
    {.path = "relays.url", .kind = CONF_STRING, IN_ENTRY(url), .fallback = "",
     .sample = "tcp://relay.example.org:443?key=KEY", .check = check_relay,
     .help = "The relay's URL."},
    {.path = "relays.connect_to", .kind = CONF_STRING, IN_ENTRY(connect_to),
     .fallback = "", .check = check_dial,
     .help = "HOST[:PORT] to dial; empty: those of the URL."},
    {.path = "relays.server_name", .kind = CONF_STRING, IN_ENTRY(server_name),
     .fallback = "", .check = check_server_name,
     .help = "The name in TLS; empty: the URL's host."},
    {.path = "relays.verify", .kind = CONF_CHOICE, IN_ENTRY(verify),
     .fallback = "", .choices = yes_or_no,
     .help = "Check the certificate; empty: as tls.verify says."},
};
/* clang-format on */

static const struct conf_table relay_table = {
    .keys = relay_keys,
    .count = sizeof relay_keys / sizeof relay_keys[0],
    .size = sizeof(struct relay_entry),
};

/* clang-format off */
static const struct conf_key keys[] = {
    {.path = "node.identity", .kind = CONF_PATH, AT(node.identity),
     .fallback = "", .sample = "node.zs",
     .help = "The file that `zs mesh add` made; relative to this file."},
    {.path = "node.info", .kind = CONF_MAPPING, AT(node.info), .fallback = "{}",
     .max = ANNOUNCEMENT_INFO_SIZE,
     .help = "Any mapping; other nodes see it as JSON: {role: camera}"},
    {.path = "node.groups", .kind = CONF_LIST, AT(node.groups),
     .fallback = "[]", .max = ANNOUNCEMENT_GROUPS, .check = check_name,
     .live = true,
     .help = "Groups that this node is a member of."},
    {.path = "node.revoked", .kind = CONF_PATH, AT(node.revoked),
     .fallback = "", .live = true,
     .help = "The list of revoked nodes; empty: revoked.zs beside the identity."},

    {.path = "listen.port", .kind = CONF_PORT, AT(listen.port), .fallback = "0",
     .max = PORTS,
     .help = "TCP port for direct links; 0: any free port."},
    {.path = "listen.udp", .kind = CONF_PORT, AT(listen.udp), .fallback = "0",
     .max = PORTS,
     .help = "UDP port for direct links through NATs; 0: any free port."},
    {.path = "listen.interfaces", .kind = CONF_LIST, AT(listen.interfaces),
     .fallback = "[all]", .min = 1, .max = INTERFACES, .check = check_interface,
     .help = "The interfaces to use, by name; or all."},

    {.path = "discovery.multicast", .kind = CONF_BOOL, AT(discovery.multicast),
     .fallback = "true",
     .help = "Find other nodes on the LAN by beacons."},
    {.path = "discovery.group", .kind = CONF_STRING, AT(discovery.group),
     .fallback = "239.255.90.83", .check = check_multicast4,
     .help = "The beacons' multicast group; the same in all nodes."},
    {.path = "discovery.group6", .kind = CONF_STRING, AT(discovery.group6),
     .fallback = "ff12::5a53", .check = check_multicast6,
     .help = "The same for IPv6."},
    {.path = "discovery.port", .kind = CONF_PORT, AT(discovery.port),
     .fallback = "9083", .min = 1, .max = PORTS,
     .help = "The beacons' UDP port; the same in all nodes."},
    {.path = "discovery.interval", .kind = CONF_DURATION,
     AT(discovery.interval), .fallback = "1s", .min = MS(50), .max = HOURS(1),
     .help = "The time between two beacons."},
    {.path = "discovery.peers", .kind = CONF_LIST, AT(discovery.peers),
     .fallback = "[]", .max = PEERS, .check = check_connect, .live = true,
     .help = "host:port of nodes to dial where multicast does not pass."},
    {.path = "discovery.stun", .kind = CONF_LIST, AT(discovery.stun),
     .fallback = "[]", .max = STUN_SERVERS, .check = check_connect,
     .live = true,
     .help = "host:port of STUN servers, in addition to the relays. They tell\n"
             "this node its address on the Internet, for UDP paths."},
    {.path = "discovery.share_addresses", .kind = CONF_BOOL,
     AT(discovery.share_addresses), .fallback = "true",
     .help = "Tell all nodes this host's own addresses; false: only nodes whose\n"
             "beacons are heard, as they are on the same LAN."},
    {.path = "discovery.port_mapping", .kind = CONF_BOOL,
     AT(discovery.port_mapping), .fallback = "true",
     .help = "Ask the router, by NAT-PMP or UPnP, to let direct links in."},

    {.path = "relays", .kind = CONF_ENTRIES, AT(relays), .fallback = "[]",
     .max = RELAYS, .entry = &relay_table,
     .help = "URLs of relays, in addition to those of the identity; or mappings\n"
             "{url, connect_to, server_name, verify}: connect_to, HOST[:PORT], is\n"
             "dialled in place of the URL's host; server_name is the name in TLS;\n"
             "verify is tls.verify for this relay alone. A URL of the identity\n"
             "may stand here again, to give it these."},
    {.path = "proxy", .kind = CONF_STRING, AT(proxy), .fallback = "",
     .check = check_proxy, .secret = true,
     .help = "The proxy to relays: http://[user:password@]host:port, https://,\n"
             "socks4://, socks4a://, socks5:// or socks5h:// (resolves names);\n"
             "none: no proxy; empty: with and without the environment's\n"
             "https_proxy, unless no_proxy names the relay's host."},
    {.path = "tls.verify", .kind = CONF_BOOL, AT(tls.verify),
     .fallback = "false",
     .help = "Check also the certificates of relays, by the system's store. The\n"
             "key in a relay's URL is checked always, so this is not necessary."},

    {.path = "paths.tcp", .kind = CONF_BOOL, AT(paths.tcp), .fallback = "true",
     .help = "Direct TCP links to other nodes."},
    {.path = "paths.udp", .kind = CONF_CHOICE, AT(paths.udp),
     .fallback = "true", .choices = udp_uses,
     .help = "Direct UDP through NATs: true, false, or easy. A NAT that gives\n"
             "each connection another port takes 256 sockets for some seconds;\n"
             "easy leaves such pairs of nodes on the relay."},
    {.path = "paths.relay", .kind = CONF_BOOL, AT(paths.relay),
     .fallback = "true",
     .help = "Paths through a relay."},

    {.path = "presence.probe", .kind = CONF_DURATION, AT(presence.probe),
     .fallback = "1s", .min = MS(20), .max = HOURS(1),
     .help = "How often the node probes a silent peer."},
    {.path = "presence.lost_after", .kind = CONF_DURATION,
     AT(presence.lost_after), .fallback = "3s", .min = MS(50), .max = HOURS(24),
     .help = "A peer that is silent for this time is lost."},

    {.path = "limits.message", .kind = CONF_SIZE, AT(limits.message),
     .fallback = "16MiB", .min = 256, .max = GIB(1),
     .help = "The largest message."},
    {.path = "limits.window", .kind = CONF_SIZE, AT(limits.window),
     .fallback = "4MiB", .min = KIB(4), .max = GIB(1),
     .help = "Bytes in flight to one peer; beyond that senders wait."},
    {.path = "limits.peers", .kind = CONF_COUNT, AT(limits.peers),
     .fallback = "4096", .min = 1, .max = 1000000,
     .help = "Nodes known at a time."},
    {.path = "limits.links", .kind = CONF_COUNT, AT(limits.links),
     .fallback = "256", .min = 1, .max = 65536,
     .help = "Direct links open at a time."},
    {.path = "limits.memory", .kind = CONF_SIZE, AT(limits.memory),
     .fallback = "256MiB", .min = KIB(16384), .max = GIB(64), .live = true,
     .help = "Memory for data that connections sent and the edge has not read;\n"
             "beyond it the edge cuts the connection that holds most. Local\n"
             "programs may use half as much in addition."},

    {.path = "api.socket", .kind = CONF_PATH, AT(api.socket),
     .fallback = "",
     .help = "The local API's socket; empty: NAME.sock in\n"
             "$XDG_RUNTIME_DIR/zeroservices, else in /run/zeroservices."},
    {.path = "api.http", .kind = CONF_STRING, AT(api.http), .fallback = "",
     .check = check_listen,
     .help = "ADDRESS:PORT for the local API by HTTP, which requires the\n"
             "token in NAME.token beside the socket; empty: off."},

    {.path = "log.level", .kind = CONF_CHOICE, AT(log.level),
     .fallback = "info", .choices = conf_log_levels, .live = true,
     .help = "error, warn, info or debug."},
    {.path = "log.format", .kind = CONF_CHOICE, AT(log.format),
     .fallback = "text", .choices = conf_log_formats, .live = true,
     .help = "text or json."},
};
/* clang-format on */

bool relay_entry_is_plain(const struct relay_entry *entry)
{
    return *entry->connect_to == '\0' && *entry->server_name == '\0' &&
           *entry->verify == '\0';
}

const struct relay_entry *edge_conf_relay(const struct edge_conf *conf,
                                          size_t index)
{
    ASSERT(index < conf->relays.count);
    return (const struct relay_entry *)conf->relays.items + index;
}

bool edge_conf_has_udp(const struct edge_conf *conf)
{
    return strcmp(conf->paths.udp, "false") != 0;
}

bool edge_conf_is_udp_easy(const struct edge_conf *conf)
{
    return strcmp(conf->paths.udp, "easy") == 0;
}

static const char *check_interfaces(const void *conf)
{
    const struct conf_list *list =
        &((const struct edge_conf *)conf)->listen.interfaces;
    return conf_list_has(list, "all") && list->count > 1
               ? "wants all alone, or names"
               : NULL;
}

static const char *check_paths(const void *conf)
{
    const struct edge_conf *c = conf;
    return c->paths.tcp || edge_conf_has_udp(c) || c->paths.relay
               ? NULL
               : "is false, and so are `paths.udp` and `paths.relay`: no "
                 "path is left";
}

static const char *check_presence(const void *conf)
{
    const struct edge_conf *c = conf;
    return c->presence.lost_after.us > c->presence.probe.us
               ? NULL
               : "must be longer than `presence.probe`";
}

static const char *check_socket(const void *conf)
{
    const struct edge_conf *c = conf;
    struct sockaddr_un address;
    return strlen(c->api.socket) < sizeof address.sun_path
               ? NULL
               : "is too long for the path of a socket (107 bytes)";
}

static const struct conf_rule rules[] = {
    {{"listen.interfaces"}, check_interfaces},
    {{"paths.tcp", "paths.udp", "paths.relay"}, check_paths},
    {{"presence.lost_after", "presence.probe"}, check_presence},
    {{"api.socket"}, check_socket},
};

const struct conf_table edge_conf_table = {
    .title = "The settings of zs-edge: every key at its default. Your own file "
             "needs only\n"
             "node.identity and the keys that differ. Durations: 250ms 1s 5m "
             "1h 90d; sizes:\n"
             "64KiB 4MiB. [reload]: SIGHUP applies the key; other keys need a "
             "restart.\n"
             "`zs-edge -c FILE --check` lists all mistakes of a file.",
    .keys = keys,
    .count = sizeof keys / sizeof keys[0],
    .size = sizeof(struct edge_conf),
    .rules = rules,
    .rule_count = sizeof rules / sizeof rules[0],
};

void edge_conf_defaults(struct edge_conf *conf)
{
    conf_defaults(&edge_conf_table, conf);
}

bool edge_conf_load(const char *path, struct edge_conf *conf, FILE *errors)
{
    return conf_load(&edge_conf_table, path, conf, errors);
}

bool edge_conf_set(struct edge_conf *conf, const char *key, const char *text,
                   const char *option, FILE *errors)
{
    return conf_set(&edge_conf_table, conf, key, text, option, errors);
}

void edge_conf_print(const struct edge_conf *conf, FILE *out)
{
    conf_print(&edge_conf_table, conf, false, out);
}

void edge_conf_diff(const struct edge_conf *before,
                    const struct edge_conf *after, conf_changed *changed,
                    void *context)
{
    conf_diff(&edge_conf_table, before, after, changed, context);
}

void edge_conf_free(struct edge_conf *conf)
{
    conf_free(&edge_conf_table, conf);
}
