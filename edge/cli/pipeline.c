#include "edge/cli/pipeline.h"

#include "common/base/jtext.h"
#include "edge/cli/command.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

void pipeline_init(struct pipeline *p, struct edge_client *client)
{
    *p = (struct pipeline){.client = client, .next = 1, .oldest = 1};
}

bool pipeline_has_room(const struct pipeline *p)
{
    return p->next - p->oldest < PIPELINE_MESSAGES &&
           p->bytes < PIPELINE_BYTES && p->failed == 0 && !p->broken;
}

bool pipeline_is_idle(const struct pipeline *p)
{
    return p->oldest == p->next;
}

void pipeline_begin(struct pipeline *p)
{
    /* Until pipeline_end this holds the offset where the request begins. */
    p->sizes[p->next % PIPELINE_MESSAGES] =
        (uint32_t)client_out(p->client)->size;
}

void pipeline_end(struct pipeline *p)
{
    struct text *out = client_out(p->client);
    uint32_t *size = &p->sizes[p->next % PIPELINE_MESSAGES];

    text_add_string(out, ",\"ref\":");
    text_add_number(out, p->next);
    text_add_string(out, "}\n");
    *size = (uint32_t)out->size - *size;
    p->bytes += *size;
    p->next++;
}

/* The members of an answer that matter here. */
struct pipeline_answer {
    uint64_t ref;
    bool ok;
    struct bytes error, message, path;
};

static bool parse_answer(struct bytes line, struct pipeline_answer *a)
{
    struct jtext_walk walk;
    struct bytes key, value;

    *a = (struct pipeline_answer){0};
    if (!jtext_enter(&walk, line, '{'))
        return false;
    while (jtext_member(&walk, &key, &value)) {
        if (jtext_is(key, "ref"))
            (void)!jtext_number(value, &a->ref);
        else if (jtext_is(key, "ok"))
            a->ok = jtext_is(value, "true");
        else if (jtext_is(key, "error"))
            a->error = value;
        else if (jtext_is(key, "message"))
            a->message = value;
        else if (jtext_is(key, "path"))
            a->path = value;
    }
    return jtext_left(&walk);
}

static void fail(struct pipeline *p, const struct pipeline_answer *a)
{
    size_t length;

    if (p->failed != 0)
        return; /* Only the first failure is reported. */
    p->failed = a->ref != 0 ? a->ref : p->oldest;
    (void)!jtext_string(a->error, p->error, sizeof(p->error), &length);
    (void)!jtext_string(a->message, p->message, sizeof(p->message), &length);
}

static void settle(struct pipeline *p, uint64_t ref)
{
    uint32_t *size = &p->sizes[ref % PIPELINE_MESSAGES];

    p->bytes -= *size;
    *size = 0;
    while (p->oldest < p->next && p->sizes[p->oldest % PIPELINE_MESSAGES] == 0)
        p->oldest++;
}

static void take_answer(struct pipeline *p, struct bytes line)
{
    struct pipeline_answer a;
    size_t length;

    if (!parse_answer(line, &a)) {
        p->broken = true;
        return;
    }
    if (!a.ok)
        fail(p, &a);
    if (a.ref < p->oldest || a.ref >= p->next) {
        /* If the edge cannot even parse a line, its answer has no ref. After
         * that the answers can no longer be matched to the messages. */
        p->broken = p->broken || !a.ok;
        return;
    }
    if (a.ok) {
        p->delivered++;
        if (a.path.size > 0)
            (void)!jtext_string(a.path, p->path, sizeof(p->path), &length);
    }
    settle(p, a.ref);
}

bool pipeline_run(struct pipeline *p, int wait_ms, int other)
{
    struct pollfd fds[2] = {{.fd = client_fd(p->client), .events = POLLIN},
                            {.fd = other, .events = POLLIN}};
    struct bytes line;

    p->broken = !client_push(p->client) || p->broken;
    if (client_unsent(p->client) > 0)
        fds[0].events |= POLLOUT;
    if (poll(fds, 2, wait_ms) <= 0)
        return false;
    if (fds[0].revents & ~POLLOUT)
        p->broken = !client_pull(p->client) || p->broken;
    while (client_next(p->client, &line))
        take_answer(p, line);
    return other >= 0 && fds[1].revents != 0;
}

void pipeline_finish(struct pipeline *p)
{
    while (!pipeline_is_idle(p) && !p->broken && !command_stopped())
        (void)pipeline_run(p, -1, -1);
}

int pipeline_result(const struct pipeline *p, const char *what)
{
    uint64_t asked = p->next - 1;

    if (p->failed != 0) {
        int code = client_error_code(p->error);
        return command_fail(
            code, "%s: %s (number %" PRIu64 "; %" PRIu64 " of %" PRIu64 " %s)",
            p->error, p->message, p->failed, p->delivered, asked, what);
    }
    if (p->broken)
        return command_fail(EXIT_NO_DAEMON,
                            "the edge ended the connection (%" PRIu64
                            " of %" PRIu64 " %s)",
                            p->delivered, asked, what);
    return p->delivered == asked ? EXIT_DONE : EXIT_FAILED;
}
