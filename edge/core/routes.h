/*
 * routes - which form of one relay's address is tried when, which one is used,
 * and when a better one is tried [P-14.1, P-14.7, P-14.8].
 *
 * All forms that are allowed race: the one that worked on this network before
 * begins, the others follow in steps, or at once if all attempts of a step
 * failed or if the link that was used fell silent. The form on which the relay
 * first proves its key gets the HELLO. The others go on until the WELCOME
 * comes, so that a form that opens and then carries nothing costs little time.
 * While a worse form is used, the better ones are tried from time to time
 * beside it.
 *
 * A form that opened and carried nothing, or whose connection was cut again
 * and again soon after it began, is doubted for a while: the other forms get
 * the time to open before it. If none of them does, it is used all the same.
 *
 * The owner tells what happened, and after each call and at routes_deadline
 * asks routes_next until that says ROUTE_WAIT:
 *
 *     while ((step = routes_next(&r, now)).verb != ROUTE_WAIT)
 *         ... start, greet or stop the attempt at step.form ...
 */
#ifndef EDGE_CORE_ROUTES_H
#define EDGE_CORE_ROUTES_H

#include "common/base/instant.h"
#include "common/core/entropy.h"
#include "common/wire/relay_form.h"
#include "edge/core/node.h"

enum { ROUTE_NO_FORM = -1 };

enum route_state {
    ROUTE_IDLE,
    ROUTE_TRYING,   /* the owner opens a link in this form */
    ROUTE_PROVED,   /* the relay proved its key on it; HELLO may follow */
    ROUTE_GREETED,  /* HELLO was sent on it; WELCOME may follow */
    ROUTE_USED,     /* WELCOME came on it: the relay is up by it */
    ROUTE_REPLACED, /* it was used until a better one was; it ends soon */
};

/* One form. */
struct relay_route {
    enum route_state state;
    struct instant since;      /* it is in this state */
    struct instant start_at;   /* IDLE: when it is tried; NEVER: not now */
    bool fresh;                /* IDLE: it was not tried yet in this race */
    bool unwanted;             /* it is to be stopped */
    enum link_failure failure; /* the last one; 0: none since it worked */
    int cuts;                  /* in a row, each soon after the WELCOME */
    int cuts_borne;            /* so many make it doubted */
    struct instant doubted_until;
    struct span doubt; /* for how long it is doubted the next time */
};

struct routes {
    struct relay_route list[RELAY_FORMS];
    uint8_t allowed;          /* a bit for each form, 1 << enum relay_form */
    int remembered;           /* the form that worked on this network */
    int used;                 /* these two may be ROUTE_NO_FORM */
    bool in_doubt;            /* the one that is or was used fell silent */
    struct span backoff;      /* the next pause after all forms failed */
    struct instant better_at; /* when better forms are tried */
};

enum route_verb {
    ROUTE_WAIT,  /* nothing to do before routes_deadline */
    ROUTE_START, /* open a link in this form */
    ROUTE_GREET, /* send HELLO on its link */
    ROUTE_STOP,  /* drop its link */
};

struct route_step {
    enum route_verb verb;
    enum relay_form form; /* not of WAIT */
};

/* The first race begins at `now`. `allowed`: at least one bit. */
void routes_init(struct routes *r, uint8_t allowed, struct instant now);
/* The form that worked on the network that the host is in now, or
 * ROUTE_NO_FORM. A form that is not allowed counts as none. */
void routes_remember(struct routes *r, int form);

struct route_step routes_next(struct routes *r, struct instant now);
struct instant routes_deadline(const struct routes *r);

/* The relay proved its key on the link in this form. */
void routes_proved(struct routes *r, enum relay_form form, struct instant now);
/* WELCOME came on it: it is used from now on. */
void routes_welcomed(struct routes *r, enum relay_form form,
                     struct instant now);
/* The one that is used does not answer, but is not given up yet: the others
 * race beside it, and the first that brings WELCOME takes its place. Only while
 * routes_may_doubt. */
bool routes_may_doubt(const struct routes *r);
void routes_silent(struct routes *r, struct instant now);
/* It answered after all: attempts that have no HELLO yet are called off. Only
 * after routes_silent, while in_doubt. */
void routes_heard(struct routes *r);
/* SYNCED came on the one that is used: the one before it may end. */
void routes_settled(struct routes *r);
/* The link in this form could not be opened, or ended, or fell silent. The
 * owner dropped it already. */
void routes_ended(struct routes *r, enum relay_form form,
                  enum link_failure failure, struct instant now,
                  struct entropy *entropy);
/* The relay does not want this node, in no form: all links are to be stopped,
 * and a race begins after a pause, ... */
void routes_back_off(struct routes *r, struct instant now,
                     struct entropy *entropy);
/* ... or at this time. */
void routes_wait_until(struct routes *r, struct instant at);
/* The link in this form was dropped, and is opened once more. */
void routes_again(struct routes *r, enum relay_form form, struct instant now);
/* What was learned of the forms may not hold any more: all of them are tried
 * now, or the better ones if one is used. */
void routes_network_changed(struct routes *r, struct instant now);

bool routes_allow(const struct routes *r, enum relay_form form);
/* A form has a link, in whatever state. */
bool routes_are_trying(const struct routes *r);
/* HELLO was sent in a form, and no WELCOME came yet. */
bool routes_are_greeting(const struct routes *r);
/* Each form that is allowed failed since it worked last. */
bool routes_have_failed(const struct routes *r);
/* The most telling of the last failures of all forms [P-14.6]; 0: none. */
enum link_failure routes_failure(const struct routes *r);

#endif
