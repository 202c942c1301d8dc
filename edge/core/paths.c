#include "edge/core/paths.h"

#include "common/base/assert.h"

static const struct span hold_first = {5 * 1000 * 1000};
static const struct span hold_longest = {300 * (int64_t)1000 * 1000};
/* After a path that lasted so long the next hold is a short one again. */
static const struct span hold_forgotten = {60 * 1000 * 1000};
/* A change to another path of the same kind must save so much RTT. */
static const struct span rtt_margin = {5 * 1000};
/* A path without probes cannot prove itself, so its suspicion expires. */
static const struct span unprobed_suspicion = {2 * 1000 * 1000};

const char *node_path_name(enum node_path path)
{
    static const char *const names[] = {
        [PATH_NONE] = "none",
        [PATH_TCP] = "tcp",
        [PATH_UDP] = "udp",
        [PATH_RELAY] = "relay",
    };
    return names[path];
}

void paths_init(struct paths *p)
{
    *p = (struct paths){.current.rtt = span_us(-1)};
    paths_forgive(p);
}

void paths_forgive(struct paths *p)
{
    for (int kind = 0; kind < PATH_KINDS; kind++) {
        p->holds[kind].until = (struct instant){INT64_MIN};
        p->holds[kind].next = hold_first;
        p->holds[kind].suspected = (struct instant){INT64_MIN};
    }
}

/* The one place where it changes what a path is believed to be. A proof is
 * never undone, and a path that is not probed needs none. A test ends with what
 * it finds. */
static void believe(struct path *path, bool proved, bool suspected)
{
    ASSERT(path_exists(path));
    ASSERT(proved || (path->probed && !path->proved));
    path->proved = proved;
    path->suspected = suspected;
    path->tested = false;
}

static struct path *find(struct paths *p, enum node_path kind, uint32_t via)
{
    for (int i = 0; i < PATHS_MAX; i++)
        if (p->list[i].kind == kind &&
            (kind == PATH_NONE || p->list[i].via == via))
            return &p->list[i];
    return NULL;
}

void paths_up(struct paths *p, enum node_path kind, uint32_t via, bool probed,
              struct instant now)
{
    ASSERT(kind > PATH_NONE && kind <= PATH_RELAY);
    if (find(p, kind, via) != NULL)
        return;
    struct path *path = find(p, PATH_NONE, 0);
    if (path != NULL)
        *path = (struct path){
            .kind = kind,
            .via = via,
            .probed = probed,
            .proved = !probed,
            .rtt = span_us(-1),
            .since = now,
        };
}

/* Begins a hold; a failure during a hold does not extend it. */
static void hold_down(struct path_hold *hold, struct instant now)
{
    if (!instant_reached(hold->until, now))
        return;
    hold->until = instant_after(now, hold->next);
    hold->next = span_min(span_times(hold->next, 2), hold_longest);
}

void paths_down(struct paths *p, enum node_path kind, uint32_t via, bool failed,
                struct instant now)
{
    struct path *path = find(p, kind, via);
    if (path == NULL)
        return;
    struct path_hold *hold = &p->holds[kind];
    if (!instant_is_recent(path->since, hold_forgotten, now))
        hold->next = hold_first;
    if (failed)
        hold_down(hold, now);
    *path = (struct path){0};
}

void paths_relay_up(struct paths *p, uint32_t relay, struct instant now)
{
    paths_up(p, PATH_RELAY, relay, false, now);
}

void paths_relay_down(struct paths *p, uint32_t relay, struct instant now)
{
    paths_down(p, PATH_RELAY, relay, false, now);
}

void paths_measured(struct paths *p, enum node_path kind, uint32_t via,
                    struct span rtt)
{
    struct path *path = find(p, kind, via);
    if (path == NULL)
        return;
    path->rtt = rtt;
    if (p->current.kind == kind && p->current.via == via)
        p->current.rtt = rtt;
}

static bool is_current(const struct paths *p, const struct path *path)
{
    return path->kind == p->current.kind && path->via == p->current.via;
}

static bool is_held(const struct paths *p, enum node_path kind,
                    struct instant now)
{
    return !instant_reached(p->holds[kind].until, now);
}

/* The rank of a path, 0 is best. A path that is held down failed a while ago, a
 * tested one may fail now, a suspected one does, an unproved one may lose all
 * large packets. */
