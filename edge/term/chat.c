#include "edge/term/chat_private.h"

#include "common/base/memory.h"
#include "edge/term/sanitize.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_TOLD = 12, WHO_MOST = 256 };

struct chat *chat_new(const char *group, chat_told *told, void *context)
{
    struct chat *c = memory_new(sizeof(*c));

    c->group = group;
    c->roster.group = group;
    c->told = told;
    c->context = context;
    c->next_ref = 1;
    snprintf(c->room, sizeof(c->room), "%s%.*s", group ? "#" : "everyone",
             CHAT_PEER_NAME - 1, group ? group : "");
    return c;
}

static void forget(struct chat *c, struct chat_entry *e)
{
    if (e->fate == CHAT_WAITS)
        c->waiting--;
    free(e->who);
    free(e->text);
    free(e->mark);
    *e = (struct chat_entry){0};
}

void chat_free(struct chat *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < CHAT_KEPT; i++)
        forget(c, &c->entries[i]);
    chat_roster_close(&c->roster);
    free(c->refused);
    free(c);
}

struct chat_entry *chat_add(struct chat *c, time_t now, enum chat_kind kind,
                            const char *who, const char *text)
{
    if (c->count == CHAT_KEPT) {
        forget(c, &c->entries[c->first]);
        c->first = (c->first + 1) % CHAT_KEPT;
        c->count--;
    }
    struct chat_entry *e = &c->entries[(c->first + c->count++) % CHAT_KEPT];
    *e = (struct chat_entry){
        .kind = kind,
        .when = now,
        .who = sanitize_string(bytes_of_string(who), SANITIZE_LINE, WHO_MOST),
        .text =
            sanitize_string(bytes_of_string(text), SANITIZE_LINES, CHAT_TEXT),
        .mark = memory_string(""),
    };
    if (kind == CHAT_SAID || kind == CHAT_SAID_PRIVATE) {
        e->fate = CHAT_WAITS;
        c->waiting++;
    }
    c->told(c->context, e, true);
    return e;
}

void chat_note(struct chat *c, time_t now, enum chat_kind kind,
               const char *format, ...)
{
    char text[1024];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    chat_add(c, now, kind, "", text);
}

void chat_names(const struct chat *c, bool ways, struct text *out)
{
    const struct chat_peer *person;
    char room[CHAT_PEER_WAY];
    size_t cursor = 0, told = 0, count = chat_roster_count(&c->roster);

    if (count == 0)
        text_add_string(out, "nobody");
    while (told < NAMES_TOLD &&
           (person = chat_roster_next(&c->roster, &cursor))) {
        if (told++ > 0)
            text_add_string(out, ", ");
        text_add_string(out, person->name);
        if (!ways)
            continue;
        text_add_string(out, " (");
        text_add_string(out, chat_peer_way(person->path, person->rtt_ms, room));
        text_add_char(out, ')');
    }
    if (count > told) {
        text_add_string(out, " and ");
        text_add_number(out, count - told);
        text_add_string(out, " more");
    }
}

const char *chat_refused(const struct chat *c)
{
    return c->refused;
}

bool chat_is_up(const struct chat *c)
{
    return c->synced;
}

size_t chat_waiting(const struct chat *c)
{
    return c->waiting;
}

const char *chat_name(const struct chat *c)
{
    return c->name;
}

const char *chat_room(const struct chat *c)
{
    return c->room;
}

const struct chat_roster *chat_roster(const struct chat *c)
{
    return &c->roster;
}

const struct chat_entry *chat_entry(const struct chat *c, size_t i)
{
    return i < c->count ? &c->entries[(c->first + i) % CHAT_KEPT] : NULL;
}

size_t chat_count(const struct chat *c)
{
    return c->count;
}
