/*
 * log_limit - limits the log lines that others can cause.
 *
 *     if (log_limit_passes(l, now, LOG_BY_STRANGERS, "accept_failed", reason,
 *                          who))
 *         log_warn("accept_failed", "reason=%s", reason);
 *
 * Every line that a peer, a stranger or a local program can cause must pass
 * here. Each event has its own limit, and members another one than strangers,
 * so that a flood of one event does not suppress others: strangers get 30 lines
 * at once and then one every 2 s, members 200 at once and then 50 a second. A
 * line with the same event, reason and cause is written once a minute. A line
 * tells how many were suppressed: log_limited event=accept_failed left_out=812.
 */
#ifndef COMMON_IO_LOG_LIMIT_H
#define COMMON_IO_LOG_LIMIT_H

#include "common/base/bytes.h"
#include "common/base/instant.h"
#include "common/base/token_bucket.h"

enum { LOG_LIMIT_KINDS = 64, LOG_LIMIT_SETS = 32, LOG_LIMIT_WAYS = 8 };

/* Who can cause the line: authenticated members of the mesh, or anybody. */
enum log_cause { LOG_BY_MEMBERS, LOG_BY_STRANGERS };

/* The limit of one event. */
struct log_kind {
    const char *event; /* NULL: a free entry */
    enum log_cause cause;
    struct token_bucket pace;
    uint64_t left_out;
    struct instant tell_at; /* when to write how many were suppressed */
};

/* A line that was written. Its hash is keyed, so that nobody can aim at another
 * line's entry. */
struct log_recent {
    uint64_t hash;
    struct instant again; /* when the same line may be written again */
};

/* A zeroed struct is ready for use. A line's hash names its set; within a set
 * the oldest entry makes room. */
struct log_limit {
    struct log_kind kinds[LOG_LIMIT_KINDS];
    struct log_recent recent[LOG_LIMIT_SETS][LOG_LIMIT_WAYS];
    uint8_t key[16];
    bool keyed;
};

/*
 * True if the line may be written now. `event` must stay valid (a constant).
 * `reason` and `who` (an id, or an address without its port; may be empty) say
 * what the line is about: the same combination passes once a minute. With
 * `reason` NULL no line counts as a repetition.
 */
bool log_limit_passes(struct log_limit *l, struct instant now,
                      enum log_cause cause, const char *event,
                      const char *reason, struct bytes who) MUST_USE;

/* Writes how many lines were suppressed, 10 s after the first of them. Call it
 * regularly: after a flood nothing else would report the number. */
void log_limit_tell(struct log_limit *l, struct instant now);

#endif
