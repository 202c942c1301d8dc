#include "edge/shell/quic_link.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/log.h"

#include <sodium.h>
#include <stdlib.h>

enum {
    HANDSHAKE_S = 5, /* [P-11.8] */
    IDLE_S = 60,
    /* How long a link that was closed stays, for its last packets. */
    LINGER_MS = 200,
    /* Copies of the datagram that says goodbye: nobody repeats it. */
    GOODBYES = 3,
    /* Bursts of one link in a turn: then other links send. */
    BURSTS = 4,
};

/* ---- Packets for the node */

static bool has_packets(const struct quic_link *l)
{
    return l->packets.first < l->packets.count;
}

/* The peer's credit limits how many can wait: they come from one datagram that
 * closed a gap. */
static void let_wait(struct quic_link *l, struct packet_ref *packet)
{
    struct packet_queue *q = &l->packets;

    if (!has_packets(l))
        l->all->waiting++;
    q->packets =
        memory_grow(q->packets, q->count, &q->room, sizeof *q->packets);
    packet_ref_move(&q->packets[q->count++], packet);
    quic_links_touch(l);
}

static void drop_packets(struct quic_link *l)
{
    struct packet_queue *q = &l->packets;

    if (has_packets(l))
        l->all->waiting--;
    while (has_packets(l))
        packet_ref_release(&q->packets[q->first++]);
    free(q->packets);
    *q = (struct packet_queue){0};
}

/* Hands packets on until the turn is full: the last ones of a link may fill it
 * further. */
static void hand_on(struct quic_link *l, bool last)
{
    const struct event_queue *events = l->all->links->events;
    struct packet_queue *q = &l->packets;

    if (!has_packets(l))
        return;
    while (has_packets(l) &&
           !(last ? event_queue_overfull(events) : event_queue_full(events))) {
        carrier_packet(&l->carrier, &q->packets[q->first]);
        packet_ref_release(&q->packets[q->first++]);
    }
    if (has_packets(l)) {
        quic_links_touch(l);
        return;
    }
    l->all->waiting--;
    free(q->packets);
    *q = (struct packet_queue){0};
}

/* ---- What QUIC calls */

static uint32_t id_of(const struct quic_link *l)
{
    return (uint32_t)l->carrier.id;
}

static void on_opened(void *context)
{
    struct quic_link *l = context;
    static const struct curve_key none;

    if (!l->carried)
        return;
    log_debug("link_opened", "link=%u", id_of(l));
    l->end_by = INSTANT_NEVER;
    carrier_opened(&l->carrier, &none, &l->remote);
}

static void on_packet(void *context, struct packet_ref *packet)
{
    struct quic_link *l = context;

    if (!l->carried)
        return;
    if (has_packets(l) || event_queue_full(l->all->links->events))
        let_wait(l, packet);
    else
        carrier_packet(&l->carrier, packet);
}

static void on_released(void *context, size_t bytes)
{
    struct quic_link *l = context;

    l->held -= bytes < l->held ? bytes : l->held;
}

/* ---- The end of a link */

static void link_free(struct quic_link *l)
{
    drop_packets(l);
    quic_free(&l->quic);
    if (l->endpoint != NULL)
        udp_endpoint_release(l->endpoint);
    if (l->carried)
        carrier_fini(&l->carrier);
    free(l->unsent.bytes);
    quic_links_remove(l);
    free(l);
}

static void say_goodbye(struct quic_link *l)
{
    struct quic_links *all = l->all;
    struct quic_burst burst;

    if (l->quic == NULL ||
        !quic_write_close(l->quic, clock_now(), all->buffer, &burst))
        return;
    for (int i = 0; i < GOODBYES; i++)
        (void)udp_socket_send_one(l->socket, &burst.to,
                                  bytes_of(all->buffer, burst.size), 0);
}

