#include "edge/core/node_private.h"

#include <string.h>

/* The pauses after a relay refused this node, for two kinds of reasons. */
static const struct span after_refusal = {20 * 1000 * 1000};
static const struct span after_replaced = {3 * 1000 * 1000};
/* A HELLO that was given up may be on its way for so long. */
static const struct span stray_for = {60 * 1000 * 1000};

void relays_tell_state(struct node *n, const struct relay *relay)
{
    todo_add(n->todo, NODE_RELAY)->relay = relay->index;
}

static void rearm(struct node *n, struct relay *relay)
{
    struct instant at = routes_deadline(&relay->routes);
    if (relay->synced)
        at = instant_min(at, relay->settled_by);
    node_arm(n, &relay->deadline, at);
}

static enum route_state route_of(const struct link *link)
{
    return link->relay->routes.list[link->form].state;
}

bool link_awaits_welcome(const struct link *link)
{
    return link->state == LINK_GREETING && route_of(link) == ROUTE_GREETED;
}

/* --- what the routes want ------------------------------------------------- */

static void start(struct node *n, struct relay *relay, enum relay_form form)
{
    struct link *link = link_dial(n, NODE_TRANSPORT_RELAY, relay, &relay->key);
    link->form = form;
    relay->links[form] = link;
    todo_connect(n, link);
}

static void drop(struct node *n, struct link *link, bool disconnect)
{
    if (disconnect && link->state == LINK_GREETING && link->greeted != 0)
        link->relay->stray_until = instant_after(n->now, stray_for);
    link->relay->links[link->form] = NULL;
    link_drop(n, link, disconnect && !link->is_over);
}

static void say_hello(struct node *n, struct link *link)
{
    struct relay_hello hello = {
        .version = link->relay->version,
        .certificate = bytes_of(n->certificate_blob, n->certificate_size),
        .epoch = n->epoch,
        .lost_after_ms = (uint32_t)(n->detector.lost_after.us / 1000),
        .revocation_serial = n->revocation.serial,
        .sealed = announce_sealed(n),
    };
    link->greeted = n->serial;
    link->relay->greeted = n->now;
    size_t size = 64 + n->certificate_size + hello.sealed.size;
    struct writer w = writer_of(arena_take(&n->todo->arena, size), size);
    relay_hello_encode(&hello, &w);
    todo_write(n, link, writer_bytes(&w));
}

static void carry_out(struct node *n, struct relay *relay,
                      struct route_step step)
{
    switch (step.verb) {
    case ROUTE_WAIT:
        return;
    case ROUTE_START:
        start(n, relay, step.form);
        return;
    case ROUTE_GREET:
        say_hello(n, relay->links[step.form]);
        return;
    case ROUTE_STOP:
        drop(n, relay->links[step.form], true);
        return;
    }
}

static enum relay_state state_of(const struct relay *relay)
{
    if (relay->link != NULL)
        return RELAY_UP;
    return routes_are_trying(&relay->routes) &&
                   !routes_have_failed(&relay->routes)
               ? RELAY_CONNECTING
               : RELAY_DOWN;
}

static void end_used(struct node *n, struct link *link, enum link_failure why,
                     enum relay_error error, bool disconnect);

/* The link that is used is over, and no other takes its place. */
static bool is_left_behind(const struct relay *relay)
{
    return relay->link != NULL && relay->link->is_over &&
           !routes_are_greeting(&relay->routes);
}

void relays_go_on(struct node *n, struct relay *relay)
{
    struct route_step step;
    while ((step = routes_next(&relay->routes, n->now)).verb != ROUTE_WAIT)
        carry_out(n, relay, step);
    relay->state = state_of(relay);
    rearm(n, relay);
    if (is_left_behind(relay))
        end_used(n, relay->link, LINK_BROKEN, RELAY_ERROR_LOST, false);
}

void relays_start(struct node *n)
{
    for (size_t i = 0; i < n->relay_count; i++) {
        struct relay *relay = &n->relays[i];
        relay->index = (uint32_t)i;
        relay->version = PROTOCOL_VERSION;
        relay->hello = span_us(-1);
        relay->error = "";
        relay->stray_until = n->now;
        relay->deadline = (struct deadline){
            .kind = DEADLINE_RELAY,
            .subject = relay,
        };
        routes_init(&relay->routes,
                    relay->forms != 0 ? relay->forms : 1 << FORM_TCP, n->now);
        rearm(n, relay);
    }
}

