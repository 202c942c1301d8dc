#include "edge/shell/findings_private.h"

#include "common/conf/identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MINUTE_S = 60,
    HOUR_S = 3600,
    DAY_S = 24 * 3600,
    EXPIRES_SOON_S = 14 * DAY_S,
    SKEW_MOST_S = 60, /* clocks that are set differ by less */
    LENGTH_SIZE = 32,
};

/* The date of this code: a clock before it is wrong. */
static const uint64_t clock_least = 1767225600; /* 2026-01-01 */

static const char renew[] =
    "If the clock of this host is right, renew this identity in the mesh's "
    "folder (zs mesh add NAME --renew) and give the new file to this edge.";

/* ---- The certificate */

static void add_certificate(const struct net_facts *f, struct findings *out)
{
    char date[IDENTITY_TIME_SIZE], now[IDENTITY_TIME_SIZE];

    identity_print_time(f->now, now);
    if (f->now < f->not_before)
        findings_add(out, ERROR, "certificate_not_yet",
                     "Set the clock of this host (timedatectl set-ntp true), "
                     "or of the machine that made the identity. No new "
                     "identity is needed.",
                     "This node's certificate is not valid before %s, and this "
                     "host's clock says %s.",
                     identity_print_time(f->not_before, date), now);
    else if (f->not_after != 0 && f->now >= f->not_after)
        findings_add(out, ERROR, "certificate_expired", renew,
                     "This node's certificate has expired, on %s; this host's "
                     "clock says %s.",
                     identity_print_time(f->not_after, date), now);
    else if (f->not_after != 0 && f->not_after - f->now < EXPIRES_SOON_S)
        findings_add(out, WARNING, "certificate_expires", renew,
                     "This node's certificate expires in %" PRIu64 " days.",
                     (f->not_after - f->now) / DAY_S);
}

/* ---- The clocks of relays */

/* "90 seconds", "3 hours": rounded, in the largest unit of which there are two.
 */
static const char *length_of(int64_t seconds, char text[LENGTH_SIZE])
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"days", DAY_S}, {"hours", HOUR_S}, {"minutes", MINUTE_S}};
    int64_t all = llabs(seconds);

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        int64_t count = (all + units[i].seconds / 2) / units[i].seconds;
        if (count >= 2) {
            snprintf(text, LENGTH_SIZE, "%" PRId64 " %s", count, units[i].name);
            return text;
        }
    }
    snprintf(text, LENGTH_SIZE, "%" PRId64 " seconds", all);
    return text;
}

static bool differs(const struct fact_relay *r)
{
    return r->skew_known && llabs(r->skew_s) > SKEW_MOST_S;
}

static bool some_relay_agrees(const struct net_facts *f)
{
    for (size_t i = 0; i < f->relay_count; i++)
        if (f->relays[i].skew_known && !differs(&f->relays[i]))
            return true;
    return false;
}

/* If no relay has this host's time, one line is enough: its clock is likely to
 * be the wrong one. */
static void add_skew(const struct net_facts *f, struct findings *out)
{
    bool here = !some_relay_agrees(f);
    bool told = false;
    char length[LENGTH_SIZE];

    for (size_t i = 0; i < f->relay_count && !(here && told); i++) {
        const struct fact_relay *r = &f->relays[i];
        if (!differs(r))
            continue;
        told = true;
        length_of(r->skew_s, length);
        if (here)
            findings_add(out, WARNING, "clock_skew",
                         "Set the clock of this host (timedatectl set-ntp "
                         "true), or the relay's if that is the wrong one. "
                         "Nodes and relays judge certificates by their own "
                         "clocks.",
                         "The clock of this host is %s %s that of the relay "
                         "%s:%u.",
                         length, r->skew_s > 0 ? "behind" : "ahead of", r->host,
                         r->port);
        else
            findings_add(out, WARNING, "clock_skew",
                         "Set the clock of that relay's host (timedatectl "
                         "set-ntp true): it judges certificates by that clock.",
                         "The clock of the relay %s:%u is %s %s this host's, "
                         "which agrees with another relay's.",
                         r->host, r->port, length,
                         r->skew_s > 0 ? "ahead of" : "behind");
    }
}

void findings_make_skew(const struct net_facts *f, struct findings *out)
{
    out->count = 0;
    add_skew(f, out);
}

void findings_add_clock(const struct net_facts *f, struct findings *out)
{
    char now[IDENTITY_TIME_SIZE];

    if (f->now < clock_least)
        findings_add(out, ERROR, "clock_wrong",
                     "Set the clock of this host (timedatectl set-ntp true).",
                     "The clock of this host is wrong: it says %s.",
                     identity_print_time(f->now, now));
    else
        add_certificate(f, out);
    add_skew(f, out);
}
