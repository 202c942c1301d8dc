#include "relay/shell/door_wrap.h"

#include <stdlib.h>
#include <string.h>

#include "common/io/clock.h"
#include "common/wire/first_bytes.h"

/* ---- The beginning and the end ----------------------------------------- */

static void on_send(void *context, struct bytes bytes)
{
    door_wrap_wire(context, bytes);
}

/* What it takes now counts in limits.memory. A frame that has begun keeps its
 * place among those that have. */
static void count(struct door_conn *c)
{
    struct door *d = c->door;
    struct door_wrap *w = c->wrap;
    size_t bytes = w->tls != NULL ? tls_conn_memory(w->tls) : 0;
    size_t begun = w->tls != NULL ? tls_conn_begun(w->tls) : 0;

    d->tls_bytes += bytes;
    d->tls_bytes -= w->tls_bytes;
    w->tls_bytes = bytes;
    d->partial_bytes += begun;
    d->partial_bytes -= w->begun;
    w->begun = begun;
    if (begun > 0)
        door_list_add(c, DOOR_PARTIAL);
    else if (c->partial.size == 0)
        door_list_remove(c, DOOR_PARTIAL);
}

void door_tls_begin(struct door_conn *c)
{
    const struct tls_user user = {.context = c, .send = on_send};

    c->wrap->state = WEB_FIRST;
    if (!door_has_room(c->door)) {
        door_conn_end(c, "connection_cut", "memory");
        return;
    }
    c->wrap->tls = tls_conn_new(c->door->tls, &user);
    if (c->wrap->tls == NULL) {
        door_conn_end(c, "tls_failed", "no_memory");
        return;
    }
    door_list_add(c, DOOR_TLS);
    count(c);
}

void door_tls_free(struct door_conn *c)
{
    tls_conn_free(&c->wrap->tls);
    count(c);
}

void door_tls_bye(struct door_conn *c)
{
    if (c->wrap->tls != NULL && !c->mute)
        tls_conn_bye(c->wrap->tls);
}

/* The alert still leaves. */
static void fail(struct door_conn *c)
{
    struct door *d = c->door;

    d->user.turned_away(d->user.owner.context, "tls_failed", &c->address,
                        tls_conn_reason(c->wrap->tls));
    door_web_finish(c);
    door_conn_forget(c);
}

/* ---- What is inside ----------------------------------------------------- */

static void begin_bare(struct door_conn *c, struct door_partial *early)
{
    struct door *d = c->door;
    struct instant now = clock_now();

    c->wrap->state = WEB_BARE;
    heap_set(&d->timers, &c->due, instant_after(now, d->conf.handshake));
    gate_allow(d->gate, c->fd, instant_after(now, d->conf.gate.hello));
    door_conn_greet(c);
    door_conn_take(c, early->data, early->size);
}

static void begin_inner(struct door_conn *c, enum first_protocol what)
{
    struct door_partial early = door_partial_take(c);

    switch (what) {
    case FIRST_ZMTP:
        begin_bare(c, &early);
        break;
    case FIRST_HTTP:
        c->wrap->state = WEB_HEAD;
        door_web_take(c, early.data, early.size);
        break;
    case FIRST_MORE:
    case FIRST_TLS:
    case FIRST_PROXY:
    case FIRST_UNKNOWN:
        door_conn_end(c, "handshake_failed", "unknown_protocol");
        break;
    }
    free(early.data);
}

static void take_plain(struct door_conn *c, uint8_t *data, size_t size)
{
    if (c->partial.size == 0) /* The record that had begun is complete. */
        door_list_remove(c, DOOR_PARTIAL);
    if (c->wrap->state != WEB_FIRST) {
        door_web_take(c, data, size);
        return;
    }
    door_partial_keep(c, data, size);
    enum first_protocol what =
        first_bytes_tell(bytes_of(c->partial.data, c->partial.size));
    if (what != FIRST_MORE)
        begin_inner(c, what);
}

/* ---- In ----------------------------------------------------------------- */

/* What was taken may have ended the connection, or answered the only request.
 */
static bool is_reading(const struct door_conn *c)
{
    return !c->is_over && c->wrap->state != WEB_LAST;
}

/* The other end said that it sends nothing more. */
static void close_tls(struct door_conn *c)
{
    door_conn_flush(c);
    door_tls_bye(c);
    door_conn_flush(c);
    door_conn_end(c, NULL, NULL);
}

void door_tls_take(struct door_conn *c, const uint8_t *data, size_t size)
{
    uint8_t *plain = c->door->plain;
    size_t used = 0, got;
    enum tls_read last;

    tls_conn_lend(c->wrap->tls, bytes_of(data, size));
    do {
        last = tls_conn_read(c->wrap->tls, plain + used, DOOR_PLAIN_ROOM - used,
                             &got);
        used += got;
        if (used > 0 &&
            (last != TLS_PLAIN || used > DOOR_PLAIN_ROOM - TLS_RECORD)) {
            take_plain(c, plain, used);
            used = 0;
        }
    } while (is_reading(c) && last == TLS_PLAIN);
    if (!c->is_over)
        count(c);
    if (is_reading(c) && last == TLS_END)
        close_tls(c);
    else if (is_reading(c) && last == TLS_ERROR)
        fail(c);
}

/* ---- Out ---------------------------------------------------------------- */

/* A small head goes into a record with what follows it. */
void door_tls_put(struct door_conn *c, struct bytes head, struct bytes data)
{
    uint8_t first[TLS_RECORD];
    bool open = true;

    if (head.size > 0 && head.size < sizeof first && data.size > 0) {
        size_t room = sizeof first - head.size;
        size_t part = data.size < room ? data.size : room;
        memcpy(first, head.data, head.size);
        memcpy(first + head.size, data.data, part);
        head = bytes_of(first, head.size + part);
        data = bytes_of(data.data + part, data.size - part);
    }
    if (head.size > 0)
        open = tls_conn_write(c->wrap->tls, head);
    if (open && data.size > 0)
        open = tls_conn_write(c->wrap->tls, data);
    if (!open)
        door_conn_mute(c);
}