void relays_due(struct node *n, struct relay *relay)
{
    if (relay->synced && instant_reached(relay->settled_by, n->now)) {
        relay->synced = false;
        relays_settle(n, relay);
    }
    relays_go_on(n, relay);
}

void relays_retry(struct node *n)
{
    for (size_t i = 0; i < n->relay_count; i++) {
        routes_network_changed(&n->relays[i].routes, n->now);
        rearm(n, &n->relays[i]);
    }
}

void relays_take_forms(struct node *n, const struct node_event *event)
{
    for (size_t i = 0; i < n->relay_count && i < event->forms.count; i++)
        routes_remember(&n->relays[i].routes, event->forms.list[i]);
    relays_retry(n);
}

/* --- links that come up --------------------------------------------------- */

void relays_opened(struct node *n, struct link *link)
{
    routes_proved(&link->relay->routes, link->form, n->now);
    relays_go_on(n, link->relay);
}

/* What is under way on the old link may be lost. */
static void send_again(struct node *n, const struct relay *relay)
{
    size_t cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL) {
        const struct path *path = &p->paths.current;
        if (!path_is_relayed(path) || path->via != relay->index)
            continue;
        traffic_path_changed(n, p);
        peer_touch(n, p);
    }
}

/* The link gives way to another: what waits for it need wait no more. */
static void replace(struct node *n, struct link *old)
{
    struct relay *relay = old->relay;
    link_flow_end(n, old);
    send_again(n, relay);
    relay->synced = relay->spares_told = false;
    if (old->is_over) {
        routes_ended(&relay->routes, old->form, LINK_BROKEN, n->now,
                     &n->entropy);
        drop(n, old, false);
    }
}

void relays_welcomed(struct node *n, struct link *link)
{
    struct relay *relay = link->relay;
    struct link *old = relay->link;
    link_enter(n, link, LINK_UP);
    routes_welcomed(&relay->routes, link->form, n->now);
    relay->link = link;
    relay->error = "";
    evidence_relay_up(&n->evidence, relay->index);
    if (old != NULL)
        replace(n, old);
    relay->synced = false;
    relays_go_on(n, relay);
}

/* --- a link that does not answer ------------------------------------------ */

struct instant relays_doubt_at(const struct node *n, const struct link *link)
{
    const struct detector *d = &link->detector;
    int64_t lost_after = n->detector.lost_after.us;
    if (link != link->relay->link || link->is_over ||
        d->asked.us <= d->heard.us || !routes_may_doubt(&link->relay->routes))
        return INSTANT_NEVER;
    struct span usual =
        span_max(span_us(lost_after / 6), span_times(d->rtt, 4));
    return instant_after(d->asked, span_min(usual, span_us(lost_after / 4)));
}

void relays_doubt(struct node *n, struct link *link)
{
    routes_silent(&link->relay->routes, n->now);
    relays_go_on(n, link->relay);
}

void relays_heard(struct node *n, struct link *link)
{
    struct relay *relay = link->relay;
    detector_heard(&link->detector, n->now);
    if (link != relay->link || link->is_over || !relay->routes.in_doubt)
        return;
    routes_heard(&relay->routes);
    relays_go_on(n, relay);
}

/* --- links that end ------------------------------------------------------- */

static void touch_listed(struct node *n, const struct relay *relay)
{
    size_t cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        if (p->evidence.relays[relay->index].listed)
            peer_touch(n, p);
}

static void lose_paths(struct node *n, const struct relay *relay)
{
    size_t cursor = 0;
    struct peer *p;
    evidence_relay_down(&n->evidence, relay->index, n->now);
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        paths_relay_down(&p->paths, relay->index, n->now);
}

/* No link of it is used. */
static void is_down(struct node *n, struct relay *relay, bool was_up)
{
    relay->link = NULL;
    relay->synced = false;
    relay->spares_told = false;
    refused_nodes_relay_down(n, relay);
    if (was_up)
        lose_paths(n, relay);
    touch_listed(n, relay);
}

static void tell_error(struct node *n, struct relay *relay, bool was_up,
                       const char *error)
{
    bool news =
        was_up || relay->error[0] == '\0' || strcmp(relay->error, error) != 0;
    relay->error = error;
    if (news)
        relays_tell_state(n, relay);
}

