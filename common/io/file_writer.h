/*
 * file_writer - writes whole files on a thread of its own, because a disk can
 * hang.
 *
 * It writes one file at a time, in order. If a file is put again before it was
 * written, only the newest content is written. Made for lists that come from
 * the network and must survive a restart.
 */
#ifndef COMMON_IO_FILE_WRITER_H
#define COMMON_IO_FILE_WRITER_H

#include "common/base/bytes.h"

#include <stdio.h>
#include <uv.h>

enum { FILE_WRITER_WAITING = 1024, FILE_WRITER_CLOSE_MS = 300 };

struct file_writer;

struct file_writer_calls {
    void *context;
    /* Runs on the thread. On failure returns false with the reason in `errors`.
     */
    bool (*write)(const char *path, struct bytes content, FILE *errors);
    /* Runs on the loop. `errors` has the lines of `write`, empty if `good`; the
     * callee may change it. */
    void (*done)(void *context, const char *path, bool good, char *errors);
};

/* Opens a writer; it does not keep the loop alive. NULL if the system gives no
 * descriptor. */
struct file_writer *file_writer_open(uv_loop_t *loop,
                                     const struct file_writer_calls *calls);
/* Copies the path and the content and queues them. False if FILE_WRITER_WAITING
 * files are queued, or if there is no thread. */
bool file_writer_put(struct file_writer *w, const char *path,
                     struct bytes content) MUST_USE;
/* Waits up to FILE_WRITER_CLOSE_MS for queued files; if the disk hangs longer,
 * they are lost. The loop must run afterwards to free the memory. NULL is
 * allowed.
 */
void file_writer_close(struct file_writer **self);

#endif
