#include "edge/core/nat_filter.h"

#include <string.h>

enum { SENDS = 3 };

static const struct span send_interval = {200 * 1000};
static const struct span longest = {800 * 1000};

/* ---- Begin */

static bool is_chosen(const struct nat_filter *f, const struct address *server)
{
    for (size_t i = 0; i < f->count; i++)
        if (address_same_ip(&f->servers[i].asked, server))
            return true;
    return false;
}

static void choose(struct nat_filter *f, struct entropy *entropy,
                   const struct address *server)
{
    struct nat_filter_server *s = &f->servers[f->count++];
    uint8_t transaction[12];

    s->asked = *server;
    entropy_fill(entropy, transaction, sizeof transaction);
    stun_write_two_request(transaction, &s->id, s->request);
}

void nat_filter_begin(struct nat_filter *f, struct entropy *entropy,
                      const struct outside_answer *answers, size_t count,
                      enum address_family family, bool has_nat,
                      struct instant now)
{
    *f = (struct nat_filter){.began = now, .answer_count = count};
    memcpy(f->answers, answers, count * sizeof *answers);
    for (size_t i = 0; i < count && f->count < NAT_FILTER_SERVERS; i++)
        if (answers[i].seen.family == family && answers[i].natted == has_nat &&
            !is_chosen(f, &answers[i].server))
            choose(f, entropy, &answers[i].server);
}

/* ---- Requests and answers */

static struct instant next_send(const struct nat_filter *f)
{
    if (f->sends == SENDS || f->count == 0)
        return INSTANT_NEVER;
    return instant_after(f->began, span_times(send_interval, f->sends));
}

bool nat_filter_next(struct nat_filter *f, struct address *to,
                     struct bytes *request, struct instant now)
{
    if (!instant_reached(next_send(f), now))
        return false;
    const struct nat_filter_server *s = &f->servers[f->next];
    *to = s->asked;
    *request = bytes_of(s->request, sizeof s->request);
    f->next = (f->next + 1) % f->count;
    f->sends += f->next == 0;
    return true;
}

void nat_filter_take(struct nat_filter *f, const struct address *from,
                     struct bytes datagram)
{
    for (size_t i = 0; i < f->count; i++) {
        struct nat_filter_server *s = &f->servers[i];
        struct address mapped;
        if (!address_same_ip(&s->asked, from) ||
            !stun_read_response(datagram, &s->id, &mapped))
            continue;
        if (from->port != s->asked.port)
            f->passed = true;
        else
            s->second_port = stun_second_port(datagram);
    }
}

/* ---- The end */

static struct instant end_of(const struct nat_filter *f)
{
    return instant_after(f->began, longest);
}

bool nat_filter_is_done(const struct nat_filter *f, struct instant now)
{
    return f->count == 0 || f->passed || instant_reached(end_of(f), now);
}

struct instant nat_filter_deadline(const struct nat_filter *f)
{
    return instant_min(next_send(f), end_of(f));
}

/* Whether the server's second port answered those that asked it: else a
 * firewall may drop whatever comes from there. */
static bool is_known_to_answer(const struct nat_filter *f,
                               const struct nat_filter_server *s)
{
    struct address second = s->asked;

    second.port = s->second_port;
    for (size_t i = 0; i < f->answer_count; i++)
        if (f->answers[i].seen.family != ADDRESS_NONE &&
            address_equal(&f->answers[i].server, &second))
            return true;
    return false;
}

enum nat_filtering nat_filter_verdict(const struct nat_filter *f)
{
    if (f->passed)
        return FILTERING_BY_ADDRESS_AT_MOST;
    for (size_t i = 0; i < f->count; i++)
        if (f->servers[i].second_port != 0 &&
            is_known_to_answer(f, &f->servers[i]))
            return FILTERING_BY_PORT;
    return FILTERING_UNKNOWN;
}
