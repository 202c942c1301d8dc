#include "tests/sim/forms.h"

#include "tests/sim/pipes_private.h"

void forms_allow(struct world *w, int host, uint8_t forms)
{
    struct host *h = &w->hosts[host];

    h->forms = forms;
    for (int s = 0; s < SEGMENTS; s++)
        for (size_t r = 0; r < NODE_RELAYS; r++)
            h->worked[s][r] = -1;
}

static bool leaves_in(const struct pipe *p, int host, enum relay_form form)
{
    return p->to_relay && p->ends[0].host == host && p->form == form;
}

static void cut_later(struct world *w, struct pipe *p, struct span after)
{
    struct event *e = world_event(w, EVENT_CUT, p->ends[0].host);

    event_pipe(e, p, 0);
    world_post(w, e, instant_after(w->now, after));
}

void forms_filter(struct world *w, int host, enum relay_form form,
                  enum form_fate fate, struct span after)
{
    static const char *const names[] = {"passes", "is refused", "is swallowed",
                                        "is cut", "is mute"};
    struct form_filter *f = &w->hosts[host].filters[form];

    world_say(w, "host %d: %s %s", host, relay_form_name(form), names[fate]);
    world_disturb(w, host);
    *f = (struct form_filter){fate, after};
    for (struct pipe *p = w->pipes; p != NULL; p = p->next)
        if (leaves_in(p, host, form) && p->ends[1].host >= 0) {
            if (fate == FORM_IS_REFUSED)
                pipe_break(w, p);
            else if (fate == FORM_IS_CUT)
                cut_later(w, p, after);
        }
    pipes_go_on(w, host);
}

void forms_heal_all(struct world *w)
{
    for (int i = 0; i < w->host_count; i++)
        for (int f = 0; f < RELAY_FORMS; f++)
            if (w->hosts[i].filters[f].fate != FORM_PASSES)
                forms_filter(w, i, (enum relay_form)f, FORM_PASSES, span_us(0));
}

static bool carries(enum form_fate fate)
{
    return fate == FORM_PASSES || fate == FORM_IS_CUT;
}

bool forms_pass(const struct world *w, int host)
{
    const struct host *h = &w->hosts[host];

    for (int f = 0; f < RELAY_FORMS; f++)
        if ((h->forms >> f & 1) != 0 && h->filters[f].fate == FORM_PASSES)
            return true;
    return h->forms == 0;
}

enum relay_form forms_used(const struct world *w, int host)
{
    const struct process *p = w->hosts[host].process;
    struct node_relay relay;

    if (p == NULL)
        return RELAY_FORMS;
    node_relay_get(p->node, 0, &relay);
    return relay.state == RELAY_UP ? relay.form : RELAY_FORMS;
}

int forms_tried(const struct world *w, int host, enum relay_form form)
{
    return w->hosts[host].tried[form];
}

struct node_event forms_event(struct world *w, int host,
                              int8_t list[NODE_RELAYS])
{
    const struct host *h = &w->hosts[host];
    struct node_event event = {.kind = NODE_FORMS_ARE};

    memcpy(list, h->worked[h->interfaces[0].segment], NODE_RELAYS);
    event.forms.list = list;
    event.forms.count = h->relay_count;
    return event;
}

void forms_note(struct world *w, const struct process *p, uint32_t relay)
{
    struct host *h = &w->hosts[p->host];
    struct node_relay view;

    if (h->forms == 0)
        return;
    node_relay_get(p->node, relay, &view);
    world_say(w, "host %d: relay %u %s by %s %s", p->host, relay,
              view.state == RELAY_UP ? "up" : "not up",
              relay_form_name(view.form), view.error);
    if (view.state == RELAY_UP)
        h->worked[h->interfaces[0].segment][relay] = (int8_t)view.form;
}

/* --- streams in a form ---------------------------------------------------- */

bool pipe_form_carries(const struct world *w, const struct pipe *p)
{
    return !p->to_relay ||
           carries(w->hosts[p->ends[0].host].filters[p->form].fate);
}

/* One-way delays until the relay proved its key: of TCP and CURVE, and what
 * TLS, the upgrade and the proxy add. */
int pipe_form_delays(const struct pipe *p)
{
    static const int delays[RELAY_FORMS] = {
        [FORM_TCP] = 5,       [FORM_WSS] = 11,       [FORM_WS] = 7,
        [FORM_TCP_PROXY] = 7, [FORM_WSS_PROXY] = 13, [FORM_WS_PROXY] = 9,
    };

    return p->to_relay ? delays[p->form] : delays[FORM_TCP];
}

enum link_failure pipe_form_fails(const struct world *w, const struct pipe *p)
{
    static const enum link_failure refused[RELAY_FORMS] = {
        [FORM_TCP] = LINK_REFUSED,
        [FORM_WSS] = LINK_TLS,
        [FORM_WS] = LINK_CAPTIVE_PORTAL,
        [FORM_TCP_PROXY] = LINK_PROXY_AUTH,
        [FORM_WSS_PROXY] = LINK_PROXY_REFUSED,
        [FORM_WS_PROXY] = LINK_NOT_A_RELAY,
    };
    enum form_fate fate = w->hosts[p->ends[0].host].filters[p->form].fate;

    if (!p->to_relay)
        return (enum link_failure)0;
    return fate == FORM_IS_REFUSED     ? refused[p->form]
           : fate == FORM_IS_SWALLOWED ? LINK_TIMEOUT
                                       : (enum link_failure)0;
}

void pipe_form_opened(struct world *w, struct pipe *p)
{
    const struct form_filter *f = &w->hosts[p->ends[0].host].filters[p->form];

    if (p->to_relay && f->fate == FORM_IS_CUT)
        cut_later(w, p, f->after);
}

void pipe_form_cut(struct world *w, struct pipe *p)
{
    if (w->hosts[p->ends[0].host].filters[p->form].fate != FORM_IS_CUT)
        return;
    world_disturb(w, p->ends[0].host);
    pipe_break(w, p);
}

/* --- chaos ---------------------------------------------------------------- */

static enum form_fate some_fate(struct world *w)
{
    return (enum form_fate)rng_below(&w->rng, FORM_IS_MUTE + 1);
}

/* One form changes, or all but one fail, so that one passes nearly always. */
void forms_fault(struct world *w, int host)
{
    struct host *h = &w->hosts[host];
    int kept = (int)rng_below(&w->rng, RELAY_FORMS);
    bool all = rng_chance(&w->rng, 40);

    if (h->forms == 0)
        return;
    for (int f = 0; f < RELAY_FORMS; f++) {
        struct span after = rng_span(&w->rng, span_ms(50), span_ms(15000));
        enum form_fate fate = some_fate(w);

        if ((h->forms >> f & 1) == 0)
            continue;
        if (f == kept)
            forms_filter(w, host, (enum relay_form)f, FORM_PASSES, after);
        else if (all || rng_chance(&w->rng, 40))
            forms_filter(w, host, (enum relay_form)f, fate, after);
    }
}
