#include "tests/sim/nat.h"

#include "common/base/memory.h"

#include <stdlib.h>

struct nat_session {
    struct address remote;
    struct instant used;
};

struct nat_binding {
    struct address inside, outside;
    struct address remote; /* that it was made for */
    struct nat_session *sessions;
    size_t count, capacity;
};

/* A tuple that the box took for itself. */
struct nat_entry {
    struct address outside, remote;
    struct instant used;
};

struct nat {
    struct nat_conf conf;
    struct nat_binding *mappings;
    size_t count, capacity;
    struct nat_entry *entries;
    size_t entry_count, entry_capacity;
    uint16_t next_port; /* of SEQUENTIAL */
};

struct nat *nat_new(const struct nat_conf *conf)
{
    struct nat *n = memory_new(sizeof(*n));

    n->conf = *conf;
    if (conf->first_port == 0 && conf->last_port == 0) {
        n->conf.first_port = NAT_PORT_FIRST;
        n->conf.last_port = NAT_PORT_LAST;
    }
    if (conf->taken_timeout.us == 0)
        n->conf.taken_timeout = conf->timeout;
    n->next_port = n->conf.first_port;
    ASSERT(conf->outside_count <= NAT_OUTSIDE_MAX);
    ASSERT(n->conf.first_port > 0 && n->conf.first_port <= n->conf.last_port);
    ASSERT(conf->timeout.us > 0);
    ASSERT(!conf->shares_ports || (conf->mapping != NAT_ENDPOINT_INDEPENDENT &&
                                   conf->filtering >= conf->mapping));
    ASSERT(conf->outside_count > 0 ||
           (conf->mapping == NAT_ENDPOINT_INDEPENDENT && !conf->takes_tuples));
    return n;
}

static void forget_all(struct nat *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->mappings[i].sessions);
    n->count = 0;
    n->entry_count = 0;
}

void nat_free(struct nat **self)
{
    struct nat *n = *self;

    if (n == NULL)
        return;
    forget_all(n);
    free(n->mappings);
    free(n->entries);
    free(n);
    *self = NULL;
}

void nat_restart(struct nat *n, const struct address *outside)
{
    forget_all(n);
    if (outside == NULL)
        return;
    n->conf.outside[0] = *outside;
    n->conf.outside_count = 1;
}

bool nat_has(const struct nat *n, const struct address *a)
{
    for (size_t i = 0; i < n->conf.outside_count; i++)
        if (address_same_ip(&n->conf.outside[i], a))
            return true;
    return false;
}

bool nat_covers(enum nat_behaviour b, const struct address *known,
                const struct address *remote)
{
    switch (b) {
    case NAT_ENDPOINT_INDEPENDENT:
        return true;
    case NAT_ADDRESS_DEPENDENT:
        return address_same_ip(known, remote);
    case NAT_ADDRESS_AND_PORT_DEPENDENT:
        break;
    }
    /* Ports differ more often than addresses. */
    return known->port == remote->port && address_same_ip(known, remote);
}

/* Room for one more item, of which there are `count`. */
static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? 8 : 2 * *capacity;
    return memory_resize(items, *capacity, size);
}

/* --- time -------------------------------------------------------------- */

static bool is_over(struct instant used, struct span timeout,
                    struct instant now)
{
    return instant_reached(instant_after(used, timeout), now);
}

static void expire_sessions(const struct nat *n, struct nat_binding *m,
                            struct instant now)
{
    for (size_t i = 0; i < m->count;)
        if (is_over(m->sessions[i].used, n->conf.timeout, now))
            m->sessions[i] = m->sessions[--m->count];
        else
            i++;
}

static void expire(struct nat *n, struct instant now)
{
    for (size_t i = 0; i < n->count;) {
        struct nat_binding *m = &n->mappings[i];

        expire_sessions(n, m, now);
        if (m->count > 0) {
            i++;
            continue;
        }
        free(m->sessions);
        *m = n->mappings[--n->count];
    }
    for (size_t i = 0; i < n->entry_count;)
        if (is_over(n->entries[i].used, n->conf.taken_timeout, now))
            n->entries[i] = n->entries[--n->entry_count];
        else
            i++;
}

size_t nat_mappings(struct nat *n, struct instant now)
{
    expire(n, now);
    return n->count;
}

static void refresh(struct nat_binding *m, const struct address *remote,
                    struct instant now)
{
    size_t i = 0;

