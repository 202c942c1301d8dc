#include "edge/shell/relay_probe.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "edge/core/failure_rank.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MS = 2000 };

struct relay_probe {
    struct host_lookup *lookup;
    uv_timer_t timer;
    struct instant began;
    struct form_probe *forms[RELAY_FORMS];
    size_t unfinished; /* forms, and the look-up */
    struct relay_probe_result *result;
    relay_probe_told *told;
    void *context;
};

static void finished_one(struct relay_probe *p)
{
    if (--p->unfinished == 0)
        p->told(p->context, RELAY_PROBE_DONE);
}

static void on_form(void *context)
{
    finished_one(context);
}

/* ---- DNS */

static void on_found(void *context, const struct address *list, size_t count,
                     const char *error)
{
    struct relay_probe *p = context;
    struct relay_probe_result *r = p->result;

    (void)error;
    uv_timer_stop(&p->timer);
    if (count > 0) {
        r->dns = instant_between(p->began, clock_now());
        memcpy(r->addresses, list, count * sizeof *list);
        r->count = count;
    }
    p->told(p->context, RELAY_PROBE_RESOLVED);
    finished_one(p);
}

static void on_no_name(uv_timer_t *timer)
{
    struct relay_probe *p = timer->data;

    host_lookup_cancel(&p->lookup);
    on_found(p, NULL, 0, "");
}

/* ---- Open and close */

static void open_form(struct relay_probe *p, uv_loop_t *loop,
                      relay_pipe_maker *make, const struct relay_way *way)
{
    size_t i = p->result->form_count++;

    p->unfinished++;
    p->forms[i] = form_probe_open(loop, make, way, &way->relay->url.key,
                                  &p->result->forms[i], on_form, p);
}

struct relay_probe *relay_probe_open(uv_loop_t *loop, relay_pipe_maker *make,
                                     const struct edge_relay *relay,
                                     unsigned forms,
                                     struct relay_probe_result *result,
                                     relay_probe_told *told, void *context)
{
    struct relay_probe *p = memory_new(sizeof *p);

    *result = (struct relay_probe_result){.dns = span_us(-1)};
    p->result = result;
    p->told = told;
    p->context = context;
    p->began = clock_now();
    p->unfinished = 1;
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    for (int form = 0; form < RELAY_FORMS; form++) {
        struct relay_way way = {.form = (enum relay_form)form, .relay = relay};
        if (forms & 1U << form)
            open_form(p, loop, make, &way);
    }
    uv_timer_start(&p->timer, on_no_name, NAME_MS, 0);
    host_lookup_start(&p->lookup, loop, relay->connect_to.host, 0, on_found, p);
    return p;
}

static void on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

void relay_probe_close(struct relay_probe **self)
{
    struct relay_probe *p = *self;

    if (p == NULL)
        return;
    *self = NULL;
    host_lookup_cancel(&p->lookup);
    for (size_t i = 0; i < p->result->form_count; i++)
        form_probe_close(&p->forms[i]);
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

/* ---- Results */

enum link_failure relay_probe_failure(const struct relay_probe_result *r)
{
    enum link_failure list[RELAY_FORMS];

    for (size_t i = 0; i < r->form_count; i++) {
        list[i] = r->forms[i].failure;
        if (list[i] == 0)
            return list[i];
    }
    return r->form_count == 0 ? LINK_UNREACHABLE
                              : failure_most_telling(list, r->form_count);
}

bool relay_probe_connects(const struct relay_probe_result *r)
{
    for (size_t i = 0; i < r->form_count; i++)
        if (r->forms[i].connect.us >= 0)
            return true;
    return false;
}
