#include "common/io/log_limit.h"

#include "common/io/log.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

enum { AGAIN_S = 60, TELL_S = 10 };

static const struct {
    struct span each;
    int64_t burst;
} shares[] = {
    [LOG_BY_MEMBERS] = {{20000}, 200}, [LOG_BY_STRANGERS] = {{2000000}, 30}};

/* The entry of the event; events beyond the table share the last entry. */
static struct log_kind *kind_of(struct log_limit *l, enum log_cause cause,
                                const char *event)
{
    struct log_kind *k = l->kinds;

    for (; k < &l->kinds[LOG_LIMIT_KINDS - 1] && k->event != NULL; k++)
        if (k->cause == cause && strcmp(k->event, event) == 0)
            return k;
    if (k->event == NULL)
        *k = (struct log_kind){.event = event, .cause = cause};
    return k;
}

static void hash_part(struct log_limit *l, uint64_t *hash, const void *data,
                      size_t size)
{
    uint64_t part;

    crypto_shorthash((uint8_t *)&part, data, size, l->key);
    *hash = *hash * 31 + part;
}

static uint64_t hash_of(struct log_limit *l, const char *event,
                        const char *reason, struct bytes who)
{
    uint64_t hash = 0;

    if (!l->keyed)
        randombytes_buf(l->key, sizeof l->key);
    l->keyed = true;
    hash_part(l, &hash, event, strlen(event));
    hash_part(l, &hash, reason, strlen(reason));
    hash_part(l, &hash, who.data, who.size);
    return hash;
}

/* The entry of the line, or the one that it may take: the oldest of its set.
 * Only a flood of other lines makes the table forget a line too early. */
static struct log_recent *recent_of(struct log_limit *l, uint64_t hash)
{
    struct log_recent *set = l->recent[hash % LOG_LIMIT_SETS];
    struct log_recent *oldest = set;

    for (struct log_recent *r = set; r < &set[LOG_LIMIT_WAYS]; r++) {
        if (r->hash == hash)
            return r;
        if (r->again.us < oldest->again.us)
            oldest = r;
    }
    return oldest;
}

static bool is_repeated(struct log_limit *l, struct instant now, uint64_t hash)
{
    const struct log_recent *r = recent_of(l, hash);

    return r->hash == hash && !instant_reached(r->again, now);
}

static void remember(struct log_limit *l, struct instant now, uint64_t hash)
{
    *recent_of(l, hash) =
        (struct log_recent){hash, instant_after(now, span_s(AGAIN_S))};
}

static bool leave_out(struct log_kind *k, struct instant now)
{
    if (k->left_out++ == 0)
        k->tell_at = instant_after(now, span_s(TELL_S));
    return false;
}

static void tell(struct log_kind *k, struct instant now)
{
    if (k->left_out == 0 || !instant_reached(k->tell_at, now))
        return;
    log_warn("log_limited", "event=%s left_out=%" PRIu64, k->event,
             k->left_out);
    k->left_out = 0;
}

bool log_limit_passes(struct log_limit *l, struct instant now,
                      enum log_cause cause, const char *event,
                      const char *reason, struct bytes who)
{
    struct log_kind *k = kind_of(l, cause, event);
    uint64_t hash = reason != NULL ? hash_of(l, event, reason, who) : 0;

    tell(k, now);
    struct instant at = token_bucket_takes_at(&k->pace, shares[k->cause].each,
                                              shares[k->cause].burst);
    if ((reason != NULL && is_repeated(l, now, hash)) ||
        !instant_reached(at, now))
        return leave_out(k, now);
    if (reason != NULL)
        remember(l, now, hash);
    token_bucket_spend(&k->pace, now, shares[cause].each);
    return true;
}

void log_limit_tell(struct log_limit *l, struct instant now)
{
    for (struct log_kind *k = l->kinds;
         k < &l->kinds[LOG_LIMIT_KINDS] && k->event != NULL; k++)
        tell(k, now);
}
