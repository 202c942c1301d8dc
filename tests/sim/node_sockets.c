/*
 * The sockets of a process, by the numbers that its node gives them.
 */
#include "tests/sim/udp_hosts_private.h"

#include "common/base/memory.h"

static struct udp_host *host_of(const struct world *w, int host)
{
    return &w->udp_hosts->hosts[host];
}

static struct node_socket *find(const struct world *w, int host,
                                uint32_t number)
{
    struct udp_host *u = host_of(w, host);

    for (size_t i = 0; i < u->socket_count; i++)
        if (u->sockets[i].number == number)
            return &u->sockets[i];
    return NULL;
}

uint16_t node_sockets_open(struct world *w, int host, uint32_t number,
                           uint32_t count, uint16_t port)
{
    struct udp_host *u = host_of(w, host);
    uint16_t first = 0;

    for (uint32_t i = 0; i < count && !w->failed; i++) {
        struct node_socket s = {.number = number + i};

        if (find(w, host, s.number) != NULL)
            world_fail(w, "udp-socket", "%d opens socket %u again", host,
                       s.number);
        s.port = udp_open(w, host, i == 0 ? port : 0);
        ASSERT(s.port != 0);
        if (i == 0)
            first = s.port;
        u->sockets = memory_grow(u->sockets, u->socket_count, &u->socket_room,
                                 sizeof(*u->sockets));
        u->sockets[u->socket_count++] = s;
    }
    return first;
}

static void end(struct world *w, int host, struct node_socket *s)
{
    struct udp_host *u = host_of(w, host);

    udp_close(w, host, s->port);
    *s = u->sockets[--u->socket_count];
}

void node_sockets_close(struct world *w, int host, uint32_t number,
                        uint32_t count)
{
    if (w->udp_sabotage == UDP_SABOTAGE_LEAK)
        return;
    for (uint32_t i = 0; i < count && !w->failed; i++) {
        struct node_socket *s = find(w, host, number + i);

        if (s == NULL || s->closed)
            world_fail(w, "udp-socket", "%d closes socket %u, which is closed",
                       host, number + i);
        else if (s->links > 0)
            s->closed = true;
        else
            end(w, host, s);
    }
}

void node_sockets_close_all(struct world *w, int host)
{
    while (host_of(w, host)->socket_count > 0)
        end(w, host, &host_of(w, host)->sockets[0]);
}

bool node_sockets_has(const struct world *w, int host, uint32_t number)
{
    return find(w, host, number) != NULL;
}

bool node_sockets_of_port(const struct world *w, int host, uint16_t port,
                          uint32_t *number)
{
    const struct udp_host *u = host_of(w, host);

    for (size_t i = 0; i < u->socket_count; i++)
        if (u->sockets[i].port == port) {
            *number = u->sockets[i].number;
            return true;
        }
    return false;
}

bool udp_socket_hold(struct world *w, int host, uint32_t socket)
{
    struct node_socket *s = find(w, host, socket);

    if (s == NULL || s->closed)
        return false;
    s->links++;
    return true;
}

void udp_socket_release(struct world *w, int host, uint32_t socket)
{
    struct node_socket *s = find(w, host, socket);

    s->links--;
    if (s->closed && s->links == 0)
        end(w, host, s);
}

void udp_socket_send(struct world *w, int host, uint32_t socket,
                     const struct address *to, struct bytes bytes, int ttl)
{
    const struct node_socket *s = find(w, host, socket);

    if (s == NULL)
        world_fail(w, "udp-socket", "%d sends by socket %u, which is closed",
                   host, socket);
    else
        udp_send(w, host, s->port, to, bytes, ttl);
}
