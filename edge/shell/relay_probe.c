#include "edge/shell/relay_probe.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/sockaddr.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_MS = 2000, GREETING_MS = 1000, SIGNATURE_SIZE = 10 };

/* RFC 23: the beginning of every ZMTP greeting. */
static const char signature[SIGNATURE_SIZE] = {'\xff', 0, 0, 0,      0,
                                               0,      0, 0, '\x01', '\x7f'};

struct relay_probe {
    uv_loop_t *loop;
    struct host_lookup *lookup;
    uv_timer_t timer;
    uv_tcp_t tcp;
    bool has_tcp;
    uv_connect_t connecting;
    uv_write_t writing;
    char room[SIGNATURE_SIZE];
    int handles;
    bool greet, ended;
    size_t next; /* the address to try */
    struct instant began;
    struct relay_probe_result *result;
    relay_probe_told *told;
    void *context;
};

static void try_next(struct relay_probe *p);

static void release(struct relay_probe *p)
{
    if (--p->handles == 0)
        free(p);
}

static void on_handle_closed(uv_handle_t *handle)
{
    release(handle->data);
}

/* The handle is freed with its address, so each has one of its own. */
static void close_tcp(struct relay_probe *p)
{
    if (p->has_tcp)
        uv_close((uv_handle_t *)&p->tcp, on_handle_closed);
    p->has_tcp = false;
}

static void end(struct relay_probe *p, const char *error)
{
    if (p->ended)
        return;
    p->ended = true;
    p->result->error = error;
    uv_timer_stop(&p->timer);
    close_tcp(p);
    p->told(p->context, RELAY_PROBE_DONE);
}

/* ---- The greeting */

static void on_room(uv_handle_t *tcp, size_t size, uv_buf_t *buffer)
{
    struct relay_probe *p = tcp->data;

    (void)size;
    *buffer = uv_buf_init(p->room, sizeof p->room);
}

static void on_read(uv_stream_t *tcp, ssize_t size, const uv_buf_t *buffer)
{
    struct relay_probe *p = tcp->data;

    if (size != 0)
        end(p,
            size > 0 && buffer->base[0] == signature[0] ? "" : "not_a_relay");
}

static void on_silence(uv_timer_t *timer)
{
    end(timer->data, "not_a_relay");
}

static void on_written(uv_write_t *request, int status)
{
    (void)request;
    (void)status;
}

static void greet(struct relay_probe *p)
{
    uv_buf_t bytes = uv_buf_init((char *)(uintptr_t)signature, SIGNATURE_SIZE);

    uv_timer_start(&p->timer, on_silence, GREETING_MS, 0);
    if (uv_read_start((uv_stream_t *)&p->tcp, on_room, on_read) != 0 ||
        uv_write(&p->writing, (uv_stream_t *)&p->tcp, &bytes, 1, on_written) !=
            0)
        end(p, "not_a_relay");
}

/* ---- TCP */

static const char *word_of(int status)
{
    if (status == UV_ECONNREFUSED)
        return "refused";
    return status == UV_ETIMEDOUT ? "timeout" : "unreachable";
}

static void failed(struct relay_probe *p, const char *word)
{
    if (p->result->error[0] == '\0')
        p->result->error = word; /* That of the first address is told. */
    if (p->next < p->result->count)
        try_next(p);
    else
        end(p, p->result->error);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct relay_probe *p = request->data;

    if (p->ended || status == UV_ECANCELED)
        return;
    if (status != 0) {
        failed(p, word_of(status));
        return;
    }
    p->result->connect = instant_between(p->began, clock_now());
    if (p->greet)
        greet(p);
    else
        end(p, "");
}

static void on_late(uv_timer_t *timer)
{
    struct relay_probe *p = timer->data;

    failed(p, "timeout");
}

static void on_tcp_closed(uv_handle_t *tcp)
{
    struct relay_probe *p = tcp->data;

    if (p->ended) {
        release(p);
        return;
    }
    p->handles--;
    try_next(p);
}

/* Each address has a fresh handle, in the place of the one before. */
static void try_next(struct relay_probe *p)
{
    struct sockaddr_storage to;

    if (p->has_tcp) {
        uv_timer_stop(&p->timer);
        p->has_tcp = false;
        uv_close((uv_handle_t *)&p->tcp, on_tcp_closed);
        return;
    }
    (void)sockaddr_of_address(&p->result->addresses[p->next++], &to);
    uv_tcp_init(p->loop, &p->tcp);
    p->tcp.data = p;
    p->connecting.data = p;
    p->has_tcp = true;
    p->handles++;
    p->began = clock_now();
    uv_timer_start(&p->timer, on_late, STEP_MS, 0);
    int status = uv_tcp_connect(&p->connecting, &p->tcp,
                                (const struct sockaddr *)&to, on_connected);
    if (status != 0)
        failed(p, word_of(status));
}

/* ---- DNS */

static void on_found(void *context, const struct address *list, size_t count,
                     const char *error)
{
    struct relay_probe *p = context;
    struct relay_probe_result *r = p->result;

    (void)error;
    uv_timer_stop(&p->timer);
    if (count > 0) {
        r->dns = instant_between(p->began, clock_now());
        memcpy(r->addresses, list, count * sizeof *list);
        r->count = count;
    }
    p->told(p->context, RELAY_PROBE_RESOLVED);
    if (count > 0)
        try_next(p);
    else
        end(p, "dns");
}

static void on_no_name(uv_timer_t *timer)
{
    struct relay_probe *p = timer->data;

    host_lookup_cancel(&p->lookup);
    on_found(p, NULL, 0, "");
}

struct relay_probe *relay_probe_open(uv_loop_t *loop, const char *host,
                                     uint16_t port, bool greet,
                                     struct relay_probe_result *result,
                                     relay_probe_told *told, void *context)
{
    struct relay_probe *p = memory_new(sizeof *p);

    *result = (struct relay_probe_result){
        .dns = span_us(-1), .connect = span_us(-1), .error = ""};
    p->loop = loop;
    p->greet = greet;
    p->result = result;
    p->told = told;
    p->context = context;
    p->began = clock_now();
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    p->handles = 1;
    uv_timer_start(&p->timer, on_no_name, STEP_MS, 0);
    host_lookup_start(&p->lookup, loop, host, port, on_found, p);
    return p;
}

void relay_probe_close(struct relay_probe **self)
{
    struct relay_probe *p = *self;

    if (p == NULL)
        return;
    *self = NULL;
    p->ended = true;
    host_lookup_cancel(&p->lookup);
    close_tcp(p);
    uv_close((uv_handle_t *)&p->timer, on_handle_closed);
}
