/*
 * Random faults of a world.
 *
 * Each fault begins at a random time on one host, or between two, and ends by
 * itself after a while; several may last at the same time.
 */
#include "tests/sim/chaos_private.h"

#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/forms.h"

enum { FLAP_HOST = 64 };

static int between(struct world *w, int low, int high)
{
    return (int)rng_between(&w->rng, low, high);
}

static struct span a_while(struct world *w)
{
    static const int64_t most_ms[] = {300, 2000, 10000};

    return rng_span(&w->rng, span_ms(20),
                    span_ms(most_ms[rng_below(&w->rng, 3)]));
}

/* --- hosts ------------------------------------------------------------- */

void chaos_start_again(struct world *w, int host, uint64_t unused)
{
    const struct host *h = &w->hosts[host];

    (void)unused;
    if (h->process == NULL && h->hub == NULL)
        host_start(w, host);
    else if (h->process != NULL && h->process->leaving)
        world_at(w, span_ms(100), chaos_start_again, host, 0);
}

static void thaw(struct world *w, int host, uint64_t unused)
{
    (void)unused;
    host_thaw(w, host);
}

static void stop_and_start(struct world *w, int a, int b)
{
    uint64_t dice = rng_below(&w->rng, 3);

    (void)b;
    if (dice == 0 || w->hosts[a].asleep)
        host_power_off(w, a);
    else if (dice == 1 || w->hosts[a].is_relay)
        host_kill(w, a);
    else
        host_leave(w, a);
    world_at(w, a_while(w), chaos_start_again, a, 0);
}

static void nap(struct world *w, int a, int b)
{
    (void)b;
    host_freeze(w, a);
    world_at(w, a_while(w), thaw, a, 0);
}

/* Sends many messages to one host, at once or over some seconds. */
static void load(struct world *w, int to, int senders)
{
    for (int i = 0; i < w->host_count && senders > 0; i++) {
        int from = (to + 1 + i) % w->host_count;

        if (from == to || !host_runs(w, from) || !checkers_joined(w, from, to))
            continue;
        application_stream(w, from, to, (size_t)between(w, 20, 200),
                           (size_t)between(w, 8, 10000),
                           span_ms(between(w, 1, 30)));
        senders--;
    }
}

/* Stops a process (SIGSTOP) while much is on its way to it. */
static void stop_under_load(struct world *w, int a, int b)
{
    (void)b;
    load(w, a, 3);
    host_freeze(w, a);
    world_at(w, span_ms(between(w, 5000, 40000)), thaw, a, 0);
}

static void sleep_and_wake(struct world *w, int a, int b)
{
    static const int most[] = {20, 90, 600};

    (void)b;
    if (w->hosts[a].is_relay)
        return;
    host_sleep(w, a);
    world_at(w, span_s(between(w, 5, most[rng_below(&w->rng, 3)])), thaw, a, 0);
}

/* Sends more than the relay's queue holds. */
static void flood(struct world *w, int a, int b)
{
    (void)b;
    for (int i = 0; i < w->host_count; i++)
        if (i != a && host_runs(w, i) && checkers_joined(w, i, a) &&
            rng_chance(&w->rng, 50))
            application_stream(w, i, a, 4, (size_t)between(w, 20000, 100000),
                               span_us(between(w, 1, 2000)));
}

/* --- ways -------------------------------------------------------------- */

static void heal(struct world *w, int a, uint64_t b)
{
    if (network_is_ill(w, a, (int)b))
        network_heal(w, a, (int)b, rng_chance(&w->rng, 30));
}

static void cut(struct world *w, int a, int b)
{
    network_cut(w, a, b);
    world_at(w, a_while(w), heal, a, (uint64_t)b);
}

static void cut_both(struct world *w, int a, int b)
{
    cut(w, a, b);
    cut(w, b, a);
}

/* Between the hosts large packets vanish; small ones pass. */
static void narrow(struct world *w, int a, int b)
{
    static const size_t most[] = {400, 1200, 1200, 1400};
    size_t size = most[rng_below(&w->rng, 4)];

    network_narrow(w, a, b, size);
    world_at(w, span_times(a_while(w), 2), heal, a, (uint64_t)b);
    if (rng_chance(&w->rng, 50)) {
        network_narrow(w, b, a, size);
        world_at(w, span_times(a_while(w), 2), heal, b, (uint64_t)a);
    }
}

/* Cuts and heals in turn; `left` holds how often, and with which host. */
static void flap_on(struct world *w, int a, uint64_t left)
{
    int b = (int)(left % FLAP_HOST);

    if (w->healed)
        return;
    if (left >= FLAP_HOST && !w->cut[a][b]) {
        network_cut(w, a, b);
        network_cut(w, b, a);
    } else {
        heal(w, a, (uint64_t)b);
        heal(w, b, (uint64_t)a);
    }
    if (left >= FLAP_HOST)
        world_at(w, span_ms(between(w, 100, 500)), flap_on, a,
                 left - FLAP_HOST);
}

