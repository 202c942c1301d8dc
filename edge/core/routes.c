#include "edge/core/routes.h"

#include "common/base/assert.h"

/* A race: the steps of the forms, and how far the one that is remembered is
 * ahead of the others. */
static const struct span step = {300 * 1000};
/* Without a WELCOME for so long, HELLO goes to another form. */
static const struct span patience = {600 * 1000};
/* So long the others may still open before HELLO goes to one that is doubted.
 */
static const struct span doubted_patience = {1000 * 1000};
/* As `patience`, but beside a form that is used: nothing is in a hurry. */
static const struct span trial_patience = {2 * 1000 * 1000};
/* A connection that ends earlier was cut soon. */
static const struct span soon = {60 * 1000 * 1000};
/* One that carried data for this long is worth to be opened anew at once. */
static const struct span worth = {1000 * 1000};
enum { CUTS_BORNE = 3, CUTS_BORNE_MOST = 96 };
static const struct span doubt_first = {10 * 60 * 1000 * 1000LL};
static const struct span doubt_longest = {160 * 60 * 1000 * 1000LL};
/* Pauses: after all forms failed, and of one while others are under way. */
static const struct span backoff_first = {250 * 1000};
static const struct span backoff_longest = {2 * 1000 * 1000};
static const struct span again_within = {1000 * 1000};
/* When the better forms are tried; the first time earlier if one of them was
 * still under way when a worse one won. */
static const struct span better_after = {10 * 60 * 1000 * 1000LL};
static const struct span better_soon = {60 * 1000 * 1000};

/* --- questions ------------------------------------------------------------ */

bool routes_allow(const struct routes *r, enum relay_form form)
{
    return (r->allowed >> form & 1) != 0;
}

static bool is_only_one(const struct routes *r)
{
    return (r->allowed & (r->allowed - 1)) == 0;
}

static bool has_link(const struct relay_route *route)
{
    return route->state != ROUTE_IDLE && !route->unwanted;
}

/* Its link is under way. */
static bool is_attempt(const struct relay_route *route)
{
    return has_link(route) && route->state != ROUTE_USED &&
           route->state != ROUTE_REPLACED;
}

static bool is_in(const struct relay_route *route, enum route_state state)
{
    return has_link(route) && route->state == state;
}

static bool is_doubted(const struct routes *r, const struct relay_route *route,
                       struct instant at)
{
    return !is_only_one(r) && !instant_reached(route->doubted_until, at);
}

/* It is tried for the first time in this race, or is about to be. */
static bool is_pending(const struct relay_route *route)
{
    return !has_link(route) && route->fresh &&
           !instant_is_never(route->start_at);
}

bool routes_are_trying(const struct routes *r)
{
    for (int i = 0; i < RELAY_FORMS; i++)
        if (is_attempt(&r->list[i]))
            return true;
    return false;
}

static const struct relay_route *greeted(const struct routes *r)
{
    for (int i = 0; i < RELAY_FORMS; i++)
        if (is_in(&r->list[i], ROUTE_GREETED))
            return &r->list[i];
    return NULL;
}

bool routes_are_greeting(const struct routes *r)
{
    return greeted(r) != NULL;
}

bool routes_have_failed(const struct routes *r)
{
    for (int i = 0; i < RELAY_FORMS; i++)
        if (routes_allow(r, (enum relay_form)i) && r->list[i].failure == 0)
            return false;
    return true;
}

/* What stands on the way tells more than what the way's end says, and an
 * answer more than none. */
int routes_telling(enum link_failure failure)
{
    static const int rank[] = {
        [LINK_NAMELESS] = 1,    [LINK_UNREACHABLE] = 2,
        [LINK_TIMEOUT] = 3,     [LINK_BROKEN] = 4,
        [LINK_REFUSED] = 5,     [LINK_NOT_A_RELAY] = 6,
        [LINK_HANDSHAKE] = 8,   [LINK_WRONG_KEY] = 8,
        [LINK_TLS] = 7,         [LINK_PROXY_REFUSED] = 9,
        [LINK_PROXY_AUTH] = 10, [LINK_CAPTIVE_PORTAL] = 11,
    };
    return rank[failure];
}

