#include "relay/shell/settings.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "common/io/log.h"
#include "common/wire/packet.h"
#include "relay/shell/listener.h"

_Static_assert((int)RELAY_PROXIES <= (int)DOOR_PROXIES, "each has its place");

enum {
    /* File descriptors for files that are open for a moment, such as settings
     * that are read again. */
    FILES_SPARE = 4,
    /* One part in so many of the connections is for strangers: connections
     * that have not sent HELLO yet. */
    STRANGERS_PART = 4,
    STRANGERS = 1024, /* at most */
    STRANGERS_OF_ADDRESS = 32,
    /* Handshakes a second for each core. One costs 0.4 ms if the client only
     * begins it, and four times that if the client completes it. */
    HANDSHAKES_OF_CORE = 256,
    /* The time between HUB_DROP and the end of the connection, so that REFUSED
     * arrives first. */
    DROP_MS = 300,
    /* From accept to the end of the CurveZMQ handshake. */
    HANDSHAKE_MS = 2000,
    /* Bytes written to a socket that the kernel has not sent yet, at most. */
    UNSENT = 256 * 1024,
    /* Bytes received but not read yet of a stranger: one HELLO, at most 26
     * KiB. */
    UNREAD_STRANGER = 32 * 1024,
    /* The same of an edge: what libzmq may queue, and a few MiB more. */
    UNREAD = LISTENER_PACKETS_IN * PACKET_SIZE + 4 * 1024 * 1024,
    /* Of limits.memory, half is for unread bytes, because an excess of them
     * ends a connection. The hub and libzmq's packets to send get a quarter
     * each, because an excess there only makes packets wait. */
    MEMORY_UNREAD_PART = 2,
    MEMORY_HUB_PART = 4,
    MEMORY_HELD_PART = 4,
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t connections(const struct settings_files *files)
{
    unsigned long own = files->own + FILES_SPARE;
    return files->limit > own ? files->limit - own : 0;
}

size_t settings_edges(const struct settings_files *files)
{
    size_t all = connections(files);
    size_t strangers = smaller(STRANGERS, all / STRANGERS_PART + 1);
    return all > strangers ? all - strangers : 0;
}

struct hub_conf settings_hub(const struct relay_conf *conf,
                             const struct settings_files *files)
{
    struct hub_conf h = {
        .any_mesh = relay_conf_any_mesh(conf),
        .meshes = relay_conf_meshes(conf),
        .limits = {.edges = smaller(conf->limits.edges, settings_edges(files)),
                   .edges_per_mesh = conf->limits.edges_per_mesh,
                   .edges_per_address = conf->limits.edges_per_address,
                   .rate = conf->limits.rate,
                   .queue = conf->limits.queue,
                   .memory = conf->limits.memory / MEMORY_HUB_PART},
    };
    h.mesh_count = h.meshes ? conf->meshes.count : 0;
    strncpy(h.name, conf->relay.name, NAME_MAX_SIZE);
    return h;
}

void settings_hub_free(struct hub_conf *hub)
{
    struct mesh_id *meshes = (struct mesh_id *)(uintptr_t)hub->meshes;
    free(meshes);
}

static uint64_t handshakes(const struct relay_conf *conf)
{
    return conf->limits.handshakes > 0
               ? conf->limits.handshakes
               : uv_available_parallelism() * (uint64_t)HANDSHAKES_OF_CORE;
}

static struct gate_conf gate_conf_of(const struct relay_conf *conf,
                                     const struct settings_files *files)
{
    size_t sockets = conf->limits.edges + STRANGERS;
    return (struct gate_conf){.sockets = smaller(sockets, connections(files)),
                              .strangers = STRANGERS,
                              .handshakes = handshakes(conf),
                              .per_address = conf->limits.edges_per_address +
                                             STRANGERS_OF_ADDRESS,
                              .hello = conf->limits.hello,
                              .drop = span_ms(DROP_MS),
                              .unsent = UNSENT,
                              .congestion = "bbr",
                              .unread_stranger = UNREAD_STRANGER,
                              .unread = UNREAD};
}

static void add_proxies(struct door_conf *door, const struct conf_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        ASSERT(address_prefix_parse(list->items[i], &door->proxies[i]));
    door->proxy_count = list->count;
}

/* If both the door and the front are used, each may hold half. */
struct entrance_conf settings_entrance(const struct relay_conf *conf,
                                       const struct settings_files *files)
{
    struct gate_conf gate = gate_conf_of(conf, files);
    bool has_front = conf->listen.curve.count > 0;
    size_t users = has_front && conf->listen.tcp.count > 0 ? 2 : 1;
    size_t unread = conf->limits.memory / MEMORY_UNREAD_PART / users;
    size_t held = conf->limits.memory / MEMORY_HELD_PART / users;

    struct entrance_conf e = {.has_front = has_front,
                              .door = {.gate = gate,
                                       .handshake = span_ms(HANDSHAKE_MS),
                                       .memory_unread = unread,
                                       .memory_held = held,
                                       .first_id = 1,
                                       .id_step = 2},
                              .front = {.gate = gate,
                                        .memory_unread = unread,
                                        .memory_held = held,
                                        .id_step = 2}};
    add_proxies(&e.door, &conf->listen.proxy_protocol);
    return e;
}

void settings_log(const struct relay_conf *conf)
{
    enum log_level level = LOG_INFO;
    bool json = strcmp(conf->log.format, "json") == 0;
    if (!log_level_parse(conf->log.level, &level))
        level = LOG_INFO;
    log_setup(level, json ? LOG_JSON : LOG_TEXT);
}

/* These settings are checked like others, but nothing uses them yet. */
void settings_tell_unserved(const struct relay_conf *conf)
{
    const struct {
        const char *key;
        const char *value;
    } keys[] = {{"cluster", conf->cluster.nats}, {"monitor", conf->monitor}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (*keys[i].value)
            log_warn("setting_without_effect",
                     "key=%s text=\"this version does not serve it\"",
                     keys[i].key);
    }
}

static void on_changed(void *context, const char *key, bool live)
{
    (void)context;
    if (live)
        log_info("setting_changed", "key=%s", key);
}

static void on_differs(void *context, const char *key, bool live)
{
    (void)context;
    if (!live)
        log_warn("setting_needs_restart", "key=%s", key);
}

void settings_tell_changes(const struct relay_conf *started,
                           const struct relay_conf *before,
                           const struct relay_conf *after)
{
    relay_conf_diff(before, after, on_changed, NULL);
    relay_conf_diff(started, after, on_differs, NULL);
}
