#include "edge/lib/lib_node.h"

#include "edge/lib/forks.h"

#include "common/base/hex.h"
#include "common/base/memory.h"
#include "common/io/clock.h"
#include "edge/shell/node_lock.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    REFRESH_MS = 250, /* of the lists of peers and relays */
    DRAIN_TICK_MS = 5,
};

void node_wake(struct zs_node *n)
{
    if (!n->deaf)
        uv_async_send(&n->async);
}

enum zs_error node_ending(const struct zs_node *n)
{
    return n->starved ? ZS_NO_MEMORY : ZS_CLOSED;
}

/* ---- The end */

static void close_handles(struct zs_node *n)
{
    uv_close((uv_handle_t *)&n->async, NULL);
    uv_close((uv_handle_t *)&n->operations.timer, NULL);
    uv_close((uv_handle_t *)&n->clock, NULL);
    uv_close((uv_handle_t *)&n->watch, NULL);
    file_writer_close(&n->revocation_writer);
}

static void on_stopped(void *context)
{
    struct zs_node *n = context;
    struct operation *op;

    n->stage = STAGE_STOPPED;
    edge_unobserve(n->edge, &n->observer);
    operations_end_all(&n->operations, &n->pending,
                       n->starved ? OPERATION_NO_MEMORY
                                  : OPERATION_NOT_DELIVERED);
    pthread_mutex_lock(&n->mutex);
    struct operation_list posted = n->posted;
    n->posted = (struct operation_list){0};
    n->stopping = true;
    n->deaf = true;
    pthread_mutex_unlock(&n->mutex);
    while ((op = operation_list_take(&posted)) != NULL)
        ops_fail(n, (struct op *)op, node_ending(n));
    close_handles(n);
}

/* In each round of the loop: if the reserve cannot be filled again, the node
 * ends. */
static void on_watch(uv_check_t *watch)
{
    struct zs_node *n = watch->data;

    if (memory_is_sound() || n->starved || n->edge == NULL)
        return;
    log_error("no_memory", "node=%s", n->name);
    pthread_mutex_lock(&n->mutex);
    n->starved = true;
    n->stopping = true;
    pthread_cond_broadcast(&n->room);
    pthread_mutex_unlock(&n->mutex);
    if (n->stage == STAGE_STOPPED)
        return;
    n->stage = STAGE_LEAVING;
    uv_timer_stop(&n->clock);
    edge_abandon(n->edge, on_stopped, n);
}

/* Waits until no operation waits for a busy peer. */
static void on_drain(uv_timer_t *timer)
{
    struct zs_node *n = timer->data;

    n->drained_ms += DRAIN_TICK_MS;
    if (busy_queues_any(&n->operations.busy) && n->drained_ms < DRAIN_MS)
        return;
    uv_timer_stop(timer);
    n->stage = STAGE_LEAVING;
    edge_stop(n->edge, on_stopped, n);
}

static void begin_end(struct zs_node *n)
{
    n->stage = STAGE_DRAINING;
    uv_timer_start(&n->clock, on_drain, 0, DRAIN_TICK_MS);
}

void zs_node_stop(struct zs_node *node)
{
    if (node == NULL || node_is_parents(node))
        return;
    pthread_mutex_lock(&node->mutex);
    node->stopping = true;
    pthread_cond_broadcast(&node->room);
    node_wake(node);
    pthread_mutex_unlock(&node->mutex);
}

/* ---- What other threads want */

static void set_groups(struct zs_node *n, const struct group_names *groups)
{
    const char *names[ANNOUNCEMENT_GROUPS];

    for (size_t i = 0; i < groups->count; i++)
        names[i] = groups->names[i];
    edge_event(n->edge, &(struct node_event){.kind = NODE_SET_GROUPS,
                                             .groups = {names, groups->count}});
}

static void on_async(uv_async_t *async)
{
    struct zs_node *n = async->data;
    struct group_names groups;
    struct operation *op;

    pthread_mutex_lock(&n->mutex);
    struct operation_list posted = n->posted;
    bool regroup = n->groups_changed;
    bool stop = n->stopping;
    n->posted = (struct operation_list){0};
    n->groups_changed = false;
    if (regroup)
        groups = n->groups;
    pthread_mutex_unlock(&n->mutex);

    if (regroup)
        set_groups(n, &groups);
    n->own_posted = 0;
    n->starting = true; /* Messages that callbacks send come after these. */
    while ((op = operation_list_take(&posted)) != NULL)
        ops_start(n, (struct op *)op);
    n->starting = false;
    if (stop && n->stage == STAGE_OPEN)
        begin_end(n);
}

static void on_refresh(uv_timer_t *timer)
{
    directory_refresh(timer->data);
    relays_refresh(timer->data);
}

/* A list came from the mesh; it must hold after a restart, too. */
static void on_revoked(void *context, struct bytes list)
{
    const struct zs_node *n = context;

    (void)revocations_keep(n->revocation_writer, n->revoked_path, list);
}

/* ---- Opening */

static void init_directory(struct zs_node *n)
{
    uint8_t key[16];

    randombytes_buf(key, sizeof key);
    map_init(&n->directory, KEY_SIZE, key);
}

