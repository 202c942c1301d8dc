#include "edge/cli/bench.h"

#include "common/io/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE = 78 };
static const struct span each = {500 * 1000};

void bench_progress_begin(struct bench_progress *l, size_t size)
{
    *l = (struct bench_progress){.shown = isatty(STDERR_FILENO), .size = size};
    l->begun = l->told_at = clock_now();
}

/* Blanks erase the rest of a longer line; the last \r puts the cursor where the
 * next output may begin. */
static void show(const char *text)
{
    fprintf(stderr, "\r%-*s\r", LINE, text);
    fflush(stderr);
}

void bench_progress_tell(struct bench_progress *l, uint64_t count,
                         struct span rtt)
{
    struct instant now = clock_now();
    struct span since = instant_between(l->told_at, now);
    char text[LINE + 1];

    if (!l->shown || since.us < each.us)
        return;
    double seconds = (double)instant_between(l->begun, now).us / 1e6;
    double rate = (double)(count - l->told) * 1e6 / (double)since.us;
    if (rtt.us < 0)
        snprintf(text, sizeof text,
                 "%5.1f s, %" PRIu64 " so far, %.0f a second, %.1f MB/s",
                 seconds, count, rate, rate * (double)l->size / 1e6);
    else
        snprintf(text, sizeof text,
                 "%5.1f s, %" PRIu64 " so far, the last one %" PRId64 " us",
                 seconds, count, rtt.us);
    show(text);
    l->told = count;
    l->told_at = now;
}

void bench_progress_end(const struct bench_progress *l)
{
    if (l->shown)
        show("");
}
