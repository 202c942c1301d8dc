/*
 * bench_core - measures what a message costs the cores (node and hub), without
 * I/O.
 *
 *     bench_core WAY SIZE BATCH MESSAGES [RECEIVERS [IDLE]] [native]
 *
 * WAY is direct, relay or publish, sealed with ChaCha20-Poly1305, or relay-aes
 * or publish-aes, with AES-256-GCM, if the processor has instructions for it;
 * BATCH messages are submitted in each step.
 * It warms up, then does the same again, counted: what steps allocate, and
 * under callgrind their instructions (tests/bench/instructions reads them).
 * Exit code 1 if a message was lost, doubled, out of order or refused.
 *
 * libsodium takes its portable code here, which is the same on each machine
 * (AES has only the one); `native` lets it take what the processor has.
 */
#include "tests/bench/core/mesh.h"
#include "tests/bench/core/steps.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

enum { TURNS_TO_SETTLE = 20 * 1000 };

static bool read_shape(struct mesh_shape *shape, char **arg)
{
    static const struct {
        const char *name;
        enum mesh_way way;
        bool aes;
    } ways[] = {{"direct", WAY_DIRECT, false},
                {"relay", WAY_RELAY, false},
                {"relay-aes", WAY_RELAY, true},
                {"publish", WAY_PUBLISH, false},
                {"publish-aes", WAY_PUBLISH, true}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(arg[0], ways[i].name) == 0) {
            shape->way = ways[i].way;
            shape->aes = ways[i].aes;
            shape->size = strtoul(arg[1], NULL, 10);
            return shape->size >= 8 && shape->size <= MESH_MESSAGE;
        }
    }
    return false;
}

static void send_all(struct bench_mesh *m, size_t messages, size_t batch)
{
    for (size_t sent = 0; sent < messages;) {
        for (size_t i = 0; i < batch && sent < messages; i++, sent++)
            mesh_send(m);
        mesh_turn(m);
    }
}

static bool settle(struct bench_mesh *m)
{
    for (int i = 0; i < TURNS_TO_SETTLE && !mesh_is_quiet(m); i++)
        mesh_turn(m);
    return mesh_is_quiet(m);
}

static int run(const struct mesh_shape *shape, size_t messages, size_t batch)
{
    static struct bench_mesh m;
    if (!mesh_open(&m, shape)) {
        fprintf(stderr, "bench_core: the nodes did not meet\n");
        return 1;
    }
    send_all(&m, batch, batch); /* makes the sessions */
    bool good = settle(&m);
    send_all(&m, 2 * messages, batch); /* grows all tables */
    m.measured = true;
    CALLGRIND_START_INSTRUMENTATION;
    send_all(&m, messages, batch);
    CALLGRIND_STOP_INSTRUMENTATION;
    m.measured = false;
    good = settle(&m) && good && m.wrong == 0;
    printf("messages=%zu wrong=%llu allocations=%llu uploaded=%llu\n", messages,
           (unsigned long long)m.wrong, (unsigned long long)steps_allocations(),
           (unsigned long long)m.uploaded);
    mesh_close(&m);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct mesh_shape shape = {.receivers = 1};
    bool native = argc > 1 && strcmp(argv[argc - 1], "native") == 0;
    argc -= native;
    if (argc < 5 || argc > 7 || !read_shape(&shape, argv + 1)) {
        fprintf(stderr, "usage: bench_core direct|relay[-aes]|publish[-aes] "
                        "SIZE BATCH MESSAGES [RECEIVERS [IDLE]] [native]\n");
        return 2;
    }
    if (argc > 5)
        shape.receivers = strtoul(argv[5], NULL, 10);
    if (argc > 6)
        shape.idle = strtoul(argv[6], NULL, 10);
    if (native && sodium_init() < 0)
        return 1;
    return run(&shape, strtoul(argv[4], NULL, 10), strtoul(argv[3], NULL, 10));
}
