/* edge/shell/quic as it is. */
#include "tests/bench/quic/load.h"

#include <stdlib.h>
#include <string.h>

struct own_end {
    struct quic *q;
    bool client, opened;
    uint64_t received;
};

static void on_opened(void *context)
{
    struct own_end *e = context;

    e->opened = true;
}

static void on_packet(void *context, struct packet_ref *packet)
{
    struct own_end *e = context;

    (void)packet;
    e->received++;
}

static void on_released(void *context, size_t bytes)
{
    (void)context;
    (void)bytes;
}

static void *open_end(bool client, struct instant now)
{
    struct own_end *e = calloc(1, sizeof *e);
    struct quic_conf conf = {.client = client,
                             .label = client,
                             .local = load_addresses[!client],
                             .remote = load_addresses[client],
                             .payload_most = LOAD_PAYLOAD,
                             .hold = LOAD_HOLD,
                             .idle = span_s(60)};
    struct quic_owner owner = {e, on_opened, on_packet, on_released};

    if (e == NULL)
        abort();
    e->client = client;
    e->q = quic_new(&conf, &owner, now);
    if (e->q == NULL)
        abort();
    return e;
}

static void close_end(void *end)
{
    struct own_end *e = end;
    quic_free(&e->q);
    free(e);
}

static bool is_open(const void *end)
{
    const struct own_end *e = end;
    return e->opened;
}

static bool send_message(void *end, const void *data, size_t size)
{
    struct own_end *e = end;
    struct packet_ref packet;
    bool sent;

    packet_ref_room(&packet, size);
    memcpy(packet_ref_data(&packet), data, size);
    sent = quic_send(e->q, &packet);
    packet_ref_release(&packet);
    return sent;
}

static uint64_t received(const void *end)
{
    const struct own_end *e = end;
    return e->received;
}

static void take(void *end, uint8_t *bytes, size_t size, struct instant now)
{
    struct own_end *e = end;
    if (quic_take(e->q, &load_addresses[!e->client], &load_addresses[e->client],
                  bytes, size, now) != QUIC_GOES_ON)
        abort();
}

static void due(void *end, struct instant now)
{
    struct own_end *e = end;
    if (quic_due(e->q, now) != QUIC_GOES_ON)
        abort();
}

static struct instant deadline(const void *end)
{
    const struct own_end *e = end;
    return quic_deadline(e->q);
}

static size_t write_burst(void *end, struct instant now, uint8_t *buffer,
                          size_t *segment)
{
    struct own_end *e = end;
    struct quic_burst burst;

    if (!quic_write(e->q, now, buffer, &burst))
        return 0;
    *segment = burst.segment;
    return burst.size;
}

const struct load_stack load_ours = {
    "ours",   open_end, close_end, is_open,  send_message,
    received, take,     due,       deadline, write_burst};
