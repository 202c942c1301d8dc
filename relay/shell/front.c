#include "relay/shell/front.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/io/router.h"
#include "common/io/zap.h"
#include "relay/shell/listener.h"

enum {
    /* Packets for each turn of the loop, so that timers are not late. */
    PACKETS_A_TURN = 512,
    /* Packets that are read before the hub hears that a connection ended. */
    PACKETS_AT_CLOSE = 8192,
    /* How often blocked connections are retried, and how many each time. A
     * ROUTER does not tell which of its connections are writable again. */
    RETRY_US = 1000,
    RETRIES = 256,
};

struct front {
    struct entrance_user user;
    struct carriers carriers;
    struct zap *zap;
    struct zsocket *socket;
    struct router *router;
    struct unread unread;
};

/* ---- Writing ---------------------------------------------------------- */

void front_write(struct front *f, uint64_t conn, struct bytes packet)
{
    struct packet_ref copy;
    packet_ref_copy(&copy, packet);
    carriers_write(&f->carriers, conn, &copy);
}

void front_forward(struct front *f, uint64_t conn, struct packet_ref *packet)
{
    struct packet_ref shared;
    packet_ref_share(&shared, packet);
    carriers_write(&f->carriers, conn, &shared);
}

void front_prove(struct front *f, uint64_t conn)
{
    router_prove(f->router, conn);
}

void front_drop(struct front *f, uint64_t conn)
{
    carriers_close(&f->carriers, conn);
}

/* ---- Turns ------------------------------------------------------------ */

static void on_ready(void *context, int events)
{
    struct front *f = context;
    if (events & ZMQ_POLLIN)
        (void)router_read(f->router, PACKETS_A_TURN);
}

/* Reads what these edges sent before their end first: a goodbye is no loss. */
static void tell_ends(struct front *f)
{
    if (router_is_ending(f->router))
        router_tell_ends(f->router, router_read(f->router, PACKETS_AT_CLOSE));
}

static struct instant retry_at(const struct front *f)
{
    return f->carriers.blocked_count > 0
               ? instant_after(f->carriers.tried_at, span_us(RETRY_US))
               : INSTANT_NEVER;
}

void front_turn(struct front *f, struct instant now)
{
    tell_ends(f);
    if (instant_reached(retry_at(f), now))
        carriers_retry(&f->carriers, RETRIES);
    router_due(f->router, now);
    unread_due(&f->unread, now);
}

struct instant front_deadline(const struct front *f)
{
    return instant_min(retry_at(f), instant_min(router_deadline(f->router),
                                                unread_deadline(&f->unread)));
}

void front_freed(struct front *f, struct instant now)
{
    unread_freed(&f->unread, now);
}

/* ---- Opening and closing ---------------------------------------------- */

static void on_turned_away(void *context, const char *what,
                           const struct address *address, const char *reason)
{
    const struct front *f = context;
    f->user.turned_away(f->user.owner.context, what, address, reason);
}

static void on_heard(void *context, const struct monitor_event *event)
{
    if (event->kind != MONITOR_ACCEPT_FAILED)
        return;
    const char *word = strerrorname_np(event->error);
    on_turned_away(context, "accept_failed", &(struct address){0},
                   word ? word : "unknown");
}

static bool open_router(struct front *f, struct zloop *z, void *zmq_context,
                        const struct front_conf *conf)
{
    struct router_conf router = {.socket = f->socket,
                                 .zloop = z,
                                 .zmq_context = zmq_context,
                                 .carriers = &f->carriers,
                                 .gate = conf->gate,
                                 .unread = &f->unread,
                                 .id_step = conf->id_step,
                                 .strangers = true,
                                 .readings = 1};
    f->router = router_open(
        &router, &(struct router_user){.context = f,
                                       .heard = on_heard,
                                       .turned_away = on_turned_away});
    return f->router != NULL;
}

struct front *front_open(struct zloop *z, void *zmq_context,
                         const struct curve_pair *keys,
                         const struct front_conf *conf,
                         const struct entrance_user *user)
{
    struct front *f = memory_new(sizeof *f);
    struct unread_world world = unread_world_open();
    f->user = *user;
    unread_init(&f->unread, &world, conf->memory_unread);
    carriers_init(&f->carriers,
                  &(struct carriers_conf){
                      .credit = FRONT_CREDIT,
                      .credit_least = FRONT_CREDIT_LEAST,
                      .memory = conf->memory_held,
                      .queue = SIZE_MAX, /* The hub limits what it writes. */
                  },
                  &user->owner);
    f->zap = zap_open(z, zmq_context, NULL, NULL);
    f->socket = listener_open(z, zmq_context, keys, on_ready, f);
    if (!f->zap || !f->socket || !open_router(f, z, zmq_context, conf))
        front_close(&f);
    return f;
}

bool front_listen(struct front *f, const char *endpoint,
                  char bound[static LISTENER_TEXT_SIZE])
{
    return listener_bind(f->socket, endpoint, bound);
}

void front_reconfigure(struct front *f, const struct front_conf *conf)
{
    router_reconfigure(f->router, &conf->gate);
    unread_set_memory(&f->unread, conf->memory_unread);
    f->carriers.conf.memory = conf->memory_held;
}

void front_close(struct front **self)
{
    struct front *f = *self;
    if (!f)
        return;
    *self = NULL;
    router_close(&f->router);
    carriers_close_all(&f->carriers);
    zsocket_close(&f->socket);
    zap_close(&f->zap);
    unread_world_close(&f->unread.world);
    free(f);
}
