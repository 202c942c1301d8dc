#include "edge/shell/relay_link.h"

#include "common/io/log.h"

#include <sodium.h>
#include <stdlib.h>

enum {
    /* From the beginning to the end of the handshake. The node gives the link
     * up after 5 s, and could not tell why. */
    OPEN_MS = 4500,
    /* How long a link that was closed stays, for its last packets. */
    LINGER_MS = 200,
    /* Reads before the end: the kernel drops what it has not sent yet if
     * something came that nobody read. */
    LAST_READS = 4,
};

/* ---- The end */

static void on_timer_closed(uv_handle_t *timer)
{
    struct relay_link *l = timer->data;
    struct relay_links *all = l->all;

    free(l);
    relay_links_freed(all);
}

void relay_link_free(struct relay_link *l)
{
    l->is_over = true;
    if (l->pipe != NULL)
        byte_pipe_close(l->pipe);
    l->pipe = NULL;
    relay_room_drop(l);
    byte_queue_free(&l->out);
    zmtp_wipe(&l->zmtp);
    *(l->previous != NULL ? &l->previous->next : &l->all->first) = l->next;
    if (l->next != NULL)
        l->next->previous = l->previous;
    uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}

static void uncarry(struct relay_link *l)
{
    carrier_fini(&l->carrier);
    l->carried = false;
}

void relay_link_ended(struct relay_link *l, enum link_failure failure)
{
    l->carrier.failure = (int)failure;
    carrier_ended(&l->carrier, CARRIER_NAMED);
    uncarry(l);
    relay_link_free(l);
}

/* ---- A link that was closed, and still sends */

static void on_lingered(uv_timer_t *timer)
{
    relay_link_free(timer->data);
}

static void read_away(struct relay_link *l)
{
    uint8_t room[4096];

    for (int i = 0; i < LAST_READS; i++)
        if (byte_pipe_read(l->pipe, room, sizeof room) <= 0)
            return;
}

static void linger(struct relay_link *l)
{
    relay_link_flush(l);
    if (byte_queue_size(&l->out) > 0)
        return;
    read_away(l);
    relay_link_free(l);
}

void relay_link_leave(struct relay_link *l)
{
    log_debug("link_dropped", "link=%u open=%d", (uint32_t)l->carrier.id,
              l->carrier.open);
    bool open = l->carrier.open;
    uncarry(l);
    if (!open) {
        relay_link_free(l);
        return;
    }
    uv_timer_start(&l->timer, on_lingered, LINGER_MS, 0);
    linger(l);
}

/* ---- What the pipe tells */

static void on_opened(void *context)
{
    struct relay_link *l = context;

    l->began = true;
    l->hungry = true;
    relay_links_kick(l->all); /* The greeting leaves. */
}

static void on_ready(void *context)
{
    struct relay_link *l = context;

    if (!l->carried) {
        linger(l);
        return;
    }
    l->hungry = true;
    relay_links_kick(l->all);
}

static void on_ended(void *context, enum link_failure why)
{
    struct relay_link *l = context;

    if (!l->carried) {
        relay_link_free(l);
        return;
    }
    l->why = why;
    l->hungry = true;
    relay_links_kick(l->all);
}

/* ---- The beginning */

static void on_late(uv_timer_t *timer)
{
    relay_link_ended(timer->data, LINK_TIMEOUT);
}

static void greet(struct relay_link *l, const struct curve_pair *keys)
{
    struct zmtp_conf conf = {.role = ZMTP_AS_CLIENT,
                             .keys = keys,
                             .server = l->server,
                             .entropy = &l->all->entropy,
                             .mac = l->all->mac,
                             .wide = l->all->wide,
                             .packet_size = PACKET_SIZE};

    zmtp_init(&l->zmtp, &conf, &l->all->reply);
    relay_link_reply(l);
}

void relay_link_start(struct relay_link *l, uint32_t id,
                      const struct curve_pair *keys,
                      const struct relay_way *way)
{
    uv_loop_t *loop = l->all->links->events->zloop->loop;
    struct byte_pipe_user user = {.context = l,
                                  .opened = on_opened,
                                  .ready = on_ready,
                                  .ended = on_ended};

    log_debug("link_opening", "link=%u host=%s form=%s", id,
              way->relay->connect_to.host, relay_form_name(way->form));
    carrier_init(&l->carrier, &l->all->links->carriers, id,
                 &relay_link_transport, l);
    l->carried = true;
    greet(l, keys);
    uv_timer_start(&l->timer, on_late, OPEN_MS, 0);
    l->pipe = l->all->make(loop, way, &user);
    if (l->pipe == NULL)
        relay_link_ended(l, LINK_UNREACHABLE);
}