static void flap(struct world *w, int a, int b)
{
    flap_on(w, a, (uint64_t)between(w, 5, 60) * FLAP_HOST + (uint64_t)b);
}

/* Splits the hosts in two halves; nothing passes between them. */
static void partition(struct world *w, int unused, int unused_too)
{
    uint64_t side = rng_u64(&w->rng);

    (void)unused;
    (void)unused_too;
    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            if ((side >> a & 1) != (side >> b & 1))
                cut(w, a, b);
}

/* --- addresses --------------------------------------------------------- */

static void plug_in(struct world *w, int host, uint64_t interface)
{
    if (w->hosts[host].interfaces[interface].down)
        host_plug_in(w, host, (size_t)interface);
}

static size_t some_interface(struct world *w, int host)
{
    return (size_t)rng_below(&w->rng, w->hosts[host].interface_count);
}

static void unplug(struct world *w, int a, int b)
{
    size_t interface = some_interface(w, a);

    (void)b;
    if (w->hosts[a].interfaces[interface].down)
        return;
    host_unplug(w, a, interface);
    world_at(w, a_while(w), plug_in, a, interface);
}

static bool is_on(const struct host *h, int segment)
{
    for (size_t k = 0; k < h->interface_count; k++)
        if (h->interfaces[k].segment == segment)
            return true;
    return false;
}

/* The host moves to another network, or to another address in the same one. */
static void move(struct world *w, int a, int b)
{
    const struct host *h = &w->hosts[a];
    size_t interface = some_interface(w, a);
    int to = h->interfaces[interface].segment;

    (void)b;
    if (h->is_relay || h->stays)
        return;
    if (rng_chance(&w->rng, 60)) {
        int other = between(w, 0, w->segment_count - 1);

        if (!is_on(h, other))
            to = other;
    }
    host_moves(w, a, interface, to, rng_chance(&w->rng, 40));
}

static void renumber(struct world *w, int a, int b)
{
    int segment = w->hosts[a].interfaces[0].segment;

    (void)b;
    if (w->segments[segment].nat)
        segment_renumber(w, segment);
}

/* --- all of them ------------------------------------------------------- */

static const struct {
    unsigned weight;
    void (*begin)(struct world *w, int a, int b);
} kinds[] = {
    {12, stop_and_start},
    {6, nap},
    {3, stop_under_load},
    {4, sleep_and_wake},
    {3, flood},
    {6, cut},
    {6, cut_both},
    {5, narrow},
    {3, flap},
    {7, network_reset},
    {2, partition},
    {6, unplug},
    {6, move},
    {1, renumber},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void break_something(struct world *w)
{
    int a = between(w, 0, w->host_count - 1);
    int b = (a + between(w, 1, w->host_count - 1)) % w->host_count;
    unsigned sum = 0;

    if (w->udp_hosts != NULL && rng_chance(&w->rng, 35)) {
        chaos_udp_fault(w, a);
        return;
    }
    if (w->hosts[a].forms != 0 && rng_chance(&w->rng, 50)) {
        forms_fault(w, a);
        return;
    }
    for (size_t i = 0; i < KINDS; i++)
        sum += kinds[i].weight;
    unsigned dice = (unsigned)rng_below(&w->rng, sum);
    for (size_t i = 0; i < KINDS; i++) {
        if (dice < kinds[i].weight) {
            kinds[i].begin(w, a, b);
            return;
        }
        dice -= kinds[i].weight;
    }
}

static void faults(struct world *w, int host, uint64_t until_us)
{
    (void)host;
    if (w->now.us >= (int64_t)until_us)
        return;
    break_something(w);
    world_at(w, rng_span(&w->rng, span_ms(50), span_ms(3000)), faults, 0,
             until_us);
}

void chaos_faults(struct world *w, struct instant until)
{
    world_at(w, rng_span(&w->rng, span_ms(100), span_ms(5000)), faults, 0,
             (uint64_t)until.us);
}

void chaos_heal(struct world *w)
{
    world_say(w, "everything heals");
    w->healed = true;
    network_heal_all(w, rng_chance(&w->rng, 30));
    forms_heal_all(w);
    chaos_udp_heal(w);
    for (int i = 0; i < w->host_count; i++) {
        for (size_t k = 0; k < w->hosts[i].interface_count; k++)
            plug_in(w, i, k);
        host_thaw(w, i);
        chaos_start_again(w, i, 0);
    }
}
