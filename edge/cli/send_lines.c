#include "edge/cli/send_lines.h"

#include "edge/cli/command.h"
#include "edge/cli/pipeline.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, UNSENT = 256 * 1024 };

struct line_sender {
    struct pipeline pipeline;
    struct bytes head;
    enum input_form form;
    struct text input;
    size_t taken; /* bytes of `input` that are sent */
    bool ended;
    const char *wrong; /* why the last line cannot be sent, or NULL */
};

static void send_line(struct line_sender *l, struct bytes line)
{
    struct text *out = client_out(l->pipeline.client);
    size_t start = out->size;

    pipeline_begin(&l->pipeline);
    text_add(out, l->head);
    if (input_write(out, l->form, line, &l->wrong)) {
        l->wrong = NULL;
        pipeline_end(&l->pipeline);
    } else {
        out->size = start;
    }
}

/* The next line, as a view of `input`. The last line may lack its line end. */
static bool next_line(struct line_sender *l, struct bytes *line)
{
    size_t left = l->input.size - l->taken;

    if (left == 0)
        return false;
    const char *start = l->input.data + l->taken;
    const char *end = memchr(start, '\n', left);
    if (!end && !l->ended)
        return false;
    *line = bytes_of(start, end ? (size_t)(end - start) : left);
    l->taken += line->size + (end ? 1 : 0);
    return true;
}

static void send_whole_lines(struct line_sender *l)
{
    struct bytes line;

    while (!l->wrong && pipeline_has_room(&l->pipeline) &&
           client_unsent(l->pipeline.client) < UNSENT && next_line(l, &line))
        send_line(l, line);
}

static void read_input(struct line_sender *l)
{
    text_drop(&l->input, l->taken);
    l->taken = 0;
    ssize_t got = read(STDIN_FILENO, text_room(&l->input, CHUNK), CHUNK);
    if (got > 0)
        text_wrote(&l->input, (size_t)got);
    else if (got == 0 || errno != EINTR)
        l->ended = true;
}

static bool goes_on(const struct line_sender *l)
{
    return !l->wrong && !l->pipeline.broken && l->pipeline.failed == 0 &&
           (!l->ended || l->taken < l->input.size);
}

/* Sends all whole lines before it reads more, so that `input` never holds more
 * than a chunk and a line. */
static void send_input(struct line_sender *l)
{
    bool hungry = true;

    while (goes_on(l)) {
        send_whole_lines(l);
        hungry = pipeline_has_room(&l->pipeline) &&
                 client_unsent(l->pipeline.client) < UNSENT;
        if (!goes_on(l))
            break;
        if (pipeline_run(&l->pipeline, -1,
                         hungry && !l->ended ? STDIN_FILENO : -1))
            read_input(l);
    }
    pipeline_finish(&l->pipeline);
}

int send_lines(struct edge_client *c, struct bytes head, enum input_form form)
{
    struct line_sender l = {.head = head, .form = form};

    pipeline_init(&l.pipeline, c);
    send_input(&l);
    text_close(&l.input);
    int code = pipeline_result(&l.pipeline, "lines were sent");
    if (l.wrong && code == EXIT_DONE)
        code = command_fail(EXIT_FAILED, "line %" PRIu64 " is %s",
                            l.pipeline.next, l.wrong);
    return code;
}
