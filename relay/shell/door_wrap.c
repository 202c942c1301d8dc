#include "relay/shell/door_wrap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/memory.h"
#include "common/io/clock.h"

/* Bytes of ZMTP in one message of the WebSocket, at most. */
enum { PIECE = 64 * 1024 };

/* ---- The beginning and the end ----------------------------------------- */

void door_wrap_begin(struct door_conn *c)
{
    struct door *d = c->door;
    struct instant end = instant_after(c->since, span_s(DOOR_HTTP_S));

    c->way = DOOR_WRAPPED;
    c->wrap = memory_new(sizeof *c->wrap);
    heap_set(&d->timers, &c->due, end);
    gate_allow(d->gate, c->fd, instant_after(end, span_s(2 * DOOR_LINGER_S)));
}

void door_wrap_free(struct door_conn *c)
{
    if (c->wrap == NULL)
        return;
    door_queue_free(c->door, &c->wrap->wire);
    door_tls_free(c);
    free(c->wrap);
    c->wrap = NULL;
}

const struct relay_tls *door_wrap_told(const struct door_conn *c)
{
    static const struct relay_tls before = {.end = RELAY_TLS_BEFORE};

    if (c->wrap == NULL)
        return NULL;
    return c->wrap->tls != NULL ? tls_conn_told(c->wrap->tls) : &before;
}

/* ---- In ----------------------------------------------------------------- */

void door_wrap_take(struct door_conn *c, uint8_t *data, size_t size)
{
    if (c->wrap->tls != NULL && c->wrap->state != WEB_LAST)
        door_tls_take(c, data, size);
    else
        door_web_take(c, data, size);
}

void door_wrap_read(struct door_conn *c)
{
    ssize_t n = recv(c->fd, c->door->in, DOOR_READ, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        door_wrap_take(c, c->door->in, (size_t)n);
        return;
    }
    if (n == 0)
        door_conn_flush(c); /* An answer may be on its way. */
    door_conn_end(c, NULL, NULL);
}

/* ---- Out ---------------------------------------------------------------- */

void door_wrap_wire(struct door_conn *c, struct bytes bytes)
{
    struct byte_queue *wire = &c->wrap->wire;
    if (bytes.size == 0 || c->mute)
        return;
    memcpy(door_queue_reserve(c->door, wire, bytes.size), bytes.data,
           bytes.size);
    door_queue_added(c, wire, bytes.size);
}

void door_wrap_put(struct door_conn *c, struct bytes head, struct bytes data)
{
    if (c->mute)
        return;
    if (c->wrap->tls != NULL) {
        door_tls_put(c, head, data);
    } else {
        door_wrap_wire(c, head);
        door_wrap_wire(c, data);
    }
    door_conn_watch(c);
}

void door_wrap_pack(struct door_conn *c)
{
    struct bytes out = byte_queue_bytes(&c->out);
    uint8_t head[WEBSOCKET_HEAD_SIZE];

    if (out.size == 0 || byte_queue_size(&c->wrap->wire) > 0)
        return;
    size_t size = out.size < PIECE ? out.size : PIECE;
    size_t head_size = c->wrap->state != WEB_LINK
                           ? 0
                           : websocket_head(head, WEBSOCKET_BINARY, true, size);
    door_wrap_put(c, bytes_of(head, head_size), bytes_of(out.data, size));
    byte_queue_took(&c->out, size);
    if (size == out.size)
        door_queue_emptied(c->door, &c->out);
}

void door_wrap_sent(struct door_conn *c)
{
    struct door_wrap *w = c->wrap;

    w->written = clock_now();
    if (w->state != WEB_LAST || w->shut)
        return;
    w->shut = true;
    shutdown(c->fd, SHUT_WR);
}
