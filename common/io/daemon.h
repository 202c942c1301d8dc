/*
 * daemon - what a long-running program owes its host: signals, readiness,
 * limits.
 *
 *     d = (struct daemon){.context = me, .stop = stop, .reload = reload};
 *     daemon_open(&d, loop);
 *     ... listen ...
 *     daemon_tell("READY=1");
 */
#ifndef COMMON_IO_DAEMON_H
#define COMMON_IO_DAEMON_H

#include <stdbool.h>
#include <uv.h>

struct daemon {
    void *context;
    void (*stop)(void *context);   /* SIGTERM, SIGINT; each time */
    void (*reload)(void *context); /* SIGHUP; NULL: ignored */
    uv_signal_t term, interrupt, hangup;
};

/* Watches the signals on the loop's thread, without keeping the loop alive, and
 * ignores SIGPIPE. The daemon stays where it is until the loop ran after
 * daemon_close. */
void daemon_open(struct daemon *d, uv_loop_t *loop);
void daemon_close(struct daemon *d);

/* Tells the service manager ("READY=1", "STOPPING=1", "STATUS=..."); nothing
 * happens without one (NOTIFY_SOCKET unset). */
void daemon_tell(const char *state);

/* Raises the soft limit of open files to the hard one; returns what it is. */
unsigned long daemon_raise_files(void);

#endif
