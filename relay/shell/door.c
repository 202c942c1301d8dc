#include "relay/shell/door_private.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/processor.h"
#include "common/io/sockaddr.h"
#include "relay/shell/door_wrap.h"
#include "relay/shell/tcp_listener.h"

enum {
    /* Connections that are accepted in a turn, from each listener. */
    ACCEPTS = 64,
    /* The wait after the system gave no descriptor, unless one is free
     * before. */
    ACCEPT_PAUSE_MS = 100,
    /* The wait until freed memory goes back to the system. */
    GIVE_BACK_MS = 500,
    /* One part in so many of memory_unread is never TLS's. */
    FRAMES_PART = 8,
};

/* ---- Lists ------------------------------------------------------------ */

void door_list_add(struct door_conn *c, enum door_list_of of)
{
    struct door_list *l = &c->door->lists[of];
    struct door_link *link = &c->links[of];

    if (link->in)
        return;
    *link = (struct door_link){.in = true, .previous = l->last};
    *(l->last != NULL ? &l->last->links[of].next : &l->first) = c;
    l->last = c;
    l->count++;
}

void door_list_remove(struct door_conn *c, enum door_list_of of)
{
    struct door_list *l = &c->door->lists[of];
    struct door_link *link = &c->links[of];

    if (!link->in)
        return;
    *(link->previous != NULL ? &link->previous->links[of].next : &l->first) =
        link->next;
    *(link->next != NULL ? &link->next->links[of].previous : &l->last) =
        link->previous;
    *link = (struct door_link){0};
    l->count--;
}

/* ---- Accepting -------------------------------------------------------- */

static void on_incoming(uv_poll_t *poll, int status, int events);

static void resume_accepting(struct door *d)
{
    d->accept_at = INSTANT_NEVER;
    for (struct door_listener *l = d->listeners; l != NULL; l = l->next)
        uv_poll_start(&l->poll, UV_READABLE, on_incoming);
}

static void pause_accepting(struct door *d, struct instant now)
{
    d->accept_at = instant_after(now, span_ms(ACCEPT_PAUSE_MS));
    for (struct door_listener *l = d->listeners; l != NULL; l = l->next)
        uv_poll_stop(&l->poll);
}

void door_accept_soon(struct door *d)
{
    if (instant_is_never(d->accept_at))
        return;
    d->accept_at = (struct instant){0};
    zloop_kick(d->zloop);
}

static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS ||
           error == ENOMEM;
}

/* Connections that wait would else wake the loop again and again. */
static void on_accept_failed(struct door *d, int error)
{
    struct instant now = clock_now();
    const char *word = strerrorname_np(error);

    if (!is_shortage(error))
        return; /* That connection is gone already. */
    gate_accept_failed(d->gate, error, now);
    pause_accepting(d, now);
    d->user.turned_away(d->user.owner.context, "accept_failed",
                        &(struct address){0}, word != NULL ? word : "unknown");
}

/* False if nobody waits. */
static bool accept_one(struct door_listener *l)
{
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof from;
    int fd = accept4(l->fd, (struct sockaddr *)&from, &size,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0) {
        int error = errno;
        if (error == EAGAIN)
            return false;
        on_accept_failed(l->door, error);
        return !is_shortage(error);
    }
    struct address address = address_of_sockaddr((struct sockaddr *)&from);
    door_conn_accepted(l->door, fd, &address);
    return true;
}

static void on_incoming(uv_poll_t *poll, int status, int events)
{
    struct door_listener *l = poll->data;

    (void)status;
    (void)events;
    zloop_kick(l->door->zloop);
    for (int i = 0; i < ACCEPTS && accept_one(l); i++)
        ;
}

