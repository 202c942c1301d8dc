#include "edge/shell/ws_pipe.h"

#include "common/base/memory.h"
#include "common/core/entropy.h"
#include "common/core/websocket_accept.h"
#include "common/io/clock.h"
#include "common/wire/http_upgrade.h"
#include "common/wire/relay_request.h"
#include "common/wire/websocket_client.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ANSWER_MS = 4000,
    SILENCE_MS = 20 * 1000, /* after it a PING leaves [P-14.5] */
    PONG_MS = 5 * 1000,
    IN_SIZE = 64 * 1024,
    OUT_SIZE = 64 * 1024,
    /* Kept free for a PING, a PONG and a CLOSE. */
    OUT_RESERVE = 3 * (WEBSOCKET_CLIENT_HEAD_SIZE + WEBSOCKET_CONTROL),
    FRAME_EXTRA = WEBSOCKET_CLIENT_HEAD_SIZE + OUT_RESERVE,
    FRAME_LEAST = 1024, /* unless all that is to write is less */
    HOST_SIZE = 280,
};

enum ws_state {
    WS_CONNECTS, /* the pipe below does */
    WS_ASKED,    /* for the upgrade */
    WS_OPEN,
    WS_OVER,
};

/* Once the pipe below is open: forms that race and lose need none. */
struct ws_room {
    uint8_t in[IN_SIZE];
    uint8_t out[OUT_SIZE];
};

struct ws_pipe {
    struct byte_pipe base;
    uv_loop_t *loop;
    uv_timer_t timer;
    struct byte_pipe *below;
    enum ws_state state;
    enum link_failure why; /* OVER: what `ended` tells or told */
    bool was_open;
    bool paused;
    bool short_write; /* the user waits for room */
    bool asked;       /* a PING is under way, since `pinged` */
    struct instant written, heard, pinged;
    struct span answer, silence, pong;
    char authority[HOST_SIZE], host[HOST_SIZE];
    char accept[WEBSOCKET_ACCEPT_SIZE];
    struct entropy entropy;
    struct websocket_client reader;
    struct bytes piece; /* of `in`, not read by the user yet */
    const uint8_t *at;  /* the bytes of `in` from here to `end` are to parse */
    const uint8_t *end;
    size_t out_first, out_end;
    struct ws_room *room;
};

static struct ws_pipe *of(struct byte_pipe *base)
{
    return (struct ws_pipe *)base;
}

static void on_timer(uv_timer_t *timer);

/* Also rounds up, so that the deadline has passed when the timer fires. */
static void arm(struct ws_pipe *w, struct instant at)
{
    int64_t left = instant_between(clock_now(), at).us;

    uv_update_time(w->loop);
    uv_timer_start(&w->timer, on_timer,
                   left <= 0 ? 0 : (uint64_t)(left + 999) / 1000, 0);
}

/* ---- The end */

/* Told by the timer, as this may be within a call of the user's. */
static void end(struct ws_pipe *w, enum link_failure why)
{
    if (w->state == WS_OVER)
        return;
    w->state = WS_OVER;
    w->why = why;
    arm(w, clock_now());
}

/* ---- Writing */

static size_t out_room(const struct ws_pipe *w)
{
    return OUT_SIZE - (w->out_end - w->out_first);
}

static void flush(struct ws_pipe *w)
{
    size_t size = w->out_end - w->out_first;

    if (size == 0)
        return;
    size_t took = byte_pipe_write(w->below, w->room->out + w->out_first, size);
    if (took > 0)
        w->written = clock_now();
    w->out_first += took;
    if (w->out_first == w->out_end)
        w->out_first = w->out_end = 0;
}

/* A place behind the waiting bytes, for at least `size` of them. */
static uint8_t *out_place(struct ws_pipe *w, size_t size)
{
    if (OUT_SIZE - w->out_end < size) {
        memmove(w->room->out, w->room->out + w->out_first,
                w->out_end - w->out_first);
        w->out_end -= w->out_first;
        w->out_first = 0;
    }
    return w->room->out + w->out_end;
}

