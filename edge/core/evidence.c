#include "edge/core/evidence.h"

#include "common/base/assert.h"

#include <string.h>

/* A peer whose last connection closed has this time to show itself. */
static const struct span suspicion = {250 * 1000};
/* And this time once it cannot be dialled: an answer may be on its way. */
static const struct span last_word = {20 * 1000};

#define INSTANT_LONG_AGO ((struct instant){INT64_MIN})

static bool has_been(struct instant at)
{
    return at.us != INT64_MIN;
}

void evidence_init(struct evidence *e)
{
    *e = (struct evidence){
        .beacon_heard = INSTANT_LONG_AGO,
        .beacon_passed = INSTANT_LONG_AGO,
        .suspected_at = INSTANT_LONG_AGO,
        .suspect_by = INSTANT_LONG_AGO,
        .heard_until = INSTANT_LONG_AGO,
    };
}

void evidence_restarted(struct evidence *e)
{
    e->proved = e->departed = e->bye = e->gone = false;
    e->suspect_by = e->heard_until = INSTANT_LONG_AGO;
}

/* --- the question ----------------------------------------------------------
 */

static void extend(struct evidence_verdict *v, enum evidence_reason why,
                   struct instant until)
{
    if (until.us > v->until.us)
        *v = (struct evidence_verdict){why, until};
}

static struct instant listed_until(const struct evidence *e,
                                   const struct evidence_relays *relays)
{
    struct instant until = INSTANT_LONG_AGO;
    for (size_t i = 0; i < NODE_RELAYS; i++)
        if (e->relays[i].listed)
            until = instant_max(until, relays->until[i]);
    return until;
}

struct evidence_verdict evidence_until(const struct evidence *e,
                                       const struct evidence_relays *relays,
                                       bool joined)
{
    struct evidence_verdict v = {EVIDENCE_NONE, INSTANT_LONG_AGO};
    if (e->departed)
        return v;
    if (e->links > 0)
        return (struct evidence_verdict){EVIDENCE_LINK, INSTANT_NEVER};
    struct instant listed = listed_until(e, relays);
    if (instant_is_never(listed))
        return (struct evidence_verdict){EVIDENCE_RELAY, INSTANT_NEVER};
    extend(&v, EVIDENCE_LISTED, listed);
    if (e->proved && e->beacon_heard.us > e->suspected_at.us)
        extend(&v, EVIDENCE_BEACON,
               instant_after(e->beacon_heard, relays->lost_after));
    if (joined) {
        extend(&v, EVIDENCE_HEARD, e->heard_until);
        extend(&v, EVIDENCE_SUSPICION, e->suspect_by);
    }
    return v;
}

bool evidence_holds(struct evidence_verdict v, struct instant now)
{
    return v.why != EVIDENCE_NONE && !instant_reached(v.until, now);
}

bool evidence_is_firm(struct evidence_verdict v)
{
    return v.why == EVIDENCE_LINK || v.why == EVIDENCE_RELAY;
}

bool evidence_is_listed(const struct evidence *e,
                        const struct evidence_relays *relays)
{
    return instant_is_never(listed_until(e, relays));
}

bool evidence_is_seen(const struct evidence *e,
                      const struct evidence_relays *relays, struct instant now)
{
    struct instant beacon = instant_max(e->beacon_heard, e->beacon_passed);
    return evidence_is_listed(e, relays) ||
           (has_been(beacon) &&
            !instant_reached(instant_after(beacon, relays->lost_after), now));
}

/* --- what shows it ---------------------------------------------------------
 */

void evidence_linked(struct evidence *e)
{
    e->links++;
    e->proved = true;
    e->broke = false;
    e->suspect_by = INSTANT_LONG_AGO;
}

void evidence_unlinked(struct evidence *e)
{
    ASSERT(e->links > 0);
    e->links--;
}

void evidence_woke(struct evidence *e)
{
    e->links++;
}

void evidence_listed(struct evidence *e, uint32_t relay, uint32_t roster)
{
    ASSERT(relay < NODE_RELAYS);
    e->relays[relay].listed = true;
    e->relays[relay].roster = roster;
    e->broke = false;
    e->suspect_by = INSTANT_LONG_AGO;
}

void evidence_unlisted(struct evidence *e, uint32_t relay)
{
    ASSERT(relay < NODE_RELAYS);
    e->relays[relay].listed = false;
}

bool evidence_is_outdated(const struct evidence *e, uint32_t relay,
                          uint32_t roster)
{
    return e->relays[relay].listed && e->relays[relay].roster != roster;
}

bool evidence_beacon(struct evidence *e, bool answers, struct instant now)
{
    e->proved |= answers;
    if (e->proved) {
        e->beacon_heard = now;
        e->suspect_by = INSTANT_LONG_AGO;
    }
    return e->proved;
}

void evidence_beacon_passed(struct evidence *e, struct instant now)
{
    e->beacon_passed = now;
}

void evidence_challenge(struct evidence *e)
{
    e->proved = false;
}

void evidence_heard(struct evidence *e, struct instant heard,
                    const struct evidence_relays *relays)
{
    e->heard_until = instant_after(heard, relays->lost_after);
}

/* --- what speaks against it ------------------------------------------------
 */

void evidence_lost(struct evidence *e, bool broke)
{
    e->broke = broke;
}

void evidence_suspect(struct evidence *e, struct instant now)
{
    e->suspected_at = now;
    e->suspect_by = instant_after(now, suspicion);
}

void evidence_unreachable(struct evidence *e, struct instant now)
{
    if (!instant_reached(e->suspect_by, now))
        e->suspect_by =
            instant_min(e->suspect_by, instant_after(now, last_word));
}

void evidence_bye(struct evidence *e)
{
    e->bye = true;
}

void evidence_gone(struct evidence *e, struct instant now)
{
    e->suspected_at = now;
    e->gone = true;
}

void evidence_departed(struct evidence *e)
{
    e->departed = true;
    for (size_t i = 0; i < NODE_RELAYS; i++)
        e->relays[i].listed = false;
}

void evidence_admitted(struct evidence *e)
{
    e->departed = false;
}

void evidence_joined(struct evidence *e)
{
    e->gone = false;
}

/* A beacon that was recorded earlier must not let it join again. */
void evidence_left(struct evidence *e)
{
    e->proved = false;
}

/* --- time that this node slept ---------------------------------------------
 */

static void move(struct instant *at, struct span late)
{
    if (has_been(*at))
        *at = instant_after(*at, late);
}

void evidence_excuse(struct evidence *e, struct span late)
{
    move(&e->beacon_heard, late);
    move(&e->suspect_by, late);
    move(&e->heard_until, late);
}

/* --- the relays ------------------------------------------------------------
 */

void evidence_relays_init(struct evidence_relays *r, struct span lost_after)
{
    r->lost_after = lost_after;
    for (size_t i = 0; i < NODE_RELAYS; i++)
        r->until[i] = INSTANT_LONG_AGO;
}

void evidence_relay_up(struct evidence_relays *r, uint32_t relay)
{
    r->until[relay] = INSTANT_NEVER;
}

void evidence_relay_down(struct evidence_relays *r, uint32_t relay,
                         struct instant now)
{
    r->until[relay] = instant_after(now, r->lost_after);
}

void evidence_relays_excuse(struct evidence_relays *r, struct span late)
{
    for (size_t i = 0; i < NODE_RELAYS; i++)
        move(&r->until[i], late);
}
