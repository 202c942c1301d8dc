/*
 * When each form of a relay's address is tried [P-14.7, P-14.8].
 */
#include "edge/core/routes_private.h"

/* A race: the steps of the forms, and how far the one that is remembered is
 * ahead of the others. */
static const struct span step = {300 * 1000};

static bool is_remembered(const struct routes *r, int form, struct instant at)
{
    return form == r->remembered && !route_is_doubted(r, &r->list[form], at);
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

/* A step lasts its time while one of its attempts is open. */
static struct instant step_end(const struct routes *r, struct instant now)
{
    struct instant end = now;
    for (int i = 0; i < RELAY_FORMS; i++)
        if (route_is_in(&r->list[i], ROUTE_TRYING))
            end = instant_max(end, instant_after(r->list[i].since, step));
    return end;
}

void routes_move_up(struct routes *r, struct instant now)
{
    struct instant first = INSTANT_NEVER, end = step_end(r, now);
    for (int i = 0; i < RELAY_FORMS; i++)
        if (route_is_pending(&r->list[i]))
            first = instant_min(first, r->list[i].start_at);
    if (instant_reached(first, end))
        return;
    for (int i = 0; i < RELAY_FORMS; i++)
        if (route_is_pending(&r->list[i]))
            r->list[i].start_at.us -= first.us - end.us;
}

void routes_race(struct routes *r, struct instant at)
{
    for (int i = 0; i < RELAY_FORMS; i++) {
        struct relay_route *route = &r->list[i];
        bool joins =
            routes_allow(r, (enum relay_form)i) && !route_has_link(route);
        route->fresh = joins;
        route->start_at = joins ? turn_of(r, i, at) : INSTANT_NEVER;
    }
    if (!routes_are_trying(r))
        routes_move_up(r, at);
}

void routes_try_better(struct routes *r, struct instant now)
{
    for (int i = 0; i < r->used; i++) {
        struct relay_route *route = &r->list[i];
        if (!routes_allow(r, (enum relay_form)i) || route_has_link(route) ||
            route_is_doubted(r, route, now))
            continue;
        route->fresh = true;
        route->start_at =
            instant_after(now, span_times(step, i % FORM_TCP_PROXY));
    }
    if (!routes_are_trying(r))
        routes_move_up(r, now);
    r->better_at = instant_after(now, span_s(BETTER_AFTER_S));
}

/* While one was greeted a moment ago, no further one is tried. */
struct instant route_start_at(const struct routes *r,
                              const struct relay_route *route)
{
    const struct relay_route *other = routes_greeted(r);
    if (route->state != ROUTE_IDLE || instant_is_never(route->start_at))
        return INSTANT_NEVER;
    return other == NULL ? route->start_at
                         : instant_max(route->start_at,
                                       instant_after(other->since, step));
}
