#include "common/io/daemon.h"

#include "common/io/line_writer.h"
#include "common/io/log.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    NOTIFY_ROOM = 4096,
    NOTIFY_END_MS = 50,
    LARGE_BYTES = 1024 * 1024,
    KEPT_BYTES = 8 * 1024 * 1024,
};

/* ---- Signals */

/* One for the process, because signals are sent to the process. */
static struct {
    pthread_mutex_t mutex;
    struct daemon *daemon; /* NULL: no loop to wake */
    unsigned stops;        /* not yet reported to the loop */
    unsigned hangups;
} signals = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void signal_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

/* Runs on the loop's thread. */
static void on_wake(uv_async_t *wake)
{
    struct daemon *d = wake->data;

    pthread_mutex_lock(&signals.mutex);
    unsigned stops = signals.stops, hangups = signals.hangups;
    signals.stops = signals.hangups = 0;
    pthread_mutex_unlock(&signals.mutex);
    if (hangups > 0 && d->reload != NULL)
        d->reload(d->context);
    for (; stops > 0; stops--)
        d->stop(d->context);
}

static void tell_loop(int number)
{
    pthread_mutex_lock(&signals.mutex);
    if (number == SIGHUP)
        signals.hangups++;
    else
        signals.stops++;
    if (signals.daemon != NULL)
        uv_async_send(&signals.daemon->wake);
    pthread_mutex_unlock(&signals.mutex);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for a signal; 0 when the time is over, or on an interruption. */
static int wait_signal(const sigset_t *set, int64_t until_ms)
{
    int64_t left = until_ms - now_ms();
    struct timespec t = {left / 1000, left % 1000 * 1000000};

    if (until_ms == INT64_MAX)
        return sigwaitinfo(set, NULL);
    return left <= 0 ? 0 : sigtimedwait(set, NULL, &t);
}

/* The signal thread. It must work while the loop waits for a disk or spins, so
 * to end the process it takes no lock and writes no line. */
static void *run(void *context)
{
    int64_t until_ms = INT64_MAX;
    sigset_t set;

    (void)context;
    signal_set(&set);
    for (;;) {
        int number = wait_signal(&set, until_ms);
        if (until_ms != INT64_MAX && now_ms() >= until_ms)
            _exit(EXIT_SUCCESS);
        if (number <= 0)
            continue;
        if (number != SIGHUP && until_ms == INT64_MAX)
            until_ms = now_ms() + DAEMON_STOP_MS;
        tell_loop(number);
    }
    return NULL;
}

static bool start_thread(void)
{
    pthread_t thread;
    sigset_t set, all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, NULL, run, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started)
        return false;
    pthread_detach(thread);
    signal_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return true;
}

/* By default glibc raises both thresholds whenever a large block is freed, and
 * then keeps up to 64 MiB of free memory: what a flood made it allocate would
 * never go back to the system. */
static void return_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

bool daemon_open(struct daemon *d, uv_loop_t *loop)
{
    signal(SIGPIPE, SIG_IGN);
    return_memory();
    if (uv_async_init(loop, &d->wake, on_wake) != 0)
        return false;
    d->wake.data = d;
    uv_unref((uv_handle_t *)&d->wake);
    signals.daemon = d;
    if (start_thread() && log_start())
        return true;
    daemon_close(d);
    return false;
}

void daemon_close(struct daemon *d)
{
    pthread_mutex_lock(&signals.mutex);
    signals.daemon = NULL;
    pthread_mutex_unlock(&signals.mutex);
    uv_close((uv_handle_t *)&d->wake, NULL);
}

/* ---- Readiness */

static struct line_writer *notifier; /* NULL: nothing was sent yet */

static socklen_t notify_address(struct sockaddr_un *to)
{
    const char *path = getenv("NOTIFY_SOCKET");

    if (path == NULL || (path[0] != '/' && path[0] != '@') ||
        strlen(path) >= sizeof to->sun_path)
        return 0;
    size_t size = strlen(path);
    *to = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(to->sun_path, path, size);
    if (path[0] == '@')
        to->sun_path[0] = '\0'; /* an abstract socket */
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

/* Runs on the writer's thread, because sendto blocks while the manager's queue
 * is full. */
static bool send_state(void *context, const char *line, size_t size)
{
    struct sockaddr_un to;
    socklen_t to_size = notify_address(&to);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)context;
    if (fd < 0)
        return false;
    bool sent = sendto(fd, line, size - 1, MSG_NOSIGNAL, (struct sockaddr *)&to,
                       to_size) >= 0;
    close(fd);
    return sent;
}

void daemon_tell(const char *state)
{
    static const struct line_writer_calls calls = {.write = send_state};
    struct sockaddr_un to;
    char line[256];

    if (notify_address(&to) == 0)
        return;
    if (notifier == NULL)
        notifier = line_writer_open(NOTIFY_ROOM, &calls);
    int size = snprintf(line, sizeof line, "%s\n", state);
    if (notifier != NULL && size < (int)sizeof line)
        line_writer_put(notifier, line, (size_t)size);
}

void daemon_flush(void)
{
    log_end();
    if (notifier != NULL)
        (void)line_writer_flush(notifier, NOTIFY_END_MS);
}

unsigned long daemon_raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

unsigned long daemon_count_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned long count = 0;

    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 3; /* ".", "..", and the folder itself */
}