bool door_listen(struct door *d, const char *endpoint,
                 char bound[static LISTENER_TEXT_SIZE])
{
    int fd = tcp_listener_open(endpoint, bound);
    if (fd < 0)
        return false;
    struct door_listener *l = memory_new(sizeof *l);
    int error = uv_poll_init(d->zloop->loop, &l->poll, fd);
    if (error != 0) {
        close(fd);
        free(l);
        errno = -error;
        return false;
    }
    l->door = d;
    l->fd = fd;
    l->poll.data = l;
    l->next = d->listeners;
    d->listeners = l;
    gate_listening(d->gate, fd);
    uv_poll_start(&l->poll, UV_READABLE, on_incoming);
    return true;
}

/* ---- Writing ---------------------------------------------------------- */

/* A connection that takes the packet seals it at once; else it must wait, in
 * bytes of its own. */
void door_write(struct door *d, uint64_t conn, struct bytes packet)
{
    struct carrier *carrier = carriers_find(&d->carriers, conn);
    struct packet_ref ref;

    if (carrier == NULL)
        return;
    if (door_conn_takes(carrier->connection))
        packet_ref_borrow(&ref, packet);
    else
        packet_ref_copy(&ref, packet);
    carrier_write(carrier, &ref);
}

void door_forward(struct door *d, uint64_t conn, struct packet_ref *packet)
{
    door_write(d, conn,
               bytes_of(packet_ref_data(packet), packet_ref_size(packet)));
}

void door_prove(struct door *d, uint64_t conn)
{
    const struct carrier *carrier = carriers_find(&d->carriers, conn);
    if (carrier == NULL)
        return;
    struct door_conn *c = carrier->connection;
    c->proved = true;
    door_list_remove(c, DOOR_TLS);
    gate_prove(d->gate, c->fd, conn);
}

void door_drop(struct door *d, uint64_t conn)
{
    carriers_close(&d->carriers, conn);
}

/* ---- Turns ------------------------------------------------------------ */

/* Those that are written to meanwhile come in the next turn. */
static void send_all(struct door *d)
{
    const struct door_list *l = &d->lists[DOOR_UNSENT];
    for (size_t i = l->count; i > 0 && l->first != NULL; i--)
        door_conn_flush(l->first);
    if (l->first != NULL)
        zloop_kick(d->zloop);
}

static size_t most_for_tls(const struct door *d)
{
    return d->conf.memory_unread - d->conf.memory_unread / FRAMES_PART;
}

/* What the TLS of members does not take. */
static size_t most_for_partials(const struct door *d)
{
    size_t tls =
        d->tls_bytes < most_for_tls(d) ? d->tls_bytes : most_for_tls(d);
    return d->conf.memory_unread - tls;
}

/* Who completes a handshake or a frame does so soon, so the oldest one is the
 * least likely to be honest. */
static bool end_oldest(const struct door *d, enum door_list_of of)
{
    struct door_conn *oldest = d->lists[of].first;

    if (oldest != NULL)
        door_conn_end(oldest, "connection_cut", "memory");
    return oldest != NULL;
}

bool door_has_room(struct door *d)
{
    while (d->tls_bytes + TLS_MEMORY_SHAKES > most_for_tls(d)) {
        if (!end_oldest(d, DOOR_TLS))
            return false;
    }
    return true;
}

/* Of TLS that is no member's and of beginnings, those go that hold more. */
static void limit_unread(struct door *d)
{
    const struct door_list *strangers = &d->lists[DOOR_TLS];

    while (d->partial_bytes > most_for_partials(d)) {
        bool tls = strangers->count * TLS_MEMORY_SHAKES > d->partial_bytes;
        if (!end_oldest(d, tls ? DOOR_TLS : DOOR_PARTIAL))
            return;
    }
    while (d->tls_bytes > most_for_tls(d) && end_oldest(d, DOOR_TLS))
        ;
}

static void end_waits(struct door *d, struct instant now)
{
    struct timer *t;
    while ((t = heap_due(&d->timers, now)) != NULL)
        door_conn_due(t->owner, now);
}

