#include "tests/adversary/crowd.h"

#include <stdlib.h>
#include <unistd.h>

enum { CONNECT_MS = 200, LOOK_MS = 50 };

void crowd_open_one(struct crowd *c, size_t i, const struct attack *a,
                    struct tally *t)
{
    c->fds[i] = socket_open(&a->target, (unsigned)i, CONNECT_MS);
    c->said[i] = 0;
    if (c->fds[i] >= 0)
        t->opened++;
    else
        t->refused++;
}

void crowd_init(struct crowd *c, size_t count)
{
    c->count = count;
    c->fds = calloc(count, sizeof *c->fds);
    c->said = calloc(count, sizeof *c->said);
    if (c->fds == NULL || c->said == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        c->fds[i] = -1;
}

void crowd_open(struct crowd *c, const struct attack *a, struct tally *t)
{
    crowd_init(c, a->count);
    for (size_t i = 0; i < c->count && !attack_is_over(a); i++)
        crowd_open_one(c, i, a, t);
}

void crowd_lose(struct crowd *c, size_t i, struct tally *t)
{
    close(c->fds[i]);
    c->fds[i] = -1;
    tally_cut(t);
}

void crowd_look(struct crowd *c, struct tally *t)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->fds[i] >= 0 && socket_is_cut(c->fds[i]))
            crowd_lose(c, i, t);
}

void crowd_say(struct crowd *c, size_t i, struct bytes text, size_t most,
               struct tally *t)
{
    size_t left = text.size - c->said[i];
    if (c->fds[i] < 0 || left == 0)
        return;
    ssize_t n = socket_write(c->fds[i], text.data + c->said[i],
                             left < most ? left : most);
    if (n < 0) {
        crowd_lose(c, i, t);
        return;
    }
    c->said[i] += (size_t)n;
    t->bytes += (uint64_t)n;
}

void crowd_wait(struct crowd *c, const struct attack *a, struct tally *t)
{
    while (!attack_is_over(a)) {
        attack_sleep_until(attack_now_ms() + LOOK_MS);
        crowd_look(c, t);
    }
}

void crowd_close(struct crowd *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->fds[i] >= 0)
            close(c->fds[i]);
    free(c->fds);
    free(c->said);
}
