#include "edge/shell/quic_links.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "edge/shell/quic_link.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void flush_alone(struct quic_links *all);
static void end_all(struct quic_links *all);

/* ---- The links that have something to do in this turn */

void quic_links_touch(struct quic_link *l)
{
    struct quic_links *all = l->all;

    if (!l->touched) {
        l->touched = true;
        l->next_touched = NULL;
        l->previous_touched = all->last_touched;
        *(all->last_touched != NULL ? &all->last_touched->next_touched
                                    : &all->first_touched) = l;
        all->last_touched = l;
        all->touched++;
    }
    if (!all->closed)
        zloop_kick(all->links->events->zloop);
}

static void untouch(struct quic_link *l)
{
    struct quic_links *all = l->all;

    if (!l->touched)
        return;
    l->touched = false;
    *(l->previous_touched != NULL ? &l->previous_touched->next_touched
                                  : &all->first_touched) = l->next_touched;
    *(l->next_touched != NULL ? &l->next_touched->previous_touched
                              : &all->last_touched) = l->previous_touched;
    all->touched--;
}

void quic_links_remove(struct quic_link *l)
{
    struct quic_links *all = l->all;

    untouch(l);
    heap_remove(&all->timers, &l->timer);
    map_remove(&all->by_label, &l->label);
    if (map_get(&all->by_source, l->source) == l)
        map_remove(&all->by_source, l->source);
    end_all(all);
}

/* ---- Hosts that large datagrams do not reach */

bool quic_links_is_narrow(const struct quic_links *all,
                          const struct address *host)
{
    for (size_t i = 0; i < QUIC_LINKS_NARROW; i++)
        if (address_same_ip(&all->narrow[i], host))
            return true;
    return false;
}

void quic_links_note_narrow(struct quic_links *all, const struct address *host)
{
    if (!quic_links_is_narrow(all, host))
        all->narrow[all->narrowed++ % QUIC_LINKS_NARROW] = *host;
}

/* ---- Time */

static void on_time(struct quic_links *all);

static void on_coarse(uv_timer_t *timer)
{
    on_time(timer->data);
}

static void on_fine(uv_poll_t *poll, int status, int events)
{
    struct quic_links *all = poll->data;
    uint64_t times;

    (void)status;
    (void)events;
    (void)!read(all->fine_fd, &times, sizeof times);
    on_time(all);
}

static void arm_coarse(struct quic_links *all, struct span left)
{
    uv_update_time(all->coarse.loop);
    uv_timer_start(&all->coarse, on_coarse, (uint64_t)(left.us + 999) / 1000,
                   0);
}

