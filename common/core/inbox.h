/*
 * inbox - takes a session's records in order, once, and makes messages of
 * them again [P-6.7].
 *
 * Paths are reliable pipes and a sender starts again from the first record
 * unacknowledged, so a record that is not the expected one is either a
 * duplicate or comes again: both are dropped, and nothing is stored but the
 * message in the making.
 */
#ifndef COMMON_CORE_INBOX_H
#define COMMON_CORE_INBOX_H

#include "common/wire/record.h"

struct inbox {
    uint64_t expected; /* the next sequence to take */
    size_t limit;      /* the largest message, bytes */
    uint8_t *message;  /* in the making; NULL: none */
    size_t size;
    size_t total;
    size_t capacity;
    bool complete; /* the message was handed out; room is used again */
};

enum inbox_verdict {
    INBOX_TAKEN,     /* more of the message is to come */
    INBOX_MESSAGE,   /* a message is complete */
    INBOX_DUPLICATE, /* had it */
    INBOX_GAP,       /* something before it is missing */
    INBOX_VIOLATION, /* no honest sender does this; the session is unusable */
};

void inbox_init(struct inbox *in, size_t limit_bytes);
void inbox_close(struct inbox *in);
/* On MESSAGE the view is valid until the next call (or lies in the record's
 * own bytes). */
enum inbox_verdict inbox_take(struct inbox *in, const struct data_record *r,
                              struct bytes *message) MUST_USE;
/* Everything up to it was taken. */
uint64_t inbox_cumulative(const struct inbox *in);
/* Goes on with this sequence, forgetting a message in the making. */
void inbox_begin(struct inbox *in, uint64_t sequence);
/* Takes the expected record unseen. */
void inbox_pass(struct inbox *in);

#endif
