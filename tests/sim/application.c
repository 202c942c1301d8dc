#include "tests/sim/application.h"

#include "common/base/memory.h"
#include "tests/sim/checkers.h"

#include <stdlib.h>

enum { STREAMS = 1024, DATA_MAX = 2 * 1024 * 1024 };

struct stream {
    int from, to;
    size_t left, size;
    struct span every;
};

struct application {
    struct stream streams[STREAMS];
    size_t stream_count;
    struct instant chatter_until;
    uint8_t *data; /* room for the largest message */
};

struct application *application_new(void)
{
    struct application *a = memory_new(sizeof(*a));

    a->data = memory_resize(NULL, DATA_MAX, 1);
    return a;
}

void application_free(struct application *a)
{
    free(a->data);
    free(a);
}

static uint64_t submit(struct world *w, enum sent_kind kind, int from, int to,
                       size_t size)
{
    uint8_t *data = w->application->data;
    ASSERT(size >= 8 && size <= DATA_MAX);
    struct node_ref ref = {checkers_submit(w, kind, from, to, data, size)};
    struct message message = {
        .kind = kind == SENT_PUBLISHED ? MESSAGE_EVENT : MESSAGE_SEND,
        .encoding = ENCODING_BYTES,
        .type = bytes_of_string("sim"),
        .group =
            bytes_of_string(kind == SENT_PUBLISHED ? accounts_name(to) : ""),
        .data = bytes_of(data, size),
    };
    world_say(w, "%d sends %llu to %d (%zu)", from,
              (unsigned long long)ref.value, to, size);
    if (kind == SENT_PUBLISHED)
        host_publish(w, from, ref, &message);
    else if (kind == SENT_MESSAGE)
        host_send(w, from, ref, &w->hosts[to].identity.id, &message);
    else
        host_event(w, from,
                   &(struct node_event){
                       .kind = NODE_PING,
                       .ping = {.ref = ref, .to = w->hosts[to].identity.id}});
    return ref.value;
}

uint64_t application_send(struct world *w, int from, int to, size_t size)
{
    return submit(w, SENT_MESSAGE, from, to, size);
}

uint64_t application_publish(struct world *w, int from, int group, size_t size)
{
    return submit(w, SENT_PUBLISHED, from, group, size);
}

uint64_t application_ping(struct world *w, int from, int to)
{
    return submit(w, SENT_PING, from, to, 8);
}

/* --- streams ----------------------------------------------------------- */

static void stream_goes_on(struct world *w, int from, uint64_t number)
{
    struct stream *s = &w->application->streams[number];

    if (host_runs(w, from) && checkers_joined(w, from, s->to) &&
        !checkers_awaits_ready(w, from, s->to)) {
        enum node_outcome outcome;
        uint64_t ref = application_send(w, from, s->to, s->size);

        if (!checkers_reported(w, ref, &outcome) || outcome != OUTCOME_BUSY)
            s->left--;
    }
    if (w->application->chatter_until.us > 0 &&
        instant_reached(w->application->chatter_until, w->now))
        s->left = 0; /* A random world has no more streams. */
    if (s->left > 0)
        world_at(w, s->every, stream_goes_on, from, number);
}

void application_stream(struct world *w, int from, int to, size_t count,
                        size_t size, struct span every)
{
    struct application *a = w->application;
    size_t i = 0;

    while (i < a->stream_count && a->streams[i].left > 0)
        i++;
    ASSERT(i < STREAMS && count > 0);
    if (i == a->stream_count)
        a->stream_count++;
    a->streams[i] = (struct stream){from, to, count, size, every};
    world_at(w, span_us(0), stream_goes_on, from, i);
}

size_t application_left(const struct world *w)
{
    size_t left = 0;

    for (size_t i = 0; i < w->application->stream_count; i++)
        left += w->application->streams[i].left;
    return left;
}

/* --- chatter ----------------------------------------------------------- */

static int somebody(struct world *w, int from)
{
    int there[HOSTS], count = 0;

    for (int i = 0; i < w->host_count; i++)
        if (checkers_joined(w, from, i) && !checkers_awaits_ready(w, from, i))
            there[count++] = i;
    return count == 0 ? -1 : there[rng_below(&w->rng, (uint64_t)count)];
}

static size_t some_size(struct world *w)
{
    uint64_t dice = rng_below(&w->rng, 100);

    if (dice < 85)
        return (size_t)rng_between(&w->rng, 8, 1500);
    return (size_t)rng_between(&w->rng, 8, dice < 98 ? 40000 : 200000);
}

static bool may_publish(const struct world *w, int from)
{
    return !w->hosts[from].process->waits_to_publish;
}

static int some_group(struct world *w)
{
    return rng_chance(&w->rng, 40) ? 0
                                   : (int)rng_between(&w->rng, 1, GROUPS - 1);
}

static void publish_something(struct world *w, int from)
{
    int64_t count = rng_chance(&w->rng, 80) ? 1 : rng_between(&w->rng, 2, 40);
    int group = some_group(w);

    while (count-- > 0 && !w->failed && may_publish(w, from))
        application_publish(w, from, group, some_size(w));
}

static void say_something(struct world *w, int from)
{
    int to = somebody(w, from);
    uint64_t dice = rng_below(&w->rng, 100);

    if (w->hosts[from].process->leaving || to < 0)
        return;
    if (dice < 4)
        application_ping(w, from, to);
    else if (dice < 5)
        host_set_groups(w, from, (uint32_t)rng_below(&w->rng, 8) << 1 | 1);
    else if (dice < 10)
        publish_something(w, from);
    else if (dice < 14)
        for (int64_t i = rng_between(&w->rng, 2, 60); i > 0 && !w->failed;
             i--) {
            if (checkers_awaits_ready(w, from, to))
                break;
            application_send(w, from, to, some_size(w));
        }
    else
        application_send(w, from, to, some_size(w));
}

static void chatter(struct world *w, int host, uint64_t serial)
{
    const struct process *p = w->hosts[host].process;

    if (p == NULL || p->serial != serial ||
        instant_reached(w->application->chatter_until, w->now))
        return;
    if (host_runs(w, host))
        say_something(w, host);
    world_at(w, rng_span(&w->rng, span_ms(5), span_ms(1200)), chatter, host,
             serial);
}

static void begin_chatter(struct world *w, const struct process *p)
{
    world_at(w, rng_span(&w->rng, span_ms(5), span_ms(500)), chatter, p->host,
             p->serial);
}

void application_started(struct world *w, const struct process *p)
{
    if (!instant_reached(w->application->chatter_until, w->now))
        begin_chatter(w, p);
}

void application_chatter(struct world *w, struct instant until)
{
    w->application->chatter_until = until;
    for (int i = 0; i < w->host_count; i++)
        if (w->hosts[i].process != NULL)
            begin_chatter(w, w->hosts[i].process);
}
