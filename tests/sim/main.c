/*
 * main - runs scenarios, or many random worlds.
 *
 *     sim                              every scenario
 *     sim --scenario NAME [--seeds N [--first S]]   one, in N worlds
 *     sim --seeds N [--first S]        N random worlds, in --jobs processes
 *     sim --seed S [--trace]           one of them; --trace prints its events
 *     sim --sabotage NAME|all          makes a fault that a checker must find
 *     sim --golden FOLDER [--write]    compares stories with those kept there
 *     sim --matrix N [--loss P] [--delay MS]   N runs of each pair of NATs
 *     --nodes N --relays N --seconds S shape of a random world; the seed
 * chooses what is not given
 *     --links N                        limits.links of its nodes
 *     --hostile                        one of the nodes sends nonsense
 *     --hostile-relay                  a relay does
 *     --nodes-udp                      its nodes have UDP, behind NAT boxes
 *     --forms                          they reach relays in several forms
 *     --udp                            with --seeds and --seed: networks of
 *                                      NAT boxes instead, without nodes
 *     --punch                          the same: pairs of punch machines behind
 *                                      NAT boxes
 *     sim --punch-table N              all kinds of such pairs, N seeds each,
 *                                      and how long they take
 */
#include "tests/sim/chaos.h"
#include "tests/sim/checkers.h"
#include "tests/sim/golden.h"
#include "tests/sim/punch_pairs.h"
#include "tests/sim/scenarios.h"
#include "tests/sim/udp_chaos.h"
#include "tests/sim/udp_matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A gap, which some sabotages need, occurs in one world of a hundred. */
enum { JOBS_MAX = 64, REPLAY_EVERY = 50, SABOTAGE_SEEDS = 200 };

struct sim_options {
    const char *scenario, *sabotage, *golden;
    uint64_t first, seeds, seed, table;
    bool one, trace, write;
    bool udp, punch;
    enum udp_sabotage udp_sabotage;
    int jobs;
    struct udp_matrix_conf matrix;
    enum punch_sabotage punch_sabotage;
    struct chaos_conf chaos;
};

/* --- one world --------------------------------------------------------- */

struct result {
    bool failed;
    char failure[512];
    uint64_t trace, events, steps;
};

static struct result run_seed(const struct sim_options *o, uint64_t seed,
                              enum sabotage sabotage)
{
    struct world *w = world_new(seed);
    struct result r;

    w->verbose = o->trace;
    w->sabotage = sabotage;
    w->udp_sabotage = o->udp_sabotage;
    if (o->udp)
        udp_chaos_run(w);
    else if (o->punch)
        punch_chaos_run(w, o->punch_sabotage);
    else
        chaos_run(w, &o->chaos);
    r = (struct result){
        .failed = w->failed,
        .trace = w->trace,
        .events = w->events,
        .steps = w->steps,
    };
    memcpy(r.failure, w->failure, sizeof(r.failure));
    world_free(w);
    return r;
}

/* The same seed gives the same run. */
static void check_trace(const struct sim_options *o, uint64_t seed,
                        enum sabotage sabotage, struct result *r)
{
    struct result again;

    if (r->failed)
        return;
    again = run_seed(o, seed, sabotage);
    if (again.trace == r->trace)
        return;
    r->failed = true;
    snprintf(r->failure, sizeof(r->failure),
             "trace: two runs of the seed differ");
}

/* --- many worlds ------------------------------------------------------- */

struct progress {
    uint64_t at[JOBS_MAX]; /* the seed that each job is at */
    uint64_t failed[JOBS_MAX], events[JOBS_MAX], steps[JOBS_MAX];
};

