/*
 * log - lines on stderr with a stable event name, for the shells only.
 *
 *     log_warn("peer_lost", "peer=%s silent_ms=%lld", name, silent);
 *
 * text: 2026-11-22T10:00:00.123Z warn peer_lost peer=bob silent_ms=3000
 * json: {"time":"...","level":"warn","event":"peer_lost","peer":"bob",...}
 *
 * The details are key=value words; a value that may hold spaces, quotes or
 * bytes of a peer's goes through log_quote. Never keys or payloads.
 *
 * A daemon calls log_start before its loop runs: from then on a thread writes
 * to stderr, so that nobody waits for who reads it. Lines that find no room
 * (256 KiB) or cannot be written are lost, and "log_lost lines=N" says so.
 */
#ifndef COMMON_IO_LOG_H
#define COMMON_IO_LOG_H

#include <stdbool.h>
#include <stdio.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

void log_setup(enum log_level level, enum log_format format);
bool log_level_parse(const char *text, enum log_level *level);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *event, const char *details,
               ...) __attribute__((format(printf, 3, 4)));
/* Quotes a value: "two words", with \" \\ \n \xNN escaped, cut at the room. */
const char *log_quote(const char *value, char *room, unsigned long size);

/* False if the system gives no thread; then all stays as it was. */
bool log_start(void);
/* Before the process ends: waits for the lines to be written, a little. */
void log_end(void);
/* A stream to where the lines go, for what writes sentences to a FILE. It is
 * never closed. */
FILE *log_stream(void);

/* Where a thread's lines go instead of stderr, from `level` on; for a node
 * inside a program that is not ours. `details` are the key=value words. */
struct log_sink {
    void *context;
    enum log_level level;
    void (*line)(void *context, enum log_level level, const char *event,
                 const char *details);
};
/* Borrowed until it is replaced; NULL: stderr. Returns the one before. */
const struct log_sink *log_divert(const struct log_sink *sink);

#define log_error(event, ...) log_write(LOG_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...) log_write(LOG_WARN, event, __VA_ARGS__)
#define log_info(event, ...) log_write(LOG_INFO, event, __VA_ARGS__)
#define log_debug(event, ...)                                                  \
    (log_enabled(LOG_DEBUG) ? log_write(LOG_DEBUG, event, __VA_ARGS__)         \
                            : (void)0)

#endif
