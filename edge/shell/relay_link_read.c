#include "edge/shell/relay_link.h"

#include "common/io/clock.h"
#include "common/io/log.h"
#include "edge/shell/relay_failure.h"

#include <string.h>

/* ---- Why it ends */

static enum link_failure failure_of_pipe(const struct relay_link *l,
                                         enum link_failure why)
{
    return l->began && why == LINK_BROKEN ? relay_failure_of_end(l->zmtp.state)
                                          : why;
}

static void on_failed(struct relay_link *l)
{
    const char *reason = zmtp_failure_name(l->zmtp.failure);
    const struct address *relay = &l->pipe->peer;
    char text[ADDRESS_TEXT_SIZE];

    log_debug("handshake_failed", "link=%u reason=%s open=%d",
              (uint32_t)l->carrier.id, reason, l->carrier.open);
    if (l->carrier.open &&
        log_limit_passes(&l->all->links->events->log, clock_now(),
                         LOG_BY_MEMBERS, "connection_cut", reason,
                         bytes_of(relay->ip, sizeof relay->ip)))
        log_warn("connection_cut", "reason=%s address=%s", reason,
                 address_format(relay, text));
    relay_link_ended(l, l->carrier.open
                            ? LINK_BROKEN
                            : relay_failure_of_zmtp(l->zmtp.failure));
}

/* ---- Frames */

static void on_ready(struct relay_link *l)
{
    log_debug("link_opened", "link=%u", (uint32_t)l->carrier.id);
    uv_timer_stop(&l->timer);
    carrier_opened(&l->carrier, &l->server, &l->pipe->peer);
}

/* The node may decrypt in the packet. It is not copied: the room stays as it is
 * until the turn is over. */
static void on_packet(struct relay_link *l, struct bytes bytes)
{
    struct packet_ref packet;

    packet_ref_borrow(&packet, bytes);
    carrier_packet(&l->carrier, &packet);
    packet_ref_release(&packet);
}

/* False: the rest is to stay until more has come, or the link is over. */
static bool on_item(struct relay_link *l, enum zmtp_kind kind,
                    const struct zmtp_item *item)
{
    switch (kind) {
    case ZMTP_MORE:
        return false;
    case ZMTP_READY:
        on_ready(l);
        return true;
    case ZMTP_PACKET:
        on_packet(l, item->packet);
        return true;
    case ZMTP_NEXT:
    case ZMTP_PINGED:
    case ZMTP_PONGED:
    case ZMTP_IGNORED:
        relay_link_reply(l);
        return true;
    case ZMTP_HELLO:
    case ZMTP_CLIENT:
    case ZMTP_FAILED:
        break;
    }
    on_failed(l);
    return false;
}

/* What remains of the link's share of this turn. */
static bool has_share(const struct relay_link *l, unsigned packets)
{
    return packets < RELAY_LINK_PACKETS &&
           !event_queue_overfull(l->all->links->events);
}

/* Reads whole frames. False: no more in this turn. */
static bool take_frames(struct relay_link *l, unsigned *packets)
{
    struct relay_room *room = l->room;
    struct zmtp_item item;
    enum zmtp_kind kind;

    do {
        if (!has_share(l, *packets))
            return false;
        uint8_t *at = room->bytes + room->first;
        kind = zmtp_read(&l->zmtp, &at, room->bytes + room->end, &item,
                         &l->all->reply);
        room->first = (size_t)(at - room->bytes);
        *packets += kind == ZMTP_PACKET;
    } while (on_item(l, kind, &item));
    l->cramped = kind == ZMTP_MORE;
    return kind == ZMTP_MORE;
}

/* ---- Bytes */

/* False: none now, or the link is over. */
static bool receive(struct relay_link *l)
{
    struct relay_room *room = l->room;
    size_t space = RELAY_ROOM - room->end;

    if (space == 0)
        return false; /* In the next turn. */
    ssize_t n = byte_pipe_read(l->pipe, room->bytes + room->end, space);
    if (n > 0) {
        room->end += (size_t)n;
        return true;
    }
    l->hungry = false;
    if (n < 0 || l->why != 0)
        relay_link_ended(l, failure_of_pipe(l, l->why ? l->why : LINK_BROKEN));
    return false;
}

static bool has_room(struct relay_link *l)
{
    if (l->room == NULL)
        l->room = relay_room_take(l->all);
    return l->room != NULL;
}

/* A link that cannot be read ends at once: a pipe that never opened, or one
 * whose relay does not read. */
void relay_link_read(struct relay_link *l)
{
    unsigned packets = 0;

    if (l->why != 0 && (!l->began || l->stuffed)) {
        relay_link_ended(l, failure_of_pipe(l, l->why));
        return;
    }
    if (!l->hungry || !l->began || l->stuffed || !has_room(l))
        return;
    while (take_frames(l, &packets) && receive(l))
        ;
}

/* The packets of this turn are not used any more. */
void relay_link_settle(struct relay_link *l)
{
    struct relay_room *room = l->room;

    if (room == NULL)
        return;
    if (room->first == room->end) {
        relay_room_drop(l);
    } else if (l->cramped && room->first > 0) {
        memmove(room->bytes, room->bytes + room->first,
                room->end - room->first);
        room->end -= room->first;
        room->first = 0;
    }
}
