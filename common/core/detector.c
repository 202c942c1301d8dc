#include "common/core/detector.h"

/* How long detector_hurry waits if no round trip was measured yet. */
static const struct span rtt_unknown = {1000 * 1000};
/* The answer to one probe makes the round trip longer by half of it and of
 * this, at most. */
static const struct span rtt_step = {1000};
/* A round trip that became longer than this is measured again at once. */
static const struct span rtt_long = {100 * 1000};

void detector_init(struct detector *d, const struct detector_conf *conf,
                   struct instant now)
{
    *d = (struct detector){
        .conf = *conf,
        .heard = now,
        .probe_at = now,
        .answer_by = INSTANT_NEVER,
        .rtt = span_us(-1),
    };
}

bool detector_heard(struct detector *d, struct instant now)
{
    bool was_down = d->down;
    d->heard = now;
    d->down = false;
    d->answer_by = INSTANT_NEVER;
    return was_down;
}

static struct instant lost_at(const struct detector *d)
{
    return instant_min(d->answer_by,
                       instant_after(d->heard, d->conf.lost_after));
}

enum detector_verdict detector_due(struct detector *d, struct instant now)
{
    if (!d->down && instant_reached(lost_at(d), now)) {
        d->down = true;
        d->probe_at = instant_after(now, d->conf.interval);
        return DETECTOR_DOWN;
    }
    if (!instant_reached(d->probe_at, now))
        return DETECTOR_WAIT;
    d->probe_at = instant_after(now, d->conf.interval);
    return DETECTOR_PROBE;
}

struct instant detector_deadline(const struct detector *d)
{
    return d->down ? d->probe_at : instant_min(d->probe_at, lost_at(d));
}

uint64_t detector_asks(struct detector *d, struct instant now)
{
    d->asked = now;
    return ++d->token;
}

bool detector_answered(struct detector *d, uint64_t token, struct instant now)
{
    if (token != d->token)
        return false;
    struct span sample = instant_between(d->asked, now);
    bool longer = d->rtt.us < 0 || sample.us > d->rtt.us;
    d->rtt = rtt_of_probe(d->rtt, sample);
    if (longer && sample.us > rtt_long.us)
        d->probe_at = now;
    return true;
}

void detector_hurry(struct detector *d, struct instant now,
                    struct span shortest)
{
    struct span wait = d->rtt.us < 0 ? rtt_unknown : span_times(d->rtt, 4);
    d->probe_at = now;
    if (!detector_is_hurried(d))
        d->answer_by = instant_after(now, span_max(wait, shortest));
}

void detector_resume(struct detector *d, struct instant now)
{
    d->heard = d->probe_at = now;
    d->answer_by = INSTANT_NEVER;
    d->down = false;
}

bool detector_is_hurried(const struct detector *d)
{
    return !instant_is_never(d->answer_by);
}

void detector_excuse(struct detector *d, struct span late)
{
    d->heard = instant_after(d->heard, late);
    d->answer_by = instant_after(d->answer_by, late);
}

struct span rtt_of_probe(struct span rtt, struct span sample)
{
    if (rtt.us < 0 || sample.us < rtt.us)
        return sample;
    int64_t most = 2 * rtt.us + rtt_step.us;
    return span_us((rtt.us + span_min(sample, span_us(most)).us) / 2);
}

struct span rtt_smooth(struct span smoothed, struct span sample)
{
    if (smoothed.us < 0)
        return sample;
    return span_us(smoothed.us + (sample.us - smoothed.us) / 8);
}
