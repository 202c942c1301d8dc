#include "edge/shell/udp_endpoints.h"

#include "common/base/memory.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

enum {
    /* Attempts to find a port that is free for both families. */
    PORT_TRIES = 8,
};

void udp_endpoints_init(struct udp_endpoints *all, uv_loop_t *loop,
                        const struct udp_endpoints_owner *owner)
{
    uint8_t hash_key[16];

    *all = (struct udp_endpoints){.loop = loop, .owner = *owner};
    randombytes_buf(hash_key, sizeof hash_key);
    map_init(&all->by_number, sizeof(uint32_t), hash_key);
}

void udp_endpoints_close(struct udp_endpoints *all)
{
    struct udp_endpoint *e;
    size_t cursor = 0;

    while ((e = map_next(&all->by_number, &cursor)) != NULL)
        udp_endpoint_forget(e);
    map_close(&all->by_number);
}

/* ---- Opening */

static void on_readable(void *context, struct udp_socket *s)
{
    struct udp_endpoint *e = context;

    e->all->owner.readable(e->all->owner.context, e, s);
}

static void on_writable(void *context, struct udp_socket *s)
{
    struct udp_endpoint *e = context;

    e->all->owner.writable(e->all->owner.context, e, s);
}

static struct udp_socket *open_socket(struct udp_endpoint *e,
                                      enum address_family family, uint16_t port)
{
    struct udp_socket_owner owner = {
        .context = e, .readable = on_readable, .writable = on_writable};
    struct udp_socket *s = udp_socket_open(e->all->loop, family, port, &owner);

    if (s != NULL && e->large)
        udp_socket_enlarge(s);
    return s;
}

/* False with errno: this port is not free for both families. */
static bool open_both(struct udp_endpoint *e, uint16_t port)
{
    e->v4 = open_socket(e, ADDRESS_V4, port);
    if (e->v4 == NULL && errno != EAFNOSUPPORT)
        return false;
    if (e->v4 != NULL)
        port = udp_socket_port(e->v4);
    e->v6 = open_socket(e, ADDRESS_V6, port);
    if (e->v6 != NULL || (e->v4 != NULL && errno != EADDRINUSE))
        return true;
    int error = errno;
    udp_socket_close(&e->v4);
    errno = error;
    return false;
}

static struct udp_endpoint *endpoint_new(struct udp_endpoints *all,
                                         uint32_t number)
{
    struct udp_endpoint *e = memory_new(sizeof *e);

    e->all = all;
    e->number = number;
    return e;
}

/* Gives it its number, or frees it if it has no socket. */
static struct udp_endpoint *endpoint_named(struct udp_endpoint *e)
{
    int error = errno;

    if (e->v4 == NULL && e->v6 == NULL) {
        free(e);
        errno = error;
        return NULL;
    }
    e->named = true;
    const void *before = map_put(&e->all->by_number, &e->number, e);
    ASSERT(before == NULL);
    return e;
}

struct udp_endpoint *udp_endpoint_open(struct udp_endpoints *all,
                                       uint32_t number, uint16_t port)
{
    int tries = port == 0 ? PORT_TRIES : 1;

    if (udp_endpoints_find(all, number) != NULL) {
        errno = EEXIST;
        return NULL;
    }
    struct udp_endpoint *e = endpoint_new(all, number);
    while (tries-- > 0 && !open_both(e, port) && errno == EADDRINUSE)
        ;
    return endpoint_named(e);
}

struct udp_endpoint *udp_endpoint_open_one(struct udp_endpoints *all,
                                           uint32_t number)
{
    if (udp_endpoints_find(all, number) != NULL) {
        errno = EEXIST;
        return NULL;
    }
    struct udp_endpoint *e = endpoint_new(all, number);
    e->v4 = open_socket(e, ADDRESS_V4, 0);
    if (e->v4 == NULL && errno == EAFNOSUPPORT)
        e->v6 = open_socket(e, ADDRESS_V6, 0);
    return endpoint_named(e);
}

/* ---- Use */

struct udp_endpoint *udp_endpoints_find(const struct udp_endpoints *all,
                                        uint32_t number)
{
    return map_get(&all->by_number, &number);
}

struct udp_socket *udp_endpoint_socket(struct udp_endpoint *e,
                                       enum address_family family)
{
    struct udp_socket **s = family == ADDRESS_V6 ? &e->v6 : &e->v4;

    if (family == ADDRESS_NONE)
        return NULL;
    if (*s != NULL)
        return *s;
    *s = open_socket(e, family, udp_endpoint_port(e));
    if (*s == NULL && errno == EADDRINUSE)
        *s = open_socket(e, family, 0);
    if (*s != NULL && e->named)
        e->all->owner.grown(e->all->owner.context, e);
    return *s;
}

uint16_t udp_endpoint_port(const struct udp_endpoint *e)
{
    return udp_socket_port(e->v4 != NULL ? e->v4 : e->v6);
}

void udp_endpoint_enlarge(struct udp_endpoint *e)
{
    if (e->large)
        return;
    e->large = true;
    if (e->v4 != NULL)
        udp_socket_enlarge(e->v4);
    if (e->v6 != NULL)
        udp_socket_enlarge(e->v6);
}

/* ---- The end */

static void free_unused(struct udp_endpoint *e)
{
    if (e->named || e->holders > 0)
        return;
    udp_socket_close(&e->v4);
    udp_socket_close(&e->v6);
    free(e);
}

void udp_endpoint_forget(struct udp_endpoint *e)
{
    map_remove(&e->all->by_number, &e->number);
    e->named = false;
    free_unused(e);
}

void udp_endpoint_hold(struct udp_endpoint *e)
{
    e->holders++;
}

void udp_endpoint_release(struct udp_endpoint *e)
{
    e->holders--;
    free_unused(e);
}
