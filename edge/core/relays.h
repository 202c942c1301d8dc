/*
 * relays - the relays of the configuration: their links and their rosters.
 *
 *     relays.c         what a relay says, and what is said to it
 *     relay_links.c    which links to it are made, used and ended
 *
 * A relay may have a link in each form of its address. One of them is used, and
 * only on that one the relay's roster counts. When a better form takes its
 * place, the relay stays up: HELLO goes out on the new link beside the old one,
 * which is dropped when the new one brought WELCOME and SYNCED [P-14.8].
 */
#ifndef EDGE_CORE_RELAYS_H
#define EDGE_CORE_RELAYS_H

#include "edge/core/deadline.h"
#include "edge/core/links.h"
#include "edge/core/node.h"
#include "edge/core/routes.h"

/* A relay of the configuration. */
struct relay {
    uint32_t index; /* in the configuration, and in struct node */
    enum relay_state state;
    struct link *link; /* the one that is used: NULL unless it is UP */
    struct link *links[RELAY_FORMS]; /* it, and those of other forms */
    struct routes routes;            /* which of them are wanted */
    uint8_t forms;                   /* as of the configuration */
    struct curve_key key;            /* pinned by the configuration */
    uint8_t version;        /* the protocol version that HELLO offers */
    struct instant greeted; /* when HELLO was sent */
    struct span hello;      /* from then to WELCOME; < 0: never */
    const char *error;      /* why it is down: a word for status; "" if up */

    /* A HELLO was given up that may arrive until then: it then replaces a later
     * one of this same process. */
    struct instant stray_until;

    /* The relay sends a roster each time that its link comes up. Until
     * settled_by a peer may be missing because it reconnects later than this
     * node did; then peers that only an older roster lists are unlisted. */
    uint32_t roster; /* the number of the roster; counts from 1 */
    bool synced;     /* the roster is complete, settled_by is ahead */
    struct instant settled_by;
    bool spares_told; /* the relay knows which peers need no multicasts */

    char name[NAME_MAX_SIZE + 1]; /* the relay's name for itself, or "" */
    struct address outside;       /* this node's address as the relay sees it */
    uint64_t clock;               /* the relay's at clock_at; 0: unknown */
    struct instant clock_at;
    struct relay_tls tls; /* of the link that is used */
    uint64_t bytes_sent, bytes_received;
    struct deadline deadline;
};

/* relays.c */
void relays_take(struct node *n, struct link *link, struct bytes packet);
/* Sends a packet to every relay that is up. */
void relays_tell_all(struct node *n, struct bytes packet);
/* The roster has been complete for a while. */
void relays_settle(struct node *n, struct relay *relay);

/* relay_links.c */
void relays_start(struct node *n);
void relays_due(struct node *n, struct relay *relay);
void relays_take_forms(struct node *n, const struct node_event *event);
/* The relay proved its key on the link: HELLO may be sent. */
void relays_opened(struct node *n, struct link *link);
/* HELLO was sent on it, and WELCOME may come. */
bool link_awaits_welcome(const struct link *link);
/* WELCOME came on it: the relay is up by it. */
void relays_welcomed(struct node *n, struct link *link);
/* The owner closed the link. */
void relays_closed(struct node *n, struct link *link, enum link_failure why);
/* When to call relays_doubt: its link is used, and has not answered a PING for
 * so long that other forms should be tried. NEVER: it answers. */
struct instant relays_doubt_at(const struct node *n, const struct link *link);
void relays_doubt(struct node *n, struct link *link);
/* A packet came on it. */
void relays_heard(struct node *n, struct link *link);
/* Nothing came on it in time. */
void relays_silent(struct node *n, struct link *link);
/* The relay refuses this node on it. */
void relays_refused(struct node *n, struct link *link, uint8_t reason);
/* Drops all links; a race of the forms follows. `error` lives as long as the
 * program. */
void relays_down(struct node *n, struct relay *relay, const char *error);
/* The owner is told that the state changed. */
void relays_tell_state(struct node *n, const struct relay *relay);
/* What was told to relay->routes is carried out. */
void relays_go_on(struct node *n, struct relay *relay);
/* The network changed: relays that are down are tried at once, and the better
 * forms of the others. */
void relays_retry(struct node *n);

#endif
