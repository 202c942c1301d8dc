/*
 * line_writer - lines that a thread of its own writes, so that nobody waits.
 *
 * A descriptor that others have too (stderr, mostly) must not be made
 * non-blocking, and poll does not tell of a file on a disk that hangs, nor of
 * another process that fills the same pipe first. So a thread waits, and the
 * others put lines into bounded memory. Lines that find no room, and those that
 * cannot be written, are counted; the thread says how many were lost as soon as
 * it can.
 */
#ifndef COMMON_IO_LINE_WRITER_H
#define COMMON_IO_LINE_WRITER_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_WRITER_LINE = 2048 }; /* a longer line is written in parts */

struct line_writer;

struct line_writer_calls {
    void *context;
    /* On the thread, may wait. False: the line is lost. */
    bool (*write)(void *context, const char *line, size_t size);
    /* On the thread: writes the line that says how many were lost; returns its
     * size. NULL: they are forgotten. */
    size_t (*lost)(uint64_t count, char line[LINE_WRITER_LINE]);
};

/* `room`: bytes that may wait. NULL if the system gives no thread. */
struct line_writer *line_writer_open(size_t room,
                                     const struct line_writer_calls *calls);
/* `line` ends with \n. Never waits; from any thread. */
void line_writer_put(struct line_writer *w, const char *line, size_t size);
/* Waits until all that was put is written, or for so long. True if it is. */
bool line_writer_flush(struct line_writer *w, int ms);
/* Ends the thread as soon as all is written, so it may wait for ever. For
 * tests: a program just ends. */
void line_writer_close(struct line_writer **self);

#endif