void door_turn(struct door *d, struct instant now)
{
    d->shakes = 0;
    send_all(d);
    limit_unread(d);
    end_waits(d, now);
    gate_due(d->gate, now);
    if (instant_reached(d->accept_at, now))
        resume_accepting(d);
    if (instant_reached(d->give_back_at, now)) {
        d->give_back_at = INSTANT_NEVER;
        malloc_trim(0);
    }
}

struct instant door_deadline(const struct door *d)
{
    struct instant at =
        instant_min(heap_deadline(&d->timers), gate_deadline(d->gate));
    return instant_min(at, instant_min(d->accept_at, d->give_back_at));
}

void door_freed(struct door *d, struct instant now)
{
    if (instant_is_never(d->give_back_at))
        d->give_back_at = instant_after(now, span_ms(GIVE_BACK_MS));
}

size_t door_count(const struct door *d)
{
    return d->lists[DOOR_ALL].count;
}

/* ---- Opening and closing ---------------------------------------------- */

static void on_cut(void *context, const struct address *address,
                   const char *reason)
{
    const struct door *d = context;
    d->user.turned_away(d->user.owner.context, "connection_cut", address,
                        reason);
}

struct door *door_open(struct zloop *z, const struct curve_pair *keys,
                       const struct door_conf *conf,
                       const struct entrance_user *user)
{
    struct door *d = memory_new(sizeof *d);
    uint8_t seed[32];

    d->zloop = z;
    d->keys = *keys;
    d->conf = *conf;
    d->user = *user;
    d->next_id = conf->first_id;
    d->accept_at = d->give_back_at = INSTANT_NEVER;
    randombytes_buf(seed, sizeof seed);
    entropy_init(&d->entropy, seed);
    sodium_memzero(seed, sizeof seed);
    d->mac = one_time_mac_new();
    d->wide = processor_is_wide();
    carriers_init(&d->carriers,
                  &(struct carriers_conf){
                      .credit = DOOR_CREDIT,
                      .credit_least = DOOR_CREDIT_LEAST,
                      .memory = conf->memory_held,
                      .queue = SIZE_MAX, /* The hub limits what it writes. */
                  },
                  &user->owner);
    d->gate = gate_new(&conf->gate, NULL, on_cut, d);
    return d;
}

void door_reconfigure(struct door *d, const struct door_conf *conf)
{
    d->conf.gate = conf->gate;
    memcpy(d->conf.proxies, conf->proxies, sizeof conf->proxies);
    d->conf.proxy_count = conf->proxy_count;
    d->conf.handshake = conf->handshake;
    d->conf.memory_unread = conf->memory_unread;
    d->conf.memory_held = d->carriers.conf.memory = conf->memory_held;
    gate_reconfigure(d->gate, &conf->gate);
}

void door_serve_tls(struct door *d, struct tls_pair *pair)
{
    tls_pair_release(&d->tls);
    d->tls = tls_pair_share(pair);
}

void door_stopping(struct door *d)
{
    d->stopping = true;
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void close_listeners(struct door *d)
{
    while (d->listeners != NULL) {
        struct door_listener *l = d->listeners;
        d->listeners = l->next;
        uv_close((uv_handle_t *)&l->poll, on_listener_closed);
        close(l->fd);
    }
}

/* What the kernel takes at once still leaves. */
static void close_conns(struct door *d)
{
    struct door_conn *c;
    while ((c = d->lists[DOOR_ALL].first) != NULL) {
        c->carrier.deaf = true;
        door_conn_flush(c);
        if (c->wrap != NULL)
            door_web_bye(c);
        door_conn_end(c, NULL, NULL);
    }
}

void door_close(struct door **self)
{
    struct door *d = *self;
    if (d == NULL)
        return;
    *self = NULL;
    close_conns(d);
    close_listeners(d);
    carriers_close_all(&d->carriers);
    gate_free(d->gate);
    tls_pair_release(&d->tls);
    heap_close(&d->timers);
    one_time_mac_free(&d->mac);
    sodium_memzero(d, sizeof *d);
    free(d);
}
