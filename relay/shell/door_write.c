#include "relay/shell/door_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/io/clock.h"

/* ---- The memory of empty queues ---------------------------------------- */

/* While a queue is empty, its room counts as kept. */
static uint8_t *reserve(struct door_conn *c, size_t size)
{
    if (byte_queue_size(&c->out) == 0)
        c->door->kept_bytes -= c->out.room;
    return byte_queue_reserve(&c->out, size);
}

static void keep_or_free(struct door_conn *c)
{
    struct door *d = c->door;
    if (c->out.room > DOOR_KEPT - d->kept_bytes)
        byte_queue_free(&c->out);
    d->kept_bytes += c->out.room;
}

void door_out_free(struct door_conn *c)
{
    if (byte_queue_size(&c->out) == 0)
        c->door->kept_bytes -= c->out.room;
    byte_queue_free(&c->out);
}

/* ---- Writing ---------------------------------------------------------- */

static void added(struct door_conn *c, size_t size)
{
    byte_queue_added(&c->out, size);
    if (!c->full)
        door_list_add(c, DOOR_UNSENT);
    zloop_kick(c->door->zloop);
}

void door_conn_reply(struct door_conn *c)
{
    const struct zmtp_reply *reply = &c->door->reply;
    if (reply->size == 0 || c->mute)
        return;
    memcpy(reserve(c, reply->size), reply->bytes, reply->size);
    added(c, reply->size);
    door_conn_watch(c);
}

bool door_conn_takes(const struct door_conn *c)
{
    return !c->carrier.blocked && !c->mute &&
           byte_queue_size(&c->out) < carriers_credit(&c->door->carriers);
}

static void send_queue(struct door_conn *c);

static enum carrier_sent conn_send(struct carrier *carrier,
                                   struct packet_ref *packet)
{
    struct door_conn *c = carrier->connection;
    size_t size = packet_ref_size(packet);
    if (c->mute || c->zmtp.state != ZMTP_OPEN)
        return CARRIER_GONE;
    if (byte_queue_size(&c->out) >= carriers_credit(&c->door->carriers))
        return CARRIER_FULL;
    uint8_t *to = reserve(c, zmtp_sealed_size(size));
    added(c, zmtp_seal(&c->zmtp, bytes_of(packet_ref_data(packet), size), to));
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

/* What the other end sent before may still be unread, so the connection does
 * not end yet: poll tells the end. */
static void on_send_failed(struct door_conn *c)
{
    c->mute = true;
    byte_queue_took(&c->out, byte_queue_size(&c->out));
    keep_or_free(c);
}

static void send_queue(struct door_conn *c)
{
    door_list_remove(c, DOOR_UNSENT);
    if (c->mute || byte_queue_size(&c->out) == 0)
        return;
    struct bytes left = byte_queue_bytes(&c->out);
    ssize_t sent = send(c->fd, left.data, left.size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        on_send_failed(c);
        return;
    }
    c->full = sent < 0 || (size_t)sent < left.size;
    byte_queue_took(&c->out, sent < 0 ? 0 : (size_t)sent);
    if (!c->full)
        keep_or_free(c);
    door_conn_watch(c);
}

/* Half of the credit is free again before the owner writes again, so that it
 * writes many packets at a time. */
static void retry(struct door_conn *c)
{
    if (c->carried && c->carrier.blocked &&
        (c->mute ||
         byte_queue_size(&c->out) <= carriers_credit(&c->door->carriers) / 2))
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