enum link_failure routes_failure(const struct routes *r)
{
    enum link_failure most = (enum link_failure)0;
    for (int i = 0; i < RELAY_FORMS; i++)
        if (routes_allow(r, (enum relay_form)i) &&
            routes_telling(r->list[i].failure) > routes_telling(most))
            most = r->list[i].failure;
    return most;
}

/* --- a race --------------------------------------------------------------- */

static bool is_remembered(const struct routes *r, int form, struct instant at)
{
    return form == r->remembered && !is_doubted(r, &r->list[form], at);
}

/* How many better transports are tried before this form's. */
static int steps_before(const struct routes *r, int form)
{
    bool tried[FORM_TCP_PROXY] = {false};
    int steps = 0;
    for (int i = 0; i < RELAY_FORMS; i++)
        if (routes_allow(r, (enum relay_form)i) && i != r->remembered)
            tried[i % FORM_TCP_PROXY] = true;
    for (int i = 0; i < form % FORM_TCP_PROXY; i++)
        steps += tried[i];
    return steps;
}

/* When the form is tried in a race that begins at `at`. */
static struct instant turn_of(const struct routes *r, int form,
                              struct instant at)
{
    int first = r->remembered, steps = steps_before(r, form);
    if (is_remembered(r, form, at))
        steps = 0;
    else if (first != ROUTE_NO_FORM && is_remembered(r, first, at) &&
             !r->in_doubt)
        steps++;
    return instant_after(at, span_times(step, steps));
}

/* The first of those that were not tried yet is tried now, or as soon as one
 * of them may, and the others follow in the same steps. */
static void move_up(struct routes *r, struct instant now)
{
    struct instant first = INSTANT_NEVER;
    for (int i = 0; i < RELAY_FORMS; i++)
        if (is_pending(&r->list[i]))
            first = instant_min(first, r->list[i].start_at);
    if (instant_reached(first, now))
        return;
    for (int i = 0; i < RELAY_FORMS; i++)
        if (is_pending(&r->list[i]))
            r->list[i].start_at.us -= first.us - now.us;
}

/* A race among the forms that have no link. */
static void race(struct routes *r, struct instant at)
{
    for (int i = 0; i < RELAY_FORMS; i++) {
        struct relay_route *route = &r->list[i];
        bool joins = routes_allow(r, (enum relay_form)i) && !has_link(route);
        route->fresh = joins;
        route->start_at = joins ? turn_of(r, i, at) : INSTANT_NEVER;
    }
    if (!routes_are_trying(r))
        move_up(r, at);
}

/* A race among those that are better than the one that is used. */
static void try_better(struct routes *r, struct instant now)
{
    for (int i = 0; i < r->used; i++) {
        struct relay_route *route = &r->list[i];
        if (!routes_allow(r, (enum relay_form)i) || has_link(route) ||
            is_doubted(r, route, now))
            continue;
        route->fresh = true;
        route->start_at =
            instant_after(now, span_times(step, i % FORM_TCP_PROXY));
    }
    if (!routes_are_trying(r))
        move_up(r, now);
    r->better_at = instant_after(now, better_after);
}

static void doubt(struct routes *r, struct relay_route *route,
                  struct instant now)
{
    if (is_only_one(r))
        return;
    route->doubted_until = instant_after(now, route->doubt);
    route->doubt = span_min(span_times(route->doubt, 2), doubt_longest);
}

static void trust(struct relay_route *route)
{
    route->doubted_until = (struct instant){INT64_MIN};
    route->doubt = doubt_first;
    route->cuts = 0;
    route->cuts_borne = CUTS_BORNE;
}

void routes_init(struct routes *r, uint8_t allowed, struct instant now)
{
    *r = (struct routes){
        .allowed = allowed,
        .remembered = ROUTE_NO_FORM,
        .used = ROUTE_NO_FORM,
        .backoff = backoff_first,
        .better_at = INSTANT_NEVER,
    };
    ASSERT(allowed != 0 && allowed < 1 << RELAY_FORMS);
    for (int i = 0; i < RELAY_FORMS; i++)
        trust(&r->list[i]);
    race(r, now);
}

