/*
 * detector - tells from silence whether the other end of a link is alive.
 *
 * The detector asks for a probe every `interval`; after `lost_after` without a
 * packet it reports the end as down. Probing goes on, so an end that returns is
 * noticed. The owner calls detector_due at detector_deadline, detector_heard
 * for each packet, and detector_excuse when its own loop was late.
 */
#ifndef COMMON_CORE_DETECTOR_H
#define COMMON_CORE_DETECTOR_H

#include "common/base/instant.h"

#include <stdint.h>

struct detector_conf {
    struct span interval;   /* > 0 */
    struct span lost_after; /* > 0 */
};

enum detector_verdict { DETECTOR_WAIT, DETECTOR_PROBE, DETECTOR_DOWN };

struct detector {
    struct detector_conf conf;
    struct instant heard;
    struct instant probe_at;
    bool down;
    struct instant answer_by; /* set by detector_hurry; else NEVER */
    uint64_t token;           /* of the last probe; 0: none was sent */
    struct instant asked;
    struct span rtt; /* negative: unknown */
};

/* Starts as if a packet had come now. A first probe is due at once. */
void detector_init(struct detector *d, const struct detector_conf *conf,
                   struct instant now);
/* An authentic packet came from the other end. Returns true if that end was
 * down until now. */
bool detector_heard(struct detector *d, struct instant now);
/* What the owner must do now: nothing, or send a probe. DOWN says once per
 * silence that the end is down, and asks for a probe as well. */
enum detector_verdict detector_due(struct detector *d, struct instant now);
/* When the owner must call detector_due. */
struct instant detector_deadline(const struct detector *d);
/* The owner sends a probe now; returns the token that goes into the probe. */
uint64_t detector_asks(struct detector *d, struct instant now);
/* The answer to a probe came; updates `rtt`. If it took long, the next probe is
 * due now: a cut may have delayed the answer. False if the token is not that of
 * the last probe: the answer then measures nothing. */
bool detector_answered(struct detector *d, uint64_t token, struct instant now);
/* The network changed, so the end may be gone. A probe is due now; unless a
 * packet comes within 4 round trips, but at least `shortest`, the end is down.
 */
void detector_hurry(struct detector *d, struct instant now,
                    struct span shortest);
/* Nothing was asked for a while: silence counts from now on, and a probe is
 * due. */
void detector_resume(struct detector *d, struct instant now);
/* True from detector_hurry until a packet comes. */
bool detector_is_hurried(const struct detector *d);
/* The owner's loop was late by this span; it does not count as silence of the
 * other end. */
void detector_excuse(struct detector *d, struct span late);

/* The round trip after the answer to one more probe. An answer that waited
 * behind a cut says nothing, and the next one is as fast as ever: so a shorter
 * sample replaces the value, and a longer one counts by half, as twice the
 * value at most. A negative value is unknown. */
struct span rtt_of_probe(struct span rtt, struct span sample);
/* The smoothed round trip after one more sample, which weighs an eighth, as in
 * RFC 6298. A negative `smoothed` is unknown: the sample replaces it. */
struct span rtt_smooth(struct span smoothed, struct span sample);

#endif
