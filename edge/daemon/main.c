/*
 * zs-edge - the edge's program: runs one node of a mesh and serves the local
 * applications.
 */
#include "common/base/hex.h"
#include "common/conf/describe.h"
#include "common/io/clock.h"
#include "common/io/daemon.h"
#include "common/io/log.h"
#include "common/io/stdfds.h"
#include "edge/daemon/settings.h"
#include "edge/shell/api.h"
#include "edge/shell/http.h"
#include "edge/shell/node_lock.h"
#include "edge/shell/revocations.h"
#include "edge/shell/route_memory.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The longest time from a signal to the end of the process. Queued messages get
 * a second of it. Without this limit a slow name resolution could keep the loop
 * running for much longer. */
enum { STOP_MS = 1600 };

struct zs_edge {
    const struct options *options;
    struct edge_conf conf;    /* the settings at the start */
    struct edge_conf current; /* the settings of the last reload */
    struct edge_identity identity;
    struct revoked revoked;
    char revoked_path[REVOKED_PATH_SIZE];
    uv_loop_t loop;
    struct daemon daemon;
    struct file_writer *revocation_writer;
    struct revocations_calls revocations_calls;
    uint64_t kept_serial; /* of the newest list that was to be kept */
    uv_timer_t patience;
    bool stopping;
    struct node_lock *lock;
    struct edge *edge;
    struct api *api;
    struct http *http;
};

/* ---- Reload */

static void on_changed(void *context, const char *key, bool live)
{
    (void)context;
    if (live)
        log_info("reload_changed", "key=%s", key);
}

static void on_differs(void *context, const char *key, bool live)
{
    (void)context;
    if (!live)
        log_warn("reload_needs_restart", "key=%s", key);
}

/* Logs what changed. A setting that needs a restart is compared with the
 * settings at the start, because these still apply after any reload. */
static void tell_changes(const struct zs_edge *z, const struct edge_conf *next)
{
    edge_conf_diff(&z->current, next, on_changed, NULL);
    edge_conf_diff(&z->conf, next, on_differs, NULL);
}

static void reload_revoked(struct zs_edge *z)
{
    revoked_place(z->current.node.revoked, z->current.node.identity,
                  z->revoked_path);
    if (!revoked_of_mesh(z->revoked_path, &z->identity.mesh, &z->revoked,
                         log_stream()) ||
        z->revoked.size == 0)
        return;
    edge_event(z->edge,
               &(struct node_event){
                   .kind = NODE_REVOCATION,
                   .revocation = bytes_of(z->revoked.bytes, z->revoked.size)});
}

static void on_reload(void *context)
{
    struct zs_edge *z = context;
    struct edge_conf next;

    if (z->edge == NULL || z->stopping)
        return;
    daemon_tell("RELOADING=1");
    if (!settings_conf(z->options, &next)) {
        log_error("reload_failed", "remedy=\"the settings stay as they were\"");
        daemon_tell("READY=1");
        return;
    }
    tell_changes(z, &next);
    edge_conf_free(&z->current);
    z->current = next;
    api_set_groups(z->api, (const char *const *)next.node.groups.items,
                   next.node.groups.count);
    api_set_memory(z->api, next.limits.memory / 2);
    edge_reload(z->edge, &z->current);
    reload_revoked(z);
    log_info("reloaded", "revoked=%s", z->revoked_path);
    daemon_tell("READY=1");
}

/* A list came from the mesh: stores it, so that it applies after a restart. */
static void on_revoked(void *context, struct bytes list)
{
    struct zs_edge *z = context;

    struct revocation r;

    if (revocation_check(list, &r) && r.serial <= z->kept_serial)
        return; /* keep_list stores it already: a client gave it. */
    z->kept_serial = r.serial;
    (void)revocations_keep(z->revocation_writer, z->revoked_path, list);
}

/* A client gave a list: stores it, unless the mesh has a newer one. */
static enum api_keep keep_list(void *context, const struct revocation *list,
                               struct bytes encoded)
{
    struct zs_edge *z = context;

    if (list->serial < z->kept_serial || z->revoked_path[0] == '\0')
        return API_KEPT;
    z->kept_serial = list->serial;
    return revocations_keep(z->revocation_writer, z->revoked_path, encoded)
               ? API_KEEPING
               : API_NOT_KEPT;
}

static void on_kept(void *context, const char *why_not)
{
    struct zs_edge *z = context;

    if (z->api != NULL)
        api_kept(z->api, why_not);
}

