#include "tests/sim/udp_checkers_private.h"

/* --- the record ---------------------------------------------------------- */

static void expire(struct nat_flow *flows, size_t *count, struct span timeout,
                   struct instant now)
{
    size_t kept = 0;

    for (size_t i = 0; i < *count; i++)
        if (!instant_reached(instant_after(flows[i].used, timeout), now))
            flows[kept++] = flows[i];
    *count = kept;
}

static void expire_all(struct nat_record *r, struct instant now)
{
    expire(r->flows, &r->flow_count, r->conf.timeout, now);
    expire(r->taken, &r->taken_count,
           r->conf.taken_timeout.us > 0 ? r->conf.taken_timeout
                                        : r->conf.timeout,
           now);
}

static bool is_same(const struct nat_flow *a, const struct nat_flow *b)
{
    return a->remote.port == b->remote.port &&
           address_equal(&a->remote, &b->remote) &&
           address_equal(&a->inside, &b->inside) &&
           address_equal(&a->outside, &b->outside);
}

static void keep(struct nat_flow **flows, size_t *count, size_t *capacity,
                 struct nat_flow flow)
{
    size_t i = 0;

    while (i < *count && !is_same(&(*flows)[i], &flow))
        i++;
    if (i == *count) {
        *flows = udp_checkers_room(*flows, i + 1, capacity, sizeof(flow));
        ++*count;
    }
    (*flows)[i] = flow;
}

static void keep_flow(struct nat_record *r, struct nat_flow flow)
{
    keep(&r->flows, &r->flow_count, &r->flow_capacity, flow);
}

/* Both flows go by one mapping, if the box is as it was told. */
static bool is_one_mapping(const struct nat_record *r, const struct nat_flow *a,
                           const struct nat_flow *b)
{
    return nat_covers(r->conf.mapping, &a->made_for, &b->made_for) &&
           address_equal(&a->inside, &b->inside);
}

/* Live mappings, of all inside addresses or (not NULL) of one. */
static size_t mapping_count(const struct nat_record *r,
                            const struct address *of)
{
    size_t count = 0;

    for (size_t i = 0; i < r->flow_count; i++) {
        bool counted = of != NULL && !address_same_ip(&r->flows[i].inside, of);

        for (size_t k = 0; !counted && k < i; k++)
            counted = is_one_mapping(r, &r->flows[k], &r->flows[i]);
        count += !counted;
    }
    return count;
}

static bool has_outside(const struct nat_record *r, const struct address *a)
{
    for (size_t i = 0; i < r->conf.outside_count; i++)
        if (address_same_ip(&r->conf.outside[i], a))
            return true;
    return false;
}

/* "checker: FLOW: what is wrong" */
static void blame(struct world *w, const char *checker,
                  const struct nat_flow *f, const char *what)
{
    char in[ADDRESS_TEXT_SIZE], out[ADDRESS_TEXT_SIZE], to[ADDRESS_TEXT_SIZE];

    world_fail(w, checker, "%s as %s with %s: %s",
               address_format(&f->inside, in), address_format(&f->outside, out),
               address_format(&f->remote, to), what);
}

/* --- a datagram went out ------------------------------------------------- */

static void check_translation(struct world *w, const struct nat_record *r,
                              const struct nat_flow *f)
{
    if (r->conf.outside_count == 0) {
        if (!address_equal(&f->inside, &f->outside))
            blame(w, "nat-translate", f, "a firewall translates");
    } else if (!has_outside(r, &f->outside)) {
        blame(w, "nat-translate", f, "the address is not the box's");
    }
}

static void check_with_another(struct world *w, const struct nat_record *r,
                               const struct nat_flow *f,
                               const struct nat_flow *other)
{
    bool is_outside_same = address_equal(&f->outside, &other->outside);

    if (is_one_mapping(r, f, other)) {
        if (!is_outside_same)
            blame(w, "nat-stable", f, "the mapping had another port");
    } else if (is_outside_same &&
               (!r->conf.shares_ports ||
                nat_covers(r->conf.mapping, &f->made_for, &other->made_for))) {
        blame(w, "nat-ports", f, "another mapping has the port");
    }
    if (r->conf.paired && address_same_ip(&f->inside, &other->inside) &&
        !address_same_ip(&f->outside, &other->outside))
        blame(w, "nat-paired", f, "the host has another outside address");
}

static void check_limits(struct world *w, const struct nat_record *r,
                         const struct nat_flow *f)
{
    if (r->conf.mappings_max > 0 &&
        mapping_count(r, NULL) > r->conf.mappings_max)
        blame(w, "nat-limit", f, "the box has too many mappings");
    if (r->conf.mappings_per_host_max > 0 &&
        mapping_count(r, &f->inside) > r->conf.mappings_per_host_max)
        blame(w, "nat-limit", f, "the host has too many mappings");
}

