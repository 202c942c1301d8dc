#include "edge/cli/command.h"

#include "edge/cli/escape.h"

#include "common/io/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The time from a signal to the end of the process, even if a write waits. */
enum { STOP_S = 1 };

const struct option_row command_shared[] = {
    {"socket", 0, OPTION_TEXT, "PATH", "the edge's socket (or ZS_SOCKET)"},
};

bool command_options(const struct options_spec *spec, int argc, char **argv,
                     struct options *o, int *code)
{
    switch (options_parse(spec, argc, argv, o)) {
    case OPTIONS_DONE:
        *code = EXIT_DONE;
        return false;
    case OPTIONS_WRONG:
        *code = EXIT_USAGE;
        return false;
    case OPTIONS_RUN:
        break;
    }
    *code = EXIT_DONE;
    return true;
}

int command_run(const struct options_spec *spec, int argc, char **argv,
                int (*run)(const struct options *o))
{
    struct options o;
    int code;

    if (!command_options(spec, argc, argv, &o, &code))
        return code;
    code = run(&o);
    options_free(&o);
    return code;
}

static volatile sig_atomic_t stopped;

static void on_alarm(int number)
{
    (void)number;
    _exit(EXIT_FAILED);
}

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
    alarm(STOP_S);
}

void command_stoppable(void)
{
    /* SA_RESETHAND: the second signal kills the process. */
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = (int)SA_RESETHAND};
    struct sigaction late = {.sa_handler = on_alarm};

    sigemptyset(&action.sa_mask);
    sigemptyset(&late.sa_mask);
    sigaction(SIGALRM, &late, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool command_stopped(void)
{
    return stopped != 0;
}

int command_fail(int code, const char *message, ...)
{
    va_list list;

    struct text shown = {0};
    char *said = NULL;

    va_start(list, message);
    if (vasprintf(&said, message, list) >= 0)
        escape_text(&shown, bytes_of_string(said), ESCAPE_LINE);
    va_end(list);
    fprintf(stderr, "zs: %s\n", text_string(&shown));
    text_close(&shown);
    free(said);
    return code;
}

void command_print(const char *text)
{
    struct text shown = {0};

    escape_text(&shown, bytes_of_string(text), ESCAPE_LINE);
    fwrite(shown.data, 1, shown.size, stdout);
    text_close(&shown);
}

void command_print_json(json_t *object)
{
    json_t *line = json_object();

    json_object_set_new(line, "version", json_integer(1));
    json_object_update(line, object);
    json_object_del(line, "ref");
    json_object_del(line, "ok");
    char *said = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(12));
    command_print(said ? said : "{}");
    fputc('\n', stdout);
    free(said);
    json_decref(line);
}

const char *command_colour(const char *code)
{
    const char *none = getenv("NO_COLOR");

    if ((none && none[0] != '\0') || !isatty(STDOUT_FILENO))
        return "";
    return code;
}

/* Waits until stdout takes PIPE_BUF bytes; false at the deadline. */
static bool wait_to_write(struct instant deadline)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

    for (;;) {
        struct span left = instant_between(clock_now(), deadline);
        int ready = poll(&p, 1, left.us > 0 ? (int)(left.us / 1000) + 1 : 0);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return true;
        if (left.us <= 0 || stopped)
            return false;
    }
}

bool command_write_until(struct bytes bytes, struct instant deadline)
{
    bool waits = !instant_is_never(deadline);

    while (bytes.size > 0) {
        if (waits && !wait_to_write(deadline))
            return false;
        size_t size = waits && bytes.size > PIPE_BUF ? PIPE_BUF : bytes.size;
        ssize_t wrote = write(STDOUT_FILENO, bytes.data, size);
        if (wrote < 0 && errno == EINTR && !stopped)
            continue;
        if (wrote < 0 && stopped)
            return false;
        if (wrote < 0) {
            if (errno != EPIPE)
                command_fail(EXIT_FAILED, "standard output: %s",
                             strerror(errno));
            return false;
        }
        bytes = bytes_of(bytes.data + wrote, bytes.size - (size_t)wrote);
    }
    return true;
}

bool command_write(struct bytes bytes)
{
    return command_write_until(bytes, INSTANT_NEVER);
}
