/*
 * relay_links_kit - links to relays on a loop, and the events that they add;
 * and a pipe in memory whose other end the test holds.
 */
#ifndef TESTS_UNIT_RELAY_LINKS_KIT_H
#define TESTS_UNIT_RELAY_LINKS_KIT_H

#include "common/base/memory.h"
#include "common/io/log.h"
#include "edge/shell/relay_link.h"
#include "tests/unit/patience.h"
#include "tests/unit/zmtp_kit.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { KIT_TURN_MS = 5, KIT_HEARD = 20000 };

/* An event of a link; of a packet its size, and its first four bytes. */
struct kit_heard {
    enum node_event_kind kind;
    uint32_t link;
    uint32_t number;
    size_t size;
    bool even; /* all bytes after the number are its low byte */
    enum link_failure failure;
};

/* A pipe that the test feeds and empties. */
struct fake_pipe {
    struct byte_pipe base;
    uint8_t in[ZMTP_KIT_ROOM * 4];
    size_t in_read, in_size;
    size_t most;  /* bytes of one read */
    size_t takes; /* bytes that it still takes from write */
    bool over;    /* once `in` was read */
    bool paused, closed;
    struct zmtp_end *server; /* what was written goes there */
};

static struct {
    uv_loop_t loop;
    struct zloop zloop;
    uv_timer_t timer;
    struct event_queue events;
    struct link_table links;
    struct relay_links *relays;
    struct curve_pair keys;  /* ours */
    struct curve_key server; /* the key that the relay must have */
    struct edge_relay relay;
    struct kit_heard heard[KIT_HEARD];
    size_t count;
    size_t most_in_a_turn; /* packets */
    bool stuck;            /* no turns */
    char lines[4096];      /* of the log */
    struct fake_pipe *pipe;
    struct zmtp_two *two; /* of these the server */
} kit;

static void kit_note(const struct node_event *e)
{
    struct kit_heard h = {.kind = e->kind, .link = e->link.id};

    if (e->kind == NODE_LINK_CLOSED)
        h.failure = e->link.failure;
    if (e->kind == NODE_LINK_PACKET) {
        h.size = e->link.bytes.size;
        h.even = true;
        if (h.size >= 4)
            memcpy(&h.number, e->link.bytes.data, 4);
        for (size_t i = 4; i < h.size; i++)
            h.even &= e->link.bytes.data[i] == (uint8_t)h.number;
        /* The node may do so: it decrypts in the packet. */
        memset((uint8_t *)(uintptr_t)e->link.bytes.data, 0xee, h.size);
    }
    assert_true(kit.count < KIT_HEARD);
    kit.heard[kit.count++] = h;
}

static void kit_after(void *context)
{
    (void)context;
    if (kit.stuck || kit.relays == NULL)
        return;
    relay_links_read(kit.relays);
    struct event_batch *b = event_queue_take(&kit.events);
    if (b->packet_count > kit.most_in_a_turn)
        kit.most_in_a_turn = b->packet_count;
    for (size_t i = 0; i < b->count; i++)
        kit_note(&b->events[i]);
    event_queue_done(b);
    relay_links_flush(kit.relays);
}

static size_t kit_count(enum node_event_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < kit.count; i++)
        count += kit.heard[i].kind == kind;
    return count;
}

static inline void kit_turn(void)
{
    uv_run(&kit.loop, UV_RUN_ONCE);
}

static inline void kit_turns(int count)
{
    while (count-- > 0)
        kit_turn();
}

/* The event of that kind with that number, once it is there. */
static const struct kit_heard *kit_await(enum node_event_kind kind,
                                         size_t count)
{
    PATIENCE_UNTIL(kit_count(kind) >= count, kit_turn());
    for (size_t i = 0;; i++)
        if (kit.heard[i].kind == kind && --count == 0)
            return &kit.heard[i];
}

static inline enum link_failure kit_failure(void)
{
    const struct kit_heard *closed = kit_await(NODE_LINK_CLOSED, 1);

    assert_int_equal(closed->link, 1);
    return closed->failure;
}

/* A packet of `size` bytes, at least 4, of that number. */
static inline struct bytes kit_packet(size_t size, uint32_t number)
{
    static uint8_t room[PACKET_SIZE];

    memset(room, (uint8_t)number, size);
    memcpy(room, &number, 4);
    return bytes_of(room, size);
}

static void kit_on_timer(uv_timer_t *timer)
{
    (void)timer;
}

static void kit_on_line(void *context, enum log_level level, const char *event,
                        const char *details)
{
    size_t size = strlen(kit.lines);

    (void)context;
    (void)level;
    snprintf(kit.lines + size, sizeof kit.lines - size, "%s %s\n", event,
             details);
}

/* ---- The pipe in memory */

static inline ssize_t fake_read(struct byte_pipe *base, uint8_t *room,
                                size_t size)
{
    struct fake_pipe *p = (struct fake_pipe *)base;
    size_t left = p->in_size - p->in_read;

    assert_false(p->closed);
    assert_false(p->paused);
    if (left == 0)
        return p->over ? -1 : 0;
    size = size < left ? size : left;
    size = size < p->most ? size : p->most;
    memcpy(room, p->in + p->in_read, size);
    p->in_read += size;
    return (ssize_t)size;
}

