#include "edge/shell/form_probe.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/zmtp/zmtp.h"
#include "edge/shell/relay_failure.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM_SIZE = 1024, /* A relay's greeting and its WELCOME are smaller. */
    OUT_SIZE = 2 * ZMTP_REPLY_SIZE, /* our greeting and our HELLO */
    PACKET_LIMIT = ROOM_SIZE - ZMTP_OVERHEAD,
};

struct form_probe {
    struct byte_pipe *pipe; /* NULL: over, or there is none for the form */
    uv_timer_t timer;
    struct instant began; /* this step */
    bool opened, over;
    struct curve_pair keys;
    struct entropy entropy;
    struct zmtp zmtp;
    struct zmtp_reply reply;
    uint8_t room[ROOM_SIZE];
    size_t filled;
    uint8_t out[OUT_SIZE];
    size_t out_size;
    struct form_probe_result *result;
    form_probe_done *done;
    void *context;
};

/* ---- The end */

static void close_pipe(struct form_probe *p)
{
    if (p->pipe != NULL)
        byte_pipe_close(p->pipe);
    p->pipe = NULL;
}

static void end(struct form_probe *p, enum link_failure failure)
{
    if (p->over)
        return;
    p->over = true;
    uv_timer_stop(&p->timer);
    if (p->pipe != NULL && p->pipe->has_certificate) {
        p->result->has_certificate = true;
        memcpy(p->result->certificate, p->pipe->certificate,
               sizeof p->result->certificate);
    }
    close_pipe(p);
    p->result->failure = failure;
    p->done(p->context);
}

static void on_late(uv_timer_t *timer)
{
    end(timer->data, LINK_TIMEOUT);
}

static void on_no_pipe(uv_timer_t *timer)
{
    end(timer->data, LINK_UNREACHABLE);
}

/* ---- The handshake */

static void flush(struct form_probe *p)
{
    size_t sent = byte_pipe_write(p->pipe, p->out, p->out_size);

    p->out_size -= sent;
    memmove(p->out, p->out + sent, p->out_size);
}

static void take_reply(struct form_probe *p)
{
    ASSERT(p->out_size + p->reply.size <= sizeof p->out);
    memcpy(p->out + p->out_size, p->reply.bytes, p->reply.size);
    p->out_size += p->reply.size;
}

static void proved(struct form_probe *p)
{
    p->result->hello = instant_between(p->began, clock_now());
    end(p, (enum link_failure)0);
}

/* One frame. False: more bytes have to come, or the probe is over. */
static bool take_frame(struct form_probe *p)
{
    uint8_t *at = p->room;
    struct zmtp_item item;
    enum zmtp_kind kind =
        zmtp_read(&p->zmtp, &at, p->room + p->filled, &item, &p->reply);

    p->filled -= (size_t)(at - p->room);
    memmove(p->room, at, p->filled);
    if (kind == ZMTP_NEXT && p->zmtp.state == ZMTP_AWAITS_READY) {
        proved(p);
        return false;
    }
    if (kind == ZMTP_NEXT) {
        take_reply(p);
        return true;
    }
    if (kind == ZMTP_FAILED)
        end(p, relay_failure_of_zmtp(p->zmtp.failure));
    else if (kind != ZMTP_MORE || p->filled == sizeof p->room)
        end(p, LINK_NOT_A_RELAY);
    return false;
}

static void pipe_over(struct form_probe *p, enum link_failure why)
{
    bool in_handshake = p->opened && why == LINK_BROKEN;

    end(p, in_handshake ? relay_failure_of_end(p->zmtp.state) : why);
}

static void read_all(struct form_probe *p)
{
    while (p->pipe != NULL) {
        ssize_t n = byte_pipe_read(p->pipe, p->room + p->filled,
                                   sizeof p->room - p->filled);
        if (n < 0)
            pipe_over(p, LINK_BROKEN);
        if (n <= 0)
            return;
        p->filled += (size_t)n;
        while (!p->over && take_frame(p))
            ;
    }
}

static void on_ready(void *context)
{
    struct form_probe *p = context;

    read_all(p);
    if (!p->over)
        flush(p);
}

static void on_opened(void *context)
{
    struct form_probe *p = context;

    p->opened = true;
    p->result->connect = instant_between(p->began, clock_now());
    p->began = clock_now();
    flush(p);
    on_ready(p);
}

static void on_ended(void *context, enum link_failure why)
{
    struct form_probe *p = context;

    if (p->opened)
        read_all(p); /* The last bytes may say more. */
    if (!p->over)
        pipe_over(p, why);
}

/* ---- Open and close */

static void greet(struct form_probe *p, const struct curve_key *server)
{
    struct zmtp_conf conf = {.role = ZMTP_AS_CLIENT,
                             .keys = &p->keys,
                             .server = *server,
                             .entropy = &p->entropy,
                             .packet_size = PACKET_LIMIT};
    uint8_t seed[32];

    randombytes_buf(seed, sizeof seed);
    entropy_init(&p->entropy, seed);
    randombytes_buf(seed, sizeof seed);
    curve_pair_generate(&p->keys, seed);
    sodium_memzero(seed, sizeof seed);
    zmtp_init(&p->zmtp, &conf, &p->reply);
    take_reply(p);
}

struct form_probe *form_probe_open(uv_loop_t *loop, relay_pipe_maker *make,
                                   const struct relay_way *way,
                                   const struct curve_key *server,
                                   struct form_probe_result *result,
                                   form_probe_done *done, void *context)
{
    struct form_probe *p = memory_new(sizeof *p);
    struct byte_pipe_user user = {.context = p,
                                  .opened = on_opened,
                                  .ready = on_ready,
                                  .ended = on_ended};

    *result = (struct form_probe_result){
        .form = way->form, .connect = span_us(-1), .hello = span_us(-1)};
    p->result = result;
    p->done = done;
    p->context = context;
    p->began = clock_now();
    greet(p, server);
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    p->pipe = make(loop, way, &user);
    uv_timer_start(&p->timer, p->pipe != NULL ? on_late : on_no_pipe,
                   p->pipe != NULL ? FORM_PROBE_MS : 0, 0);
    return p;
}

static void on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

void form_probe_close(struct form_probe **self)
{
    struct form_probe *p = *self;

    if (p == NULL)
        return;
    *self = NULL;
    p->over = true;
    close_pipe(p);
    zmtp_wipe(&p->zmtp);
    sodium_memzero(&p->keys, sizeof p->keys);
    sodium_memzero(&p->entropy, sizeof p->entropy);
    uv_close((uv_handle_t *)&p->timer, on_closed);
}
