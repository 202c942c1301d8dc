/*
 * In which forms the relays of an edge may be reached, and which one worked on
 * the network that the host is in [P-14.1, P-14.7].
 */
#include "common/io/log.h"
#include "edge/shell/edge_private.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- Forms */

static bool proxy_lets(const struct edge_relay *r, enum relay_form form)
{
    enum proxy_use unfit =
        relay_form_by_proxy(form) ? PROXY_WITHOUT_ONLY : PROXY_WITH_ONLY;
    struct proxy_setting proxy;

    edge_relay_proxy(r, form, &proxy);
    sodium_memzero(&proxy.url, sizeof proxy.url);
    return proxy.use != unfit;
}

uint8_t edge_relay_forms(const struct edge_relay *r)
{
    uint8_t forms = 0;

    for (int i = 0; i < RELAY_FORMS; i++) {
        enum relay_form form = (enum relay_form)i;
        if (edge_relay_allows(r, form) && proxy_lets(r, form))
            forms |= (uint8_t)(1 << i);
    }
    return forms;
}

size_t edge_relay_links(const struct edge *e)
{
    size_t links = 0;

    for (size_t i = 0; i < e->relay_count; i++)
        for (unsigned forms = edge_relay_forms(&e->relays[i]); forms != 0;
             forms >>= 1)
            links += forms & 1;
    return links;
}

/* ---- The memory of networks */

static void warn(const char *event, const char *path, char *why)
{
    char quoted[512];

    why[strcspn(why, "\n")] = '\0';
    log_warn(event, "path=%s text=%s", path,
             log_quote(why, quoted, sizeof quoted));
}

static void on_written(void *context, const char *path, bool good, char *errors)
{
    char none[] = "no memory";

    (void)context;
    if (!good)
        warn("routes_not_kept", path, errors != NULL ? errors : none);
}

static void load(struct edge *e)
{
    char *errors = NULL;
    size_t size;
    FILE *f = open_memstream(&errors, &size);

    if (f == NULL)
        return;
    bool good = route_memory_load(&e->route_memory, e->routes_path, f);
    fclose(f);
    if (!good && errors != NULL)
        warn("routes_unreadable", e->routes_path, errors);
    free(errors);
}

void edge_routes_open(struct edge *e)
{
    const struct file_writer_calls calls = {.write = route_memory_save,
                                            .done = on_written};
    const char *path = e->options.routes;

    if (path != NULL)
        snprintf(e->routes_path, sizeof e->routes_path, "%s", path);
    load(e);
    if (e->routes_path[0] != '\0')
        e->routes_writer = file_writer_open(e->loop, &calls);
}

void edge_tell_routes(struct edge *e)
{
    int8_t *list =
        arena_take(event_queue_arena(&e->events), NODE_RELAYS * sizeof *list);
    struct node_event event = {.kind = NODE_FORMS_ARE};

    struct route_network network = route_network_now();
    for (size_t i = 0; i < e->relay_count; i++)
        list[i] = (int8_t)route_memory_form(&e->route_memory, &network,
                                            &e->relays[i].url.key);
    event.forms.list = list;
    event.forms.count = e->relay_count;
    event_queue_add(&e->events, &event);
}

/* The router's hardware address may have become known meanwhile, by the very
 * packets that reached the relay. */
void edge_note_route(struct edge *e, uint32_t index)
{
    struct bytes memory =
        bytes_of((const uint8_t *)&e->route_memory, sizeof e->route_memory);
    struct node_relay relay;

    node_relay_get(e->node, index, &relay);
    if (relay.state != RELAY_UP)
        return;
    struct route_network network = route_network_now();
    if (!route_memory_learn(&e->route_memory, &network,
                            &e->relays[index].url.key, relay.form) ||
        e->routes_path[0] == '\0')
        return;
    if (e->routes_writer == NULL ||
        !file_writer_put(e->routes_writer, e->routes_path, memory))
        warn("routes_not_kept", e->routes_path, (char[]){"no thread"});
}