/* The box's own entries came first. */
static void check_taken(struct world *w, const struct nat_record *r,
                        const struct nat_flow *f)
{
    for (size_t i = 0; i < r->flow_count; i++)
        if (is_one_mapping(r, f, &r->flows[i]))
            return; /* The mapping is older than this flow. */
    for (size_t i = 0; i < r->taken_count; i++)
        if (address_equal(&r->taken[i].outside, &f->outside) &&
            address_equal(&r->taken[i].remote, &f->remote))
            blame(w, "nat-given", f, "the box had taken the tuple");
}

void nat_record_went_out(struct world *w, struct nat_record *r,
                         const struct udp_seen *seen)
{
    struct nat_flow f = {seen->before, seen->packet->from, seen->packet->to,
                         w->now, seen->packet->to};

    expire_all(r, w->now);
    check_translation(w, r, &f);
    if (seen->turned && !r->conf.hairpins)
        blame(w, "nat-hairpin", &f, "the box turns it round");
    for (size_t i = 0; i < r->flow_count; i++)
        check_with_another(w, r, &f, &r->flows[i]);
    check_taken(w, r, &f);
    keep_flow(r, f);
    check_limits(w, r, &f);
}

/* --- a datagram came in, or was dropped ---------------------------------- */

static bool allows(const struct nat_record *r, const struct nat_flow *f,
                   const struct address *outside, const struct address *remote)
{
    return address_equal(&f->outside, outside) &&
           nat_covers(r->conf.filtering, &f->remote, remote);
}

void nat_record_went_in(struct world *w, struct nat_record *r,
                        const struct udp_seen *seen)
{
    struct nat_flow f = {.inside = seen->packet->to,
                         .outside = seen->before,
                         .remote = seen->packet->from,
                         .used = w->now};
    bool allowed = false;

    expire_all(r, w->now);
    for (size_t i = 0; !allowed && i < r->flow_count; i++) {
        allowed = address_equal(&r->flows[i].inside, &f.inside) &&
                  allows(r, &r->flows[i], &f.outside, &f.remote);
        f.made_for = r->flows[i].made_for;
    }
    if (!allowed)
        blame(w, "nat-filter", &f, "nothing went out that lets it in");
    if (r->conf.inbound_refreshes)
        keep_flow(r, f);
}

static void check_dropped(struct world *w, struct nat_record *r,
                          const struct udp_seen *seen)
{
    struct nat_flow f = {.outside = seen->packet->to,
                         .remote = seen->packet->from,
                         .used = w->now};
    bool is_taken = seen->fate == UDP_TAKEN, in_scope = false;

    for (size_t i = 0; i < r->flow_count; i++) {
        const struct nat_flow *other = &r->flows[i];

        if (allows(r, other, &f.outside, &f.remote))
            blame(w, "nat-open", other, "the answer is dropped");
        if (address_equal(&other->outside, &f.outside) &&
            nat_covers(r->conf.mapping, &other->made_for, &f.remote))
            in_scope = true;
    }
    if (is_taken != (r->conf.takes_tuples && !in_scope))
        blame(w, "nat-taken", &f,
              is_taken ? "the box takes it" : "the box does not take it");
    if (is_taken)
        keep(&r->taken, &r->taken_count, &r->taken_capacity, f);
}

static void check_full(struct world *w, const struct nat_record *r,
                       const struct address *inside)
{
    const struct nat_conf *c = &r->conf;
    size_t count = mapping_count(r, NULL);
    size_t ports = c->last_port == 0 ? NAT_PORT_LAST - NAT_PORT_FIRST + 1
                                     : (size_t)c->last_port - c->first_port + 1;

    if ((c->mappings_max == 0 || count < c->mappings_max) &&
        (c->mappings_per_host_max == 0 ||
         mapping_count(r, inside) < c->mappings_per_host_max) &&
        count + r->taken_count < ports)
        world_fail(w, "nat-limit", "a box with %zu mappings takes no more",
                   count);
}

void nat_record_ended(struct world *w, struct nat_record *r,
                      const struct udp_seen *seen)
{
    expire_all(r, w->now);
    if (seen->fate == UDP_UNMAPPED || seen->fate == UDP_FILTERED ||
        seen->fate == UDP_TAKEN)
        check_dropped(w, r, seen);
    else if (seen->fate == UDP_FULL)
        check_full(w, r, &seen->packet->from);
    else if (seen->fate == UDP_NO_HAIRPIN && r->conf.hairpins)
        world_fail(w, "nat-hairpin", "the box does not turn it round");
}
