/*
 * inbox - takes a session's records in order, each once, and joins them to
 * messages [P-6.7].
 *
 * The sender begins again at its first unacknowledged record whenever something
 * may have been lost. So a record with another number than expected is a
 * duplicate, or will come again: the inbox drops it. It stores nothing but the
 * part of one message that has come so far.
 */
#ifndef COMMON_CORE_INBOX_H
#define COMMON_CORE_INBOX_H

#include "common/wire/record.h"

struct inbox {
    uint64_t expected; /* the number of the next record */
    size_t limit;      /* of a message, bytes */
    uint8_t *message;  /* the part that has come; NULL: none */
    size_t size;
    size_t total;
    size_t capacity;
    bool complete; /* the message was handed out; the next call frees it */
};

enum inbox_verdict {
    INBOX_TAKEN,     /* part of a message; more records follow */
    INBOX_MESSAGE,   /* the message is complete */
    INBOX_DUPLICATE, /* this record came before */
    INBOX_GAP,       /* a record before this one is missing */
    /* No correct sender does this: the owner must close the session. */
    INBOX_VIOLATION,
};

/* Expects record 1. A message larger than `limit_bytes` is a violation. */
void inbox_init(struct inbox *in, size_t limit_bytes);
void inbox_close(struct inbox *in);
/* Takes one record. On INBOX_MESSAGE, `*message` is a view, valid until the
 * next call; a message of one record lies in the record's own bytes. INBOX_GAP
 * also if there is no memory: the record is then as good as lost and comes
 * again. */
enum inbox_verdict inbox_take(struct inbox *in, const struct data_record *r,
                              struct bytes *message) MUST_USE;
/* The number of the last record taken: all up to it were taken. */
uint64_t inbox_cumulative(const struct inbox *in);
/* Expects this number next and drops a message that is not complete. */
void inbox_begin(struct inbox *in, uint64_t sequence);
/* Counts the expected record as taken without seeing it. */
void inbox_pass(struct inbox *in);

#endif
