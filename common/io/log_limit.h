/*
 * log_limit - how many lines others can make this process log.
 *
 *     if (log_limit_passes(l, now, LOG_BY_STRANGERS, "accept_failed", reason,
 *                          who))
 *         log_warn("accept_failed", "reason=%s", reason);
 *
 * Every line that a peer, a stranger or a local program can cause passes here.
 * Each event has a limit of its own, and members' lines another one than
 * strangers', so that a flood of one kind of line suppresses no other: to
 * strangers 30 at once and then one every 2 s, to members 200 at once and then
 * 50 a second. The same line about the same one is written once a minute. What
 * was left out is told: log_limited event=accept_failed left_out=812.
 */
#ifndef COMMON_IO_LOG_LIMIT_H
#define COMMON_IO_LOG_LIMIT_H

#include "common/base/bytes.h"
#include "common/base/instant.h"
#include "common/base/pace.h"

enum { LOG_LIMIT_KINDS = 64, LOG_LIMIT_RECENT = 256 };

/* Who can cause the line. */
enum log_cause { LOG_BY_MEMBERS, LOG_BY_STRANGERS };

/* An event's share. */
struct log_kind {
    const char *event; /* NULL: a free place */
    enum log_cause cause;
    struct pace pace;
    uint64_t left_out;
    struct instant tell_at; /* how many were left out */
};

/* A zeroed one is ready. */
struct log_limit {
    struct log_kind kinds[LOG_LIMIT_KINDS];
    struct {
        uint64_t hash; /* of the line; keyed, so that nobody aims at one */
        struct instant again;
    } recent[LOG_LIMIT_RECENT];
    uint8_t key[16];
    bool keyed;
};

/*
 * True if the line may be written now. `event` stays valid. `reason` and `who`
 * (an id, an address without its port; may be empty) say what it is about: once
 * a minute is enough for the same. A NULL `reason`: each line is news.
 */
bool log_limit_passes(struct log_limit *l, struct instant now,
                      enum log_cause cause, const char *event,
                      const char *reason, struct bytes who) MUST_USE;

/* Writes how many lines were left out, 10 s after the first of them. To be
 * called now and then, as a flood may be over. */
void log_limit_tell(struct log_limit *l, struct instant now);

#endif
