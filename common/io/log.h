/*
 * log - writes lines with a stable event name to stderr; for the shells only.
 *
 *     log_warn("peer_lost", "peer=%s silent_ms=%lld", name, silent);
 *
 * text: 2026-11-22T10:00:00.123Z warn peer_lost peer=bob silent_ms=3000 json:
 * {"time":"...","level":"warn","event":"peer_lost","peer":"bob",...}
 *
 * The details are key=value words. A value that may contain spaces or quotes,
 * or that a peer sent, must pass through log_quote. Keys and payloads are never
 * logged.
 *
 * A daemon calls log_start before its loop runs: from then on a thread writes
 * to stderr, and no other thread blocks on it. Lines that find its buffer (256
 * KiB) full or that cannot be written are lost; a line "log_lost lines=N"
 * reports them.
 */
#ifndef COMMON_IO_LOG_H
#define COMMON_IO_LOG_H

#include <stdbool.h>
#include <stdio.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* Sets the level and format for the whole process. */
void log_setup(enum log_level level, enum log_format format);
/* Reads "error", "warn", "info" or "debug"; false for any other text. */
bool log_level_parse(const char *text, enum log_level *level);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *event, const char *details,
               ...) __attribute__((format(printf, 3, 4)));
/* Writes `value` in quotes to `buffer`: "two words", with escapes \" \\ \n
 * \xNN, shortened to fit. Returns `buffer`. */
const char *log_quote(const char *value, char *buffer, unsigned long size);

/* Starts the thread. False if the system gives none: the callers' threads go on
 * writing. */
bool log_start(void);
/* Call it before the process ends: waits until the lines are written, for 0.1 s
 * at the most where nobody reads them, and for 1 s where somebody does. */
void log_end(void);
/* A stream that writes to the same place, for functions that print sentences to
 * a FILE. Must not be closed. */
FILE *log_stream(void);

/* Receives the calling thread's lines from `level` on, instead of stderr: for a
 * node inside a program that is not ours. `details` are the key=value words. */
struct log_sink {
    void *context;
    enum log_level level;
    void (*line)(void *context, enum log_level level, const char *event,
                 const char *details);
};
/* Sets the thread's sink; it is borrowed until it is replaced. NULL: stderr.
 * Returns the sink before. */
const struct log_sink *log_divert(const struct log_sink *sink);

#define log_error(event, ...) log_write(LOG_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...) log_write(LOG_WARN, event, __VA_ARGS__)
#define log_info(event, ...) log_write(LOG_INFO, event, __VA_ARGS__)
#define log_debug(event, ...)                                                  \
    (log_enabled(LOG_DEBUG) ? log_write(LOG_DEBUG, event, __VA_ARGS__)         \
                            : (void)0)

#endif