static void put_frame(struct ws_pipe *w, enum websocket_opcode opcode,
                      struct bytes payload)
{
    uint8_t *to = out_place(w, WEBSOCKET_CLIENT_HEAD_SIZE + payload.size);
    uint8_t mask[WEBSOCKET_MASK_SIZE];

    entropy_fill(&w->entropy, mask, sizeof mask);
    size_t head = websocket_client_head(to, opcode, payload.size, mask);
    if (payload.size > 0)
        websocket_mask(to + head, payload.data, payload.size, mask);
    w->out_end += head + payload.size;
}

/* Control frames that would be too many for the reserve are left out: the other
 * end reads nothing of what it asks for. */
static void put_control(struct ws_pipe *w, enum websocket_opcode opcode,
                        struct bytes payload)
{
    if (out_room(w) >= WEBSOCKET_CLIENT_HEAD_SIZE + payload.size)
        put_frame(w, opcode, payload);
    flush(w);
}

static void put_close(struct ws_pipe *w, int code)
{
    uint8_t bytes[2] = {(uint8_t)(code >> 8), (uint8_t)code};

    put_control(w, WEBSOCKET_CLOSE, bytes_of(bytes, sizeof bytes));
}

static size_t ws_write(struct byte_pipe *base, const uint8_t *data, size_t size)
{
    struct ws_pipe *w = of(base);
    size_t taken = 0;

    if (w->state != WS_OPEN)
        return 0;
    while (taken < size) {
        size_t room = out_room(w), left = size - taken;
        size_t most = room > FRAME_EXTRA ? room - FRAME_EXTRA : 0;
        if (most < left && most < FRAME_LEAST)
            break;
        size_t part = left < most ? left : most;
        put_frame(w, WEBSOCKET_BINARY, bytes_of(data + taken, part));
        taken += part;
        flush(w);
    }
    w->short_write = taken < size;
    return taken;
}

/* ---- Reading */

/* Reads more from below into the empty `in`. */
static ssize_t fill(struct ws_pipe *w)
{
    ssize_t size = byte_pipe_read(w->below, w->room->in, IN_SIZE);

    w->at = w->room->in;
    w->end = w->room->in + (size > 0 ? size : 0);
    if (size > 0)
        w->heard = clock_now();
    return size;
}

/* What is no data. False: nothing more will come. */
static bool take_control(struct ws_pipe *w, enum websocket_kind kind,
                         const struct websocket_item *item)
{
    if (kind == WEBSOCKET_PINGED)
        put_control(w, WEBSOCKET_PONG, item->data);
    if (kind != WEBSOCKET_CLOSED && kind != WEBSOCKET_WRONG)
        return true;
    put_close(w, kind == WEBSOCKET_WRONG ? item->code : WEBSOCKET_NORMAL);
    end(w, LINK_BROKEN);
    return false;
}

/* Goes on to the next piece of data. 1: there is one; 0: none now; -1: none any
 * more. */
static int next_piece(struct ws_pipe *w)
{
    struct websocket_item item = {.last = false};

    for (;;) {
        enum websocket_kind kind =
            websocket_client_read(&w->reader, &w->at, w->end, &item);
        if (kind == WEBSOCKET_PIECE) {
            w->piece = item.data;
            return 1;
        }
        if (kind != WEBSOCKET_MORE) {
            if (!take_control(w, kind, &item))
                return -1;
            continue;
        }
        ssize_t size = w->reader.over ? -1 : fill(w);
        if (size < 0)
            end(w, LINK_BROKEN);
        if (size <= 0)
            return (int)size;
    }
}

static ssize_t ws_read(struct byte_pipe *base, uint8_t *room, size_t size)
{
    struct ws_pipe *w = of(base);

    if (!w->was_open)
        return w->state == WS_OVER ? -1 : 0;
    if (w->paused || size == 0)
        return 0;
    if (w->piece.size == 0) {
        int next = next_piece(w);
        if (next <= 0)
            return next;
    }
    if (size > w->piece.size)
        size = w->piece.size;
    memcpy(room, w->piece.data, size);
    w->piece = bytes_of(w->piece.data + size, w->piece.size - size);
    return (ssize_t)size;
}

