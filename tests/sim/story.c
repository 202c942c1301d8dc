#include "tests/sim/story.h"

#include "common/base/memory.h"
#include "tests/sim/checkers.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FORWARDED_KIND = 0x40, /* and the session packet's type */
    BEACON_KIND = 0x50,
    MULTICAST_BEACON_KIND,
    KINDS,
    OUTCOMES = OUTCOME_TOO_LARGE + 1
};

struct flow { /* from one host to another */
    size_t packets[KINDS];
    size_t messages, events;
    struct instant last;
    struct span silence; /* the longest between two of them */
};

struct story {
    FILE *out;
    char *text;
    size_t size;
    bool in_chapter;
    const char *names[HOSTS];
    struct flow flows[HOSTS][HOSTS];
    size_t outcomes[HOSTS][OUTCOMES];
};

struct story *story_new(const char *title, const char *about)
{
    struct story *s = memory_new(sizeof(*s));

    s->out = open_memstream(&s->text, &s->size);
    ASSERT(s->out != NULL);
    fprintf(s->out, "# %s\n\n%s\n", title, about);
    return s;
}

void story_free(struct story *s)
{
    if (s == NULL)
        return;
    fclose(s->out);
    free(s->text);
    free(s);
}

void story_name(struct world *w, int host, const char *name)
{
    w->story->names[host] = name;
}

/* --- names -------------------------------------------------------------- */

static const char *kind_name(int kind)
{
    static const char *const names[KINDS] = {
        [PACKET_INIT] = "INIT",
        [PACKET_ACCEPT] = "ACCEPT",
        [PACKET_SEALED] = "SEALED",
        [PACKET_PLAIN] = "PLAIN",
        [PACKET_RESET] = "RESET",
        [PACKET_MULTICAST] = "MULTICAST",
        [PACKET_NOTICE] = "NOTICE",
        [LINK_HELLO] = "HELLO",
        [LINK_REFUSE] = "REFUSE",
        [LINK_PING] = "PING",
        [LINK_PONG] = "PONG",
        [LINK_BYE] = "BYE",
        [LINK_ANNOUNCE] = "ANNOUNCE",
        [LINK_REVOCATION] = "REVOCATION",
        [LINK_PROBE] = "PROBE",
        [LINK_PROBED] = "PROBED",
        [RELAY_HELLO] = "HELLO",
        [RELAY_ANNOUNCE] = "ANNOUNCE",
        [RELAY_PING] = "PING",
        [RELAY_BYE] = "BYE",
        [RELAY_REVOCATION] = "REVOCATION",
        [RELAY_GROUPS] = "GROUPS",
        [RELAY_MULTICAST] = "MULTICAST",
        [RELAY_SPARE] = "SPARE",
        [RELAY_RETURNS] = "RETURNS",
        [RELAY_WELCOME] = "WELCOME",
        [RELAY_PRESENT] = "PRESENT",
        [RELAY_SYNCED] = "SYNCED",
        [RELAY_GONE] = "GONE",
        [RELAY_REFUSED] = "REFUSED",
        [RELAY_PONG] = "PONG",
        [RELAY_MULTICASTED] = "MULTICASTED",
        [RELAY_CLOCK] = "CLOCK",
        [RELAY_CERTIFICATE] = "CERTIFICATE",
        [FORWARDED_KIND + PACKET_INIT] = "forwarded INIT",
        [FORWARDED_KIND + PACKET_ACCEPT] = "forwarded ACCEPT",
        [FORWARDED_KIND + PACKET_SEALED] = "forwarded SEALED",
        [FORWARDED_KIND + PACKET_RESET] = "forwarded RESET",
        [FORWARDED_KIND + PACKET_MULTICAST] = "forwarded MULTICAST",
        [FORWARDED_KIND + PACKET_NOTICE] = "forwarded NOTICE",
        [BEACON_KIND] = "beacon",
        [MULTICAST_BEACON_KIND] = "beacon to all",
    };
    return names[kind] != NULL ? names[kind] : "?";
}

static const char *name_of(const struct world *w, int host)
{
    return w->story->names[host] != NULL ? w->story->names[host] : "somebody";
}

static void print_count(FILE *out, size_t count)
{
    size_t unit = 1;

    while (count / unit >= 100)
        unit *= 10;
    if (unit == 1 && count >= 10)
        unit = 10;
    if (count < 10)
        fprintf(out, "%zu", count);
    else
        fprintf(out, "~%zu", (count + unit / 2) / unit * unit);
}

/* --- lines -------------------------------------------------------------- */

static void begin_line(const struct world *w)
{
    fprintf(w->story->out, "%8.2f s  ", (double)(w->now.us - 1000000) / 1e6);
}

void story_event(struct world *w, const char *what, int a, int b)
{
    if (w->story == NULL)
        return;
    begin_line(w);
    fprintf(w->story->out, "%s: %s", name_of(w, a), what);
    if (b >= 0)
        fprintf(w->story->out, " %s", name_of(w, b));
    fputs("\n", w->story->out);
}

static const char *reason_name(enum departure reason)
{
    return reason == DEPARTURE_CLOSED    ? "closed"
           : reason == DEPARTURE_LOST    ? "lost"
           : reason == DEPARTURE_REFUSED ? "refused"
                                         : "revoked";
}

