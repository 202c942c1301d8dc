#include "edge/core/routes.h"

#include "common/base/assert.h"
#include "edge/core/failure_rank.h"
#include "edge/core/routes_private.h"

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
/* The pause after a plain connection broke is random, so that the edges of a
 * relay that restarts do not reconnect all at once, and short: peers wait 250
 * ms for one whose connection broke [P-8.1]. */
static const struct span spread = {100 * 1000};
/* When the better forms are tried for the first time if one of them was still
 * under way when a worse one won. */
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

bool route_has_link(const struct relay_route *route)
{
    return route->state != ROUTE_IDLE && !route->unwanted;
}

bool route_is_attempt(const struct relay_route *route)
{
    return route_has_link(route) && route->state != ROUTE_USED &&
           route->state != ROUTE_REPLACED;
}

bool route_is_in(const struct relay_route *route, enum route_state state)
{
    return route_has_link(route) && route->state == state;
}

bool route_is_doubted(const struct routes *r, const struct relay_route *route,
                      struct instant at)
{
    return !is_only_one(r) && !instant_reached(route->doubted_until, at);
}

bool route_is_pending(const struct relay_route *route)
{
    return !route_has_link(route) && route->fresh &&
           !instant_is_never(route->start_at);
}

bool routes_are_trying(const struct routes *r)
{
    for (int i = 0; i < RELAY_FORMS; i++)
        if (route_is_attempt(&r->list[i]))
            return true;
    return false;
}

const struct relay_route *routes_greeted(const struct routes *r)
{
    for (int i = 0; i < RELAY_FORMS; i++)
        if (route_is_in(&r->list[i], ROUTE_GREETED))
            return &r->list[i];
    return NULL;
}

bool routes_are_greeting(const struct routes *r)
{
    return routes_greeted(r) != NULL;
}

bool routes_have_failed(const struct routes *r)
{
    for (int i = 0; i < RELAY_FORMS; i++)
        if (routes_allow(r, (enum relay_form)i) && r->list[i].failure == 0)
            return false;
    return true;
}

enum link_failure routes_failure(const struct routes *r)
{
    enum link_failure list[RELAY_FORMS];
    for (int i = 0; i < RELAY_FORMS; i++)
        list[i] = routes_allow(r, (enum relay_form)i) ? r->list[i].failure
                                                      : (enum link_failure)0;
    return failure_most_telling(list, RELAY_FORMS);
}

/* --- states and doubts ---------------------------------------------------- */

void route_enter(struct relay_route *route, enum route_state state,
                 struct instant now)
{
    route->state = state;
    route->since = now;
    route->fresh = route->unwanted = false;
    if (state != ROUTE_IDLE)
        route->start_at = INSTANT_NEVER;
}

void route_doubt(struct routes *r, struct relay_route *route,
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
    routes_race(r, now);
}

void routes_remember(struct routes *r, int form)
{
    bool good = form >= 0 && form < RELAY_FORMS &&
                routes_allow(r, (enum relay_form)form);
    r->remembered = good ? form : ROUTE_NO_FORM;
}

/* --- what happened -------------------------------------------------------- */

void routes_proved(struct routes *r, enum relay_form form, struct instant now)
{
    struct relay_route *route = &r->list[form];
    route_enter(route, ROUTE_PROVED, now);
    route->failure = (enum link_failure)0;
}

/* If it is doubted, nothing better was found: it bears more cuts, as each
 * search costs time. */
static void believe(const struct routes *r, struct relay_route *route,
                    struct instant now)
{
    route->failure = (enum link_failure)0;
    if (!route_is_doubted(r, route, now))
        return;
    route->doubted_until = (struct instant){INT64_MIN};
    if (route->cuts_borne < CUTS_BORNE_MOST)
        route->cuts_borne *= 2;
}

/* A worse one won while it was under way, or it was tried beside one that is
 * used: it need not go on. */
static bool call_off(struct relay_route *route)
{
    bool was_under_way = route_is_attempt(route);
    route->unwanted |= was_under_way;
    route->start_at = INSTANT_NEVER;
    return was_under_way;
}