static inline size_t fake_write(struct byte_pipe *base, const uint8_t *data,
                                size_t size)
{
    struct fake_pipe *p = (struct fake_pipe *)base;

    assert_false(p->closed);
    size = size < p->takes ? size : p->takes;
    p->takes -= size;
    if (p->server != NULL)
        zmtp_kit_put(p->server, data, size);
    return size;
}

static inline void fake_pause(struct byte_pipe *base, bool paused)
{
    ((struct fake_pipe *)base)->paused = paused;
}

static inline void fake_close(struct byte_pipe *base)
{
    ((struct fake_pipe *)base)->closed = true;
}

static const struct byte_pipe_ops fake_ops = {.read = fake_read,
                                              .write = fake_write,
                                              .pause = fake_pause,
                                              .close = fake_close};

static inline struct byte_pipe *fake_open(uv_loop_t *loop,
                                          const struct relay_way *way,
                                          const struct byte_pipe_user *user)
{
    (void)loop;
    (void)way;
    if (kit.pipe == NULL)
        return NULL;
    kit.pipe->base = (struct byte_pipe){.ops = &fake_ops, .user = *user};
    return &kit.pipe->base;
}

static inline void fake_ready(void)
{
    kit.pipe->base.user.ready(kit.pipe->base.user.context);
}

/* Bytes for the link. */
static inline void fake_feed(struct bytes bytes)
{
    struct fake_pipe *p = kit.pipe;

    if (p->in_read == p->in_size)
        p->in_read = p->in_size = 0;
    assert_true(bytes.size <= sizeof p->in - p->in_size);
    memcpy(p->in + p->in_size, bytes.data, bytes.size);
    p->in_size += bytes.size;
    fake_ready();
}

/* The server reads what came, and answers. */
static inline enum zmtp_kind fake_serve(void)
{
    struct zmtp_end *server = &kit.two->server;
    enum zmtp_kind kind = zmtp_kit_read(server, NULL);

    if (kind == ZMTP_HELLO)
        zmtp_take_hello(&server->z);
    else if (kind == ZMTP_CLIENT)
        zmtp_admit(&server->z, &server->reply);
    if (server->reply.size > 0)
        fake_feed(bytes_of(server->reply.bytes, server->reply.size));
    return kind;
}

/* Turns until the server's machine is open. */
static inline void fake_open_link(void)
{
    struct zmtp_end *server = &kit.two->server;

    relay_links_connect(
        kit.relays, 1, &kit.keys, &kit.server,
        &(struct relay_way){.form = FORM_TCP, .relay = &kit.relay});
    fake_feed(bytes_of(server->reply.bytes, server->reply.size));
    kit.pipe->base.user.opened(kit.pipe->base.user.context);
    while (kit_count(NODE_LINK_OPENED) == 0) {
        kit_turn();
        while (fake_serve() != ZMTP_MORE)
            ;
    }
}

/* The server sends a packet. */
static inline void fake_say(size_t size, uint32_t number)
{
    static uint8_t room[PACKET_SIZE + ZMTP_OVERHEAD];
    size_t sealed =
        zmtp_seal(&kit.two->server.z, kit_packet(size, number), room);

    assert_true(sealed > 0);
    fake_feed(bytes_of(room, sealed));
}

/* ---- All of it */

static inline int kit_open(relay_pipe_maker *make)
{
    static const struct log_sink sink = {.level = LOG_WARN,
                                         .line = kit_on_line};

    memset(&kit, 0, sizeof kit);
    log_divert(&sink);
    assert_true(sodium_init() >= 0);
    uv_loop_init(&kit.loop);
    zloop_open(&kit.zloop, &kit.loop, kit_after, NULL);
    uv_timer_init(&kit.loop, &kit.timer);
    uv_timer_start(&kit.timer, kit_on_timer, KIT_TURN_MS, KIT_TURN_MS);
    event_queue_init(&kit.events, &kit.zloop);
    assert_true(link_table_open(&kit.links, &kit.events));
    kit.relays = relay_links_open(&kit.links, make);
    crypto_box_keypair(kit.keys.public_key, kit.keys.secret_key);
    snprintf(kit.relay.connect_to.host, sizeof kit.relay.connect_to.host,
             "127.0.0.1");
    return 0;
}

static inline int kit_open_fake(void **state)
{
    (void)state;
    kit_open(fake_open);
    kit.pipe = memory_new(sizeof *kit.pipe);
    kit.two = memory_new(sizeof *kit.two);
    kit.pipe->most = kit.pipe->takes = SIZE_MAX;
    kit.pipe->server = &kit.two->server;
    zmtp_kit_keys(kit.pipe->server, 1);
    zmtp_kit_begin(kit.pipe->server, ZMTP_AS_SERVER, &kit.pipe->server->keys);
    memcpy(kit.server.key, kit.pipe->server->keys.public_key, KEY_SIZE);
    return 0;
}

static inline int kit_close(void **state)
{
    (void)state;
    relay_links_close(&kit.relays);
    link_table_close(&kit.links);
    zloop_close(&kit.zloop);
    uv_close((uv_handle_t *)&kit.timer, NULL);
    uv_run(&kit.loop, UV_RUN_DEFAULT);
    event_queue_close(&kit.events);
    log_divert(NULL);
    free(kit.pipe);
    free(kit.two);
    return uv_loop_close(&kit.loop);
}

#endif