static void tell_peer(struct world *w, const struct process *p,
                      const struct node_todo *t)
{
    int peer = checkers_host_of(w, &t->peer.peer->id);
    FILE *out = w->story->out;

    begin_line(w);
    fprintf(out, "%s: ", name_of(w, p->host));
    if (t->kind == NODE_READY)
        fprintf(out, "may send again\n");
    else if (t->kind == NODE_JOINED)
        fprintf(out, "%s joined, by %s\n", name_of(w, peer),
                node_path_name(t->peer.peer->path));
    else if (t->kind == NODE_LEFT)
        fprintf(out, "%s left, %s\n", name_of(w, peer),
                reason_name(t->peer.reason));
    else if (t->kind == NODE_PATH)
        fprintf(out, "%s by %s, was by %s\n", name_of(w, peer),
                node_path_name(t->peer.peer->path),
                node_path_name(t->peer.was));
    else
        fprintf(out, "misses %llu publications of %s\n",
                (unsigned long long)t->peer.missed, name_of(w, peer));
}

static void count_message(struct world *w, const struct process *p,
                          const struct node_todo *t)
{
    int from = checkers_host_of(w, &t->peer.peer->id);
    struct flow *f = &w->story->flows[from][p->host];

    if (f->messages + f->events > 0)
        f->silence = span_max(f->silence, instant_between(f->last, w->now));
    f->last = w->now;
    if (t->peer.message.kind == MESSAGE_EVENT)
        f->events++;
    else
        f->messages++;
}

void story_todo(struct world *w, const struct process *p,
                const struct node_todo *t)
{
    if (w->story == NULL)
        return;
    switch ((unsigned)t->kind) {
    case NODE_JOINED:
    case NODE_LEFT:
    case NODE_PATH:
    case NODE_GAP:
        tell_peer(w, p, t);
        return;
    case NODE_MESSAGE:
        count_message(w, p, t);
        return;
    case NODE_REPORT:
        w->story->outcomes[p->host][t->report.outcome]++;
        return;
    default:
        return;
    }
}

/* --- counting ----------------------------------------------------------- */

static int kind_of(struct bytes packet)
{
    int type = packet.data[0];

    if ((type == RELAY_FORWARD || type == RELAY_FORWARDED) &&
        packet.size > FORWARD_HEADER_SIZE)
        type = FORWARDED_KIND + packet.data[FORWARD_HEADER_SIZE];
    return type < KINDS ? type : 0;
}

void story_packet(struct world *w, int from, int to, struct bytes packet)
{
    if (w->story != NULL)
        w->story->flows[from][to].packets[kind_of(packet)]++;
}

void story_beacon(struct world *w, int from, int to, bool multicast)
{
    if (w->story != NULL)
        w->story->flows[from][to]
            .packets[multicast ? MULTICAST_BEACON_KIND : BEACON_KIND]++;
}

/* --- chapters ----------------------------------------------------------- */

static void sum_up_packets(const struct world *w, int from, int to)
{
    const struct flow *f = &w->story->flows[from][to];
    FILE *out = w->story->out;
    const char *separator = " ";

    for (int kind = 0; kind < KINDS; kind++) {
        if (f->packets[kind] == 0)
            continue;
        if (separator[0] == ' ')
            fprintf(out, "            %s > %s:", name_of(w, from),
                    name_of(w, to));
        fprintf(out, "%s", separator[0] == ' ' ? " " : ", ");
        print_count(out, f->packets[kind]);
        fprintf(out, " %s", kind_name(kind));
        separator = ",";
    }
    if (separator[0] == ',')
        fputs("\n", out);
}

static void sum_up_messages(const struct world *w, int from, int to)
{
    const struct flow *f = &w->story->flows[from][to];
    FILE *out = w->story->out;

    if (f->messages + f->events == 0)
        return;
    fprintf(out, "            %s has ", name_of(w, to));
    if (f->messages > 0)
        fprintf(out, "%zu messages", f->messages);
    if (f->events > 0)
        fprintf(out, "%s%zu publications", f->messages > 0 ? " and " : "",
                f->events);
    fprintf(out, " of %s", name_of(w, from));
    if (f->silence.us >= 1000)
        fprintf(out, ", the longest silence between them %lld ms",
                (long long)(f->silence.us / 1000));
    fputs("\n", out);
}

static void sum_up_reports(const struct world *w, int host)
{
    const size_t *outcomes = w->story->outcomes[host];
    FILE *out = w->story->out;
    bool any = false;

    for (int i = 0; i < OUTCOMES; i++) {
        if (outcomes[i] == 0)
            continue;
        if (any)
            fputs(", ", out);
        else
            fprintf(out, "            %s reports: ", name_of(w, host));
        fprintf(out, "%zu %s", outcomes[i],
                node_outcome_name((enum node_outcome)i));
        any = true;
    }
    if (any)
        fputs("\n", out);
}

static void sum_up(struct world *w)
{
    struct story *s = w->story;

    if (!s->in_chapter)
        return;
    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            sum_up_packets(w, a, b);
    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            sum_up_messages(w, a, b);
    for (int a = 0; a < w->host_count; a++)
        sum_up_reports(w, a);
    memset(s->flows, 0, sizeof(s->flows));
    memset(s->outcomes, 0, sizeof(s->outcomes));
}

void story_chapter(struct world *w, const char *title)
{
    if (w->story == NULL)
        return;
    sum_up(w);
    w->story->in_chapter = true;
    fprintf(w->story->out, "\n## %s\n\n", title);
}

const char *story_end(struct world *w)
{
    sum_up(w);
    w->story->in_chapter = false;
    fflush(w->story->out);
    return w->story->text;
}
