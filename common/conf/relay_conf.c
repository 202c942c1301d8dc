#include "common/conf/relay_conf.h"

#include "common/base/hex.h"
#include "common/base/memory.h"
#include "common/conf/conf_checks.h"

#define AT(member) .offset = offsetof(struct relay_conf, member)
#define MS(count) ((count)*UINT64_C(1000))
#define KIB(count) ((count)*UINT64_C(1024))
#define GIB(count) ((count)*UINT64_C(1073741824))

enum {
    LISTENERS = 16,
    LISTS = 1024,
    MESHES = 4096,
    EDGES = 10000000,
    HANDSHAKES = 1000000
};

/* clang-format off */
static const struct conf_key keys[] = {
    {.path = "relay.key", .kind = CONF_PATH, AT(relay.key),
     .fallback = "relay.key",
     .help = "The file that `zs-relay init` made; relative to this file."},
    {.path = "relay.name", .kind = CONF_STRING, AT(relay.name),
     .fallback = "relay-1", .check = check_name,
     .help = "The relay's name; edges log it."},
    {.path = "relay.revoked", .kind = CONF_PATHS, AT(relay.revoked),
     .fallback = "[]", .max = LISTS, .live = true,
     .help = "Lists of revoked nodes, made by `zs mesh revoke`."},

    {.path = "listen.tcp", .kind = CONF_LIST, AT(listen.tcp),
     .fallback = "[\"*:443\"]", .max = LISTENERS,
     .check = check_listen,
     .help = "CurveZMQ, and on the same port HTTP, TLS and WebSocket."},
    {.path = "listen.curve", .kind = CONF_LIST, AT(listen.curve),
     .fallback = "[]", .max = LISTENERS, .check = check_listen,
     .help = "CurveZMQ by libzmq's ROUTER instead of the front door: its I/O\n"
             "threads use many cores."},
    {.path = "listen.udp", .kind = CONF_LIST, AT(listen.udp),
     .fallback = "[\"*:443\", \"*:3478\"]", .max = LISTENERS,
     .check = check_listen,
     .help = "STUN, for nodes that look for a direct path."},
    {.path = "listen.proxy_protocol", .kind = CONF_LIST,
     AT(listen.proxy_protocol), .fallback = "[]", .max = RELAY_PROXIES,
     .check = check_prefix, .live = true,
     .help = "Addresses or networks of load balancers before listen.tcp. Their\n"
             "connections begin with a PROXY header (version 1 or 2), or are HTTP\n"
             "with X-Forwarded-For. The client named there counts for limits."},

    {.path = "tls.certificate", .kind = CONF_PATH, AT(tls.certificate),
     .fallback = "", .live = true,
     .help = "A PEM file, with the chain; empty: the relay makes a self-signed\n"
             "one and keeps it beside its key. The CurveZMQ inside does the\n"
             "authentication. The relay reads both files again when they\n"
             "change."},
    {.path = "tls.key", .kind = CONF_PATH, AT(tls.key), .fallback = "",
     .live = true,
     .help = "The certificate's key, a PEM file without a passphrase."},

    {.path = "meshes", .kind = CONF_LIST, AT(meshes), .fallback = "[]",
     .max = MESHES, .check = check_mesh, .live = true,
     .help = "Ids of the meshes to serve; [any]: every mesh (an open relay)."},

    {.path = "limits.edges", .kind = CONF_COUNT, AT(limits.edges),
     .fallback = "20000", .min = 1, .max = EDGES, .live = true,
     .help = "Edges connected at a time."},
    {.path = "limits.edges_per_mesh", .kind = CONF_COUNT,
     AT(limits.edges_per_mesh), .fallback = "5000", .min = 1, .max = EDGES,
     .live = true,
     .help = "Edges of one mesh."},
    {.path = "limits.edges_per_address", .kind = CONF_COUNT,
     AT(limits.edges_per_address), .fallback = "256", .min = 1, .max = EDGES,
     .live = true,
     .help = "Edges from one IPv4 address, or one IPv6 network of 64 bits."},
    {.path = "limits.rate", .kind = CONF_SIZE, AT(limits.rate), .fallback = "0",
     .live = true,
     .help = "Bytes a second from one edge; 0: no limit."},
    {.path = "limits.queue", .kind = CONF_SIZE, AT(limits.queue),
     .fallback = "4MiB", .min = KIB(4), .max = GIB(1), .live = true,
     .help = "Bytes that may wait for one edge."},
    {.path = "limits.hello", .kind = CONF_DURATION, AT(limits.hello),
     .fallback = "5s", .min = MS(100), .max = MS(300000), .live = true,
     .help = "Time in which a new connection must prove its membership."},
    {.path = "limits.memory", .kind = CONF_SIZE, AT(limits.memory),
     .fallback = "512MiB", .min = KIB(16384), .max = GIB(1024), .live = true,
     .help = "Memory for all waiting packets, for data that connections\n"
             "sent and the relay has not read, and for TLS. The relay first\n"
             "stops the connection that holds most, or longest."},
    {.path = "limits.handshakes", .kind = CONF_COUNT, AT(limits.handshakes),
     .fallback = "0", .max = HANDSHAKES, .live = true,
     .help = "New handshakes a second. One network may begin an eighth of\n"
             "them, a network of a known member half. 0: 256 for each core."},

    {.path = "cluster.nats", .kind = CONF_STRING, AT(cluster.nats),
     .fallback = "", .check = check_nats,
     .help = "nats://... joins several relays into a cluster; empty: none."},
    {.path = "cluster.name", .kind = CONF_STRING, AT(cluster.name),
     .fallback = "", .check = check_name,
     .help = "The cluster's name, the same in all its relays."},

    {.path = "monitor", .kind = CONF_STRING, AT(monitor), .fallback = "",
     .check = check_listen,
     .help = "ADDRESS:PORT for /healthz /readyz /metrics /status; empty: off."},

    {.path = "log.level", .kind = CONF_CHOICE, AT(log.level),
     .fallback = "info", .choices = conf_log_levels, .live = true,
     .help = "error, warn, info or debug."},
    {.path = "log.format", .kind = CONF_CHOICE, AT(log.format),
     .fallback = "text", .choices = conf_log_formats, .live = true,
     .help = "text or json."},
};
/* clang-format on */

