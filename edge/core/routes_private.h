/*
 * routes_private - declarations that the files of routes share.
 *
 *     routes.c       questions, and what an event changes
 *     routes_race.c  when each form is tried
 *     routes_next.c  what to do next: who gets the HELLO, who loses it
 */
#ifndef EDGE_CORE_ROUTES_PRIVATE_H
#define EDGE_CORE_ROUTES_PRIVATE_H

#include "edge/core/routes.h"

/* While a form is used, the better ones are tried so often. */
enum { BETTER_AFTER_S = 10 * 60 };

/* --- routes.c ------------------------------------------------------------- */

bool route_has_link(const struct relay_route *route);
/* Its link is under way. */
bool route_is_attempt(const struct relay_route *route);
bool route_is_in(const struct relay_route *route, enum route_state state);
bool route_is_doubted(const struct routes *r, const struct relay_route *route,
                      struct instant at);
/* It is tried for the first time in this race, or is about to be. */
bool route_is_pending(const struct relay_route *route);
/* The one that HELLO was sent on, without a WELCOME yet, or NULL. */
const struct relay_route *routes_greeted(const struct routes *r);

void route_enter(struct relay_route *route, enum route_state state,
                 struct instant now);
/* The only form is never doubted. */
void route_doubt(struct routes *r, struct relay_route *route,
                 struct instant now);

/* --- routes_race.c -------------------------------------------------------- */

/* A race among the forms that have no link. */
void routes_race(struct routes *r, struct instant at);
/* A race among those that are better than the one that is used. */
void routes_try_better(struct routes *r, struct instant now);
/* If no attempt of the last step is open any more, the first of those that were
 * not tried yet is tried now, and the others follow in the same steps. */
void routes_move_up(struct routes *r, struct instant now);
/* Its link is opened from then on. */
struct instant route_start_at(const struct routes *r,
                              const struct relay_route *route);

#endif
