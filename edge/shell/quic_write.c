#include "edge/shell/quic_private.h"

#include "common/io/sockaddr.h"

enum {
    /* How much may wait for the path. Two bursts at the least: while one
     * leaves, the next is there, else congestion control takes the owner for
     * slow. */
    WAITS_US = 10 * 1000,
    WAITS_LEAST = 128 * 1024,
    WAITS_MOST = 1024 * 1024,
};

/* In bytes: what congestion control lets onto the path in WAITS_US. */
static size_t may_wait(const struct quic *q)
{
    ngtcp2_conn_stat stat;

    if (q->takes_last)
        return SIZE_MAX;
    if (q->conn == NULL)
        return WAITS_LEAST;
    ngtcp2_conn_get_conn_stat(q->conn, &stat);
    uint64_t rtt_us = stat.smoothed_rtt / NGTCP2_MICROSECONDS + 1;
    uint64_t bytes = stat.cwnd * WAITS_US / rtt_us;
    if (bytes > WAITS_MOST)
        return WAITS_MOST;
    return bytes < WAITS_LEAST ? WAITS_LEAST : (size_t)bytes;
}

bool quic_send(struct quic *q, struct packet_ref *packet)
{
    size_t size = packet_ref_size(packet);

    if (q->end != QUIC_GOES_ON || q->out.unsent >= may_wait(q) ||
        (q->out.held > 0 && q->out.held + size > q->conf.hold))
        return false;
    return stream_out_push(&q->out, packet);
}

bool quic_has_room(const struct quic *q)
{
    return q->out.unsent <= may_wait(q) / 2 &&
           (q->out.held == 0 || q->out.held <= q->conf.hold / 8 * 7);
}

void quic_takes_last(struct quic *q)
{
    q->takes_last = true;
}

/* The client opens the stream. The server may write on it when it has seen a
 * byte of it, so the client begins with an empty packet. */
static void open_stream(struct quic *q)
{
    struct packet_ref empty;

    if (ngtcp2_conn_open_bidi_stream(q->conn, &q->stream, NULL) != 0) {
        q->stream = -1;
        return;
    }
    packet_ref_init(&empty);
    if (q->out.unsent == 0 && !stream_out_push(&q->out, &empty))
        quic_fail(q, NGTCP2_ERR_NOMEM);
}

/* Writes one datagram; returns its size, 0: nothing is to be sent now. */
static size_t write_one(struct quic *q, ngtcp2_path *path, uint8_t *to,
                        size_t room)
{
    struct bytes parts[STREAM_PARTS];
    ngtcp2_vec data[STREAM_PARTS];
    ngtcp2_ssize rc, taken = -1;
    size_t count = 0;

    if (q->stream >= 0 && q->out.unsent > 0)
        count = stream_out_peek(&q->out, room, parts);
    for (size_t i = 0; i < count; i++) {
        data[i].base = (uint8_t *)(uintptr_t)parts[i].data;
        data[i].len = parts[i].size;
    }
    rc = ngtcp2_conn_writev_stream(q->conn, path, NULL, to, room, &taken, 0,
                                   count > 0 ? q->stream : -1, data, count,
                                   quic_stamp(q->now));
    if (rc == NGTCP2_ERR_STREAM_DATA_BLOCKED)
        rc = ngtcp2_conn_writev_stream(q->conn, path, NULL, to, room, NULL, 0,
                                       -1, NULL, 0, quic_stamp(q->now));
    if (taken > 0)
        stream_out_sent(&q->out, (size_t)taken);
    if (rc < 0)
        quic_fail(q, (int)rc);
    if (rc > QUIC_PAYLOAD_LEAST && taken > 0)
        quic_sent_large(q);
    return rc > 0 ? (size_t)rc : 0;
}

static void begin_burst(const struct quic *q, const ngtcp2_path *path,
                        struct quic_burst *burst)
{
    *burst = (struct quic_burst){
        .from = address_of_sockaddr((const struct sockaddr *)path->local.addr),
        .to = q->remote};
    if (memcmp(path->remote.addr, &q->remote_raw, path->remote.addrlen) != 0)
        burst->to =
            address_of_sockaddr((const struct sockaddr *)path->remote.addr);
}

