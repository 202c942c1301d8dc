#include "tests/bench/crowd/crowd.h"

#include "common/base/memory.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 256 * 1024, MESSAGE_MOST = 64 * 1024, NUMBER_SIZE = 16 };

/* Each message begins with its number from 1 on, which grows by one, and with
 * the process of its sender. */
struct light_talk {
    struct light *light;
    struct node_id self, peer;
    struct epoch peer_epoch; /* 0: it was never there */
    bool present;
    struct session *session;
    uint64_t ask_counter, taken_counter;
    uint64_t sent; /* the number of the last message */
    uint64_t had;
    struct instant send_at; /* the next message */
    uint8_t *message;
};

/* ---- Messages */

static void on_message(void *owner, struct bytes bytes)
{
    struct light_talk *t = owner;
    struct crowd_counts *counts = &t->light->crowd->counts;
    struct message m;
    uint64_t number;

    if (!message_decode(bytes, &m) || m.data.size < NUMBER_SIZE)
        return;
    memcpy(&number, m.data.data, sizeof number);
    counts->had++;
    if (number <= t->had) {
        counts->doubled++;
        return;
    }
    counts->lost += number - t->had - 1;
    t->had = number;
}

static void on_settled(void *owner, uint64_t ref, enum session_settled how)
{
    struct light_crowd *c = ((struct light_talk *)owner)->light->crowd;

    (void)ref;
    c->open--;
    if (how == SESSION_DELIVERED)
        c->counts.delivered++;
    else
        c->counts.undelivered++;
}

static void on_pong(void *owner, uint64_t token)
{
    (void)owner, (void)token;
}

static void on_group_ack(void *owner, const struct group_ack *ack)
{
    (void)owner, (void)ack;
}

static struct session_sink sink_of(struct light_talk *t)
{
    return (struct session_sink){.owner = t,
                                 .message = on_message,
                                 .settled = on_settled,
                                 .pong = on_pong,
                                 .group_ack = on_group_ack};
}

static void submit(struct light_talk *t)
{
    struct light_crowd *c = t->light->crowd;
    uint64_t number = t->sent + 1;
    struct message m = {.kind = MESSAGE_SEND,
                        .encoding = ENCODING_BYTES,
                        .type = bytes_of("crowd", 5),
                        .data = bytes_of(t->message, c->options.size)};

    memcpy(t->message, &number, sizeof number);
    memcpy(t->message + 8, &t->light->epoch.value, 8);
    if (!session_submit(t->session, &m, number, c->now))
        return; /* The window is full: at the next turn. */
    t->sent = number;
    c->counts.sent++;
    c->open++;
}

/* ---- The session */

static void open_session(struct light_talk *t)
{
    struct light_crowd *c = t->light->crowd;
    struct session_keys keys = {
        .self = &t->light->curve,
        .psk = t->light->mesh->keys.psk,
        .self_id = t->self,
        .peer_id = t->peer,
        .self_epoch = t->light->epoch,
        .peer_epoch = t->peer_epoch,
        .ask_counter = &t->ask_counter,
        .taken_counter = &t->taken_counter,
    };
    struct session_limits limits = {
        .window = WINDOW, .stored = WINDOW, .message = MESSAGE_MOST};

    if (!node_curve_key(&t->peer, &keys.peer_key))
        crowd_die("a node's key is no point of the curve");
    t->session = memory_new(sizeof *t->session);
    session_init(t->session, &keys, &limits, &c->entropy, &c->sessions,
                 &c->slabs);
}

static void close_session(struct light_talk *t, enum session_settled how)
{
    struct session_sink sink = sink_of(t);

    if (t->session == NULL)
        return;
    session_settle_all(t->session, how, &sink);
    session_close(t->session);
    free(t->session);
    t->session = NULL;
}

static bool talks(const struct crowd_options *o, size_t number)
{
    return o->role == CROWD_FAN_IN ||
           (o->role == CROWD_PAIRS && number < 2 * o->pairs);
}

void talk_init(struct light *l)
{
    struct light_crowd *c = l->crowd;
    struct light_talk *t;
    uint8_t unused[64];

    if (!talks(&c->options, l->number))
        return;
    t = memory_new(sizeof *t);
    t->light = l;
    light_identity(l->mesh, l->number, &t->self, unused);
    t->peer = c->options.to;
    if (c->options.role == CROWD_PAIRS)
        light_identity(l->mesh, l->number ^ 1, &t->peer, unused);
    t->message = memory_new(c->options.size);
    randombytes_buf(t->message, c->options.size);
    l->talk = t;
}

void talk_present(struct light *l, const struct node_id *node,
                  struct epoch epoch)
{
    struct light_talk *t = l->talk;