static void arm_fine(struct quic_links *all, struct instant at)
{
    int64_t us = at.us < 1 ? 1 : at.us; /* Zero would stop the timer. */
    struct itimerspec spec = {
        .it_value = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}};

    timerfd_settime(all->fine_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* A timer that fires too early costs less than setting it each time. */
static void arm(struct quic_links *all, struct instant now)
{
    struct instant at = heap_deadline(&all->timers);
    struct span left = instant_between(now, at);

    if (at.us >= all->armed.us)
        return;
    all->armed = at;
    if (left.us >= QUIC_LINKS_COARSE_US)
        arm_coarse(all, left);
    else
        arm_fine(all, at);
}

static void on_time(struct quic_links *all)
{
    struct instant now = clock_now();
    struct timer *t;

    all->armed = INSTANT_NEVER;
    while ((t = heap_due(&all->timers, now)) != NULL)
        quic_links_touch(t->owner);
    arm(all, now);
    flush_alone(all);
}

/* ---- A turn */

void quic_links_flush(struct quic_links *all)
{
    struct instant now;
    size_t count = all->touched;

    if (count == 0)
        return;
    now = clock_now();
    for (; count > 0 && all->first_touched != NULL; count--) {
        struct quic_link *l = all->first_touched;
        untouch(l);
        quic_link_turn(l, now);
    }
    arm(all, now);
}

/* Once closed there are no turns: the links end by themselves. */
static void flush_alone(struct quic_links *all)
{
    while (all->closed && all->touched > 0)
        quic_links_flush(all);
}

bool quic_links_are_full(const struct quic_links *all)
{
    return all->waiting > 0;
}

void quic_links_writable(struct quic_links *all, const struct udp_socket *s)
{
    size_t cursor = 0;
    struct quic_link *l;

    while ((l = map_next(&all->by_label, &cursor)) != NULL)
        if (l->socket == s && l->unsent.size > 0)
            quic_links_touch(l);
    flush_alone(all);
}

/* ---- Datagrams */

void quic_links_write_source(uint8_t key[static QUIC_SOURCE_KEY_SIZE],
                             uint32_t endpoint, const struct address *from)
{
    struct writer w = writer_of(key, QUIC_SOURCE_KEY_SIZE);

    write_u32(&w, endpoint);
    address_key(from, write_room(&w, ADDRESS_KEY_SIZE));
    write_u16(&w, from->port);
}

static struct quic_link *link_of(const struct quic_links *all,
                                 const struct udp_endpoint *at,
                                 const struct address *from,
                                 const uint8_t *bytes, size_t size)
{
    uint8_t source[QUIC_SOURCE_KEY_SIZE];
    uint32_t label;

    if (!quic_label(bytes, size, &label))
        return NULL;
    struct quic_link *l = map_get(&all->by_label, &label);
    if (l == NULL && (bytes[0] & 0x80)) { /* a long header */
        quic_links_write_source(source, at->number, from);
        l = map_get(&all->by_source, source);
    }
    return l != NULL && l->endpoint == at ? l : NULL;
}

bool quic_links_take(struct quic_links *all, const struct udp_endpoint *at,
                     const struct address *from, uint8_t *bytes, size_t size,
                     struct instant now)
{
    struct quic_link *l = link_of(all, at, from, bytes, size);

    if (l == NULL)
        return false;
    quic_link_take(l, from, bytes, size, now);
    return true;
}

/* ---- Opening */

static uint32_t free_label(const struct quic_links *all)
{
    uint32_t label;

    do
        label = randombytes_random();
    while (map_get(&all->by_label, &label) != NULL);
    return label;
}

void quic_links_connect(struct quic_links *all, struct udp_endpoint *from,
                        const struct node_todo *item)
{
    struct quic_link *l = memory_new(sizeof *l);

    l->all = all;
    l->timer.owner = l;
    l->label = free_label(all);
    map_put(&all->by_label, &l->label, l);
    quic_link_start(l, from, item);
}

bool quic_links_open(struct quic_links *all, struct link_table *links,
                     size_t hold)
{
    uint8_t hash_key[16];

    uv_loop_t *loop = links->events->zloop->loop;

    all->fine_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (all->fine_fd < 0)
        return false;
    if (uv_poll_init(loop, &all->fine, all->fine_fd) != 0) {
        close(all->fine_fd);
        errno = EMFILE;
        return false;
    }
    uv_timer_init(loop, &all->coarse);
    all->open_timers = 2;
    all->links = links;
    all->hold = hold;
    all->armed = INSTANT_NEVER;
    all->fine.data = all;
    all->coarse.data = all;
    randombytes_buf(hash_key, sizeof hash_key);
    map_init(&all->by_label, sizeof(uint32_t), hash_key);
    map_init(&all->by_source, QUIC_SOURCE_KEY_SIZE, hash_key);
    uv_poll_start(&all->fine, UV_READABLE, on_fine);
    return true;
}

/* ---- The end of all */

static void on_timer_closed(uv_handle_t *timer)
{
    struct quic_links *all = timer->data;

    if (--all->open_timers > 0)
        return;
    close(all->fine_fd);
    map_close(&all->by_label);
    map_close(&all->by_source);
    heap_close(&all->timers);
    all->ended(all->context);
}

static void end_all(struct quic_links *all)
{
    if (!all->closed || all->by_label.count > 0 || all->ending)
        return;
    all->ending = true;
    uv_close((uv_handle_t *)&all->fine, on_timer_closed);
    uv_close((uv_handle_t *)&all->coarse, on_timer_closed);
}

void quic_links_close(struct quic_links *all, void (*ended)(void *context),
                      void *context)
{
    size_t cursor = 0;
    struct quic_link *l;

    all->ended = ended;
    all->context = context;
    all->closed = true;
    while ((l = map_next(&all->by_label, &cursor)) != NULL)
        if (l->carried)
            quic_link_close(l);
    flush_alone(all);
    end_all(all);
}
