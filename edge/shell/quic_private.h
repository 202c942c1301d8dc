/*
 * quic_private - what the files of quic.h share.
 *
 *     quic.c          begins and ends, takes datagrams, keeps the time
 *     quic_events.c   what ngtcp2 calls
 *     quic_initial.c  the keys of the first packets
 *     quic_write.c    the datagrams to send
 *     quic_tls.c      the handshake inside
 */
#ifndef EDGE_SHELL_QUIC_PRIVATE_H
#define EDGE_SHELL_QUIC_PRIVATE_H

#include "edge/shell/packet_stream.h"
#include "edge/shell/quic_tls.h"

#include <ngtcp2/ngtcp2.h>
#include <sys/socket.h>

/* Whether large datagrams arrive. */
struct quic_width {
    bool narrow;   /* none is sent */
    bool swallows; /* narrow, and the stream went on since */
    bool at_stake; /* a large one was sent since the stream went on */
    struct instant stalled_at, widen_at;
    int narrowed; /* times */
};

struct quic_path {
    struct address local, remote;
    ngtcp2_path path; /* the same for ngtcp2, so that it stays where it is */
    struct sockaddr_storage raw_local, raw_remote;
};

struct quic {
    struct quic_conf conf;
    struct quic_owner owner;
    struct quic_tls tls;
    ngtcp2_conn *conn; /* NULL: the server waits for the first datagram */
    struct instant born, now;
    enum quic_end end;
    int error; /* of ngtcp2; tells the peer why the connection ends */
    bool opened;
    int64_t stream; /* -1: none yet */
    struct stream_in in;
    struct stream_out out;
    bool takes_last; /* what waits for the path has no limit of its own */
    struct quic_width width;
    struct instant keep_alive_chosen_at;
    struct quic_path came; /* of the last datagram that came */
    struct address remote;
    struct sockaddr_storage remote_raw; /* the same */
    struct instant trial_until;         /* nothing from another address */
    /* A datagram that is not of the last burst: to another address. */
    struct quic_burst other;
    uint8_t other_bytes[QUIC_PAYLOAD_MOST];
};

static inline ngtcp2_tstamp quic_stamp(struct instant t)
{
    return (ngtcp2_tstamp)t.us * NGTCP2_MICROSECONDS;
}

/* The connection ends by an error of ngtcp2; the first end counts. */
void quic_fail(struct quic *q, int error);
/* Asks whether the peer's address changed. */
void quic_look_at_path(struct quic *q);
/* A large datagram with new bytes of the stream was written. */
void quic_sent_large(struct quic *q);

/* In quic_events.c. */
extern const ngtcp2_callbacks quic_callbacks;
ngtcp2_conn *quic_get_conn(ngtcp2_crypto_conn_ref *ref);
void quic_new_cid(const struct quic *q, ngtcp2_cid *cid);
/* A datagram was written: the next keep-alive comes after another time than
 * the last one. */
void quic_vary_keep_alive(struct quic *q);

/* In quic_initial.c: the keys of Initial packets, for ngtcp2's callbacks. */
int quic_on_client_begins(ngtcp2_conn *conn, void *context);
int quic_on_client_initial(ngtcp2_conn *conn, const ngtcp2_cid *id,
                           void *context);
/* The datagram begins with a packet with a long header that neither end sends.
 * Among these are the two without a key, which anybody can make: Version
 * Negotiation and Retry. */
bool quic_is_foreign(const uint8_t *bytes, size_t size);

#endif