void routes_remember(struct routes *r, int form)
{
    bool good = form >= 0 && form < RELAY_FORMS &&
                routes_allow(r, (enum relay_form)form);
    r->remembered = good ? form : ROUTE_NO_FORM;
}

/* --- what to do next ------------------------------------------------------ */

static struct span patience_of(const struct routes *r)
{
    return r->used == ROUTE_NO_FORM || r->in_doubt ? patience : trial_patience;
}

/* Another form that is neither doubted nor failed may still open. */
static bool may_another_open(const struct routes *r, struct instant now)
{
    for (int i = 0; i < RELAY_FORMS; i++) {
        const struct relay_route *other = &r->list[i];
        if (!is_doubted(r, other, now) &&
            (is_in(other, ROUTE_TRYING) || is_pending(other)))
            return true;
    }
    return false;
}

/* HELLO may be sent on it from then on, if no other has it. */
static struct instant greet_at(const struct routes *r,
                               const struct relay_route *route,
                               struct instant now)
{
    if (!is_in(route, ROUTE_PROVED))
        return INSTANT_NEVER;
    if (!is_doubted(r, route, now) || !may_another_open(r, now))
        return route->since;
    return instant_after(route->since, doubted_patience);
}

/* Whether HELLO belongs on a rather than on b. */
static bool goes_before(const struct routes *r, const struct relay_route *a,
                        const struct relay_route *b, struct instant now)
{
    bool a_doubted = is_doubted(r, a, now), b_doubted = is_doubted(r, b, now);
    return a_doubted != b_doubted ? b_doubted : a->since.us < b->since.us;
}

/* The first that proved its key. */
static int to_greet(const struct routes *r, struct instant now)
{
    int best = ROUTE_NO_FORM;
    for (int i = 0; i < RELAY_FORMS; i++)
        if (instant_reached(greet_at(r, &r->list[i], now), now) &&
            (best == ROUTE_NO_FORM ||
             goes_before(r, &r->list[i], &r->list[best], now)))
            best = i;
    return best;
}

static bool has_proved(const struct routes *r)
{
    for (int i = 0; i < RELAY_FORMS; i++)
        if (is_in(&r->list[i], ROUTE_PROVED))
            return true;
    return false;
}

/* HELLO was sent on it, no WELCOME came in time, and there is another way. */
static bool is_mute(const struct routes *r, const struct relay_route *route,
                    struct instant now)
{
    return is_in(route, ROUTE_GREETED) &&
           (r->used != ROUTE_NO_FORM || has_proved(r)) &&
           instant_reached(instant_after(route->since, patience_of(r)), now);
}

/* While one was greeted a moment ago, no further one is tried. */
static struct instant start_at(const struct routes *r,
                               const struct relay_route *route)
{
    const struct relay_route *other = greeted(r);
    if (route->state != ROUTE_IDLE || instant_is_never(route->start_at))
        return INSTANT_NEVER;
    return other == NULL ? route->start_at
                         : instant_max(route->start_at,
                                       instant_after(other->since, step));
}

static void enter(struct relay_route *route, enum route_state state,
                  struct instant now)
{
    route->state = state;
    route->since = now;
    route->fresh = route->unwanted = false;
    if (state != ROUTE_IDLE)
        route->start_at = INSTANT_NEVER;
}

static struct route_step stop(struct routes *r, int form, struct instant now)
{
    bool fresh = r->list[form].fresh;
    enter(&r->list[form], ROUTE_IDLE, now);
    r->list[form].fresh = fresh;
    return (struct route_step){ROUTE_STOP, (enum relay_form)form};
}

static struct route_step start(struct routes *r, int form, struct instant now)
{
    enter(&r->list[form], ROUTE_TRYING, now);
    return (struct route_step){ROUTE_START, (enum relay_form)form};
}

static void judge_mute(struct routes *r, struct instant now)
{
    for (int i = 0; i < RELAY_FORMS; i++) {
        struct relay_route *route = &r->list[i];
        if (!is_mute(r, route, now))
            continue;
        route->failure = LINK_TIMEOUT;
        route->unwanted = true;
        route->start_at = INSTANT_NEVER;
        doubt(r, route, now);
    }
}

