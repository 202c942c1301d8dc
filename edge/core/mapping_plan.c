#include "edge/core/mapping_plan.h"

#include <string.h>

static const struct span lease_asked = {600 * (int64_t)1000000};
/* A router that grants less would have to be asked all the time. */
static const struct span lease_least = {20 * (int64_t)1000000};
static const struct span renewal_least = {10 * (int64_t)1000000};
static const struct span pause_least = {2 * (int64_t)1000000};
static const struct span pause_most = {600 * (int64_t)1000000};
static const struct span rounds_apart = {1000000};

/* ---- Names */

const char *mapping_protocol_name(enum mapping_protocol protocol)
{
    return protocol == MAPPING_NAT_PMP ? "nat_pmp" : "upnp";
}

const char *mapping_port_name(enum mapping_port port)
{
    return port == MAPPING_TCP ? "tcp" : "udp";
}

const char *mapping_finding_name(enum mapping_finding finding)
{
    static const char *const names[] = {
        [FINDING_OFF] = "off",         [FINDING_UNKNOWN] = "unknown",
        [FINDING_NONE] = "none",       [FINDING_FOUND] = "found",
        [FINDING_REFUSED] = "refused",
    };

    return names[finding];
}

/* ---- Addresses */

/* IPv4 networks in which the Internet reaches nobody. */
static const struct {
    uint8_t ip[4];
    int bits;
} not_public[] = {
    {{0, 0, 0, 0}, 8},    {{10, 0, 0, 0}, 8},     {{100, 64, 0, 0}, 10},
    {{127, 0, 0, 0}, 8},  {{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12},
    {{192, 0, 0, 0}, 24}, {{192, 168, 0, 0}, 16}, {{224, 0, 0, 0}, 3},
};

static uint32_t number_of(const uint8_t *ip)
{
    return (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 |
           (uint32_t)ip[2] << 8 | ip[3];
}

bool mapping_lease_is_public(const struct mapping_lease *lease)
{
    const struct address *a = &lease->outside;

    if (a->family != ADDRESS_V4 || a->port == 0)
        return false;
    for (size_t i = 0; i < sizeof not_public / sizeof not_public[0]; i++)
        if ((number_of(a->ip) ^ number_of(not_public[i].ip)) >>
                (32 - not_public[i].bits) ==
            0)
            return false;
    return true;
}

/* ---- The state */

static bool is_leased(const struct mapping_plan *plan, int port)
{
    return plan->state.leases[port].outside.port != 0;
}

static bool holds_lease(const struct mapping_plan *plan, int protocol)
{
    for (int port = 0; port < MAPPING_PORTS; port++)
        if (is_leased(plan, port) &&
            (int)plan->state.leases[port].protocol == protocol)
            return true;
    return false;
}

static void set_finding(struct mapping_plan *plan, int protocol,
                        enum mapping_finding finding)
{
    plan->changed |= plan->state.findings[protocol] != finding;
    plan->state.findings[protocol] = finding;
}

static void set_lease(struct mapping_plan *plan, int port,
                      const struct mapping_lease *lease)
{
    struct mapping_lease *now = &plan->state.leases[port];

    plan->changed |= now->protocol != lease->protocol ||
                     !address_equal(&now->outside, &lease->outside);
    *now = *lease;
}

static void drop_lease(struct mapping_plan *plan, int port)
{
    set_lease(plan, port, &(struct mapping_lease){.inside = 0});
    plan->until[port] = INSTANT_NEVER;
    plan->renew_at[port] = INSTANT_NEVER;
}

static void drop_ended(struct mapping_plan *plan, struct instant now)
{
    for (int port = 0; port < MAPPING_PORTS; port++)
        if (instant_reached(plan->until[port], now))
            drop_lease(plan, port);
}

void mapping_plan_init(struct mapping_plan *plan,
                       const struct mapping_conf *conf, struct instant now)
{
    *plan = (struct mapping_plan){.conf = *conf,
                                  .round_at = now,
                                  .begun_at = {INT64_MIN / 2},
                                  .pause = pause_least};
    for (int port = 0; port < MAPPING_PORTS; port++)
        drop_lease(plan, port);
    for (int p = 0; p < MAPPING_PROTOCOLS; p++)
        set_finding(plan, p, conf->served[p] ? FINDING_UNKNOWN : FINDING_OFF);
    plan->changed = false;
}

bool mapping_plan_changed(struct mapping_plan *plan)
{
    bool changed = plan->changed;

    plan->changed = false;
    return changed;
}

/* ---- Rounds */

static bool wants_all(const struct mapping_plan *plan)
{
    for (int port = 0; port < MAPPING_PORTS; port++)
        if (plan->conf.ports[port] != 0 && !is_leased(plan, port))
            return true;
    return plan->all_due;
}

/* If only renewals are due, only the protocols that hold a lease are asked. */
static void begin_round(struct mapping_plan *plan, struct instant now)
{
    bool all = wants_all(plan);

    for (int port = 0; port < MAPPING_PORTS; port++)
        plan->due[port] = plan->conf.ports[port] != 0 &&
                          (plan->all_due || !is_leased(plan, port) ||
                           instant_reached(plan->renew_at[port], now));
    for (int p = 0; p < MAPPING_PROTOCOLS; p++) {
        plan->asked[p] = !plan->conf.served[p];
        plan->passed[p] = !all && !holds_lease(plan, p);
        plan->answers[p] = false;
    }
    memset(plan->tried, 0, sizeof plan->tried);
    plan->in_round = true;
    plan->all_due = false;
    plan->begun_at = now;
}

/* The protocol that granted the port's lease comes before the others. */
static bool may_map(const struct mapping_plan *plan, int protocol, int port)
{
    int holder = (int)plan->state.leases[port].protocol;

    if (!plan->answers[protocol] || plan->tried[protocol][port])
        return false;
    return !is_leased(plan, port) || holder == protocol ||
           plan->tried[holder][port] ||
           (plan->asked[holder] && !plan->answers[holder]);
}

static bool choose_of(struct mapping_plan *plan, int protocol)
{
    struct mapping_request *r = &plan->request;

    if (!plan->asked[protocol] && !plan->passed[protocol]) {
        *r = (struct mapping_request){
            .kind = MAPPING_FIND, .protocol = (enum mapping_protocol)protocol};
        return true;
    }
    for (int port = 0; port < MAPPING_PORTS; port++) {
        if (!plan->due[port] || !may_map(plan, protocol, port))
            continue;
        uint16_t leased = plan->state.leases[port].outside.port;
        *r = (struct mapping_request){
            .kind = MAPPING_MAP,
            .protocol = (enum mapping_protocol)protocol,
            .port = (enum mapping_port)port,
            .inside = plan->conf.ports[port],
            .outside = leased != 0 ? leased : plan->conf.ports[port],
            .lease = lease_asked};
        return true;
    }
    return false;
}

static bool any_due(const struct mapping_plan *plan)
{
    return plan->due[MAPPING_TCP] || plan->due[MAPPING_UDP];
}

static bool choose(struct mapping_plan *plan)
{
    for (;;) {
        bool passed = false;
        for (int p = 0; p < MAPPING_PROTOCOLS; p++) {
            if (choose_of(plan, p))
                return true;
            passed |= plan->passed[p] && plan->conf.served[p];
        }
        if (!passed || !any_due(plan))
            return false;
        memset(plan->passed, 0, sizeof plan->passed); /* A renewal failed. */
    }
}

/* After a renewal that failed: at half of what is left. */
static void renew_later(struct mapping_plan *plan, int port, struct instant now)
{
    struct span left = instant_between(now, plan->until[port]);
    struct span wait = span_max(span_us(left.us / 2), renewal_least);

    plan->renew_at[port] =
        instant_min(instant_after(now, wait), plan->until[port]);
}

static void end_round(struct mapping_plan *plan, struct instant now)
{
    bool lacks = false;

    plan->in_round = false;
    plan->round_at = INSTANT_NEVER;
    for (int port = 0; port < MAPPING_PORTS; port++) {
        if (is_leased(plan, port) && plan->due[port])
            renew_later(plan, port, now);
        lacks |= plan->conf.ports[port] != 0 && !is_leased(plan, port);
        plan->due[port] = false;
        plan->round_at = instant_min(plan->round_at, plan->renew_at[port]);
    }
    if (!lacks) {
        plan->pause = pause_least;
        return;
    }
    plan->round_at =
        instant_min(plan->round_at, instant_after(now, plan->pause));
    plan->pause = span_min(span_times(plan->pause, 3), pause_most);
}

/* At the end all leases are given back, before only those for a port that this
 * node had. */
static bool choose_release(struct mapping_plan *plan)
{
    for (int port = 0; port < MAPPING_PORTS; port++) {
        const struct mapping_lease *lease = &plan->state.leases[port];
        if (!is_leased(plan, port) ||
            (!plan->stopping && lease->inside == plan->conf.ports[port]))
            continue;
        plan->request =
            (struct mapping_request){.kind = MAPPING_UNMAP,
                                     .protocol = lease->protocol,
                                     .port = (enum mapping_port)port,
                                     .inside = lease->inside,
                                     .outside = lease->outside.port};
        return true;
    }
    return false;
}

static bool choose_now(struct mapping_plan *plan, struct instant now)
{
    if (!plan->stopping)
        drop_ended(plan, now);
    if (choose_release(plan))
        return true;
    if (plan->stopping)
        return false;
    if (!plan->in_round) {
        if (!instant_reached(plan->round_at, now))
            return false;
        begin_round(plan, now);
    }
    if (choose(plan))
        return true;
    end_round(plan, now);
    return false;
}

bool mapping_plan_next(struct mapping_plan *plan, struct instant now,
                       struct mapping_request *request)
{
    if (plan->waiting) {
        if (!plan->stopping)
            drop_ended(plan, now);
        return false;
    }
    if (!choose_now(plan, now))
        return false;
    plan->waiting = true;
    plan->stale = false;
    *request = plan->request;
    return true;
}

/* ---- Answers */

static enum mapping_finding finding_of(enum mapping_result result)
{
    switch (result) {
    case MAPPING_SILENT:
        return FINDING_NONE;
    case MAPPING_DENIED:
        return FINDING_REFUSED;
    case MAPPING_GRANTED:
        return FINDING_FOUND;
    }
    return FINDING_UNKNOWN;
}

static void found(struct mapping_plan *plan, int protocol,
                  const struct mapping_answer *answer)
{
    enum mapping_result result = answer->result;

    if (result == MAPPING_GRANTED && answer->outside.family == ADDRESS_NONE)
        result = MAPPING_DENIED;
    plan->asked[protocol] = true;
    plan->answers[protocol] = result == MAPPING_GRANTED;
    set_finding(plan, protocol, finding_of(result));
    plan->outside[protocol] = answer->outside;
}

static void granted(struct mapping_plan *plan, struct instant now,
                    const struct mapping_answer *answer)
{
    const struct mapping_request *r = &plan->request;
    struct mapping_lease lease = {.outside = plan->outside[r->protocol],
                                  .inside = r->inside,
                                  .protocol = r->protocol};
    struct span life = span_min(answer->lease, lease_asked);

    lease.outside.port = answer->outside.port;
    set_lease(plan, (int)r->port, &lease);
    plan->until[r->port] = instant_after(now, life);
    plan->renew_at[r->port] = instant_after(now, span_us(life.us / 2));
    plan->due[r->port] = false;
}

static void mapped(struct mapping_plan *plan, struct instant now,
                   const struct mapping_answer *answer)
{
    const struct mapping_request *r = &plan->request;
    enum mapping_result result = answer->result;

    if (result == MAPPING_GRANTED &&
        (answer->outside.port == 0 || answer->lease.us < lease_least.us))
        result = MAPPING_DENIED;
    plan->tried[r->protocol][r->port] = true;
    set_finding(plan, (int)r->protocol, finding_of(result));
    if (result == MAPPING_GRANTED)
        granted(plan, now, answer);
    else if (result == MAPPING_SILENT)
        plan->answers[r->protocol] = false; /* Nor will it for the next port. */
}

/* The router may have carried out a request that was not waited for. */
static void assume_granted(struct mapping_plan *plan)
{
    const struct mapping_request *r = &plan->request;

    if (!is_leased(plan, (int)r->port))
        plan->state.leases[r->port] =
            (struct mapping_lease){.outside = {.port = r->outside},
                                   .inside = r->inside,
                                   .protocol = r->protocol};
}

void mapping_plan_answer(struct mapping_plan *plan, struct instant now,
                         const struct mapping_answer *answer)
{
    const struct mapping_request *r = &plan->request;

    ASSERT(plan->waiting);
    plan->waiting = false;
    if (r->kind == MAPPING_UNMAP)
        drop_lease(plan, (int)r->port);
    else if (plan->stopping && r->kind == MAPPING_MAP)
        assume_granted(plan);
    else if (plan->stale)
        return;
    else if (r->kind == MAPPING_FIND)
        found(plan, (int)r->protocol, answer);
    else
        mapped(plan, now, answer);
}

/* ---- Changes from outside */

static void begin_soon(struct mapping_plan *plan, struct instant now)
{
    plan->in_round = false;
    plan->pause = pause_least;
    plan->round_at =
        instant_max(now, instant_after(plan->begun_at, rounds_apart));
}

void mapping_plan_network_changed(struct mapping_plan *plan, struct instant now,
                                  bool moved)
{
    if (plan->stopping)
        return;
    for (int port = 0; moved && port < MAPPING_PORTS; port++)
        drop_lease(plan, port);
    plan->stale = true;
    plan->all_due = true;
    begin_soon(plan, now);
}

/* An answer that is missing still counts: a lease that it grants is known then,
 * and given back. */
void mapping_plan_port_moved(struct mapping_plan *plan, struct instant now,
                             enum mapping_port port, uint16_t inside)
{
    if (plan->stopping || plan->conf.ports[port] == inside)
        return;
    plan->conf.ports[port] = inside;
    begin_soon(plan, now);
}

void mapping_plan_stop(struct mapping_plan *plan)
{
    plan->stopping = true;
    plan->stale = true;
}

bool mapping_plan_is_done(const struct mapping_plan *plan)
{
    return plan->stopping && !plan->waiting && !is_leased(plan, MAPPING_TCP) &&
           !is_leased(plan, MAPPING_UDP);
}

struct instant mapping_plan_deadline(const struct mapping_plan *plan)
{
    struct instant next =
        instant_min(plan->until[MAPPING_TCP], plan->until[MAPPING_UDP]);

    if (plan->stopping)
        return INSTANT_NEVER;
    return plan->waiting ? next : instant_min(next, plan->round_at);
}
