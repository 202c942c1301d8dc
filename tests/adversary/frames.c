/*
 * Endless messages: many frames of one message whose last frame never comes.
 * libzmq stores all frames until then. The sender is a stranger that knows the
 * key, a member after a valid HELLO, or a relay that attacks its edges.
 */
#include "common/conf/relay_key.h"
#include "tests/adversary/attack.h"
#include "tests/adversary/curve.h"
#include "tests/adversary/member.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HANDSHAKE_MS = 1500,
    /* The pause before a closed connection is opened again. */
    AGAIN_MS = 100,
    /* All connections together, in bytes. */
    MOST_BYTES = 768 * 1024 * 1024,
};

struct frame_source {
    struct curve *curve;          /* of the member, or of the stranger itself */
    struct forged_member *member; /* or NULL */
    bool open;
    uint64_t bytes; /* of frames, on this connection */
    uint64_t again_ms;
};

/* --- opening ---------------------------------------------------------------
 */

static bool open_stranger(struct frame_source *s, const struct attack *a,
                          unsigned number)
{
    struct curve_pair self;

    if (s->curve == NULL)
        s->curve = calloc(1, sizeof *s->curve);
    if (s->curve == NULL)
        abort();
    memset(s->curve, 0, sizeof *s->curve);
    curve_pair_random(&self);
    s->curve->fd = socket_open(&a->target, number, HANDSHAKE_MS);
    if (s->curve->fd < 0)
        return false;
    if (curve_connect(s->curve, &a->key, &self, attack_now_ms() + HANDSHAKE_MS))
        return true;
    socket_abort(s->curve->fd);
    return false;
}

/* Connects to an edge if the attack names a victim, else to the relay. */
static bool open_member(struct frame_source *s, const struct attack *a)
{
    if (s->member != NULL)
        member_free(s->member);
    s->member = member_new(a);
    if (a->victim != NULL ? member_links(s->member)
                          : member_meets(s->member, NULL, NULL)) {
        s->curve = a->victim != NULL ? &s->member->direct : &s->member->relay;
        return true;
    }
    return false;
}

static void open_source(struct frame_source *s, const struct attack *a,
                        unsigned number, struct tally *t)
{
    s->open =
        a->identity != NULL ? open_member(s, a) : open_stranger(s, a, number);
    s->again_ms = attack_now_ms() + AGAIN_MS;
    s->bytes = 0;
    t->opened += s->open;
    t->refused += !s->open;
}

/* --- sending ---------------------------------------------------------------
 */

static void fill(struct frame_source *s, const struct attack *a,
                 struct tally *t)
{
    static uint8_t frame[PACKET_SIZE];

    frame[0] = RELAY_FORWARD;
    while (s->bytes < a->most &&
           curve_put(s->curve, bytes_of(frame, a->size), true)) {
        t->sent++;
        s->bytes += a->size;
        t->bytes += a->size;
    }
}

/* Sends the next frames. It also reads and discards what the target sends, so
 * that the target cannot blame a full socket. */
static void go_on(struct frame_source *s, const struct attack *a,
                  struct tally *t)
{
    if (t->bytes < MOST_BYTES)
        fill(s, a, t);
    if (curve_flush(s->curve) && !socket_is_cut(s->curve->fd))
        return;
    tally_cut(t);
    s->open = false;
    s->again_ms = attack_now_ms() + AGAIN_MS;
    if (s->member == NULL)
        socket_abort(s->curve->fd);
}

static void wait_for_any(const struct frame_source *sources, size_t count)
{
    struct pollfd polled[256];
    nfds_t n = 0;

    for (size_t i = 0; i < count && n < 256; i++) {
        bool rests = sources[i].open && curve_is_flushed(sources[i].curve);
        short events = rests ? POLLIN : POLLIN | POLLOUT;
        if (sources[i].open)
            polled[n++] = (struct pollfd){sources[i].curve->fd, events, 0};
    }
    (void)poll(polled, n, 20);
}

void attack_frames(const struct attack *a, struct tally *t)
{
    struct frame_source *sources = calloc(a->count, sizeof *sources);

    if (sources == NULL || a->size == 0 || a->size > PACKET_SIZE)
        abort();
    while (!attack_is_over(a)) {
        for (size_t i = 0; i < a->count && !attack_is_over(a); i++) {
            if (sources[i].open)
                go_on(&sources[i], a, t);
            else if (attack_now_ms() >= sources[i].again_ms)
                open_source(&sources[i], a, (unsigned)i, t);
        }
        wait_for_any(sources, a->count);
    }
    for (size_t i = 0; i < a->count; i++) {
        if (sources[i].member != NULL)
            member_free(sources[i].member);
        else if (sources[i].open)
            socket_abort(sources[i].curve->fd);
        if (sources[i].member == NULL)
            free(sources[i].curve);
    }
    free(sources);
}

/* --- a relay as the attacker -----------------------------------------------
 */

/* Sends WELCOME and the end of the roster. */
static bool welcome(struct curve *c, uint64_t deadline)
{
    uint8_t room[256];
    struct relay_welcome m = {
        .version = PROTOCOL_VERSION, .boot = 1, .name = "liar"};
    struct writer w = writer_of(room, sizeof room);
    uint8_t synced = RELAY_SYNCED;

    relay_welcome_encode(&m, &w);
    return curve_say(c, writer_bytes(&w), deadline) &&
           curve_say(c, bytes_of(&synced, 1), deadline);
}

static bool serve(struct frame_source *s, const struct attack *a, int listener,
                  const struct curve_pair *self, struct tally *t)
{
    bool gone = false;

    s->curve->fd = socket_accept(listener, attack_now_ms() + 20);
    if (s->curve->fd < 0)
        return false;
    t->opened++;
    uint64_t deadline = attack_now_ms() + HANDSHAKE_MS;
    s->curve->out_size = s->curve->out_done = 0;
    /* COUNT 1: attack at once; more: after HELLO and WELCOME. */
    if (curve_accept(s->curve, self, deadline) &&
        (a->count == 1 || (curve_hear(s->curve, deadline, &gone).size > 0 &&
                           welcome(s->curve, deadline))))
        return true;
    socket_abort(s->curve->fd);
    return false;
}

void attack_relay(const struct attack *a, struct tally *t)
{
    struct curve_pair self;
    struct frame_source s = {.curve = calloc(1, sizeof *s.curve)};
    int listener = socket_listen(&a->target);

    if (s.curve == NULL || listener < 0 || a->key_file == NULL ||
        !relay_key_load(a->key_file, &self, stderr))
        abort();
    while (!attack_is_over(a)) {
        if (!s.open)
            s.open = serve(&s, a, listener, &self, t);
        else
            go_on(&s, a, t);
        if (s.open)
            wait_for_any(&s, 1);
    }
    if (s.open)
        socket_abort(s.curve->fd);
    free(s.curve);
    close(listener);
}
