/* In place of quic.c where ngtcp2 is missing: no connection is ever made. */
#include "edge/shell/quic.h"

bool quic_is_available(void)
{
    return false;
}

struct quic *quic_new(const struct quic_conf *conf,
                      const struct quic_owner *owner, struct instant now)
{
    (void)conf;
    (void)owner;
    (void)now;
    return NULL;
}

void quic_free(struct quic **self)
{
    *self = NULL;
}

enum quic_end quic_take(struct quic *q, const struct address *to,
                        const struct address *from, uint8_t *bytes, size_t size,
                        struct instant now)
{
    (void)q;
    (void)to;
    (void)from;
    (void)bytes;
    (void)size;
    (void)now;
    return QUIC_CLOSED;
}

enum quic_end quic_due(struct quic *q, struct instant now)
{
    (void)q;
    (void)now;
    return QUIC_CLOSED;
}

struct instant quic_deadline(const struct quic *q)
{
    (void)q;
    return INSTANT_NEVER;
}

bool quic_send(struct quic *q, struct packet_ref *packet)
{
    (void)q;
    (void)packet;
    return false;
}

bool quic_has_room(const struct quic *q)
{
    (void)q;
    return false;
}

void quic_takes_last(struct quic *q)
{
    (void)q;
}

bool quic_write(struct quic *q, struct instant now,
                uint8_t buffer[static QUIC_BURST_SIZE],
                struct quic_burst *burst)
{
    (void)q;
    (void)now;
    (void)buffer;
    (void)burst;
    return false;
}

bool quic_write_close(struct quic *q, struct instant now,
                      uint8_t buffer[static QUIC_BURST_SIZE],
                      struct quic_burst *burst)
{
    return quic_write(q, now, buffer, burst);
}

bool quic_swallows(const struct quic *q)
{
    (void)q;
    return false;
}

bool quic_waits(const struct quic *q)
{
    (void)q;
    return false;
}

struct span quic_rtt(const struct quic *q)
{
    (void)q;
    return span_us(-1);
}

const struct address *quic_remote(const struct quic *q)
{
    static const struct address none = {.family = ADDRESS_NONE};

    (void)q;
    return &none;
}
