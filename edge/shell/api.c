#include "edge/shell/api.h"

#include "common/base/memory.h"
#include "edge/shell/api_internal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void on_joined(void *context, const struct node_peer *peer)
{
    struct api *a = context;

    a->generation++;
    events_joined(a, peer);
}

static void on_left(void *context, const struct node_peer *peer,
                    enum departure reason)
{
    struct api *a = context;

    a->generation++;
    operations_peer_left(&a->operations, &peer->id);
    events_left(a, peer, reason);
    clients_review(a);
}

static void on_path(void *context, const struct node_peer *peer,
                    enum node_path was)
{
    events_path(context, peer, was);
}

static void on_message(void *context, const struct node_peer *peer,
                       const struct message *message)
{
    struct api *a = context;

    if (message->kind == MESSAGE_REPLY)
        operations_replied(&a->operations, peer, message);
    else
        events_message(a, peer, message);
}

static void on_report(void *context, struct node_ref ref,
                      enum node_outcome outcome, enum node_path path,
                      struct span rtt)
{
    struct api *a = context;

    operations_reported(&a->operations, ref, outcome, path, rtt);
}

static void on_ready(void *context, const struct node_peer *peer)
{
    struct api *a = context;

    operations_ready(&a->operations, &peer->id);
    clients_review(a); /* Fewer bytes wait. */
}

static void on_gap(void *context, const struct node_peer *peer, uint64_t missed)
{
    events_gap(context, peer, missed);
}

static void init_handles(struct api *a)
{
    uv_idle_init(a->loop, &a->flusher);
    uv_timer_init(a->loop, &a->operations.timer);
    uv_timer_init(a->loop, &a->rest);
    a->flusher.data = a->rest.data = a;
    a->operations.timer.data = &a->operations;
    a->handles = 3;
}

static struct api *api_new(struct edge *e, const struct api_conf *conf)
{
    struct api *a = memory_new(sizeof(*a));

    a->edge = e;
    a->loop = edge_loop(e);
    a->observer = (struct edge_observer){.context = a,
                                         .joined = on_joined,
                                         .left = on_left,
                                         .path = on_path,
                                         .message = on_message,
                                         .report = on_report,
                                         .ready = on_ready,
                                         .gap = on_gap};
    a->socket = conf->socket && conf->socket[0] != '\0'
                    ? memory_string(conf->socket)
                    : api_socket_default(node_name(edge_node(e)));
    a->info = memory_new(conf->info.size + 1);
    if (conf->info.size > 0)
        memcpy(a->info, conf->info.data, conf->info.size);
    a->http_url = memory_string("");
    a->http_page = memory_string("");
    a->http_token = memory_string("");
    a->message_limit = conf->message_limit;
    a->client_limit = conf->clients > 0 && conf->clients < API_CLIENTS
                          ? conf->clients
                          : API_CLIENTS;
    a->fd = a->spare = a->socket_lock = -1;
    a->starved_at = INSTANT_NEVER;
    a->line_limit = conf->message_limit / 3 * 4 + API_LINE_SLACK;
    api_set_memory(a, conf->memory);
    a->waiting_end = &a->waiting_first;
    a->mesh = conf->mesh;
    a->not_before = conf->not_before;
    a->not_after = conf->not_after;
    a->keep = conf->keep;
    a->keep_context = conf->keep_context;
    a->generation = 1;
    operations_init(&a->operations);
    a->operations.edge = e;
    a->operations.observer = &a->observer;
    a->operations.ended = pending_ended;
    for (size_t i = 0; i < conf->group_count; i++)
        if (!groups_add(&a->groups, conf->groups[i]))
            break; /* The configuration's check has reported it already. */
    return a;
}

static void api_free(struct api *a)
{
    api_socket_release(a->socket, a->socket_lock);
    operations_close(&a->operations);
    revoke_close(a);
    text_close(&a->line);
    free(a->socket);
    free(a->info);
    free(a->http_url);
    sodium_memzero(a->http_page, strlen(a->http_page));
    free(a->http_page);
    free(a->http_token);
    free(a);
}

static void on_closed(uv_handle_t *handle)
{
    struct api *a = handle->data;

    if (--a->handles == 0)
        api_free(a);
}

static void on_unlistened(uv_handle_t *listener)
{
    api_unlisten(listener->data);
    on_closed(listener);
}

static void close_handles(struct api *a)
{
    a->closing = true;
    if (a->fd >= 0) {
        unlink(a->socket);
        api_socket_release(a->socket, a->socket_lock);
        a->socket_lock = -1;
        a->handles++;
        uv_close((uv_handle_t *)&a->listener, on_unlistened);
    }
    uv_close((uv_handle_t *)&a->flusher, on_closed);
    a->operations.timer.data = a;
    uv_close((uv_handle_t *)&a->operations.timer, on_closed);
    uv_close((uv_handle_t *)&a->rest, on_closed);
}

struct api *api_open(struct edge *e, const struct api_conf *conf,
                     char error[API_ERROR_SIZE])
{
    struct api *a = api_new(e, conf);

    a->socket_lock = api_socket_claim(a->socket, error);
    if (a->socket_lock < 0) {
        api_free(a);
        return NULL;
    }
    init_handles(a);
    int result = api_listen(a);
    if (result != 0) {
        snprintf(error, API_ERROR_SIZE, "%s: %s", a->socket,
                 uv_strerror(result));
        close_handles(a);
        return NULL;
    }
    edge_observe(e, &a->observer);
    return a;
}

const char *api_socket(const struct api *a)
{
    return a->socket;
}

struct edge *api_edge(const struct api *a)
{
    return a->edge;
}

void api_set_memory(struct api *a, size_t memory)
{
    a->memory = memory > 3 * a->line_limit ? memory : 3 * a->line_limit;
}

size_t api_line_limit(const struct api *a)
{
    return a->line_limit;
}

void api_attach(struct api *a, int fd, const struct api_carrier *carrier)
{
    if (a->closing)
        close(fd);
    else
        client_attach(a, fd, carrier);
}

void api_detach(struct api *a, const void *context)
{
    for (struct client *c = a->clients; c; c = c->next)
        if (c->carrier.fd && c->carrier.context == context)
            c->carrier.fd = NULL;
}

void api_tell_http(struct api *a, const char *url, const char *page,
                   const char *token_file)
{
    free(a->http_url);
    free(a->http_page);
    free(a->http_token);
    a->http_url = memory_string(url);
    a->http_page = memory_string(page);
    a->http_token = memory_string(token_file);
}

void api_set_groups(struct api *a, const char *const *groups, size_t count)
{
    a->groups.count = 0;
    for (size_t i = 0; i < count; i++)
        if (!groups_add(&a->groups, groups[i]))
            break;
    groups_tell(a);
}

/* Writes the output that the sockets still take. */
void api_close(struct api *a)
{
    if (!a || a->closing)
        return;
    edge_unobserve(a->edge, &a->observer);
    a->closing = true;
    clients_flush(a);
    while (a->clients)
        client_close(a->clients);
    close_handles(a);
}
