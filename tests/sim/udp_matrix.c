#include "tests/sim/udp_matrix.h"

#include "tests/sim/udp_best.h"
#include "tests/sim/udp_homes.h"

#include <stdio.h>
#include <stdlib.h>

enum { EASY_MEDIAN_MS = 2000, EASY_MS = 10000 };
enum { HARD_MS = 20000, WATCHED_MS = 30000, ROUND_TRIPS = 8 };

static const int kinds[] = {
    HOME_OPEN,   NAT_FULL_CONE, NAT_RESTRICTED_CONE, NAT_HOME,        NAT_PLAIN,
    HOME_TAKING, NAT_FIREWALL,  HOME_DOUBLE,         HOME_SEQUENTIAL, NAT_SYM,
    HOME_V6,     HOME_SYM_V6,
};

enum { MATRIX_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct outcome {
    enum udp_best best;
    int direct;
    int64_t ms[UDP_MATRIX_RUNS]; /* of those that became direct */
    size_t datagrams;
    bool failed;
};

static void set_wire(struct world *w, int home,
                     const struct udp_matrix_conf *conf)
{
    struct udp_link wire = *udp_hosts_get_wire(w, home);

    wire.loss_percent = conf->loss_percent;
    wire.delay.us += conf->delay.us;
    udp_hosts_wire(w, home, &wire);
}

static void run_once(struct outcome *o, int kind_a, int kind_b, uint64_t seed,
                     const struct udp_matrix_conf *conf)
{
    struct world *w = world_new(seed);
    struct homes h = homes_make(w, kind_a, kind_b);
    struct instant began = w->now;

    set_wire(w, h.a, conf);
    set_wire(w, h.b, conf);
    host_start_all(w);
    o->best = udp_best_of(w, h.a, h.b);
    if (homes_are(w, h.a, h.b, PATH_UDP, span_ms(WATCHED_MS)))
        o->ms[o->direct++] = instant_between(began, w->now).us / 1000;
    for (int i = 0; i < UDP_FATES; i++)
        o->datagrams += w->udp->fates[i];
    if (w->failed) {
        printf("%s\n", w->failure);
        o->failed = true;
    }
    world_free(w);
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static bool is_good(const struct outcome *o, const struct udp_matrix_conf *conf)
{
    int runs = conf->runs;
    int64_t more = ROUND_TRIPS * 4 * conf->delay.us / 1000;

    if (o->failed)
        return false;
    switch (o->best) {
    case UDP_BEST_DIRECT:
        return o->direct == runs && o->ms[runs / 2] <= EASY_MEDIAN_MS + more &&
               o->ms[runs - 1] <= EASY_MS + more;
    case UDP_BEST_MAYBE:
        return 10 * o->direct >= 9 * runs &&
               o->ms[o->direct - 1] <= HARD_MS + more;
    case UDP_BEST_NEVER:
        break;
    }
    return o->direct == 0;
}

/* A row of the table; 1: it is not as it should be. */
static int run_pair(int kind_a, int kind_b, const struct udp_matrix_conf *conf)
{
    static const char *const names[] = {"never", "hard", "direct"};
    static struct outcome o;
    int runs = conf->runs;
    bool good;

    o = (struct outcome){.direct = 0};
    for (int i = 0; i < runs; i++)
        run_once(&o, kind_a, kind_b, conf->first_seed + (uint64_t)i, conf);
    qsort(o.ms, (size_t)o.direct, sizeof(o.ms[0]), compare);
    good = is_good(&o, conf);
    printf("%-16s %-16s %-7s %3d of %3d", home_kind_name(kind_a),
           home_kind_name(kind_b), names[o.best], o.direct, runs);
    if (o.direct > 0)
        printf("  median %6lld ms, worst %6lld ms",
               (long long)o.ms[o.direct / 2], (long long)o.ms[o.direct - 1]);
    printf("  %zu datagrams%s\n", o.datagrams / (size_t)runs,
           good ? "" : "  NOT SO");
    fflush(stdout);
    return !good;
}

int udp_matrix_run(const struct udp_matrix_conf *conf)
{
    int bad = 0;

    ASSERT(conf->runs > 0 && conf->runs <= UDP_MATRIX_RUNS);
    for (int i = 0; i < MATRIX_KINDS; i++)
        for (int k = 0; k <= i; k++)
            bad += run_pair(kinds[i], kinds[k], conf);
    printf("%d pairs are not as they should be\n", bad);
    return bad;
}