static int badness(const struct paths *p, const struct path *path,
                   struct instant now)
{
    if (!path->proved)
        return 4;
    if (path->suspected)
        return 3;
    if (path->tested)
        return 2;
    return is_held(p, path->kind, now) ? 1 : 0;
}

/* Whether `a` is to be preferred to `b`. The enum's order is the rank. */
static bool is_better(const struct paths *p, const struct path *a,
                      const struct path *b, struct instant now)
{
    if (b == NULL)
        return true;
    int a_bad = badness(p, a, now), b_bad = badness(p, b, now);
    if (a_bad != b_bad)
        return a_bad < b_bad;
    if (a->suspected && b->suspected &&
        a->suspected_at.us != b->suspected_at.us)
        return a->suspected_at.us < b->suspected_at.us; /* They take turns. */
    if (a->kind != b->kind)
        return a->kind < b->kind;
    if (is_current(p, b))
        return a->rtt.us >= 0 && b->rtt.us >= 0 &&
               a->rtt.us + rtt_margin.us < b->rtt.us;
    if (is_current(p, a))
        return !is_better(p, b, a, now);
    return a->rtt.us >= 0 && (b->rtt.us < 0 || a->rtt.us < b->rtt.us);
}

static struct instant suspicion_end(const struct path *path)
{
    return path->suspected && !path->probed
               ? instant_after(path->suspected_at, unprobed_suspicion)
               : INSTANT_NEVER;
}

static void end_suspicions(struct paths *p, struct instant now)
{
    for (int i = 0; i < PATHS_MAX; i++)
        if (instant_reached(suspicion_end(&p->list[i]), now))
            believe(&p->list[i], p->list[i].proved, false);
}

bool paths_choose(struct paths *p, struct instant now)
{
    const struct path *best = NULL;
    end_suspicions(p, now);
    for (int i = 0; i < PATHS_MAX; i++) {
        const struct path *path = &p->list[i];
        if (path_exists(path) && is_better(p, path, best, now))
            best = path;
    }
    struct path chosen =
        best != NULL ? *best : (struct path){.rtt = span_us(-1)};
    bool changed = !is_current(p, &chosen);
    p->current = chosen;
    return changed;
}

/* All direct paths but this one. */
static void test_others(struct paths *p, const struct path *current)
{
    for (int i = 0; i < PATHS_MAX; i++) {
        struct path *path = &p->list[i];
        if (path_is_direct(path) && path != current)
            path->tested = path->proved && !path->suspected;
    }
}

bool paths_suspect(struct paths *p, struct instant now)
{
    struct path *current = find(p, p->current.kind, p->current.via);
    bool other = false;
    end_suspicions(p, now);
    for (int i = 0; i < PATHS_MAX; i++)
        other = other || (path_exists(&p->list[i]) && p->list[i].proved &&
                          &p->list[i] != current);
    if (current == NULL || !path_exists(current) || !other)
        return false;
    believe(current, current->proved, true);
    current->suspected_at = now;
    if (path_is_direct(current))
        test_others(p, current);
    /* A single suspicion may come from a busy processor at the other end. */
    struct path_hold *hold = &p->holds[current->kind];
    if (hold->suspected.us != INT64_MIN &&
        instant_is_recent(hold->suspected, hold_forgotten, now))
        hold_down(hold, now);
    hold->suspected = now;
    return true;
}

void paths_trust(struct paths *p, enum node_path kind, uint32_t via)
{
    struct path *path = find(p, kind, via);
    if (path == NULL)
        return;
    believe(path, true, false);
}

bool paths_have_direct(const struct paths *p, struct instant now)
{
    for (int i = 0; i < PATHS_MAX; i++)
        if (path_is_direct(&p->list[i]) && badness(p, &p->list[i], now) == 0)
            return true;
    return false;
}

bool paths_avoid_direct(const struct paths *p, struct instant now)
{
    bool some = false;
    for (int i = 0; i < PATHS_MAX; i++)
        some = some || path_is_direct(&p->list[i]);
    return some && !paths_have_direct(p, now);
}

struct instant paths_deadline(const struct paths *p, struct instant now)
{
    struct instant deadline = INSTANT_NEVER;
    for (int i = 0; i < PATHS_MAX; i++) {
        enum node_path kind = p->list[i].kind;
        if (path_exists(&p->list[i]) && is_held(p, kind, now))
            deadline = instant_min(deadline, p->holds[kind].until);
        deadline = instant_min(deadline, suspicion_end(&p->list[i]));
    }
    return deadline;
}
