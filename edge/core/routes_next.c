/*
 * What to do next with the forms of a relay's address: which one gets the
 * HELLO, which one loses it, which one is tried [P-14.7].
 */
#include "edge/core/routes_private.h"

/* Without a WELCOME for so long, HELLO goes to another form. */
static const struct span patience = {600 * 1000};
/* So long the others may still open before HELLO goes to one that is doubted.
 */
static const struct span doubted_patience = {1000 * 1000};
/* As `patience`, but beside a form that is used: nothing is in a hurry. */
static const struct span trial_patience = {2 * 1000 * 1000};

static struct span patience_of(const struct routes *r)
{
    return r->used == ROUTE_NO_FORM || r->in_doubt ? patience : trial_patience;
}

/* Another form that is neither doubted nor failed may still open. */
static bool may_another_open(const struct routes *r, struct instant now)
{
    for (int i = 0; i < RELAY_FORMS; i++) {
        const struct relay_route *other = &r->list[i];
        if (!route_is_doubted(r, other, now) &&
            (route_is_in(other, ROUTE_TRYING) || route_is_pending(other)))
            return true;
    }
    return false;
}

/* HELLO may be sent on it from then on, if no other has it. */
static struct instant greet_at(const struct routes *r,
                               const struct relay_route *route,
                               struct instant now)
{
    if (!route_is_in(route, ROUTE_PROVED))
        return INSTANT_NEVER;
    if (!route_is_doubted(r, route, now) || !may_another_open(r, now))
        return route->since;
    return instant_after(route->since, doubted_patience);
}

/* Whether HELLO belongs on a rather than on b. */
static bool goes_before(const struct routes *r, const struct relay_route *a,
                        const struct relay_route *b, struct instant now)
{
    bool a_doubted = route_is_doubted(r, a, now);
    bool b_doubted = route_is_doubted(r, b, now);
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
        if (route_is_in(&r->list[i], ROUTE_PROVED))
            return true;
    return false;
}

/* HELLO was sent on it, no WELCOME came in time, and there is another way. */
static bool is_mute(const struct routes *r, const struct relay_route *route,
                    struct instant now)
{
    return route_is_in(route, ROUTE_GREETED) &&
           (r->used != ROUTE_NO_FORM || has_proved(r)) &&
           instant_reached(instant_after(route->since, patience_of(r)), now);
}

static struct route_step stop(struct routes *r, int form, struct instant now)
{
    bool fresh = r->list[form].fresh;
    route_enter(&r->list[form], ROUTE_IDLE, now);
    r->list[form].fresh = fresh;
    return (struct route_step){ROUTE_STOP, (enum relay_form)form};
}

static struct route_step start(struct routes *r, int form, struct instant now)
{
    route_enter(&r->list[form], ROUTE_TRYING, now);
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
        route_doubt(r, route, now);
    }
}

struct route_step routes_next(struct routes *r, struct instant now)
{
    judge_mute(r, now);
    if (r->used != ROUTE_NO_FORM && instant_reached(r->better_at, now))
        routes_try_better(r, now);
    for (int i = 0; i < RELAY_FORMS; i++)
        if (r->list[i].unwanted)
            return stop(r, i, now);
    int form = routes_are_greeting(r) ? ROUTE_NO_FORM : to_greet(r, now);
    if (form != ROUTE_NO_FORM) {
        route_enter(&r->list[form], ROUTE_GREETED, now);
        return (struct route_step){ROUTE_GREET, (enum relay_form)form};
    }
    for (int i = 0; i < RELAY_FORMS; i++)
        if (instant_reached(route_start_at(r, &r->list[i]), now))
            return start(r, i, now);
    return (struct route_step){.verb = ROUTE_WAIT};
}

/* When a decision about this form is due. */
static struct instant decision_at(const struct routes *r,
                                  const struct relay_route *route)
{
    bool proved = has_proved(r);
    if (route_is_in(route, ROUTE_GREETED) &&
        (proved || r->used != ROUTE_NO_FORM))
        return instant_after(route->since, patience_of(r));
    if (route_is_in(route, ROUTE_PROVED) && !routes_are_greeting(r))
        return instant_after(route->since, doubted_patience);
    return INSTANT_NEVER;
}

struct instant routes_deadline(const struct routes *r)
{
    struct instant at = r->used != ROUTE_NO_FORM ? r->better_at : INSTANT_NEVER;
    for (int i = 0; i < RELAY_FORMS; i++) {
        at = instant_min(at, route_start_at(r, &r->list[i]));
        at = instant_min(at, decision_at(r, &r->list[i]));
    }
    return at;
}