static enum carrier_end why_ended(const struct quic_link *l, enum quic_end end)
{
    if (l->carrier.open)
        return CARRIER_BROKEN;
    return end == QUIC_REFUSED || end == QUIC_VIOLATED ? CARRIER_HANDSHAKE
                                                       : CARRIER_UNREACHABLE;
}

static void link_end(struct quic_link *l, enum quic_end end)
{
    static const char *const names[] = {[QUIC_GOES_ON] = "done",
                                        [QUIC_CLOSED] = "closed",
                                        [QUIC_REFUSED] = "refused",
                                        [QUIC_SILENT] = "silent",
                                        [QUIC_VIOLATED] = "violated"};

    log_debug("link_ended", "link=%u reason=%s", id_of(l), names[end]);
    say_goodbye(l);
    if (l->carried) {
        hand_on(l, true);
        carrier_ended(&l->carrier, why_ended(l, end));
    }
    link_free(l);
}

/* ---- The carrier's transport */

static enum carrier_sent link_send(struct carrier *c, struct packet_ref *packet)
{
    struct quic_link *l = c->connection;
    size_t size = packet_ref_size(packet);

    if (!quic_send(l->quic, packet)) {
        l->full = true;
        return CARRIER_FULL;
    }
    l->held += size;
    quic_links_touch(l);
    return CARRIER_SENT;
}

/* What waits in the carrier still leaves. */
static void send_last(struct quic_link *l)
{
    l->carrier.deaf = true;
    quic_takes_last(l->quic);
    carrier_retry(&l->carrier);
}

void quic_link_close(struct quic_link *l)
{
    if (l->carrier.open)
        send_last(l);
    if (!l->carrier.open || l->held == 0) {
        say_goodbye(l);
        link_free(l);
        return;
    }
    carrier_fini(&l->carrier);
    l->carried = false;
    drop_packets(l);
    l->end_by = instant_after(clock_now(), span_ms(LINGER_MS));
    quic_links_touch(l);
}

static void link_close(struct carrier *c)
{
    quic_link_close(c->connection);
}

static const struct carrier_transport transport = {
    .counts = true, .send = link_send, .close = link_close};

/* ---- Sending */

static void keep_unsent(struct quic_link *l, const struct udp_burst *burst)
{
    uint8_t *bytes = memory_copy(burst->bytes, burst->size);

    l->unsent = *burst;
    l->unsent.bytes = bytes;
}

/* False: the socket's buffer is full. */
static bool send_unsent(struct quic_link *l)
{
    struct udp_burst rest = l->unsent;

    if (rest.size == 0)
        return true;
    bool all = udp_socket_send(l->socket, &rest);
    if (!all)
        memmove(l->unsent.bytes, rest.bytes, rest.size);
    else {
        free(l->unsent.bytes);
        l->unsent.bytes = NULL;
    }
    l->unsent.size = rest.size;
    return all;
}

static void send_bursts(struct quic_link *l, struct instant now)
{
    struct quic_burst from;

    if (!send_unsent(l))
        return;
    for (int i = 0; i < BURSTS; i++) {
        if (!quic_write(l->quic, now, l->all->buffer, &from))
            return;
        struct udp_burst burst = {.peer = from.to,
                                  .bytes = l->all->buffer,
                                  .size = from.size,
                                  .segment = from.segment};
        if (!udp_socket_send(l->socket, &burst)) {
            keep_unsent(l, &burst);
            return;
        }
    }
    quic_links_touch(l); /* In the next turn it goes on. */
}

/* ---- A turn */

/* Packets that wait may go on once a part of the others has gone. */
static void retry(struct quic_link *l)
{
    if (!l->full || !quic_has_room(l->quic))
        return;
    l->full = false;
    carrier_retry(&l->carrier);
}

/* A link that waits for its socket has nothing else to do in time. If it has
 * nothing to send, its deadlines are for repeating and acknowledging. */
static struct instant next_time(const struct quic_link *l, struct instant now)
{
    struct instant at = quic_deadline(l->quic);