    while (i < m->count && !address_equal(&m->sessions[i].remote, remote))
        i++;
    if (i == m->count) {
        m->sessions =
            grown(m->sessions, m->count, &m->capacity, sizeof(*m->sessions));
        m->sessions[m->count++].remote = *remote;
    }
    m->sessions[i].used = now;
}

/* --- the outside endpoint of a new mapping -------------------------------- */

static bool is_free(const struct nat *n, const struct address *outside,
                    const struct address *remote)
{
    for (size_t i = 0; i < n->count; i++) {
        const struct nat_binding *m = &n->mappings[i];

        if ((!n->conf.shares_ports ||
             nat_covers(n->conf.mapping, &m->remote, remote)) &&
            address_equal(&m->outside, outside))
            return false;
    }
    for (size_t i = 0; i < n->entry_count; i++)
        if (address_equal(&n->entries[i].remote, remote) &&
            address_equal(&n->entries[i].outside, outside))
            return false;
    return true;
}

static bool is_in_range(const struct nat *n, uint16_t port)
{
    return port >= n->conf.first_port && port <= n->conf.last_port;
}

static uint16_t random_port(const struct nat *n, struct rng *rng)
{
    return (uint16_t)rng_between(rng, n->conf.first_port, n->conf.last_port);
}

static uint16_t port_after(const struct nat *n, uint16_t port)
{
    return port == n->conf.last_port ? n->conf.first_port
                                     : (uint16_t)(port + 1);
}

/* Upwards from the port, and round, to one that is free. */
static bool find_port(const struct nat *n, struct address *outside,
                      const struct address *remote, uint16_t from)
{
    outside->port = from;
    do {
        if (is_free(n, outside, remote))
            return true;
        outside->port = port_after(n, outside->port);
    } while (outside->port != from);
    return false;
}

static bool choose_port(struct nat *n, struct address *outside,
                        const struct address *inside,
                        const struct address *remote, struct rng *rng)
{
    switch (n->conf.ports) {
    case NAT_PORTS_PRESERVED:
        outside->port = inside->port;
        if (is_in_range(n, outside->port) && is_free(n, outside, remote))
            return true;
        break;
    case NAT_PORTS_SEQUENTIAL:
        if (!find_port(n, outside, remote, n->next_port))
            return false;
        n->next_port = port_after(n, outside->port);
        return true;
    case NAT_PORTS_RANDOM:
        break;
    }
    return find_port(n, outside, remote, random_port(n, rng));
}

/* Paired pooling: the outside address that this inside address has already. */
static const struct address *paired_with(const struct nat *n,
                                         const struct address *inside)
{
    for (size_t i = 0; n->conf.paired && i < n->count; i++)
        if (address_same_ip(&n->mappings[i].inside, inside))
            return &n->mappings[i].outside;
    return NULL;
}

static bool choose_outside(struct nat *n, struct address *outside,
                           const struct address *inside,
                           const struct address *remote, struct rng *rng)
{
    const struct address *paired = paired_with(n, inside);

    if (n->conf.outside_count == 0) {
        *outside = *inside;
        return true;
    }
    if (paired != NULL)
        *outside = *paired;
    else if (n->conf.outside_count == 1)
        *outside = n->conf.outside[0];
    else
        *outside = n->conf.outside[rng_below(rng, n->conf.outside_count)];
    return choose_port(n, outside, inside, remote, rng);
}

/* --- from the inside ----------------------------------------------------- */

static struct nat_binding *mapping_of(const struct nat *n,
                                      const struct address *inside,
                                      const struct address *remote)
{
    for (size_t i = 0; i < n->count; i++) {
        struct nat_binding *m = &n->mappings[i];

        if (nat_covers(n->conf.mapping, &m->remote, remote) &&
            address_equal(&m->inside, inside))
            return m;
    }
    return NULL;
}

static bool reaches_limit(const struct nat *n, const struct address *inside)
{
    size_t of_host = 0;

    for (size_t i = 0; i < n->count; i++)
        of_host += address_same_ip(&n->mappings[i].inside, inside);
    return (n->conf.mappings_max > 0 && n->count >= n->conf.mappings_max) ||
           (n->conf.mappings_per_host_max > 0 &&
            of_host >= n->conf.mappings_per_host_max);
}

/* NULL: a limit is reached, or no port is free. */
static struct nat_binding *make_mapping(struct nat *n,
                                        const struct address *inside,
                                        const struct address *remote,
                                        struct rng *rng)
{
    struct nat_binding m = {.inside = *inside, .remote = *remote};