/* ---- The upgrade */

static void on_below_opened(void *context)
{
    struct ws_pipe *w = context;
    uint8_t nonce[16];
    char key[WEBSOCKET_KEY_SIZE + 1];

    w->room = memory_try(NULL, 1, sizeof *w->room);
    if (w->room == NULL) {
        end(w, LINK_UNREACHABLE);
        return;
    }
    w->at = w->end = w->room->in;
    w->base.peer = w->below->peer;
    w->base.has_certificate = w->below->has_certificate;
    memcpy(w->base.certificate, w->below->certificate,
           sizeof w->base.certificate);
    randombytes_buf(nonce, sizeof nonce);
    sodium_bin2base64(key, sizeof key, nonce, sizeof nonce,
                      sodium_base64_VARIANT_ORIGINAL);
    websocket_accept(bytes_of_string(key), w->accept);
    w->out_end = (size_t)snprintf((char *)w->room->out, OUT_SIZE,
                                  "GET / HTTP/1.1\r\n"
                                  "Host: %s\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Pragma: no-cache\r\n"
                                  "Cache-Control: no-cache\r\n"
                                  "User-Agent: Mozilla/5.0\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Sec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: %s\r\n"
                                  "Sec-WebSocket-Protocol: " RELAY_SUBPROTOCOL
                                  "\r\n\r\n",
                                  w->authority, key);
    w->state = WS_ASKED;
    arm(w, instant_after(clock_now(), w->answer));
    flush(w);
}

static void become_open(struct ws_pipe *w)
{
    w->state = WS_OPEN;
    w->was_open = true;
    w->heard = clock_now();
    w->written = w->heard;
    arm(w, instant_after(w->written, w->silence));
    w->base.user.opened(w->base.user.context);
}

/* Judges what came so far; `end` - `in` bytes of it. */
static void judge_answer(struct ws_pipe *w)
{
    const struct http_upgrade_asked asked = {
        .host = w->host, .accept = w->accept, .protocol = RELAY_SUBPROTOCOL};
    struct bytes in = bytes_of(w->room->in, (size_t)(w->end - w->room->in));
    size_t size;
    int status;

    switch (http_upgrade_read(in, &asked, &size, &status)) {
    case HTTP_UPGRADE_MORE:
        break;
    case HTTP_UPGRADE_YES:
        w->at = w->room->in + size;
        become_open(w);
        break;
    case HTTP_UPGRADE_PORTAL:
        end(w, LINK_CAPTIVE_PORTAL);
        break;
    case HTTP_UPGRADE_NO:
        end(w, LINK_NOT_A_RELAY);
        break;
    }
}

static void read_answer(struct ws_pipe *w)
{
    while (w->state == WS_ASKED) {
        uint8_t *to = w->room->in + (w->end - w->room->in);
        ssize_t size =
            byte_pipe_read(w->below, to, IN_SIZE - (size_t)(to - w->room->in));
        if (size < 0)
            end(w, LINK_NOT_A_RELAY);
        if (size <= 0)
            return;
        w->end += size;
        judge_answer(w);
    }
}

static void on_below_ready(void *context)
{
    struct ws_pipe *w = context;

    if (w->state == WS_ASKED) {
        flush(w);
        read_answer(w);
        if (w->state == WS_OPEN) /* Frames may have come with the answer. */
            w->base.user.ready(w->base.user.context);
        return;
    }
    flush(w);
    if (w->state == WS_OPEN && (!w->paused || w->short_write))
        w->base.user.ready(w->base.user.context);
}

/* A server that closes without an answer is none of ours. */
static void on_below_ended(void *context, enum link_failure why)
{
    struct ws_pipe *w = context;

    if (w->state == WS_ASKED)
        read_answer(w);
    end(w, w->state == WS_ASKED ? LINK_NOT_A_RELAY : why);
}

/* ---- Time */

