#include "edge/shell/resume.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* A shorter difference may come from preemption between the two readings. */
static const struct span least = {500 * 1000};

struct resume {
    void (*woke)(void *context, struct span slept);
    void *context;
    int fd;
    uv_poll_t poll;
    struct span ahead;
};

static int64_t read_us(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static struct span ahead_now(void)
{
    int64_t monotonic = read_us(CLOCK_MONOTONIC);

    return span_us(read_us(CLOCK_BOOTTIME) - monotonic);
}

struct span resume_slept(struct span before, struct span now)
{
    struct span slept = span_us(now.us - before.us);

    return slept.us < least.us ? span_us(0) : slept;
}

static void on_timer(uv_poll_t *poll, int status, int events)
{
    struct resume *w = poll->data;
    uint64_t times;

    (void)status;
    (void)events;
    if (read(w->fd, &times, sizeof times) < 0)
        return;
    struct span now = ahead_now(), slept = resume_slept(w->ahead, now);
    w->ahead = now;
    if (slept.us > 0)
        w->woke(w->context, slept);
}

struct resume *resume_open(uv_loop_t *loop,
                           void (*woke)(void *context, struct span slept),
                           void *context)
{
    const struct itimerspec each_second = {{1, 0}, {1, 0}};
    int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd < 0)
        return NULL;
    struct resume *w = memory_new(sizeof *w);
    *w = (struct resume){woke, context, fd, .ahead = ahead_now()};
    if (timerfd_settime(fd, 0, &each_second, NULL) != 0 ||
        uv_poll_init(loop, &w->poll, fd) != 0) {
        close(fd);
        free(w);
        return NULL;
    }
    w->poll.data = w;
    uv_poll_start(&w->poll, UV_READABLE, on_timer);
    return w;
}

static void on_closed(uv_handle_t *handle)
{
    struct resume *w = handle->data;

    close(w->fd);
    free(w);
}

void resume_close(struct resume **self)
{
    struct resume *w = *self;

    if (w == NULL)
        return;
    *self = NULL;
    uv_close((uv_handle_t *)&w->poll, on_closed);
}
