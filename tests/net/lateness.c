/*
 * lateness - how late this machine is, moment by moment.
 *
 *     lateness FILE
 *
 * Every 20 ms a process wakes by a timer and exchanges a byte with another
 * process. On an idle machine a round takes well under a millisecond. Each
 * round that took longer becomes a line of FILE: when it ended, by the wall
 * clock, and how long it took, both in microseconds. The sum over a stretch of
 * time says how long a chain of short steps waited for a processor in it; a
 * test allows for that much beyond a limit that the product promises.
 *
 * It ends with the process that started it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUND_US = 20 * 1000, WORTH_A_LINE_US = 1000 };

static uint64_t clock_us(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void sleep_until(uint64_t us)
{
    struct timespec t = {.tv_sec = (time_t)(us / 1000000),
                         .tv_nsec = (long)(us % 1000000) * 1000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        continue;
}

static void answer_each_byte(int fd)
{
    char byte;

    while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
        continue;
    _exit(0);
}

static bool round_is_made(int fd)
{
    char byte = 0;

    return write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1;
}

static bool tell(int file, uint64_t late_us)
{
    char line[64];
    int size = snprintf(line, sizeof(line), "%" PRIu64 " %" PRIu64 "\n",
                        clock_us(CLOCK_REALTIME), late_us);

    return write(file, line, (size_t)size) == size;
}

/* Returns only when something fails. */
static void watch(int fd, int file)
{
    uint64_t due = clock_us(CLOCK_MONOTONIC);

    for (;;) {
        due += ROUND_US;
        sleep_until(due);
        if (!round_is_made(fd))
            return;
        uint64_t now = clock_us(CLOCK_MONOTONIC);
        if (now - due >= WORTH_A_LINE_US && !tell(file, now - due))
            return;
        if (now > due + ROUND_US)
            due = now; /* Missed rounds are part of this one's lateness. */
    }
}

int main(int argc, char **argv)
{
    int pair[2];

    if (argc != 2) {
        fprintf(stderr, "usage: lateness FILE\n");
        return 2;
    }
    int file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        goto fail;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pid_t pid = fork();
    if (pid < 0)
        goto fail;
    if (pid == 0) {
        close(pair[0]);
        answer_each_byte(pair[1]);
    }
    close(pair[1]);
    watch(pair[0], file);
fail:
    fprintf(stderr, "lateness: %s: %s\n", argv[1], strerror(errno));
    return 1;
}