/* A PING is under way. A paused pipe does not see the answer. */
static void await_pong(struct ws_pipe *w, struct instant now)
{
    if (w->paused)
        w->pinged = now;
    struct instant due = instant_after(w->pinged, w->pong);
    if (instant_reached(due, now))
        end(w, LINK_BROKEN);
    else
        arm(w, due);
}

/* Bytes that wait for room below are a better question than a PING. */
static void ask_if_silent(struct ws_pipe *w, struct instant now)
{
    struct instant due = instant_after(w->written, w->silence);

    if (instant_reached(due, now)) {
        due = instant_after(now, w->pong);
        if (w->out_end == w->out_first) {
            w->asked = true;
            w->pinged = now;
            put_control(w, WEBSOCKET_PING, bytes_of(NULL, 0));
        }
    }
    arm(w, due);
}

/* Bytes that were read from below while the user had paused the pipe: below,
 * nothing tells of them any more. */
static bool has_input(const struct ws_pipe *w)
{
    return w->piece.size > 0 || w->at != w->end;
}

static void on_open_timer(struct ws_pipe *w)
{
    struct instant now = clock_now();

    if (w->asked && instant_reached(w->pinged, w->heard))
        w->asked = false; /* Something came since. */
    if (w->asked)
        await_pong(w, now);
    else
        ask_if_silent(w, now);
    if (w->state == WS_OPEN && !w->paused && has_input(w))
        w->base.user.ready(w->base.user.context);
}

static void on_timer(uv_timer_t *timer)
{
    struct ws_pipe *w = timer->data;

    switch (w->state) {
    case WS_CONNECTS:
        break;
    case WS_ASKED:
        end(w, LINK_TIMEOUT);
        break;
    case WS_OPEN:
        on_open_timer(w);
        break;
    case WS_OVER:
        w->base.user.ended(w->base.user.context, w->why);
        break;
    }
}

/* ---- Open and close */

static void ws_pause(struct byte_pipe *base, bool paused)
{
    struct ws_pipe *w = of(base);

    w->paused = paused;
    byte_pipe_pause(w->below, paused);
    if (!paused && w->state == WS_OPEN && has_input(w))
        arm(w, clock_now());
}

static void on_closed(uv_handle_t *handle)
{
    struct ws_pipe *w = handle->data;

    free(w->room);
    free(w);
}

static void ws_close(struct byte_pipe *base)
{
    struct ws_pipe *w = of(base);

    if (w->state == WS_OPEN)
        put_close(w, WEBSOCKET_NORMAL);
    w->state = WS_OVER;
    byte_pipe_close(w->below);
    uv_close((uv_handle_t *)&w->timer, on_closed);
}

static const struct byte_pipe_ops ops = {
    .read = ws_read, .write = ws_write, .pause = ws_pause, .close = ws_close};

static struct span or_ms(struct span set, int64_t ms)
{
    return set.us > 0 ? set : span_ms(ms);
}

struct byte_pipe *ws_pipe_open(uv_loop_t *loop, const struct ws_pipe_conf *conf,
                               const struct byte_pipe_user *user)
{
    struct ws_pipe *w = memory_new(sizeof *w);
    struct byte_pipe_user below = {.context = w,
                                   .opened = on_below_opened,
                                   .ready = on_below_ready,
                                   .ended = on_below_ended};
    uint8_t seed[32];

    w->base = (struct byte_pipe){.ops = &ops, .user = *user};
    w->loop = loop;
    w->answer = or_ms(conf->answer, ANSWER_MS);
    w->silence = or_ms(conf->silence, SILENCE_MS);
    w->pong = or_ms(conf->pong, PONG_MS);
    snprintf(w->authority, sizeof w->authority, "%s", conf->authority);
    snprintf(w->host, sizeof w->host, "%s", conf->host);
    randombytes_buf(seed, sizeof seed);
    entropy_init(&w->entropy, seed);
    uv_timer_init(loop, &w->timer);
    w->timer.data = w;
    w->below = conf->below(conf->context, loop, &below);
    return &w->base;
}