    if (t == NULL || !node_id_equal(node, &t->peer))
        return;
    if (epoch.value > t->peer_epoch.value) {
        close_session(t, SESSION_PEER_RESTARTED);
        t->peer_epoch = epoch;
        t->taken_counter = 0;
        open_session(t);
    } else if (!t->present && t->session != NULL) {
        session_path_changed(t->session, l->crowd->now);
    }
    if (!t->present)
        t->send_at = instant_after(
            l->crowd->now,
            span_us((int64_t)entropy_below(
                &l->crowd->entropy, (uint64_t)l->crowd->options.every.us + 1)));
    t->present = true;
}

void talk_gone(struct light *l, const struct node_id *node)
{
    if (l->talk != NULL && node_id_equal(node, &l->talk->peer))
        l->talk->present = false;
}

void talk_path_changed(struct light *l)
{
    if (l->talk != NULL && l->talk->session != NULL)
        session_path_changed(l->talk->session, l->crowd->now);
}

void talk_refused(struct light *l, uint8_t reason)
{
    if (l->talk != NULL && l->talk->session != NULL)
        session_refused(l->talk->session, reason == REFUSAL_QUEUE_FULL,
                        l->crowd->now);
}

/* ---- Packets */

static void forward(struct light_talk *t, uint8_t *packet, size_t size)
{
    packet[0] = RELAY_FORWARD;
    memcpy(packet + 1, t->peer.key, KEY_SIZE);
    light_send(t->light, bytes_of(packet, FORWARD_HEADER_SIZE + size));
}

static struct writer begin(uint8_t *packet)
{
    return writer_of(packet + FORWARD_HEADER_SIZE,
                     PACKET_SIZE - FORWARD_HEADER_SIZE);
}

static void take_init(struct light_talk *t, struct bytes packet)
{
    static uint8_t answer[PACKET_SIZE];
    struct light_crowd *c = t->light->crowd;
    struct writer w = begin(answer);

    if (session_take_init(t->session, packet, &c->entropy, c->now, &w) ==
        SESSION_ACCEPTED)
        forward(t, answer, writer_bytes(&w).size);
}

static void take_sealed(struct light_talk *t, uint8_t *packet, size_t size)
{
    struct session_sink sink = sink_of(t);
    uint8_t reset[FORWARD_HEADER_SIZE + 5];

    if (session_take(t->session, packet, size, t->light->crowd->now, &sink) !=
            SESSION_UNKNOWN ||
        size < 5)
        return;
    reset[FORWARD_HEADER_SIZE] = PACKET_RESET;
    memcpy(reset + FORWARD_HEADER_SIZE + 1, packet + 1, 4);
    forward(t, reset, 5);
}

void talk_take(struct light *l, const uint8_t source[KEY_SIZE], uint8_t *packet,
               size_t size)
{
    struct light_talk *t = l->talk;
    struct bytes bytes = bytes_of(packet, size);

    if (t == NULL || t->session == NULL ||
        memcmp(source, t->peer.key, KEY_SIZE) != 0)
        return;
    struct session_sink sink = sink_of(t);
    switch (packet[0]) {
    case PACKET_INIT:
        take_init(t, bytes);
        break;
    case PACKET_ACCEPT:
        (void)!session_take_accept(t->session, bytes, l->crowd->now, &sink);
        break;
    case PACKET_SEALED:
        take_sealed(t, packet, size);
        break;
    case PACKET_RESET:
        session_take_reset(t->session, bytes, l->crowd->now);
        break;
    default:
        break;
    }
}

static void submit_due(struct light_talk *t)
{
    struct light_crowd *c = t->light->crowd;

    if (!t->present || c->stopping || !instant_reached(t->send_at, c->now))
        return;
    submit(t);
    t->send_at = instant_after(t->send_at, c->options.every);
    t->send_at = instant_max(t->send_at, c->now);
}

static void write_due(struct light_talk *t)
{
    static uint8_t packet[PACKET_SIZE];
    struct light_crowd *c = t->light->crowd;
    struct writer w = begin(packet);

    if (session_wants_handshake(t->session, c->now) &&
        session_ask(t->session, &c->entropy, c->now, &w))
        forward(t, packet, writer_bytes(&w).size);
    for (;;) {
        w = begin(packet);
        if (!session_write(t->session, true, c->now, &w))
            return;
        forward(t, packet, writer_bytes(&w).size);
    }
}

struct instant talk_due(struct light *l)
{
    struct light_talk *t = l->talk;
    struct light_crowd *c = l->crowd;

    if (t->session == NULL || l->state != LIGHT_UP)
        return INSTANT_NEVER;
    submit_due(t);
    if (t->present) {
        if (instant_reached(session_stall_at(t->session), c->now))
            session_stalled(t->session, c->now);
        write_due(t);
    }
    struct instant at =
        instant_min(session_deadline(t->session), session_stall_at(t->session));
    return t->present && !c->stopping ? instant_min(at, t->send_at) : at;
}