/* ---- Stop */

static void on_patience(uv_timer_t *timer)
{
    (void)timer;
    log_warn("stop_forced", "after_ms=%d", (int)STOP_MS);
    daemon_flush();
    _exit(EXIT_DONE);
}

/* The edge has stopped, after local clients got the last results of their
 * messages. */
static void on_stopped(void *context)
{
    struct zs_edge *z = context;

    api_close(z->api);
    http_close(z->http);
    file_writer_close(&z->revocation_writer);
    daemon_close(&z->daemon);
}

static void on_stop(void *context)
{
    struct zs_edge *z = context;

    if (z->edge == NULL)
        return; /* The start failed: the program ends anyway. */
    if (z->stopping) {
        edge_stop_now(z->edge);
        return;
    }
    z->stopping = true;
    log_info("stopping", "name=%s", z->identity.said.name);
    daemon_tell("STOPPING=1");
    edge_stop(z->edge, on_stopped, z);
    uv_update_time(&z->loop);
    uv_timer_start(&z->patience, on_patience, STOP_MS, 0);
    uv_unref((uv_handle_t *)&z->patience);
}

/* ---- Start */

static void warn_of_time(const struct edge_identity *identity)
{
    char text[80];
    char quoted[128];
    enum certificate_verdict verdict =
        identity_time(identity, clock_unix_seconds(), text);

    if (verdict == CERTIFICATE_GOOD)
        return;
    log_warn("certificate_not_valid", "reason=%s remedy=\"%s\"",
             log_quote(text, quoted, sizeof quoted),
             verdict == CERTIFICATE_NOT_YET
                 ? "set this host's clock; no new identity is needed"
                 : "if the clock is right, renew the identity: zs mesh add "
                   "NAME --renew");
}

static bool open_api(struct zs_edge *z)
{
    char error[API_ERROR_SIZE];
    struct api_conf conf = {
        .socket = z->conf.api.socket,
        .info = bytes_of_string(z->conf.node.info),
        .groups = (const char *const *)z->conf.node.groups.items,
        .group_count = z->conf.node.groups.count,
        .message_limit = z->conf.limits.message,
        .clients = edge_clients(z->edge),
        .memory = z->conf.limits.memory / 2,
        .mesh = z->identity.mesh,
        .not_before = z->identity.said.not_before,
        .not_after = z->identity.said.not_after,
        .keep = keep_list,
        .keep_context = z,
    };

    z->api = api_open(z->edge, &conf, error);
    if (z->api == NULL)
        fprintf(log_stream(), "zs-edge: %s\n", error);
    return z->api != NULL;
}

static bool open_http(struct zs_edge *z)
{
    char error[API_ERROR_SIZE];

    if (z->conf.api.http[0] == '\0')
        return true;
    z->http = http_open(z->api, z->conf.api.http, error);
    if (z->http == NULL)
        fprintf(log_stream(), "zs-edge: %s\n", error);
    return z->http != NULL;
}

static bool lock_node(struct zs_edge *z)
{
    char error[NODE_LOCK_ERROR_SIZE];
    bool by_file = options_text(z->options, "name") == NULL;

    z->lock = node_lock_open(by_file ? z->conf.node.identity : "",
                             z->identity.secret_key, error);
    if (z->lock == NULL)
        fprintf(log_stream(), "zs-edge: %s\n", error);
    return z->lock != NULL;
}

static bool open_edge(struct zs_edge *z)
{
    char error[EDGE_ERROR_SIZE];
    char routes[ROUTE_MEMORY_PATH];
    struct edge_options options = {
        .conf = &z->conf,
        .identity = &z->identity,
        .revocations = bytes_of(z->revoked.bytes, z->revoked.size),
        .clients = API_CLIENTS,
        .pages = z->conf.api.http[0] != '\0' ? HTTP_CONNECTIONS : 0,
        .routes = routes,
        .revoked = on_revoked,
        .context = z,
    };

    route_memory_place(z->conf.node.identity, routes);
    z->edge = edge_open(&z->loop, &options, error);
    if (z->edge == NULL)
        fprintf(log_stream(), "zs-edge: %s\n", error);
    return z->edge != NULL;
}

static void tell_started(const struct zs_edge *z)
{
    char id[2 * KEY_SIZE + 1];
    struct node_id self = node_self(edge_node(z->edge));

    hex_encode(bytes_of(self.key, sizeof self.key), id);
    log_info("edge_started", "name=%s id=%s socket=%s version=%s",
             node_name(edge_node(z->edge)), id, api_socket(z->api), ZS_VERSION);
    daemon_tell("READY=1");
}

