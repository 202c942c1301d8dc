#include "relay/shell/door_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/io/clock.h"
#include "relay/shell/door_wrap.h"

/* ---- Queues ------------------------------------------------------------ */

uint8_t *door_queue_reserve(struct door *d, struct byte_queue *q, size_t size)
{
    if (byte_queue_size(q) == 0)
        d->kept_bytes -= q->room;
    return byte_queue_reserve(q, size);
}

void door_queue_added(struct door_conn *c, struct byte_queue *q, size_t size)
{
    byte_queue_added(q, size);
    if (!c->full)
        door_list_add(c, DOOR_UNSENT);
    zloop_kick(c->door->zloop);
}

void door_queue_emptied(struct door *d, struct byte_queue *q)
{
    if (q->room > DOOR_KEPT - d->kept_bytes)
        byte_queue_free(q);
    d->kept_bytes += q->room;
}

void door_queue_free(struct door *d, struct byte_queue *q)
{
    if (byte_queue_size(q) == 0)
        d->kept_bytes -= q->room;
    byte_queue_free(q);
}

size_t door_conn_unsent(const struct door_conn *c)
{
    size_t wrapped = c->wrap != NULL ? byte_queue_size(&c->wrap->wire) : 0;
    return byte_queue_size(&c->out) + wrapped;
}

/* ---- Writing ---------------------------------------------------------- */

void door_conn_reply(struct door_conn *c)
{
    const struct zmtp_reply *reply = &c->door->reply;
    if (reply->size == 0 || c->mute)
        return;
    memcpy(door_queue_reserve(c->door, &c->out, reply->size), reply->bytes,
           reply->size);
    door_queue_added(c, &c->out, reply->size);
    door_conn_watch(c);
}

bool door_conn_answers(const struct door_conn *c)
{
    return door_conn_unsent(c) < DOOR_PONGS;
}

bool door_conn_takes(const struct door_conn *c)
{
    return !c->carrier.blocked && !c->mute &&
           door_conn_unsent(c) < carriers_credit(&c->door->carriers);
}

static void send_queue(struct door_conn *c);

static enum carrier_sent conn_send(struct carrier *carrier,
                                   struct packet_ref *packet)
{
    struct door_conn *c = carrier->connection;
    size_t size = packet_ref_size(packet);
    if (c->mute || c->zmtp.state != ZMTP_OPEN)
        return CARRIER_GONE;
    if (door_conn_unsent(c) >= carriers_credit(&c->door->carriers))
        return CARRIER_FULL;
    uint8_t *to = door_queue_reserve(c->door, &c->out, zmtp_sealed_size(size));
    door_queue_added(
        c, &c->out,
        zmtp_seal(&c->zmtp, bytes_of(packet_ref_data(packet), size), to));
    if (byte_queue_size(&c->out) >= DOOR_SEND && !c->full)
        send_queue(c);
    return CARRIER_SENT;
}

/* The owner's last packets still leave, if the kernel takes them soon. */
static void conn_close(struct carrier *carrier)
{
    struct door_conn *c = carrier->connection;
    gate_drop(c->door->gate, c->fd, carrier->id, clock_now());
    door_conn_watch(c);
    zloop_kick(c->door->zloop);
}

const struct carrier_transport door_transport = {
    .incoming = true, .counts = true, .send = conn_send, .close = conn_close};

/* ---- Sending ---------------------------------------------------------- */

static void drop_queue(struct door *d, struct byte_queue *q)
{
    if (byte_queue_size(q) == 0)
        return;
    byte_queue_took(q, byte_queue_size(q));
    door_queue_emptied(d, q);
}

/* What the other end sent before may still be unread, so the connection does
 * not end yet: poll tells the end. */
void door_conn_mute(struct door_conn *c)
{
    c->mute = true;
    drop_queue(c->door, &c->out);
    if (c->wrap != NULL)
        drop_queue(c->door, &c->wrap->wire);
}

static void send_bytes(struct door_conn *c, struct byte_queue *q)
{
    struct bytes left = byte_queue_bytes(q);
    ssize_t sent = send(c->fd, left.data, left.size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        door_conn_mute(c);
        return;
    }
    c->full = sent < 0 || (size_t)sent < left.size;
    byte_queue_took(q, sent < 0 ? 0 : (size_t)sent);
    if (!c->full)
        door_queue_emptied(c->door, q);
}

/* A piece of the packets becomes bytes of the wire, once those before left. */
static void send_wrapped(struct door_conn *c)
{
    do {
        door_wrap_pack(c);
        send_bytes(c, &c->wrap->wire);
    } while (!c->full && !c->mute && byte_queue_size(&c->out) > 0);
    if (!c->full && !c->mute)
        door_wrap_sent(c);
}

static void send_queue(struct door_conn *c)
{
    if (!c->mute && door_conn_unsent(c) > 0) {
        if (c->wrap == NULL)
            send_bytes(c, &c->out);
        else
            send_wrapped(c);
        door_conn_watch(c);
    }
    door_list_remove(c, DOOR_UNSENT);
}

/* Half of the credit is free again before the owner writes again, so that it
 * writes many packets at a time. */
static void retry(struct door_conn *c)
{
    if (c->carried && c->carrier.blocked &&
        (c->mute ||
         door_conn_unsent(c) <= carriers_credit(&c->door->carriers) / 2))
        carrier_retry(&c->carrier);
}

void door_conn_flush(struct door_conn *c)
{
    send_queue(c);
    retry(c);
}

void door_conn_writable(struct door_conn *c)
{
    c->full = false;
    door_conn_flush(c);
    door_conn_watch(c);
}
