#include "edge/shell/listener.h"

#include "common/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { ENDPOINT_SIZE = ADDRESS_TEXT_SIZE + 16 };

static uint16_t bound_port(void *socket)
{
    char endpoint[256];
    size_t size = sizeof endpoint;

    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0)
        return 0;
    const char *colon = strrchr(endpoint, ':');
    return colon == NULL ? 0 : (uint16_t)strtoul(colon + 1, NULL, 10);
}

/* "tcp://[fe80::1%3]:40000"; `a` NULL: the wildcard address. */
static const char *endpoint_of(const struct address *a, uint16_t port,
                               char text[ENDPOINT_SIZE])
{
    char host[ADDRESS_TEXT_SIZE] = "*";

    if (a != NULL) {
        address_format(a, host);
        *strrchr(host, ':') = '\0';
    }
    snprintf(text, ENDPOINT_SIZE, "tcp://%s:%u", host, port);
    return text;
}

static bool bind_one(struct listener *l, void *socket, const struct address *a)
{
    char endpoint[ENDPOINT_SIZE];

    if (zmq_bind(socket, endpoint_of(a, l->port, endpoint)) != 0)
        return false;
    l->port = bound_port(socket);
    return l->port != 0;
}

static bool has_address(const struct interfaces *all, const struct address *a)
{
    for (size_t i = 0; i < all->count; i++)
        for (size_t at = 0; at < all->list[i].count; at++)
            if (address_equal(&all->list[i].addresses[at], a))
                return true;
    return false;
}

static void unbind_gone(struct listener *l, void *socket,
                        const struct interfaces *where)
{
    char endpoint[ENDPOINT_SIZE];
    size_t kept = 0;

    for (size_t i = 0; i < l->count; i++) {
        if (has_address(where, &l->bound[i]))
            l->bound[kept++] = l->bound[i];
        else
            zmq_unbind(socket, endpoint_of(&l->bound[i], l->port, endpoint));
    }
    l->count = kept;
}

static bool is_bound(const struct listener *l, const struct address *a)
{
    for (size_t i = 0; i < l->count; i++)
        if (address_equal(&l->bound[i], a))
            return true;
    return false;
}

static void note_bound(struct listener *l, const struct address *a)
{
    l->bound = memory_grow(l->bound, l->count, &l->room, sizeof *l->bound);
    l->bound[l->count++] = *a;
}

static bool bind_new(struct listener *l, void *socket,
                     const struct interface *where)
{
    bool failed = false;

    for (size_t i = 0; i < where->count; i++) {
        const struct address *a = &where->addresses[i];
        if (is_bound(l, a))
            continue;
        if (bind_one(l, socket, a))
            note_bound(l, a);
        else
            failed = true;
    }
    return !failed;
}

bool listener_listen(struct listener *l, void *socket, uint16_t port,
                     const struct interfaces *where)
{
    bool failed = false;

    l->port = port;
    if (where == NULL)
        return bind_one(l, socket, NULL);
    unbind_gone(l, socket, where);
    for (size_t i = 0; i < where->count; i++)
        failed |= !bind_new(l, socket, &where->list[i]);
    return !failed || l->count > 0;
}

void listener_close(struct listener *l)
{
    free(l->bound);
    *l = (struct listener){0};
}