/* The options that make the same worlds. */
static void print_shape(const struct sim_options *o)
{
    const struct chaos_conf *c = &o->chaos;

    if (o->udp)
        printf(" --udp");
    if (c->udp)
        printf(" --nodes-udp");
    if (c->forms)
        printf(" --forms");
    if (o->punch)
        printf(" --punch");
    if (c->nodes > 0)
        printf(" --nodes %d", c->nodes);
    if (c->relays >= 0)
        printf(" --relays %d", c->relays);
    if (c->seconds > 0)
        printf(" --seconds %d", c->seconds);
    if (c->links > 0)
        printf(" --links %d", c->links);
    if (c->hostile || c->hostile_relay)
        printf(c->hostile ? " --hostile" : " --hostile-relay");
}

static void print_failure(const struct sim_options *o, uint64_t seed,
                          const char *failure)
{
    printf("seed %llu: %s\n  replay: sim --seed %llu", (unsigned long long)seed,
           failure, (unsigned long long)seed);
    print_shape(o);
    printf(" --trace\n");
    fflush(stdout);
}

static void run_job(const struct sim_options *o, int job, struct progress *p)
{
    for (uint64_t i = (uint64_t)job; i < o->seeds; i += (uint64_t)o->jobs) {
        uint64_t seed = o->first + i;
        struct result r;

        p->at[job] = seed;
        r = run_seed(o, seed, SABOTAGE_NONE);
        if (i % REPLAY_EVERY == 0)
            check_trace(o, seed, SABOTAGE_NONE, &r);
        p->events[job] += r.events;
        p->steps[job] += r.steps;
        if (!r.failed)
            continue;
        p->failed[job]++;
        print_failure(o, seed, r.failure);
    }
}

static int wait_for(const struct sim_options *o, int job, pid_t child,
                    const struct progress *p)
{
    int status;

    if (waitpid(child, &status, 0) != child)
        return 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    print_failure(o, p->at[job], "crash: the process died");
    return 1;
}

static int run_seeds(const struct sim_options *o)
{
    struct progress *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t children[JOBS_MAX];
    uint64_t failed = 0, events = 0, steps = 0;

    if (p == MAP_FAILED)
        return 1;
    fflush(stdout);
    for (int i = 0; i < o->jobs; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            run_job(o, i, p);
            _exit(0);
        }
    }
    for (int i = 0; i < o->jobs; i++) {
        failed += (uint64_t)wait_for(o, i, children[i], p);
        failed += p->failed[i];
        events += p->events[i];
        steps += p->steps[i];
    }
    printf("%llu seeds", (unsigned long long)o->seeds);
    print_shape(o);
    printf(": %llu failed (%llu events, %llu steps)\n",
           (unsigned long long)failed, (unsigned long long)events,
           (unsigned long long)steps);
    return failed > 0;
}

static int run_one(const struct sim_options *o)
{
    struct result r = run_seed(o, o->seed, SABOTAGE_NONE);

    printf("seed %llu: %s (%llu events, %llu steps, trace %016llx)\n",
           (unsigned long long)o->seed, r.failed ? r.failure : "passed",
           (unsigned long long)r.events, (unsigned long long)r.steps,
           (unsigned long long)r.trace);
    return r.failed;
}

/* --- scenarios --------------------------------------------------------- */

enum { SCENARIO_SEED = 7 };

static int run_scenario(const struct sim_options *o, const struct scenario *s,
                        uint64_t seed)
{
    struct world *w = world_new(seed);
    int failed;

    w->verbose = o->trace;
    s->run(w);
    failed = w->failed;
    printf("%-24s %s\n", s->name, failed ? w->failure : "passed");
    if (failed && seed != SCENARIO_SEED)
        printf("  replay: sim --scenario %s --seeds 1 --first %llu --trace\n",
               s->name, (unsigned long long)seed);
    fflush(stdout);
    world_free(w);
    return failed;
}

static int run_in_worlds(const struct sim_options *o, const struct scenario *s)
{
    int failed = 0;

    if (o->seeds == 0)
        return run_scenario(o, s, SCENARIO_SEED);
    for (uint64_t i = 0; i < o->seeds; i++)
        failed += run_scenario(o, s, o->first + i);
    return failed;
}

