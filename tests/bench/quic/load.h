/*
 * load - what tests/bench/quic measures: one end of a QUIC connection, ours or
 * bare ngtcp2, behind the same functions.
 */
#ifndef TESTS_BENCH_QUIC_LOAD_H
#define TESTS_BENCH_QUIC_LOAD_H

#include "edge/shell/quic.h"

enum {
    LOAD_PAYLOAD = 1444,         /* of a datagram */
    LOAD_HOLD = 2 * 1024 * 1024, /* bytes that wait or fly */
    LOAD_WINDOW = 16 * 1024 * 1024,
};

struct load_end;

struct load_stack {
    const char *name;
    struct load_end *(*open)(bool client, struct instant now);
    void (*close)(struct load_end *e);
    bool (*is_open)(const struct load_end *e);
    /* False: as much as may wait waits already. */
    bool (*send)(struct load_end *e, size_t size);
    uint64_t (*received)(const struct load_end *e); /* messages */
    void (*take)(struct load_end *e, uint8_t *bytes, size_t size,
                 struct instant now);
    void (*due)(struct load_end *e, struct instant now);
    struct instant (*deadline)(const struct load_end *e);
    /* Datagrams of one size, as quic_write writes them; 0: none. */
    size_t (*write)(struct load_end *e, struct instant now, uint8_t *buffer,
                    size_t *segment);
};

extern const struct load_stack load_ours, load_bare;

/* The two ends' addresses, the client's first. */
extern const struct address load_addresses[2];

#endif
