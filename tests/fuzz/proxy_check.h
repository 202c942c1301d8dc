/*
 * proxy_check - what holds for any bytes read as a header of the PROXY
 * protocol.
 */
#ifndef TESTS_FUZZ_PROXY_CHECK_H
#define TESTS_FUZZ_PROXY_CHECK_H

#include "common/wire/proxy_header.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

/* Writes in version 1 what was read. */
static inline size_t write_again(const struct proxy_header *h, char *room,
                                 size_t size)
{
    char source[ADDRESS_TEXT_SIZE], destination[ADDRESS_TEXT_SIZE];

    return (size_t)snprintf(room, size, "PROXY TCP%d %s %s %u %u\r\n",
                            (int)h->source.family,
                            address_format_ip(&h->source, source),
                            address_format_ip(&h->destination, destination),
                            h->source.port, h->destination.port);
}

/* One byte less is not enough; whatever follows changes nothing. */
static inline void check_size(const uint8_t *data, size_t size,
                              const struct proxy_header *h)
{
    struct proxy_header other;
    enum proxy_result less, exact;

    ASSERT(h->size <= size && h->size <= PROXY_2_SIZE);
    less = proxy_header_read(bytes_of(data, h->size - 1), &other);
    exact = proxy_header_read(bytes_of(data, h->size), &other);
    ASSERT(less == PROXY_MORE && exact == PROXY_DONE);
    ASSERT(other.size == h->size && other.named == h->named);
    ASSERT(address_equal(&other.source, &h->source));
}

static inline void check_proxy_header(const uint8_t *data, size_t size)
{
    struct proxy_header h, again;
    char room[256];
    enum proxy_result result = proxy_header_read(bytes_of(data, size), &h);

    ASSERT(result != PROXY_MORE || size < PROXY_2_SIZE);
    ASSERT(result == PROXY_DONE || (h.size == 0 && !h.named));
    if (result != PROXY_DONE)
        return;
    check_size(data, size, &h);
    if (!h.named)
        return;
    size_t written = write_again(&h, room, sizeof(room));
    result = proxy_header_read(bytes_of(room, written), &again);
    ASSERT(result == PROXY_DONE && again.size == written);
    ASSERT(address_equal(&again.source, &h.source));
    ASSERT(address_equal(&again.destination, &h.destination));
}

#endif