struct route_step routes_next(struct routes *r, struct instant now)
{
    judge_mute(r, now);
    if (r->used != ROUTE_NO_FORM && instant_reached(r->better_at, now))
        try_better(r, now);
    for (int i = 0; i < RELAY_FORMS; i++)
        if (r->list[i].unwanted)
            return stop(r, i, now);
    int form = routes_are_greeting(r) ? ROUTE_NO_FORM : to_greet(r, now);
    if (form != ROUTE_NO_FORM) {
        enter(&r->list[form], ROUTE_GREETED, now);
        return (struct route_step){ROUTE_GREET, (enum relay_form)form};
    }
    for (int i = 0; i < RELAY_FORMS; i++)
        if (instant_reached(start_at(r, &r->list[i]), now))
            return start(r, i, now);
    return (struct route_step){.verb = ROUTE_WAIT};
}

/* When a decision about this form is due. */
static struct instant decision_at(const struct routes *r,
                                  const struct relay_route *route)
{
    bool proved = has_proved(r);
    if (is_in(route, ROUTE_GREETED) && (proved || r->used != ROUTE_NO_FORM))
        return instant_after(route->since, patience_of(r));
    if (is_in(route, ROUTE_PROVED) && !routes_are_greeting(r))
        return instant_after(route->since, doubted_patience);
    return INSTANT_NEVER;
}

struct instant routes_deadline(const struct routes *r)
{
    struct instant at = r->used != ROUTE_NO_FORM ? r->better_at : INSTANT_NEVER;
    for (int i = 0; i < RELAY_FORMS; i++) {
        at = instant_min(at, start_at(r, &r->list[i]));
        at = instant_min(at, decision_at(r, &r->list[i]));
    }
    return at;
}

/* --- what happened -------------------------------------------------------- */

void routes_proved(struct routes *r, enum relay_form form, struct instant now)
{
    struct relay_route *route = &r->list[form];
    enter(route, ROUTE_PROVED, now);
    route->failure = (enum link_failure)0;
}

/* If it is doubted, nothing better was found: it bears more cuts, as each
 * search costs time. */
static void believe(const struct routes *r, struct relay_route *route,
                    struct instant now)
{
    route->failure = (enum link_failure)0;
    if (!is_doubted(r, route, now))
        return;
    route->doubted_until = (struct instant){INT64_MIN};
    if (route->cuts_borne < CUTS_BORNE_MOST)
        route->cuts_borne *= 2;
}

/* A worse one won while it was under way, or it was tried beside one that is
 * used: it need not go on. */
static bool call_off(struct relay_route *route)
{
    bool was_under_way = is_attempt(route);
    route->unwanted |= was_under_way;
    route->start_at = INSTANT_NEVER;
    return was_under_way;
}

void routes_welcomed(struct routes *r, enum relay_form form, struct instant now)
{
    bool undecided = r->in_doubt, better = false;
    if (r->used != ROUTE_NO_FORM && r->used != (int)form)
        enter(&r->list[r->used], ROUTE_REPLACED, now);
    r->used = r->remembered = (int)form;
    r->backoff = backoff_first;
    r->in_doubt = false;
    enter(&r->list[form], ROUTE_USED, now);
    believe(r, &r->list[form], now);
    for (int i = 0; i < RELAY_FORMS; i++) {
        bool is_better = i < (int)form && routes_allow(r, (enum relay_form)i);
        better |= is_better;
        undecided |= call_off(&r->list[i]) && is_better;
    }
    r->better_at =
        better ? instant_after(now, undecided ? better_soon : better_after)
               : INSTANT_NEVER;
}

bool routes_may_doubt(const struct routes *r)
{
    return r->used != ROUTE_NO_FORM && !r->in_doubt && !is_only_one(r);
}

void routes_silent(struct routes *r, struct instant now)
{
    r->in_doubt = true;
    race(r, now);
}

void routes_heard(struct routes *r)
{
    r->in_doubt = false;
    for (int i = 0; i < RELAY_FORMS; i++)
        if (r->list[i].state != ROUTE_GREETED)
            (void)call_off(&r->list[i]);
}