/* The caller calls this before the program starts a thread. */
static bool open_daemon(struct zs_edge *z)
{
    z->daemon =
        (struct daemon){.context = z, .stop = on_stop, .reload = on_reload};
    if (uv_loop_init(&z->loop) == 0 && daemon_open(&z->daemon, &z->loop))
        return true;
    fputs("zs-edge: cannot start a thread\n", stderr);
    return false;
}

static int run(struct zs_edge *z)
{
    int code = EXIT_FAILED;

    daemon_raise_files();
    if (!open_daemon(z))
        return EXIT_FAILED;
    z->revocations_calls = (struct revocations_calls){z, on_kept};
    z->revocation_writer = revocations_open(&z->loop, &z->revocations_calls);
    z->kept_serial = z->revoked.size > 0 ? z->revoked.list.serial : 0;
    uv_timer_init(&z->loop, &z->patience);
    if (lock_node(z) && open_edge(z) && open_api(z) && open_http(z)) {
        edge_start(z->edge);
        tell_started(z);
        code = EXIT_DONE;
    } else if (z->edge != NULL) {
        z->stopping = true; /* No client ever saw this edge. */
        edge_stop(z->edge, on_stopped, z);
    } else {
        file_writer_close(&z->revocation_writer);
        daemon_close(&z->daemon);
    }
    uv_run(&z->loop, UV_RUN_DEFAULT);
    http_free(&z->http);
    edge_free(&z->edge);
    node_lock_close(&z->lock);
    daemon_flush();
    return code;
}

/* A missing interface is only a warning: it may appear later. */
static void warn_of_interfaces(const struct edge_conf *conf)
{
    const struct conf_list *names = &conf->listen.interfaces;

    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], "all") != 0 &&
            if_nametoindex(names->items[i]) == 0)
            fprintf(stderr,
                    "zs-edge: listen.interfaces: this host has no interface "
                    "`%s` now; the edge uses it once it exists\n",
                    names->items[i]);
}

/* --check: also prints what is only a warning at the start. */
static int check(const struct zs_edge *z)
{
    char text[80];

    if (identity_time(&z->identity, clock_unix_seconds(), text) !=
        CERTIFICATE_GOOD) {
        fprintf(stderr, "zs-edge: %s\n", text);
        return EXIT_CONF;
    }
    warn_of_interfaces(&z->conf);
    printf("%s: good\n", z->identity.said.name);
    return EXIT_DONE;
}

static int with_identity(struct zs_edge *z)
{
    int code = EXIT_CONF;

    revoked_place(z->conf.node.revoked, z->conf.node.identity, z->revoked_path);
    if (revoked_of_mesh(z->revoked_path, &z->identity.mesh, &z->revoked,
                        stderr)) {
        if (options_flag(z->options, "check")) {
            code = check(z);
        } else {
            warn_of_time(&z->identity);
            code = run(z);
        }
    }
    identity_wipe(&z->identity);
    return code;
}

static int with_conf(struct zs_edge *z)
{
    if (options_flag(z->options, "print-config")) {
        edge_conf_print(&z->conf, stdout);
        return EXIT_DONE;
    }
    if (!settings_identity(z->options, &z->conf, &z->identity))
        return EXIT_CONF;
    return with_identity(z);
}

static int with_options(struct zs_edge *z)
{
    if (!settings_usage(z->options))
        return EXIT_USAGE;
    if (!settings_conf(z->options, &z->conf))
        return EXIT_CONF;
    int code = EXIT_CONF;
    if (settings_conf(z->options, &z->current)) {
        code = with_conf(z);
        edge_conf_free(&z->current);
    }
    edge_conf_free(&z->conf);
    return code;
}

int main(int argc, char **argv)
{
    static struct zs_edge z;
    struct options options;

    stdfds_hold();
    if (describe_asked(argc, argv)) {
        describe_options(&settings_spec, stdout);
        describe_conf(&edge_conf_table, stdout);
        return EXIT_DONE;
    }
    switch (options_parse(&settings_spec, argc, argv, &options)) {
    case OPTIONS_DONE:
        return EXIT_DONE;
    case OPTIONS_WRONG:
        return EXIT_USAGE;
    case OPTIONS_RUN:
        break;
    }
    z.options = &options;
    int code = with_options(&z);
    options_free(&options);
    z.options = NULL;
    return code;
}
