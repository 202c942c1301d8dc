/*
 * line_writer - writes lines on a thread of its own, so that no other thread
 * ever blocks on the descriptor.
 *
 * A descriptor that other processes share (mostly stderr) must not be made
 * non-blocking, and poll does not report a disk that hangs, or another process
 * that fills the same pipe first. So one thread may block, and the others put
 * their lines into a buffer of fixed size. Lines that find the buffer full, or
 * that cannot be written, are counted; the thread writes a line with the count
 * as soon as it can.
 */
#ifndef COMMON_IO_LINE_WRITER_H
#define COMMON_IO_LINE_WRITER_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_WRITER_LINE = 2048 }; /* bytes; a longer line is written in parts */

struct line_writer;

struct line_writer_calls {
    void *context;
    /* Runs on the thread and may block. False: the line is lost. */
    bool (*write)(void *context, const char *line, size_t size);
    /* Runs on the thread: writes the line that says how many were lost, and
     * returns its size. NULL: lost lines are not reported. */
    size_t (*lost)(uint64_t count, char line[LINE_WRITER_LINE]);
};

/* `capacity` is the size of the buffer in bytes. NULL if the system gives no
 * thread. */
struct line_writer *line_writer_open(size_t capacity,
                                     const struct line_writer_calls *calls);
/* Queues a line, which must end with \n. From any thread; never blocks. */
void line_writer_put(struct line_writer *w, const char *line, size_t size);
/* Waits at most `ms` milliseconds for all queued lines. True if all were
 * written. */
bool line_writer_flush(struct line_writer *w, int ms);
/* Writes all queued lines and ends the thread; may block for ever. For tests: a
 * program just exits. */
void line_writer_close(struct line_writer **self);

#endif