static int run_scenarios(const struct sim_options *o)
{
    static const struct scenario *const lists[] = {
        scenarios_of_paths,    scenarios_of_faults,     scenarios_of_roaming,
        scenarios_of_refusals, scenarios_of_turned,     scenarios_of_links,
        scenarios_of_groups,   scenarios_of_nats,       scenarios_of_punching,
        scenarios_of_udp,      scenarios_of_udp_faults, scenarios_of_pairs,
        scenarios_of_cuts,     scenarios_of_forms};
    int failed = 0, ran = 0;

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        for (const struct scenario *s = lists[i]; s->name != NULL; s++)
            if (o->scenario == NULL || strcmp(o->scenario, s->name) == 0) {
                failed += run_in_worlds(o, s);
                ran++;
            }
    if (ran == 0)
        fprintf(stderr, "no scenario %s\n", o->scenario);
    return failed > 0 || ran == 0;
}

/* --- sabotage ---------------------------------------------------------- */

static bool is_found(const struct result *r, const char *by)
{
    return r->failed && strncmp(r->failure, by, strlen(by)) == 0;
}

/* With some seed the right checker must be the first to complain. */
static int seek(const struct sim_options *o, enum sabotage s, const char *name,
                const char *expected)
{
    struct result r = {0};

    for (uint64_t seed = 1; seed <= SABOTAGE_SEEDS && !is_found(&r, expected);
         seed++) {
        r = run_seed(o, seed, s);
        if (s == SABOTAGE_CLOCK)
            check_trace(o, seed, s, &r);
    }
    if (is_found(&r, expected)) {
        printf("%-18s found: %s\n", name, r.failure);
        return 0;
    }
    printf("%-18s NOT FOUND by %s: %s\n", name, expected,
           r.failed ? r.failure : "nobody complained");
    return 1;
}

static int run_sabotage(const struct sim_options *o, enum sabotage s)
{
    return seek(o, s, sabotage_name(s), sabotage_found_by(s));
}

static int run_udp_sabotage(const struct sim_options *o, enum udp_sabotage s)
{
    struct sim_options with = *o;

    with.udp = s < UDP_SABOTAGE_NODES;
    with.chaos.udp = !with.udp;
    with.udp_sabotage = s;
    return seek(&with, SABOTAGE_NONE, udp_sabotage_name(s),
                udp_sabotage_found_by(s));
}

static int run_punch_sabotage(const struct sim_options *o,
                              enum punch_sabotage s)
{
    struct sim_options with = *o;

    with.punch = true;
    with.punch_sabotage = s;
    return seek(&with, SABOTAGE_NONE, punch_sabotage_name(s),
                punch_sabotage_found_by(s));
}

static bool is_wanted(const struct sim_options *o, const char *name)
{
    return strcmp(o->sabotage, "all") == 0 || strcmp(o->sabotage, name) == 0;
}

static int run_sabotages(const struct sim_options *o)
{
    int failed = 0, ran = 0;

    for (int i = SABOTAGE_NONE + 1; i < SABOTAGE_COUNT; i++)
        if (is_wanted(o, sabotage_name((enum sabotage)i))) {
            failed += run_sabotage(o, (enum sabotage)i);
            ran++;
        }
    for (int i = UDP_SABOTAGE_NONE + 1; i < UDP_SABOTAGE_COUNT; i++)
        if (is_wanted(o, udp_sabotage_name((enum udp_sabotage)i))) {
            failed += run_udp_sabotage(o, (enum udp_sabotage)i);
            ran++;
        }
    for (int i = PUNCH_SABOTAGE_NONE + 1; i < PUNCH_SABOTAGE_COUNT; i++)
        if (is_wanted(o, punch_sabotage_name((enum punch_sabotage)i))) {
            failed += run_punch_sabotage(o, (enum punch_sabotage)i);
            ran++;
        }
    return failed > 0 || ran == 0;
}