/* Keeps the datagram for the next burst. */
static void put_aside(struct quic *q, const ngtcp2_path *path,
                      const uint8_t *bytes, size_t size)
{
    begin_burst(q, path, &q->other);
    q->other.segment = q->other.size = size;
    memcpy(q->other_bytes, bytes, size);
}

static bool take_aside(struct quic *q, uint8_t *buffer,
                       struct quic_burst *burst)
{
    if (q->other.size == 0)
        return false;
    *burst = q->other;
    memcpy(buffer, q->other_bytes, q->other.size);
    q->other.size = 0;
    return true;
}

/* The size of the largest datagram to send now. */
static size_t payload_now(struct quic *q)
{
    struct quic_width *w = &q->width;

    if (w->narrow && instant_reached(w->widen_at, q->now))
        w->narrow = w->swallows = false;
    return w->narrow ? QUIC_PAYLOAD_LEAST : q->conf.payload_most;
}

static void fill_burst(struct quic *q, uint8_t *buffer,
                       struct quic_burst *burst)
{
    size_t most = ngtcp2_conn_get_send_quantum(q->conn);
    size_t room = payload_now(q);
    ngtcp2_path_storage first, next;

    ngtcp2_path_storage_zero(&first);
    ngtcp2_path_storage_zero(&next);
    if (most > QUIC_BURST_SIZE)
        most = QUIC_BURST_SIZE;
    burst->size = 0;
    do {
        ngtcp2_path *path = burst->size == 0 ? &first.path : &next.path;
        uint8_t *to = buffer + burst->size;
        size_t size = write_one(q, path, to, room);

        if (size == 0)
            return;
        if (burst->size == 0) {
            begin_burst(q, path, burst);
            burst->segment = room = size;
        } else if (!ngtcp2_path_eq(&first.path, path)) {
            put_aside(q, path, to, size);
            return;
        }
        burst->size += size;
        if (size < burst->segment)
            return;
        /* The library wants room for the least, so smaller ones are alone. */
    } while (room >= QUIC_PAYLOAD_LEAST && burst->size + room <= most);
}

bool quic_write(struct quic *q, struct instant now,
                uint8_t buffer[static QUIC_BURST_SIZE],
                struct quic_burst *burst)
{
    q->now = now;
    if (q->conn == NULL || q->end != QUIC_GOES_ON)
        return false;
    if (take_aside(q, buffer, burst))
        return true;
    if (q->opened && q->conf.client && q->stream < 0)
        open_stream(q);
    fill_burst(q, buffer, burst);
    quic_look_at_path(q);
    if (burst->size == 0)
        return false;
    ngtcp2_conn_update_pkt_tx_time(q->conn, quic_stamp(now));
    quic_vary_keep_alive(q);
    return true;
}

bool quic_write_close(struct quic *q, struct instant now,
                      uint8_t buffer[static QUIC_BURST_SIZE],
                      struct quic_burst *burst)
{
    ngtcp2_connection_close_error why;
    ngtcp2_path_storage path;
    ngtcp2_ssize size;

    q->now = now;
    if (q->conn == NULL || q->end == QUIC_CLOSED || q->end == QUIC_SILENT)
        return false;
    ngtcp2_path_storage_zero(&path);
    ngtcp2_connection_close_error_default(&why);
    if (q->error == NGTCP2_ERR_CRYPTO)
        ngtcp2_connection_close_error_set_transport_error_tls_alert(
            &why, ngtcp2_conn_get_tls_alert(q->conn), NULL, 0);
    else if (q->error == NGTCP2_ERR_CALLBACK_FAILURE)
        ngtcp2_connection_close_error_set_transport_error(
            &why, NGTCP2_PROTOCOL_VIOLATION, NULL, 0);
    else if (q->error != 0)
        ngtcp2_connection_close_error_set_transport_error_liberr(&why, q->error,
                                                                 NULL, 0);
    size = ngtcp2_conn_write_connection_close(q->conn, &path.path, NULL, buffer,
                                              QUIC_PAYLOAD_LEAST, &why,
                                              quic_stamp(now));
    if (size <= 0)
        return false;
    begin_burst(q, &path.path, burst);
    burst->segment = burst->size = (size_t)size;
    return true;
}
