/*
 * Attacks by strangers, which know only the target's address, or also its key,
 * and try to occupy connections, processor or descriptors at little cost.
 */
#include "tests/adversary/attack.h"
#include "tests/adversary/crowd.h"
#include "tests/adversary/curve.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    SLOW_BYTE_MS = 200,
    HANDSHAKE_MS = 1500,
    /* Connections of a flood that are open at a time, and the time of one
     * step. */
    FLOOD_OPEN = 64,
    FLOOD_STEP_MS = 5,
};

void attack_silent(const struct attack *a, struct tally *t)
{
    struct crowd c;
    crowd_open(&c, a, t);
    crowd_wait(&c, a, t);
    crowd_close(&c);
}

void attack_slow(const struct attack *a, struct tally *t)
{
    struct crowd c;

    crowd_open(&c, a, t);
    while (!attack_is_over(a)) {
        for (size_t i = 0; i < c.count; i++)
            crowd_say(&c, i, a->speech.opening, 1, t);
        attack_sleep_until(attack_now_ms() + SLOW_BYTE_MS);
        crowd_look(&c, t);
    }
    crowd_close(&c);
}

void attack_half(const struct attack *a, struct tally *t)
{
    struct crowd c;

    crowd_open(&c, a, t);
    for (size_t i = 0; i < c.count; i++)
        crowd_say(&c, i, a->speech.opening, SIZE_MAX, t);
    crowd_wait(&c, a, t);
    crowd_close(&c);
}

/* Completes the handshake with any key, and never sends HELLO. */
void attack_mute(const struct attack *a, struct tally *t)
{
    struct curve *curve = calloc(1, sizeof *curve);
    struct crowd c;

    if (curve == NULL)
        abort();
    crowd_open(&c, a, t);
    for (size_t i = 0; i < c.count && !attack_is_over(a); i++) {
        struct curve_pair self;
        curve_pair_random(&self);
        curve->fd = c.fds[i];
        if (curve->fd >= 0 && curve_connect(curve, &a->key, &self,
                                            attack_now_ms() + HANDSHAKE_MS))
            t->answers++;
    }
    free(curve);
    crowd_wait(&c, a, t);
    crowd_close(&c);
}

/* --- floods of HELLOs ------------------------------------------------------
 */

/* Leaves each connection open until its place is needed for the next: by then
 * the target has answered, or waits. */
static void flood(const struct attack *a, struct tally *t, bool fresh)
{
    uint8_t fresh_opening[CURVE_OPENING_SIZE], answer[512];
    struct bytes opening = a->speech.opening;
    struct curve_pair pair;
    int open[FLOOD_OPEN];
    uint64_t begun = attack_now_ms();

    for (size_t i = 0; i < FLOOD_OPEN; i++)
        open[i] = -1;
    for (uint64_t n = 0; !attack_is_over(a); n++) {
        int *fd = &open[n % FLOOD_OPEN];
        if (*fd >= 0) {
            if (socket_read(*fd, answer, sizeof answer) > CURVE_GREETING_SIZE)
                t->answers++;
            socket_abort(*fd);
        }
        if (fresh) {
            curve_pair_random(&pair);
            curve_opening(&a->key, &pair, fresh_opening);
            opening = bytes_of(fresh_opening, sizeof fresh_opening);
        }
        *fd = socket_open(&a->target, (unsigned)n, FLOOD_STEP_MS);
        t->opened += *fd >= 0;
        t->refused += *fd < 0;
        if (*fd >= 0 && socket_write(*fd, opening.data, opening.size) > 0)
            t->sent++;
        attack_sleep_until(begun + n * 1000 / a->rate);
    }
    for (size_t i = 0; i < FLOOD_OPEN; i++)
        if (open[i] >= 0)
            close(open[i]);
}

void attack_recorded(const struct attack *a, struct tally *t)
{
    flood(a, t, false);
}

void attack_fresh(const struct attack *a, struct tally *t)
{
    flood(a, t, true);
}
