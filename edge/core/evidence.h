/*
 * evidence - whether one peer is there, until when, and what shows it [P-8.1].
 *
 * A direct link that is up and a relay that lists the peer show that it is
 * there as long as they last. A beacon shows it for `lost_after`, if the peer
 * has proved that it hears this node; so does the list of a relay whose
 * connection was lost. When the last connection of a peer that joined closes,
 * the peer is suspected: it has a moment to show itself.
 *
 * The caller tells what happened with the verbs below, and asks evidence_until.
 * All that is told here is about one process of the peer: evidence_restarted
 * begins a new one. Nobody else writes the members.
 */
#ifndef EDGE_CORE_EVIDENCE_H
#define EDGE_CORE_EVIDENCE_H

#include "common/base/instant.h"
#include "edge/core/node.h"

enum evidence_reason {
    EVIDENCE_NONE,      /* nothing shows that the peer is there */
    EVIDENCE_LINK,      /* a direct link is up */
    EVIDENCE_RELAY,     /* a relay that is connected lists it */
    EVIDENCE_LISTED,    /* a relay listed it whose connection was lost */
    EVIDENCE_BEACON,    /* a beacon came */
    EVIDENCE_HEARD,     /* it spoke on a link that this node closed by itself */
    EVIDENCE_SUSPICION, /* its last connection closed a moment ago */
};

struct evidence {
    int links;           /* direct links that are up and not quiet */
    struct {             /* for each relay: */
        bool listed;     /* it says that the peer is connected to it */
        uint32_t roster; /* the number of the roster that said so */
    } relays[NODE_RELAYS];

    /* The peer answered with a cookie that this node made, so its beacons are
     * no replays. */
    bool proved;
    struct instant beacon_heard;  /* the last beacon that was checked */
    struct instant beacon_passed; /* the last one that was not [P-4.7] */

    bool departed; /* it said goodbye or was excluded: nothing counts */
    bool bye;      /* a beacon said goodbye; a link of it is still up [P-4.9] */
    bool gone;     /* a relay says that it said goodbye, which may be a lie */

    bool broke;                  /* the last evidence was a connection that
                                    closed, and not silence */
    struct instant suspected_at; /* beacons from before show nothing */
    struct instant suspect_by;   /* the end of SUSPICION */
    struct instant heard_until;  /* the end of HEARD */
};

/* What the evidence of all peers has in common. */
struct evidence_relays {
    struct span lost_after;
    /* Until when the lists of each relay count; NEVER: it is connected. */
    struct instant until[NODE_RELAYS];
};

struct evidence_verdict {
    enum evidence_reason why;
    struct instant until; /* NEVER: as long as the link or relay is up */
};

/* Until when the peer is there. SUSPICION and HEARD count only for a peer that
 * `joined`. */
struct evidence_verdict evidence_until(const struct evidence *e,
                                       const struct evidence_relays *relays,
                                       bool joined);
/* Whether the verdict holds now. */
bool evidence_holds(struct evidence_verdict v, struct instant now);
/* Whether a connection shows the peer, so that the verdict has no end yet. */
bool evidence_is_firm(struct evidence_verdict v);
/* Whether a relay that is connected lists it. */
bool evidence_is_listed(const struct evidence *e,
                        const struct evidence_relays *relays);
/* Whether a relay or a beacon shows the peer, so that it needs no link. */
bool evidence_is_seen(const struct evidence *e,
                      const struct evidence_relays *relays, struct instant now);

void evidence_init(struct evidence *e);
/* Another process of the peer is there now. */
void evidence_restarted(struct evidence *e);

/* A direct link is up; one that was up is closed. */
void evidence_linked(struct evidence *e);
void evidence_unlinked(struct evidence *e);
/* A link that was quiet, and so did not count, counts again [P-11.10]. */
void evidence_woke(struct evidence *e);
/* A relay lists it, in this roster, or does not any more. */
void evidence_listed(struct evidence *e, uint32_t relay, uint32_t roster);
void evidence_unlisted(struct evidence *e, uint32_t relay);
/* Whether the relay listed it, but in an earlier roster than this. */
bool evidence_is_outdated(const struct evidence *e, uint32_t relay,
                          uint32_t roster);
/* A beacon was checked; `answers`: it echoed a cookie of this node. True if the
 * peer is proved, so that the beacon counts. */
bool evidence_beacon(struct evidence *e, bool answers, struct instant now);
/* A beacon came that was not checked, because it brought nothing new. */
void evidence_beacon_passed(struct evidence *e, struct instant now);
/* The proof of the peer counts no more: the peer has to answer again. */
void evidence_challenge(struct evidence *e);
/* This node closed a link whose last packet came at `heard`. */
void evidence_heard(struct evidence *e, struct instant heard,
                    const struct evidence_relays *relays);

/* The last evidence is gone; `broke`: a connection closed. */
void evidence_lost(struct evidence *e, bool broke);
/* Without new evidence the peer counts as absent in a moment. */
void evidence_suspect(struct evidence *e, struct instant now);
/* A suspect cannot be dialled either. */
void evidence_unreachable(struct evidence *e, struct instant now);

/* A beacon said goodbye. */
void evidence_bye(struct evidence *e);
/* A relay says that the peer said goodbye. */
void evidence_gone(struct evidence *e, struct instant now);
/* The peer said goodbye on a link, or this node excludes it. */
void evidence_departed(struct evidence *e);
/* The peer was excluded, and is admitted again. */
void evidence_admitted(struct evidence *e);
void evidence_joined(struct evidence *e);
void evidence_left(struct evidence *e);

/* This node was `late`: that time does not count as silence of the peer. */
void evidence_excuse(struct evidence *e, struct span late);

void evidence_relays_init(struct evidence_relays *r, struct span lost_after);
void evidence_relay_up(struct evidence_relays *r, uint32_t relay);
void evidence_relay_down(struct evidence_relays *r, uint32_t relay,
                         struct instant now);
void evidence_relays_excuse(struct evidence_relays *r, struct span late);

#endif