    if (reaches_limit(n, inside) ||
        !choose_outside(n, &m.outside, inside, remote, rng))
        return NULL;
    n->mappings =
        grown(n->mappings, n->count, &n->capacity, sizeof(*n->mappings));
    n->mappings[n->count] = m;
    return &n->mappings[n->count++];
}

enum nat_verdict nat_out(struct nat *n, struct address *from,
                         const struct address *to, struct instant now,
                         struct rng *rng)
{
    bool turns = nat_has(n, to);
    struct nat_binding *m;

    expire(n, now);
    if (turns && !n->conf.hairpins)
        return NAT_NO_HAIRPIN;
    m = mapping_of(n, from, to);
    if (m == NULL)
        m = make_mapping(n, from, to, rng);
    if (m == NULL)
        return NAT_FULL;
    refresh(m, to, now);
    *from = m->outside;
    return turns ? NAT_TURNED : NAT_PASSED;
}

/* --- from the outside ---------------------------------------------------- */

static bool lets_in(const struct nat *n, const struct nat_binding *m,
                    const struct address *remote)
{
    for (size_t i = 0; i < m->count; i++)
        if (nat_covers(n->conf.filtering, &m->sessions[i].remote, remote))
            return true;
    return false;
}

static void take_tuple(struct nat *n, const struct address *outside,
                       const struct address *remote, struct instant now)
{
    size_t i = 0;

    while (i < n->entry_count &&
           !(address_equal(&n->entries[i].outside, outside) &&
             address_equal(&n->entries[i].remote, remote)))
        i++;
    if (i == n->entry_count) {
        n->entries = grown(n->entries, n->entry_count, &n->entry_capacity,
                           sizeof(*n->entries));
        n->entry_count++;
    }
    n->entries[i] = (struct nat_entry){*outside, *remote, now};
}

enum nat_verdict nat_in(struct nat *n, const struct address *from,
                        struct address *to, struct instant now)
{
    bool is_mapped = false, is_in_scope = false;

    expire(n, now);
    for (size_t i = 0; i < n->count; i++) {
        struct nat_binding *m = &n->mappings[i];

        if (!address_equal(&m->outside, to))
            continue;
        is_mapped = true;
        if (nat_covers(n->conf.mapping, &m->remote, from))
            is_in_scope = true;
        if (!lets_in(n, m, from))
            continue;
        if (n->conf.inbound_refreshes)
            refresh(m, from, now);
        *to = m->inside;
        return NAT_PASSED;
    }
    if (n->conf.takes_tuples && !is_in_scope) {
        take_tuple(n, to, from, now);
        return NAT_TAKEN;
    }
    return is_mapped ? NAT_FILTERED : NAT_UNMAPPED;
}

/* --- kinds ------------------------------------------------------------- */

static const struct {
    const char *name;
    enum nat_behaviour mapping, filtering;
    enum nat_ports ports;
} kinds[NAT_KINDS] = {
    [NAT_FULL_CONE] = {"full-cone", NAT_ENDPOINT_INDEPENDENT,
                       NAT_ENDPOINT_INDEPENDENT, NAT_PORTS_PRESERVED},
    [NAT_RESTRICTED_CONE] = {"restricted-cone", NAT_ENDPOINT_INDEPENDENT,
                             NAT_ADDRESS_DEPENDENT, NAT_PORTS_PRESERVED},
    [NAT_HOME] = {"home", NAT_ENDPOINT_INDEPENDENT,
                  NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_PORTS_PRESERVED},
    [NAT_PLAIN] = {"plain", NAT_ADDRESS_AND_PORT_DEPENDENT,
                   NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_PORTS_PRESERVED},
    [NAT_SYM] = {"sym", NAT_ADDRESS_AND_PORT_DEPENDENT,
                 NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_PORTS_RANDOM},
    [NAT_FIREWALL] = {"firewall", NAT_ENDPOINT_INDEPENDENT,
                      NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_PORTS_PRESERVED},
};

struct nat_conf nat_kind_conf(enum nat_kind kind)
{
    return (struct nat_conf){
        .mapping = kinds[kind].mapping,
        .filtering = kinds[kind].filtering,
        .ports = kinds[kind].ports,
        .shares_ports = kind == NAT_PLAIN || kind == NAT_SYM,
        .inbound_refreshes = true,
        .timeout = span_s(120),
        .taken_timeout = span_s(30),
    };
}

const char *nat_kind_name(enum nat_kind kind)
{
    return kinds[kind].name;
}