/* --- the command line -------------------------------------------------- */

static bool parse(struct sim_options *o, const char *name, const char *value)
{
    uint64_t number = strtoull(value, NULL, 10);

    if (strcmp(name, "--scenario") == 0) {
        o->scenario = value;
    } else if (strcmp(name, "--golden") == 0) {
        o->golden = value;
    } else if (strcmp(name, "--sabotage") == 0) {
        o->sabotage = value;
    } else if (strcmp(name, "--seeds") == 0) {
        o->seeds = number;
    } else if (strcmp(name, "--first") == 0) {
        o->first = number;
    } else if (strcmp(name, "--seed") == 0) {
        o->seed = number;
        o->one = true;
    } else if (strcmp(name, "--punch-table") == 0) {
        o->table = number;
    } else if (strcmp(name, "--nodes") == 0) {
        o->chaos.nodes = (int)number;
    } else if (strcmp(name, "--relays") == 0) {
        o->chaos.relays = (int)number;
    } else if (strcmp(name, "--seconds") == 0) {
        o->chaos.seconds = (int)number;
    } else if (strcmp(name, "--links") == 0) {
        o->chaos.links = (int)number;
    } else if (strcmp(name, "--matrix") == 0) {
        o->matrix.runs = (int)number;
    } else if (strcmp(name, "--loss") == 0) {
        o->matrix.loss_percent = (unsigned)number;
    } else if (strcmp(name, "--delay") == 0) {
        o->matrix.delay = span_ms((int64_t)number);
    } else if (strcmp(name, "--jobs") == 0) {
        o->jobs = (int)number;
    } else {
        return false;
    }
    return true;
}

static bool is_sensible(const struct sim_options *o)
{
    const struct chaos_conf *c = &o->chaos;

    return o->jobs >= 1 && o->jobs <= JOBS_MAX && o->matrix.runs >= 0 &&
           o->matrix.runs <= UDP_MATRIX_RUNS && o->matrix.loss_percent < 100 &&
           (c->nodes == 0 || (c->nodes >= 2 && c->nodes <= 30)) &&
           c->relays <= 3 && c->links >= 0 &&
           (c->seconds == 0 || c->seconds >= 60);
}

int main(int argc, char **argv)
{
    struct sim_options o = {.first = 1, .jobs = 2, .chaos.relays = -1};

    if (sodium_init() < 0)
        return 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            o.trace = true;
        else if (strcmp(argv[i], "--write") == 0)
            o.write = true;
        else if (strcmp(argv[i], "--hostile") == 0)
            o.chaos.hostile = true;
        else if (strcmp(argv[i], "--hostile-relay") == 0)
            o.chaos.hostile_relay = true;
        else if (strcmp(argv[i], "--nodes-udp") == 0)
            o.chaos.udp = true;
        else if (strcmp(argv[i], "--forms") == 0)
            o.chaos.forms = true;
        else if (strcmp(argv[i], "--udp") == 0)
            o.udp = true;
        else if (strcmp(argv[i], "--punch") == 0)
            o.punch = true;
        else if (i + 1 >= argc || !parse(&o, argv[i], argv[i + 1]))
            return 2;
        else
            i++;
    }
    if (!is_sensible(&o))
        return 2;
    if (o.golden != NULL)
        return golden_run(o.golden, o.write) > 0;
    o.matrix.first_seed = o.first;
    if (o.matrix.runs > 0)
        return udp_matrix_run(&o.matrix) > 0;
    if (o.table > 0)
        return punch_table(o.table) > 0;
    if (o.one)
        return run_one(&o);
    if (o.seeds > 0 && o.scenario == NULL)
        return run_seeds(&o);
    return o.sabotage != NULL ? run_sabotages(&o) : run_scenarios(&o);
}