static const char *check_tls(const void *conf)
{
    const struct relay_conf *c = conf;
    return (*c->tls.certificate == '\0') == (*c->tls.key == '\0')
               ? NULL
               : "and `tls.key` belong together: both or neither";
}

static const char *check_key(const void *conf)
{
    const struct relay_conf *c = conf;
    return *c->relay.key == '\0' ? "may not be empty" : NULL;
}

static const char *check_relay_name(const void *conf)
{
    const struct relay_conf *c = conf;
    return *c->relay.name == '\0' ? "may not be empty" : NULL;
}

static const char *check_meshes(const void *conf)
{
    const struct relay_conf *c = conf;
    return conf_list_has(&c->meshes, "any") && c->meshes.count > 1
               ? "wants any alone, or ids"
               : NULL;
}

static const char *check_listeners(const void *conf)
{
    const struct relay_conf *c = conf;
    return c->listen.tcp.count + c->listen.curve.count > 0
               ? NULL
               : "and `listen.curve` may not both be empty";
}

static const struct conf_rule rules[] = {
    {{"relay.key"}, check_key},
    {{"listen.tcp", "listen.curve"}, check_listeners},
    {{"relay.name"}, check_relay_name},
    {{"tls.certificate", "tls.key"}, check_tls},
    {{"meshes"}, check_meshes},
};

const struct conf_table relay_conf_table = {
    .title = "The settings of zs-relay: every key at its default. Your own "
             "file needs only the\n"
             "keys that differ; `zs-relay init` makes one. Durations: 250ms 1s "
             "5m 1h 90d;\n"
             "sizes: 64KiB 4MiB. [reload]: SIGHUP applies the key; other keys "
             "need a restart.\n"
             "`zs-relay -c FILE --check` lists all mistakes of a file.",
    .keys = keys,
    .count = sizeof keys / sizeof keys[0],
    .size = sizeof(struct relay_conf),
    .rules = rules,
    .rule_count = sizeof rules / sizeof rules[0],
};

void relay_conf_defaults(struct relay_conf *conf)
{
    conf_defaults(&relay_conf_table, conf);
}

bool relay_conf_load(const char *path, struct relay_conf *conf, FILE *errors)
{
    return conf_load(&relay_conf_table, path, conf, errors);
}

bool relay_conf_set(struct relay_conf *conf, const char *key, const char *text,
                    const char *option, FILE *errors)
{
    return conf_set(&relay_conf_table, conf, key, text, option, errors);
}

void relay_conf_print(const struct relay_conf *conf, FILE *out)
{
    conf_print(&relay_conf_table, conf, false, out);
}

void relay_conf_diff(const struct relay_conf *before,
                     const struct relay_conf *after, conf_changed *changed,
                     void *context)
{
    conf_diff(&relay_conf_table, before, after, changed, context);
}

void relay_conf_free(struct relay_conf *conf)
{
    conf_free(&relay_conf_table, conf);
}

bool relay_conf_any_mesh(const struct relay_conf *conf)
{
    return conf_list_has(&conf->meshes, "any");
}

struct mesh_id *relay_conf_meshes(const struct relay_conf *conf)
{
    if (conf->meshes.count == 0 || relay_conf_any_mesh(conf))
        return NULL;
    struct mesh_id *ids = memory_array(conf->meshes.count, sizeof *ids);
    for (size_t i = 0; i < conf->meshes.count; i++)
        ASSERT(hex_decode(conf->meshes.items[i], ids[i].key, KEY_SIZE));
    return ids;
}
