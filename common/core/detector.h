/*
 * detector - tells from silence whether the other end of a link is there.
 *
 * A silent end is probed every `interval`; after `lost_after` of silence it is
 * down. Probing goes on meanwhile, so that it comes back by itself. The owner
 * calls detector_due at detector_deadline, and detector_excuse when it was its
 * own loop that was late.
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
    struct instant answer_by; /* it was hurried; NEVER: it was not */
    uint64_t token;           /* of the last probe; 0: none */
    struct instant asked;
    struct span rtt; /* smoothed; < 0: unknown */
};

/* Starts as if the end had been heard now. */
void detector_init(struct detector *d, const struct detector_conf *conf,
                   struct instant now);
/* An authentic packet came. Returns true if the end had been down. */
bool detector_heard(struct detector *d, struct instant now);
/* What to do now. DOWN is told once per silence, and is also a PROBE. */
enum detector_verdict detector_due(struct detector *d, struct instant now);
struct instant detector_deadline(const struct detector *d);
/* A probe goes out now: the token for it. */
uint64_t detector_asks(struct detector *d, struct instant now);
/* The answer to a probe; false for an old token, which measures nothing. */
bool detector_answered(struct detector *d, uint64_t token, struct instant now);
/* There is reason to doubt it, as the network changed: a probe is due now, and
 * it is down unless it is heard within 4 RTTs, at least `shortest`. */
void detector_hurry(struct detector *d, struct instant now,
                    struct span shortest);
bool detector_is_hurried(const struct detector *d);
/* The owner was late by so much: that silence does not count. */
void detector_excuse(struct detector *d, struct span late);

/* An eighth of the new sample each, as in RFC 6298. */
struct span rtt_smooth(struct span smoothed, struct span sample);

#endif