void routes_welcomed(struct routes *r, enum relay_form form, struct instant now)
{
    bool undecided = r->in_doubt, better = false;
    if (r->used != ROUTE_NO_FORM && r->used != (int)form)
        route_enter(&r->list[r->used], ROUTE_REPLACED, now);
    r->used = r->remembered = (int)form;
    r->backoff = backoff_first;
    r->in_doubt = false;
    route_enter(&r->list[form], ROUTE_USED, now);
    believe(r, &r->list[form], now);
    for (int i = 0; i < RELAY_FORMS; i++) {
        bool is_better = i < (int)form && routes_allow(r, (enum relay_form)i);
        better |= is_better;
        undecided |= call_off(&r->list[i]) && is_better;
    }
    r->better_at = better
                       ? instant_after(now, undecided ? better_soon
                                                      : span_s(BETTER_AFTER_S))
                       : INSTANT_NEVER;
}

bool routes_may_doubt(const struct routes *r)
{
    return r->used != ROUTE_NO_FORM && !r->in_doubt && !is_only_one(r);
}

void routes_silent(struct routes *r, struct instant now)
{
    r->in_doubt = true;
    routes_race(r, now);
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

static struct instant backed_off(struct routes *r, struct instant now,
                                 struct entropy *entropy)
{
    struct instant at = instant_after(now, entropy_pause(entropy, r->backoff));
    r->backoff = span_min(span_times(r->backoff, 2), backoff_longest);
    return at;
}

/* The link that was used ended: when to open another. A tunnel that is cut is
 * opened anew at once. A plain connection ends mostly because the relay
 * restarts, or because a firewall resets it. */
static struct instant after_loss(struct routes *r, enum relay_form form,
                                 struct span lived, struct instant now,
                                 struct entropy *entropy)
{
    if (lived.us < worth.us)
        return backed_off(r, now, entropy);
    if (form != FORM_TCP)
        return now;
    if (r->list[form].failure == LINK_BROKEN)
        return instant_after(now, span_us((int64_t)entropy_below(
                                      entropy, (uint64_t)spread.us + 1)));
    return is_only_one(r) ? backed_off(r, now, entropy) : now;
}

static void lost(struct routes *r, enum relay_form form, struct span lived,
                 struct instant now, struct entropy *entropy)
{
    struct relay_route *route = &r->list[form];
    r->used = ROUTE_NO_FORM;
    r->better_at = INSTANT_NEVER;
    r->in_doubt = route->failure != LINK_BROKEN;
    if (lived.us >= soon.us)
        trust(route);
    else if (++route->cuts >= route->cuts_borne) {
        route->cuts = 0;
        route_doubt(r, route, now);
    }
    routes_race(r, after_loss(r, form, lived, now, entropy));
}

static void failed(struct routes *r, struct relay_route *route,
                   struct instant now, struct entropy *entropy)
{
    bool pending = false;
    for (int i = 0; i < RELAY_FORMS; i++)
        pending |= route_is_pending(&r->list[i]);
    route->start_at = INSTANT_NEVER;
    if (r->used != ROUTE_NO_FORM) {
        routes_move_up(r, now);
        return;
    }
    if (!pending && !routes_are_trying(r)) {
        routes_race(r, backed_off(r, now, entropy));
        return;
    }
    route->start_at = instant_after(now, entropy_pause(entropy, again_within));
    routes_move_up(r, now);
}

void routes_ended(struct routes *r, enum relay_form form,
                  enum link_failure failure, struct instant now,
                  struct entropy *entropy)
{
    struct relay_route *route = &r->list[form];
    enum route_state was = route->unwanted ? ROUTE_REPLACED : route->state;
    struct span lived = instant_between(route->since, now);
    route_enter(route, ROUTE_IDLE, now);
    if (was == ROUTE_REPLACED || was == ROUTE_IDLE)
        return;
    route->failure = failure;
    if (was == ROUTE_USED) {
        lost(r, form, lived, now, entropy);
        return;
    }
    if (was == ROUTE_GREETED) /* It opened, and carried nothing. */
        route_doubt(r, route, now);
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
    routes_race(r, backed_off(r, now, entropy));
}

void routes_wait_until(struct routes *r, struct instant at)
{
    end_all(r);
    routes_race(r, at);
}

void routes_again(struct routes *r, enum relay_form form, struct instant now)
{
    route_enter(&r->list[form], ROUTE_TRYING, now);
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
        routes_race(r, now);
    else if (!instant_is_never(r->better_at))
        r->better_at = now;
}