    if (l->unsent.size > 0)
        return INSTANT_NEVER;
    if (!quic_waits(l->quic))
        at = instant_max(at, instant_after(now, span_us(QUIC_LINKS_COARSE_US)));
    return at;
}

static void set_timer(struct quic_link *l, struct instant now)
{
    heap_set(&l->all->timers, &l->timer,
             instant_min(next_time(l, now), l->end_by));
}

void quic_link_turn(struct quic_link *l, struct instant now)
{
    if (instant_reached(quic_deadline(l->quic), now)) {
        enum quic_end end = quic_due(l->quic, now);
        if (quic_swallows(l->quic))
            quic_links_note_narrow(l->all, &l->remote);
        if (end != QUIC_GOES_ON) {
            link_end(l, end);
            return;
        }
    }
    if (l->carried)
        hand_on(l, false);
    send_bursts(l, now);
    if (l->carried)
        retry(l);
    if (instant_reached(l->end_by, now) || (!l->carried && l->held == 0))
        link_end(l, QUIC_GOES_ON);
    else
        set_timer(l, now);
}

/* ---- Opening */

static struct quic *make_quic(struct quic_link *l, const struct node_todo *item)
{
    struct quic_owner owner = {.context = l,
                               .opened = on_opened,
                               .packet = on_packet,
                               .released = on_released};
    struct quic_conf conf = {.client = item->udp.client,
                             .label = l->label,
                             .local = l->local,
                             .remote = l->remote,
                             .payload_most =
                                 quic_links_is_narrow(l->all, &l->remote)
                                     ? QUIC_PAYLOAD_LEAST
                                     : QUIC_PAYLOAD_MOST,
                             .hold = l->all->hold,
                             .idle = span_s(IDLE_S)};

    memcpy(conf.secret, item->udp.secret, sizeof conf.secret);
    memcpy(conf.identity, item->udp.identity, sizeof conf.identity);
    struct quic *q = quic_new(&conf, &owner, clock_now());
    sodium_memzero(&conf, sizeof conf);
    return q;
}

/* False: the endpoint cannot reach the address, or QUIC refuses. */
static bool start(struct quic_link *l, struct udp_endpoint *from,
                  const struct node_todo *item)
{
    if (from == NULL)
        return false;
    l->endpoint = from;
    udp_endpoint_hold(from);
    l->socket = udp_endpoint_socket(from, l->remote.family);
    if (l->socket == NULL)
        return false;
    udp_endpoint_enlarge(from);
    /* The kernel chooses the source address, as it did for the probes. */
    l->local = (struct address){.family = l->remote.family,
                                .port = udp_socket_port(l->socket)};
    l->quic = make_quic(l, item);
    return l->quic != NULL;
}

void quic_link_start(struct quic_link *l, struct udp_endpoint *from,
                     const struct node_todo *item)
{
    struct quic_links *all = l->all;
    char text[ADDRESS_TEXT_SIZE];

    l->remote = item->udp.to;
    log_debug("link_opening", "link=%u to=%s socket=%u client=%d",
              item->udp.link, address_format(&l->remote, text),
              item->udp.socket, item->udp.client);
    l->end_by = instant_after(clock_now(), span_s(HANDSHAKE_S));
    l->carried = true;
    carrier_init(&l->carrier, &all->links->carriers, item->udp.link, &transport,
                 l);
    if (!start(l, from, item)) {
        carrier_ended(&l->carrier, CARRIER_UNREACHABLE);
        link_free(l);
        return;
    }
    if (!item->udp.client) {
        quic_links_write_source(l->source, from->number, &l->remote);
        map_put(&all->by_source, l->source, l);
    }
    quic_links_touch(l);
}

void quic_link_take(struct quic_link *l, const struct address *from,
                    uint8_t *bytes, size_t size, struct instant now)
{
    enum quic_end end = quic_take(l->quic, &l->local, from, bytes, size, now);

    if (end != QUIC_GOES_ON)
        link_end(l, end);
    else
        quic_links_touch(l);
}
