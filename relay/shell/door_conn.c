#include "relay/shell/door_private.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/tcp_options.h"
#include "common/wire/packet.h"
#include "relay/shell/door_wrap.h"

enum {
    /* Reads that follow each other once a connection is broken: more than its
     * buffer in the kernel can hold. */
    LAST_READS = 256,
};

/* ---- Polling ---------------------------------------------------------- */

/* Such an end is not read: what it sends may lead to more bytes for it. Packets
 * alone do not get it there. */
static bool has_too_much_to_read(const struct door_conn *c)
{
    return door_conn_unsent(c) >= 2 * (size_t)DOOR_CREDIT;
}

/* What came before the end, such as a goodbye, is read first. */
static void read_last(struct door_conn *c)
{
    for (int i = 0; i < LAST_READS && !c->is_over && !c->carrier.deaf; i++)
        door_conn_read(c);
    door_conn_end(c, NULL, NULL);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct door_conn *c = poll->data;
    zloop_kick(c->door->zloop);
    if (gate_is_cut(c->door->gate, c->fd))
        door_conn_end(c, NULL, NULL);
    else if (status < 0)
        read_last(c);
    else {
        if (events & UV_READABLE)
            door_conn_read(c);
        else if (events & UV_DISCONNECT)
            door_conn_end(c, NULL, NULL);
        if (!c->is_over && (events & UV_WRITABLE))
            door_conn_writable(c);
    }
}

void door_conn_watch(struct door_conn *c)
{
    int events = UV_DISCONNECT;
    if (c->is_over)
        return;
    if (!c->carrier.deaf && !has_too_much_to_read(c))
        events |= UV_READABLE;
    if (c->full && !c->mute)
        events |= UV_WRITABLE;
    if (events == c->events)
        return;
    c->events = events;
    uv_poll_start(&c->poll, events, on_poll);
}

/* ---- The beginning ---------------------------------------------------- */

void door_conn_greet(struct door_conn *c)
{
    if (c->unnamed) {
        door_conn_end(c, "handshake_failed", "no_proxy_header");
        return;
    }
    struct door *d = c->door;
    struct zmtp_conf conf = {.role = ZMTP_AS_SERVER,
                             .keys = &d->keys,
                             .entropy = &d->entropy,
                             .mac = d->mac,
                             .wide = d->wide,
                             .packet_size = PACKET_SIZE};
    zmtp_init(&c->zmtp, &conf, &d->reply);
    door_conn_reply(c);
}

static void refuse(struct door *d, int fd)
{
    struct address unused;
    gate_closed(d->gate, fd, &unused);
    close(fd);
}

bool door_is_proxy(const struct door *d, const struct address *address)
{
    return address_prefixes_have(d->conf.proxies, d->conf.proxy_count, address);
}

bool door_conn_named(struct door_conn *c, const struct address *client)
{
    struct door *d = c->door;

    c->unnamed = false;
    if (client == NULL)
        return true;
    c->address = *client;
    if (door_is_proxy(d, client))
        return true; /* Another one behind; limits for addresses spare it. */
    gate_client(d->gate, c->fd, client, clock_now());
    if (!gate_is_cut(d->gate, c->fd))
        return true;
    door_conn_end(c, NULL, NULL);
    return false;
}

void door_conn_accepted(struct door *d, int fd, const struct address *address)
{
    struct instant now = clock_now();
    bool by_proxy = door_is_proxy(d, address);
    struct door_conn *c;

    if (by_proxy)
        gate_accepted_proxy(d->gate, fd, now);
    else
        gate_accepted(d->gate, fd, now);
    if (gate_is_cut(d->gate, fd)) {
        refuse(d, fd);
        return;
    }
    c = memory_new(sizeof *c);
    if (uv_poll_init(d->zloop->loop, &c->poll, fd) != 0) {
        refuse(d, fd);
        free(c);
        return;
    }
    c->door = d;
    c->fd = fd;
    c->poll.data = c;
    c->address = *address;
    c->unnamed = by_proxy;
    c->since = now;
    door_list_add(c, DOOR_ALL);
    c->due.owner = c;
    heap_set(&d->timers, &c->due, instant_after(now, d->conf.handshake));
    tcp_options_set(fd); /* The gate has set the others. */
    door_conn_watch(c);
}

bool door_conn_carry(struct door_conn *c)
{
    struct door *d = c->door;
    struct address address;
    uint64_t before;

    if (gate_is_cut(d->gate, c->fd) ||
        !gate_hold(d->gate, c->fd, d->next_id, clock_now(), &address,
                   &before)) {
        door_conn_end(c, NULL, NULL);
        return false;
    }
    carrier_init(&c->carrier, &d->carriers, d->next_id, &door_transport, c);
    d->next_id += d->conf.id_step;
    c->carried = true;
    c->carrier.tls = door_wrap_told(c);
    carrier_opened(&c->carrier, &c->key, &c->address);
    return true;
}

/* ---- The end ---------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void free_parts(struct door_conn *c)
{
    door_partial_free(c);
    door_queue_free(c->door, &c->out);
    door_wrap_free(c);
    heap_remove(&c->door->timers, &c->due);
    zmtp_wipe(&c->zmtp);
    for (int of = 0; of < DOOR_LISTS; of++)
        door_list_remove(c, (enum door_list_of)of);
}

void door_conn_end(struct door_conn *c, const char *what, const char *reason)
{
    struct door *d = c->door;
    struct address unused;

    if (c->is_over)
        return;
    c->is_over = true;
    gate_closed(d->gate, c->fd, &unused);
    uv_close((uv_handle_t *)&c->poll, on_closed);
    close(c->fd);
    free_parts(c);
    door_accept_soon(d);
    if (what != NULL)
        d->user.turned_away(d->user.owner.context, what, &c->address, reason);
    door_conn_forget(c);
}

void door_conn_forget(struct door_conn *c)
{
    zmtp_wipe(&c->zmtp);
    if (!c->carried)
        return;
    carrier_ended(&c->carrier, CARRIER_BROKEN);
    carrier_fini(&c->carrier);
    c->carried = false;
}

void door_conn_failed(struct door_conn *c)
{
    const char *reason = zmtp_failure_name(c->zmtp.failure);
    door_conn_end(c, c->shaken ? "connection_cut" : "handshake_failed", reason);
}

void door_conn_due(struct door_conn *c, struct instant now)
{
    if (c->wrap != NULL)
        door_web_due(c, now);
    else
        door_conn_end(c, "handshake_failed", "timeout");
}
