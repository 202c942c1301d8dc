/*
 * quic - one QUIC connection to a peer, as bytes and time in, bytes out
 * [P-11.8].
 *
 * A connection carries packets, in order and reliably, on one bidirectional
 * stream. Both ends know a secret of 32 bytes that only they share; it
 * authenticates the TLS handshake as an external pre-shared key. There are no
 * certificates. This is the only module that knows ngtcp2 and GnuTLS.
 *
 *     quic_new; then at any time:
 *     quic_take      a datagram came        -> owner.opened, packet, released
 *     quic_send      a packet is to be sent -> true, or "full"
 *     quic_due       quic_deadline passed
 *     quic_write     after each of these: the datagrams to send now
 *     quic_free
 *
 * The module has no socket and reads no clock. Callbacks come from within
 * quic_take and quic_due only, and must not call the module.
 */
#ifndef EDGE_SHELL_QUIC_H
#define EDGE_SHELL_QUIC_H

#include "common/base/address.h"
#include "common/base/instant.h"
#include "common/io/packet_ref.h"

enum {
    QUIC_SECRET_SIZE = 32,
    QUIC_IDENTITY_SIZE = 64, /* both ends' ids, the client's first */
    QUIC_CID_SIZE = 8,
    QUIC_PAYLOAD_LEAST = 1200, /* bytes of UDP payload, */
    QUIC_PAYLOAD_MOST = 1452,  /* of a datagram */
    QUIC_BURST_SIZE = 64 * 1024 - 1,
};

/* Whether this build has QUIC. Without it quic_new returns NULL. */
bool quic_is_available(void);

struct quic;

/* All are called with `context`. */
struct quic_owner {
    void *context;
    /* The handshake is done: the peer proved that it has the secret. */
    void (*opened)(void *context);
    /* A packet came. The callee may move it away. */
    void (*packet)(void *context, struct packet_ref *packet);
    /* The peer acknowledged packets; so many bytes of them are held no more. */
    void (*released)(void *context, size_t bytes);
};

struct quic_conf {
    bool client; /* the node with the smaller id */
    uint8_t secret[QUIC_SECRET_SIZE];
    uint8_t identity[QUIC_IDENTITY_SIZE]; /* bound into the handshake, so that a
                                             secret serves one pair and role */
    /* In the first 4 bytes of each connection id that this end chooses, so that
     * its datagrams are found by it. Random to others: the caller scrambles
     * it. */
    uint32_t label;
    struct address local, remote;
    size_t payload_most; /* UDP payload to try; QUIC_PAYLOAD_LEAST: no search */
    size_t hold;         /* bytes of unacknowledged packets, then "full" */
    struct span idle;    /* the connection ends after so much silence */
};

/* NULL if the library refuses the configuration. `conf` is copied and the
 * secret wiped with the connection. */
struct quic *quic_new(const struct quic_conf *conf,
                      const struct quic_owner *owner, struct instant now);
/* Sends nothing more. Releases all packets without telling. NULL-safe. */
void quic_free(struct quic **self);

enum quic_end {
    QUIC_GOES_ON,
    QUIC_CLOSED,   /* the peer closed it, or said that it does not know it */
    QUIC_REFUSED,  /* the handshake failed: the peer has another identity */
    QUIC_SILENT,   /* the handshake or the idle time ran out */
    QUIC_VIOLATED, /* the peer broke the protocol, or sent a packet larger than
                      PACKET_SIZE */
};

/* A datagram from `from` came at `to`, which counts for a server only. The
 * bytes may be changed. */
enum quic_end quic_take(struct quic *q, const struct address *to,
                        const struct address *from, uint8_t *bytes, size_t size,
                        struct instant now) MUST_USE;
/* The time of quic_deadline was reached. */
enum quic_end quic_due(struct quic *q, struct instant now) MUST_USE;
struct instant quic_deadline(const struct quic *q);

/* Takes the packet, which is empty then. False: full; `packet` is unchanged.
 * What waits for the path is limited to what the path takes in a moment, since
 * later packets and acknowledgements have to wait behind it. */
bool quic_send(struct quic *q, struct packet_ref *packet) MUST_USE;
/* A packet is taken, and so are some more; asked after quic_send said "full",
 * when something was taken or written. */
bool quic_has_room(const struct quic *q);
/* The last packets follow: they need not wait, as nothing comes behind them. */
void quic_takes_last(struct quic *q);

/* Datagrams of one size (the last may be smaller) to one address, one behind
 * the other, as UDP_SEGMENT takes them. */
struct quic_burst {
    struct address from, to;
    size_t segment; /* bytes of each datagram */
    size_t size;    /* bytes of all */
    uint8_t ecn;    /* 0 */
};

/* Writes what is to be sent now into `buffer`. False: nothing. Call again until
 * false; what congestion control holds back makes it false as well. */
bool quic_write(struct quic *q, struct instant now,
                uint8_t buffer[static QUIC_BURST_SIZE],
                struct quic_burst *burst) MUST_USE;
/* The datagram that tells the peer that this end closes. The caller frees the
 * connection afterwards. False: there is nothing to tell. */
bool quic_write_close(struct quic *q, struct instant now,
                      uint8_t buffer[static QUIC_BURST_SIZE],
                      struct quic_burst *burst) MUST_USE;

/* Datagrams larger than QUIC_PAYLOAD_LEAST were sent and vanish while small
 * ones pass. The connection goes on with QUIC_PAYLOAD_LEAST by itself, and
 * tries large ones again after a minute or more; the caller may make the next
 * one on this path with payload_most at the least. */
bool quic_swallows(const struct quic *q);
/* Bytes of packets wait for congestion control: then quic_deadline counts to
 * the microsecond, else a millisecond later is as good. */
bool quic_waits(const struct quic *q);
/* Smoothed; negative: unknown. */
struct span quic_rtt(const struct quic *q);
/* The peer's address now; it changes when the peer's NAT rebinds. */
const struct address *quic_remote(const struct quic *q);

/* The label of the connection id in a datagram with a short or a long header.
 * False: there is none, or the datagram is not QUIC. For a client's first
 * datagrams the id is the client's choice, and so is the label: the caller
 * finds the connection by the addresses then. */
bool quic_label(const uint8_t *bytes, size_t size, uint32_t *label) MUST_USE;

#endif