/* The link that was used ends. */
static void end_used(struct node *n, struct link *link, enum link_failure why,
                     enum relay_error error, bool disconnect)
{
    struct relay *relay = link->relay;
    enum relay_form form = link->form;
    drop(n, link, disconnect);
    is_down(n, relay, true);
    routes_ended(&relay->routes, form, why, n->now, &n->entropy);
    relays_go_on(n, relay);
    tell_error(n, relay, true, relay_error_name(error));
}

/* Another ends: an attempt, or one whose place was taken. */
static void end_other(struct node *n, struct link *link, enum link_failure why,
                      bool disconnect)
{
    struct relay *relay = link->relay;
    enum relay_form form = link->form;
    drop(n, link, disconnect);
    if (relay->link == NULL)
        is_down(n, relay, false);
    routes_ended(&relay->routes, form, why, n->now, &n->entropy);
    relays_go_on(n, relay);
    if (relay->link == NULL && routes_have_failed(&relay->routes))
        tell_error(
            n, relay, false,
            relay_error_name(relay_error_of(routes_failure(&relay->routes))));
}

/* The relay closes the link that is used when HELLO comes on another: that is
 * no loss if WELCOME follows there. */
static void stand_still(struct node *n, struct link *link, bool disconnect)
{
    if (disconnect && !link->is_over)
        todo_disconnect(n, link);
    link->is_over = true;
    link_blocked(link);
}

static bool gives_way(const struct link *link)
{
    return link == link->relay->link &&
           routes_are_greeting(&link->relay->routes);
}

void relays_closed(struct node *n, struct link *link, enum link_failure why)
{
    if (gives_way(link))
        stand_still(n, link, false);
    else if (link == link->relay->link)
        end_used(n, link, why, RELAY_ERROR_LOST, false);
    else
        end_other(n, link, why, false);
}

void relays_silent(struct node *n, struct link *link)
{
    if (link == link->relay->link)
        end_used(n, link, LINK_TIMEOUT, RELAY_ERROR_SILENT, true);
    else
        end_other(n, link, LINK_TIMEOUT, true);
}

void relays_down(struct node *n, struct relay *relay, const char *error)
{
    bool was_up = relay->link != NULL;
    routes_back_off(&relay->routes, n->now, &n->entropy);
    relay->link = NULL;
    relays_go_on(n, relay);
    is_down(n, relay, was_up);
    tell_error(n, relay, was_up, error);
}

/* --- refusals ------------------------------------------------------------- */

/* A relay of the version before refuses the HELLO of this one, so the next
 * HELLO offers that. If it is refused too, the one after offers the newest
 * again, as the relay may be updated. */
static bool greet_again(struct node *n, struct link *link, uint8_t reason)
{
    struct relay *relay = link->relay;
    enum relay_form form = link->form;
    bool later = relay->version == PROTOCOL_VERSION;
    if (reason != REFUSAL_VERSION || relay->link != NULL)
        return false;
    relay->version = later ? PROTOCOL_BEFORE : PROTOCOL_VERSION;
    if (!later)
        return false;
    drop(n, link, true);
    routes_again(&relay->routes, form, n->now);
    start(n, relay, form);
    relays_go_on(n, relay);
    return true;
}

/* It holds for this node, not for the link. */
static void refused(struct node *n, struct relay *relay, uint8_t reason)
{
    relays_down(n, relay, refusal_name(reason));
    if (reason == REFUSAL_SHUTDOWN)
        return;
    (void)refusal_say(n, true, reason, (int)relay->index, NULL, relay->name,
                      NULL);
    /* After REPLACED the pause is short: the later process may end soon. */
    struct span pause =
        reason == REFUSAL_REPLACED ? after_replaced : after_refusal;
    routes_wait_until(&relay->routes,
                      instant_after(n->now, entropy_pause(&n->entropy, pause)));
    rearm(n, relay);
}

void relays_refused(struct node *n, struct link *link, uint8_t reason)
{
    struct relay *relay = link->relay;
    bool replaced = reason == REFUSAL_REPLACED;
    bool used = link == relay->link;
    link->greeted = 0; /* The relay had the HELLO. */
    if (greet_again(n, link, reason))
        return;
    if (replaced && gives_way(link))
        stand_still(n, link, true);
    else if (!used && (relay->link != NULL || !link_awaits_welcome(link)))
        end_other(n, link, LINK_BROKEN, true);
    else if (replaced && !instant_reached(relay->stray_until, n->now)) {
        if (used)
            end_used(n, link, LINK_BROKEN, RELAY_ERROR_LOST, true);
        else
            end_other(n, link, LINK_BROKEN, true);
    } else
        refused(n, relay, reason);
}
