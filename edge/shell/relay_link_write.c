#include "edge/shell/relay_link.h"

#include <string.h>

enum {
    /* A queue of so many bytes is sent before the turn ends. */
    SEND = 128 * 1024,
    /* The relay makes answers (PONGs) and does not read them. */
    STUFFED = 2 * RELAY_LINK_CREDIT,
};

static void send_queue(struct relay_link *l)
{
    struct bytes left = byte_queue_bytes(&l->out);

    if (l->began && left.size > 0)
        byte_queue_took(&l->out,
                        byte_pipe_write(l->pipe, left.data, left.size));
}

void relay_link_reply(struct relay_link *l)
{
    const struct zmtp_reply *reply = &l->all->reply;
    uint8_t *to;

    if (reply->size == 0)
        return;
    to = byte_queue_reserve(&l->out, reply->size);
    if (to == NULL)
        return; /* The node ends for want of memory. */
    memcpy(to, reply->bytes, reply->size);
    byte_queue_added(&l->out, reply->size);
}

static enum carrier_sent link_send(struct carrier *carrier,
                                   struct packet_ref *packet)
{
    struct relay_link *l = carrier->connection;
    size_t size = packet_ref_size(packet);
    uint8_t *to;

    if (l->zmtp.state != ZMTP_OPEN)
        return CARRIER_GONE;
    if (byte_queue_size(&l->out) >= RELAY_LINK_CREDIT)
        return CARRIER_FULL;
    to = byte_queue_reserve(&l->out, zmtp_sealed_size(size));
    if (to == NULL)
        return CARRIER_GONE;
    byte_queue_added(
        &l->out,
        zmtp_seal(&l->zmtp, bytes_of(packet_ref_data(packet), size), to));
    if (byte_queue_size(&l->out) >= SEND)
        send_queue(l);
    relay_links_kick(l->all);
    return CARRIER_SENT;
}

static void link_close(struct carrier *carrier)
{
    relay_link_leave(carrier->connection);
}

const struct carrier_transport relay_link_transport = {
    .counts = true, .send = link_send, .close = link_close};

static void note_stuffed(struct relay_link *l)
{
    bool stuffed = byte_queue_size(&l->out) >= STUFFED;

    if (stuffed == l->stuffed || !l->began)
        return;
    l->stuffed = stuffed;
    l->hungry |= !stuffed;
    byte_pipe_pause(l->pipe, stuffed);
}

/* Half of the credit is free again before the owner writes again, so that it
 * writes many packets at a time. */
void relay_link_flush(struct relay_link *l)
{
    send_queue(l);
    note_stuffed(l);
    if (l->carried && l->carrier.blocked &&
        byte_queue_size(&l->out) <= RELAY_LINK_CREDIT / 2)
        carrier_retry(&l->carrier);
}
