/*
 * load - what tests/bench/quic measures: one end of a QUIC connection, ours or
 * bare ngtcp2, behind the same functions.
 */
#ifndef TESTS_BENCH_QUIC_LOAD_H
#define TESTS_BENCH_QUIC_LOAD_H

#include "edge/shell/quic.h"

enum {
    LOAD_PAYLOAD = 1444,         /* of a datagram */
    LOAD_HOLD = 4 * 1024 * 1024, /* bytes that wait or fly */
    LOAD_WINDOW = 16 * 1024 * 1024,
};

/* `end` is what `open` returned. */
struct load_stack {
    const char *name;
    void *(*open)(bool client, struct instant now);
    void (*close)(void *end);
    bool (*is_open)(const void *end);
    /* False: as much as may wait waits already. */
    bool (*send)(void *end, const void *data, size_t size);
    uint64_t (*received)(const void *end); /* messages */
    void (*take)(void *end, uint8_t *bytes, size_t size, struct instant now);
    void (*due)(void *end, struct instant now);
    struct instant (*deadline)(const void *end);
    /* Datagrams of one size, as quic_write writes them; 0: none. */
    size_t (*write)(void *end, struct instant now, uint8_t *buffer,
                    size_t *segment);
};

extern const struct load_stack load_ours, load_bare;

/* The end of a bare stack hands on each message that came, not only its
 * count. */
typedef void load_bare_message(const uint8_t *bytes, size_t size);
void load_bare_on_message(void *end, load_bare_message *message);

/* The two ends' addresses, the client's first. */
extern const struct address load_addresses[2];

#endif
