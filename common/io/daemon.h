/*
 * daemon - what a long-running program needs from its host: signals, a
 * readiness message to the service manager, limits of open files.
 *
 *     d = (struct daemon){.context = me, .stop = stop, .reload = reload};
 *     if (!daemon_open(&d, loop)) ...
 *     ... listen ...
 *     daemon_tell("READY=1");
 *
 * SIGTERM and SIGINT end the process within 2 s, even if its loop hangs: a
 * thread receives the signals and wakes the loop; if the process has not ended
 * DAEMON_STOP_MS later, that thread ends it.
 */
#ifndef COMMON_IO_DAEMON_H
#define COMMON_IO_DAEMON_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <uv.h>

enum { DAEMON_STOP_MS = 1800 };

struct daemon {
    void *context;
    void (*stop)(void *context);   /* after each SIGTERM or SIGINT */
    void (*reload)(void *context); /* after SIGHUP; NULL: nothing happens */
    uv_async_t wake;
};

/*
 * Receives the signals from now on (which does not keep the loop alive),
 * ignores SIGPIPE, makes malloc return freed memory to the system, and starts
 * the log's thread. Call it once in a process, before any other thread exists.
 * The callbacks run on the loop's thread. False if the system gives no thread
 * or descriptor. `d` must stay in place until the loop has run after
 * daemon_close.
 */
bool daemon_open(struct daemon *d, uv_loop_t *loop) MUST_USE;
/* The loop hears no more signals; the thread continues. */
void daemon_close(struct daemon *d);

/* Sends a line to the service manager ("READY=1", "STOPPING=1", "STATUS=...").
 * Does nothing if there is none (NOTIFY_SOCKET is unset). Never blocks. */
void daemon_tell(const char *state);

/* Call it before the process ends: waits a short time until log lines and
 * messages to the service manager are written. */
void daemon_flush(void);

/* Raises the soft limit of open files to the hard limit; returns the new limit.
 */
unsigned long daemon_raise_files(void);
/* The number of files that are open now; 0: unknown. */
unsigned long daemon_count_files(void);

#endif
