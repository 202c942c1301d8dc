/*
 * daemon - what a long-running program owes its host: signals, readiness,
 * limits.
 *
 *     d = (struct daemon){.context = me, .stop = stop, .reload = reload};
 *     if (!daemon_open(&d, loop)) ...
 *     ... listen ...
 *     daemon_tell("READY=1");
 *
 * SIGTERM and SIGINT end the process within 2 s in any case: a thread of its
 * own takes the signals and tells the loop; where the loop does not end the
 * process within DAEMON_STOP_MS, the thread does.
 */
#ifndef COMMON_IO_DAEMON_H
#define COMMON_IO_DAEMON_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <uv.h>

enum { DAEMON_STOP_MS = 1800 };

struct daemon {
    void *context;
    void (*stop)(void *context);   /* SIGTERM, SIGINT; each time */
    void (*reload)(void *context); /* SIGHUP; NULL: ignored */
    uv_async_t wake;
};

/*
 * Takes the signals from now on, without keeping the loop alive, ignores
 * SIGPIPE, has freed memory go back to the system and starts the log's thread.
 * To be called before any other thread is made, once in a process. The
 * callbacks run on the loop's thread. False if the system gives no thread or
 * descriptor. The daemon stays where it is until the loop ran after
 * daemon_close.
 */
bool daemon_open(struct daemon *d, uv_loop_t *loop) MUST_USE;
/* The loop hears no more signals; the thread goes on. */
void daemon_close(struct daemon *d);

/* Tells the service manager ("READY=1", "STOPPING=1", "STATUS=..."); nothing
 * happens without one (NOTIFY_SOCKET unset). Never waits. */
void daemon_tell(const char *state);

/* Before the process ends: what was logged and told is written, if somebody
 * takes it within a moment. */
void daemon_flush(void);

/* Raises the soft limit of open files to the hard one; returns what it is. */
unsigned long daemon_raise_files(void);
/* How many files are open now; 0: unknown. */
unsigned long daemon_count_files(void);

#endif
