#include "edge/term/chat_roster.h"

#include "common/base/memory.h"
#include "edge/term/sanitize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHAT_ROSTER_MOST = 16384, ID_BEGIN = 8 };

void chat_roster_close(struct chat_roster *p)
{
    free(p->all);
    *p = (struct chat_roster){0};
}

static const char *member(const json_t *peer, const char *key)
{
    const char *text = json_string_value(json_object_get(peer, key));

    return text ? text : "";
}

struct chat_peer *chat_roster_find(const struct chat_roster *p, const char *id)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->all[i].id, id) == 0)
            return &p->all[i];
    return NULL;
}

static bool is_in_room(const struct chat_roster *p, const json_t *peer)
{
    json_t *group;
    size_t i;

    if (!p->group)
        return true;
    json_array_foreach(json_object_get(peer, "groups"), i, group)
    {
        const char *name = json_string_value(group);
        if (name && strcmp(name, p->group) == 0)
            return true;
    }
    return false;
}

/* Makes room for a peer of this name, so that the roster stays sorted. */
static struct chat_peer *insert(struct chat_roster *p, const char *name)
{
    size_t at = 0;

    if (p->count == CHAT_ROSTER_MOST)
        return NULL;
    if (p->count == p->room) {
        p->room = p->room ? p->room * 2 : 16;
        p->all = memory_resize(p->all, p->room, sizeof(*p->all));
    }
    while (at < p->count && strcasecmp(p->all[at].name, name) <= 0)
        at++;
    memmove(p->all + at + 1, p->all + at, (p->count - at) * sizeof(*p->all));
    p->count++;
    p->all[at] = (struct chat_peer){.rtt_ms = -1};
    return &p->all[at];
}

static struct chat_peer *add(struct chat_roster *p, const char *id,
                             const char *name)
{
    char *shown = sanitize_string(bytes_of_string(name), SANITIZE_LINE,
                                  CHAT_PEER_NAME / 2);
    struct chat_peer *person = insert(p, shown);

    if (person) {
        snprintf(person->id, sizeof(person->id), "%s", id);
        snprintf(person->name, sizeof(person->name), "%s", shown);
    }
    free(shown);
    return person;
}

struct chat_peer *chat_roster_take(struct chat_roster *p, const json_t *peer)
{
    const char *id = member(peer, "id");
    const json_t *rtt = json_object_get(peer, "rtt_ms");
    struct chat_peer *person = chat_roster_find(p, id);

    if (strlen(id) != CHAT_PEER_ID)
        return NULL;
    if (!person)
        person = add(p, id, member(peer, "name"));
    if (!person)
        return NULL;
    snprintf(person->path, sizeof(person->path), "%s", member(peer, "path"));
    if (json_is_number(rtt))
        person->rtt_ms = json_number_value(rtt);
    person->in_room = is_in_room(p, peer);
    person->told = true;
    return person;
}

void chat_roster_remove(struct chat_roster *p, const char *id)
{
    struct chat_peer *person = chat_roster_find(p, id);

    if (!person)
        return;
    size_t at = (size_t)(person - p->all);
    p->count--;
    memmove(person, person + 1, (p->count - at) * sizeof(*person));
}

void chat_roster_begin(struct chat_roster *p)
{
    for (size_t i = 0; i < p->count; i++)
        p->all[i].told = false;
}

enum chat_roster_named chat_roster_named(const struct chat_roster *p,
                                         const char *name,
                                         const struct chat_peer **found)
{
    size_t names = 0, ids = 0, length = strlen(name);
    const struct chat_peer *by_id = NULL;

    for (size_t i = 0; i < p->count; i++) {
        if (strcmp(p->all[i].name, name) == 0) {
            *found = &p->all[i];
            names++;
        } else if (length >= ID_BEGIN &&
                   strncasecmp(p->all[i].id, name, length) == 0) {
            by_id = &p->all[i];
            ids++;
        }
    }
    if (names == 0)
        *found = by_id;
    size_t count = names > 0 ? names : ids;
    if (count == 0)
        return CHAT_ROSTER_NONE;
    return count == 1 ? CHAT_ROSTER_ONE : CHAT_ROSTER_SEVERAL;
}

size_t chat_roster_count(const struct chat_roster *p)
{
    size_t count = 0;

    for (size_t i = 0; i < p->count; i++)
        count += p->all[i].in_room;
    return count;
}

const struct chat_peer *chat_roster_next(const struct chat_roster *p,
                                         size_t *cursor)
{
    while (*cursor < p->count) {
        const struct chat_peer *person = &p->all[(*cursor)++];
        if (person->in_room)
            return person;
    }
    return NULL;
}

const char *chat_peer_way(const char *path, double rtt_ms,
                          char room[CHAT_PEER_WAY])
{
    if (path[0] == '\0' || strcmp(path, "none") == 0)
        return "no path";
    if (rtt_ms < 0)
        snprintf(room, CHAT_PEER_WAY, "%.16s", path);
    else
        snprintf(room, CHAT_PEER_WAY,
                 rtt_ms < 10 ? "%.16s, %.1f ms" : "%.16s, %.0f ms", path,
                 rtt_ms);
    return room;
}
