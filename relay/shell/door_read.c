#include "relay/shell/door_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "common/base/memory.h"
#include "relay/shell/door_wrap.h"

/* The least room for the beginning of a frame. */
enum { PARTIAL_FIRST = 512 };

/* ---- Frames that have begun -------------------------------------------- */

static void set_room(struct door_conn *c, size_t room)
{
    struct door_partial *p = &c->partial;
    c->door->partial_bytes += room;
    c->door->partial_bytes -= p->room;
    p->data = memory_resize(p->data, room, 1);
    p->room = room;
}

struct door_partial door_partial_take(struct door_conn *c)
{
    struct door_partial taken = c->partial;

    c->partial = (struct door_partial){0};
    c->door->partial_bytes -= taken.room;
    door_list_remove(c, DOOR_PARTIAL);
    return taken;
}

void door_partial_free(struct door_conn *c)
{
    free(door_partial_take(c).data);
}

/* A head can claim a large frame, so the room grows with what has come. */
static void grow(struct door_conn *c, size_t needed)
{
    struct door_partial *p = &c->partial;
    size_t room = needed < PARTIAL_FIRST ? PARTIAL_FIRST : 2 * needed;
    if (p->room < needed || p->size == p->room)
        set_room(c, room < p->need || p->need < needed ? room : p->need);
}

void door_partial_keep(struct door_conn *c, const uint8_t *data, size_t size)
{
    grow(c, c->partial.size + size);
    memcpy(c->partial.data + c->partial.size, data, size);
    c->partial.size += size;
    door_list_add(c, DOOR_PARTIAL);
}

/* ---- Frames ----------------------------------------------------------- */

/* The rest of what came does not count any more. */
static bool is_done(const struct door_conn *c)
{
    return c->is_over || (c->carried && c->carrier.deaf);
}

static void on_packet(struct door_conn *c, struct bytes bytes)
{
    struct packet_ref packet;
    if (!c->carried && !door_conn_carry(c))
        return;
    packet_ref_borrow(&packet, bytes);
    carrier_packet(&c->carrier, &packet);
    packet_ref_release(&packet);
}

static void on_client(struct door_conn *c, const struct zmtp_item *item)
{
    c->key = item->client;
    zmtp_admit(&c->zmtp, &c->door->reply);
    door_conn_reply(c);
    c->shaken = true;
    if (c->wrap != NULL)
        door_web_shaken(c);
    else
        heap_remove(&c->door->timers, &c->due);
}

/* A stranger may send nothing larger than the largest HELLO of an edge. */
static void on_more(struct door_conn *c, size_t need)
{
    c->partial.need = need;
    if (need > c->door->conf.gate.unread_stranger && !c->proved)
        door_conn_end(c, "connection_cut", "unread");
}

/* False: the rest is to stay until more comes, or the connection is over. */
static bool on_item(struct door_conn *c, enum zmtp_kind kind,
                    const struct zmtp_item *item)
{
    if (is_done(c))
        return false;
    switch (kind) {
    case ZMTP_MORE:
        on_more(c, item->need);
        return false;
    case ZMTP_HELLO:
        zmtp_take_hello(&c->zmtp); /* The gate counted it with the accept. */
        return true;
    case ZMTP_CLIENT:
        on_client(c, item);
        return true;
    case ZMTP_PACKET:
        on_packet(c, item->packet);
        return true;
    case ZMTP_NEXT:
        door_conn_reply(c);
        return true;
    case ZMTP_PINGED:
        if (door_conn_answers(c))
            door_conn_reply(c);
        return true;
    case ZMTP_PONGED:
    case ZMTP_IGNORED:
        return true;
    case ZMTP_READY:
    case ZMTP_FAILED:
        break;
    }
    door_conn_failed(c);
    return false;
}

/* Reads whole frames; returns where the rest begins. */
static uint8_t *take_frames(struct door_conn *c, uint8_t *at, uint8_t *end)
{
    struct zmtp_item item;
    enum zmtp_kind kind;
    do
        kind = zmtp_read(&c->zmtp, &at, end, &item, &c->door->reply);
    while (on_item(c, kind, &item));
    return at;
}

/* Completes the frame that has begun, if its end is there. Returns how many
 * bytes of the new ones that took. */
static size_t complete_partial(struct door_conn *c, const uint8_t *data,
                               size_t size)
{
    struct door_partial *p = &c->partial;
    size_t took = 0;
    while (p->size > 0 && !is_done(c)) {
        size_t missing = p->need > p->size ? p->need - p->size : 0;
        size_t now = missing < size - took ? missing : size - took;
        door_partial_keep(c, data + took, now);
        took += now;
        if (p->size < p->need)
            break;
        uint8_t *rest = take_frames(c, p->data, p->data + p->size);
        if (!c->is_over && rest == p->data + p->size)
            door_partial_free(c);
    }
    return took;
}

void door_conn_take(struct door_conn *c, uint8_t *data, size_t size)
{
    size_t took = complete_partial(c, data, size);
    if (is_done(c) || took == size)
        return;
    uint8_t *rest = take_frames(c, data + took, data + size);
    if (!is_done(c) && rest < data + size)
        door_partial_keep(c, rest, (size_t)(data + size - rest));
}

/* ---- Reading ---------------------------------------------------------- */

/* The rest of a frame that has begun goes where its beginning is; what follows
 * goes to the shared buffer. */
static ssize_t receive(struct door_conn *c, size_t *own)
{
    struct door_partial *p = &c->partial;
    if (p->size > 0)
        grow(c, p->size);
    size_t rest = p->need < p->room ? p->need : p->room;
    rest = rest > p->size ? rest - p->size : 0;
    struct iovec parts[2] = {
        {.iov_base = rest > 0 ? p->data + p->size : NULL, .iov_len = rest},
        {.iov_base = c->door->in, .iov_len = DOOR_READ},
    };
    ssize_t n = readv(c->fd, parts, 2);
    *own = n > 0 && (size_t)n < rest ? (size_t)n : n > 0 ? rest : 0;
    return n;
}

static void read_plain(struct door_conn *c)
{
    size_t own;
    ssize_t n = receive(c, &own);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        door_conn_end(c, NULL, NULL);
        return;
    }
    c->partial.size += own;
    door_conn_take(c, c->door->in, (size_t)n - own);
}

/* Many strangers who come at once take turns: their bytes stay in the kernel,
 * which tells of them again. */
static bool must_wait(struct door_conn *c)
{
    return !c->shaken && c->door->shakes++ >= DOOR_SHAKES;
}

void door_conn_read(struct door_conn *c)
{
    if (must_wait(c))
        return;
    switch (c->way) {
    case DOOR_FIRST:
        door_first_read(c);
        return;
    case DOOR_PLAIN:
        read_plain(c);
        return;
    case DOOR_WRAPPED:
        door_wrap_read(c);
        return;
    }
}