void routes_settled(struct routes *r)
{
    for (int i = 0; i < RELAY_FORMS; i++)
        r->list[i].unwanted |= r->list[i].state == ROUTE_REPLACED;
}

/* Between half the pause and all of it, so that the edges of a relay that
 * restarts do not reconnect all at once. */
static struct instant after_pause(struct instant now, struct span pause,
                                  struct entropy *entropy)
{
    int64_t half = pause.us / 2;
    return instant_after(now, span_us(half + (int64_t)entropy_below(
                                                 entropy, (uint64_t)half + 1)));
}

static struct instant backed_off(struct routes *r, struct instant now,
                                 struct entropy *entropy)
{
    struct instant at = after_pause(now, r->backoff, entropy);
    r->backoff = span_min(span_times(r->backoff, 2), backoff_longest);
    return at;
}

/* The link that was used ended. A tunnel that is cut is opened anew at once. A
 * plain connection ends mostly because the relay restarts. */
static void lost(struct routes *r, enum relay_form form, struct span lived,
                 struct instant now, struct entropy *entropy)
{
    struct relay_route *route = &r->list[form];
    bool at_once = lived.us >= worth.us &&
                   (form != FORM_TCP ||
                    (route->failure != LINK_BROKEN && !is_only_one(r)));
    r->used = ROUTE_NO_FORM;
    r->better_at = INSTANT_NEVER;
    r->in_doubt = route->failure != LINK_BROKEN;
    if (lived.us >= soon.us)
        trust(route);
    else if (++route->cuts >= route->cuts_borne) {
        route->cuts = 0;
        doubt(r, route, now);
    }
    race(r, at_once ? now : backed_off(r, now, entropy));
}

static void failed(struct routes *r, struct relay_route *route,
                   struct instant now, struct entropy *entropy)
{
    bool pending = false;
    for (int i = 0; i < RELAY_FORMS; i++)
        pending |= is_pending(&r->list[i]);
    route->start_at = INSTANT_NEVER;
    if (r->used != ROUTE_NO_FORM) {
        move_up(r, now);
        return;
    }
    if (!pending && !routes_are_trying(r)) {
        race(r, backed_off(r, now, entropy));
        return;
    }
    route->start_at = after_pause(now, again_within, entropy);
    move_up(r, now);
}

void routes_ended(struct routes *r, enum relay_form form,
                  enum link_failure failure, struct instant now,
                  struct entropy *entropy)
{
    struct relay_route *route = &r->list[form];
    enum route_state was = route->unwanted ? ROUTE_REPLACED : route->state;
    struct span lived = instant_between(route->since, now);
    enter(route, ROUTE_IDLE, now);
    if (was == ROUTE_REPLACED || was == ROUTE_IDLE)
        return;
    route->failure = failure;
    if (was == ROUTE_USED) {
        lost(r, form, lived, now, entropy);
        return;
    }
    if (was == ROUTE_GREETED) /* It opened, and carried nothing. */
        doubt(r, route, now);
    failed(r, route, now, entropy);
}

static void end_all(struct routes *r)
{
    r->used = ROUTE_NO_FORM;
    r->better_at = INSTANT_NEVER;
    for (int i = 0; i < RELAY_FORMS; i++)
        r->list[i].unwanted = r->list[i].state != ROUTE_IDLE;
}

void routes_back_off(struct routes *r, struct instant now,
                     struct entropy *entropy)
{
    end_all(r);
    race(r, backed_off(r, now, entropy));
}

void routes_wait_until(struct routes *r, struct instant at)
{
    end_all(r);
    race(r, at);
}

void routes_again(struct routes *r, enum relay_form form, struct instant now)
{
    enter(&r->list[form], ROUTE_TRYING, now);
}

void routes_network_changed(struct routes *r, struct instant now)
{
    r->backoff = backoff_first;
    r->in_doubt = false;
    for (int i = 0; i < RELAY_FORMS; i++) {
        trust(&r->list[i]);
        if (r->list[i].state != ROUTE_USED)
            r->list[i].failure = (enum link_failure)0;
    }
    if (r->used == ROUTE_NO_FORM)
        race(r, now);
    else if (!instant_is_never(r->better_at))
        r->better_at = now;
}
