#include "edge/core/dialer.h"

#include <string.h>

static const struct span apart = {30 * 1000}; /* of two tries in a round */
static const struct span pauses[] = {
    /* after each round */
    {5 * 1000 * 1000},
    {30 * 1000 * 1000},
    {300 * (int64_t)1000 * 1000},
};
enum { PAUSES = sizeof pauses / sizeof pauses[0] };

void dialer_init(struct dialer *d)
{
    *d = (struct dialer){.at = INSTANT_NEVER};
}

void dialer_clear(struct dialer *d)
{
    d->count = 0;
    d->next = 0;
}

bool dialer_add(struct dialer *d, const struct address *address, bool first)
{
    for (size_t i = 0; i < d->count; i++)
        if (address_equal(&d->list[i], address))
            return false;
    if (d->count == DIALER_ADDRESSES) {
        if (!first)
            return false;
        d->count--;
    }
    if (first) {
        memmove(&d->list[1], &d->list[0], d->count * sizeof d->list[0]);
        d->list[0] = *address;
        d->next = 0;
    } else {
        d->list[d->count] = *address;
    }
    d->count++;
    return true;
}

void dialer_start(struct dialer *d, struct instant at)
{
    d->rounds = 0;
    if (instant_reached(at, d->at))
        d->at = at;
}

void dialer_stop(struct dialer *d)
{
    d->at = INSTANT_NEVER;
    d->next = 0;
}

void dialer_succeeded(struct dialer *d)
{
    d->rounds = 0;
}

void dialer_failed(struct dialer *d, struct instant now)
{
    struct span pause = pauses[0];
    for (int i = 0; i < d->rounds && pause.us < pauses[PAUSES - 1].us; i++)
        pause = span_min(span_times(pause, 2), pauses[PAUSES - 1]);
    d->rounds++;
    d->at = instant_after(now, pause);
}

const struct address *dialer_due(struct dialer *d, struct instant now,
                                 uint64_t spread)
{
    if (d->count == 0 || !instant_reached(d->at, now))
        return NULL;
    const struct address *address = &d->list[d->next++];
    if (d->next < d->count) {
        d->at = instant_after(now, apart);
        return address;
    }
    d->next = 0;
    struct span pause = pauses[d->rounds < PAUSES ? d->rounds : PAUSES - 1];
    d->rounds++;
    d->at = instant_after(
        now, span_us(pause.us + pause.us * (int64_t)spread / 4000));
    return address;
}

void dialer_put_off(struct dialer *d, struct instant at)
{
    d->at = at;
}

struct instant dialer_deadline(const struct dialer *d)
{
    return d->count == 0 ? INSTANT_NEVER : d->at;
}