static void init_mutex(struct zs_node *n)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&n->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&n->room, NULL);
    pthread_cond_init(&n->finished, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static struct zs_node *node_alloc(struct zs_options *options,
                                  const struct zs_callbacks *callbacks)
{
    struct zs_node *n = calloc(1, sizeof *n);
    const struct conf_list *groups = &options->conf.node.groups;

    if (n != NULL)
        n->reserve = reserve_new(RESERVE_OF_NODE);
    if (n == NULL || n->reserve == NULL) {
        free(n);
        return NULL;
    }
    n->forks = forks_now();
    n->options = options;
    options_hold(options);
    if (callbacks != NULL)
        n->on = *callbacks;
    n->sink = callbacks_log_sink(n);
    n->observer = callbacks_observer(n);
    for (size_t i = 0; i < groups->count && i < ANNOUNCEMENT_GROUPS; i++)
        strcpy(n->groups.names[n->groups.count++], groups->items[i]);
    init_mutex(n);
    init_directory(n);
    ops_init(n);
    return n;
}

void node_destroy(struct zs_node *n)
{
    struct node_entered entered = node_enter(n);

    edge_free(&n->edge);
    node_lock_close(&n->lock);
    if (n->has_loop)
        uv_loop_close(&n->loop);
    directory_close(n);
    operations_close(&n->operations);
    pthread_cond_destroy(&n->room);
    pthread_cond_destroy(&n->finished);
    pthread_mutex_destroy(&n->mutex);
    zs_options_free(&n->options);
    free(n->revoked_path);
    node_leave(entered);
    reserve_free(&n->reserve);
    free(n);
}

static bool open_loop(struct zs_node *n)
{
    if (uv_loop_init(&n->loop) != 0)
        return false;
    if (uv_async_init(&n->loop, &n->async, on_async) != 0) {
        uv_loop_close(&n->loop);
        return false;
    }
    n->has_loop = true;
    n->revocation_writer = revocations_open(&n->loop, NULL);
    uv_timer_init(&n->loop, &n->operations.timer);
    uv_timer_init(&n->loop, &n->clock);
    uv_check_init(&n->loop, &n->watch);
    n->async.data = n->clock.data = n->watch.data = n;
    n->operations.timer.data = &n->operations;
    uv_check_start(&n->watch, on_watch);
    uv_unref((uv_handle_t *)&n->watch);
    uv_timer_start(&n->clock, on_refresh, REFRESH_MS, REFRESH_MS);
    return true;
}

static void close_loop(struct zs_node *n)
{
    close_handles(n);
    uv_run(&n->loop, UV_RUN_DEFAULT);
}

static void warn_of_time(const struct edge_identity *identity)
{
    char text[80];
    char quoted[128];

    if (identity_time(identity, clock_unix_seconds(), text) != CERTIFICATE_GOOD)
        log_warn("certificate_not_valid", "reason=%s",
                 log_quote(text, quoted, sizeof quoted));
}

static enum zs_error open_edge(struct zs_node *n,
                               const struct edge_identity *identity,
                               struct bytes revocations, FILE *errors)
{
    char error[EDGE_ERROR_SIZE] = "no more descriptors";
    struct edge_options options = {.conf = &n->options->conf,
                                   .identity = identity,
                                   .revocations = revocations,
                                   .windows = MORE_WINDOWS,
                                   .revoked = on_revoked,
                                   .context = n};

    warn_of_time(identity);
    const char *path =
        n->options->passphrase == NULL ? n->options->conf.node.identity : "";
    n->lock = node_lock_open(path, identity->secret_key, error);
    bool open = n->lock != NULL && open_loop(n);
    if (open)
        n->operations.edge = n->edge = edge_open(&n->loop, &options, error);
    if (n->edge == NULL) {
        fputs(error, errors);
        if (open)
            close_loop(n);
        return ZS_SYSTEM;
    }
    struct node_id self = node_self(edge_node(n->edge));
    hex_encode(bytes_of(self.key, KEY_SIZE), n->id);
    strcpy(n->name, node_name(edge_node(n->edge)));
    relays_refresh(n);
    edge_observe(n->edge, &n->observer);
    edge_start(n->edge);
    return ZS_OK;
}

static enum zs_error open_as(struct zs_node *n,
                             const struct edge_identity *identity, FILE *errors)
{
    const struct edge_conf *conf = &n->options->conf;
    bool by_file = n->options->passphrase == NULL;
    char path[REVOKED_PATH_SIZE];
    struct revoked *revoked = memory_new(sizeof *revoked);
    enum zs_error error = ZS_CONFIGURATION;

    revoked_place(conf->node.revoked, by_file ? conf->node.identity : "", path);
    free(n->revoked_path);
    n->revoked_path = memory_string(path);
    if (revoked_of_mesh(path, &identity->mesh, revoked, errors))
        error = open_edge(n, identity, bytes_of(revoked->bytes, revoked->size),
                          errors);
    free(revoked);
    return error;
}

static enum zs_error open_node(struct zs_node *n, FILE *errors)
{
    struct edge_identity identity;
    enum zs_error error = ZS_CONFIGURATION;
    struct node_entered entered = node_enter(n);

    if (options_identity(n->options, &identity, errors)) {
        error = open_as(n, &identity, errors);
        identity_wipe(&identity);
    }
    if (error != ZS_OK && !memory_is_sound())
        error = ZS_NO_MEMORY;
    node_leave(entered);
    return error;
}

enum zs_error zs_node_open(struct zs_node **node, struct zs_options *options,
                           const struct zs_callbacks *callbacks)
{
    struct complaint c;

    if (node == NULL)
        return ZS_BAD_REQUEST;
    *node = NULL;
    if (options == NULL)
        return ZS_BAD_REQUEST;
    if (!complaint_open(&c))
        return ZS_NO_MEMORY;
    struct zs_node *n = node_alloc(options, callbacks);
    enum zs_error error = n != NULL ? open_node(n, c.file) : ZS_NO_MEMORY;
    (void)complaint_close(&c, options);
    if (error == ZS_OK)
        *node = n;
    else if (n != NULL)
        node_destroy(n);
    return error;
}
