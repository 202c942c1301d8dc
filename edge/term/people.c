#include "edge/term/people.h"

#include "common/base/memory.h"
#include "edge/term/clean.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PEOPLE_MOST = 16384, ID_BEGIN = 8 };

void people_close(struct people *p)
{
    free(p->all);
    *p = (struct people){0};
}

static const char *member(const json_t *peer, const char *key)
{
    const char *text = json_string_value(json_object_get(peer, key));

    return text ? text : "";
}

struct person *people_find(const struct people *p, const char *id)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->all[i].id, id) == 0)
            return &p->all[i];
    return NULL;
}

static bool is_in_room(const struct people *p, const json_t *peer)
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

/* A place for the name among the others. */
static struct person *insert(struct people *p, const char *name)
{
    size_t at = 0;

    if (p->count == PEOPLE_MOST)
        return NULL;
    if (p->count == p->room) {
        p->room = p->room ? p->room * 2 : 16;
        p->all = memory_resize(p->all, p->room, sizeof(*p->all));
    }
    while (at < p->count && strcasecmp(p->all[at].name, name) <= 0)
        at++;
    memmove(p->all + at + 1, p->all + at, (p->count - at) * sizeof(*p->all));
    p->count++;
    p->all[at] = (struct person){.rtt_ms = -1};
    return &p->all[at];
}

static struct person *add(struct people *p, const char *id, const char *name)
{
    char *shown =
        clean_string(bytes_of_string(name), CLEAN_LINE, PERSON_NAME / 2);
    struct person *person = insert(p, shown);

    if (person) {
        snprintf(person->id, sizeof(person->id), "%s", id);
        snprintf(person->name, sizeof(person->name), "%s", shown);
    }
    free(shown);
    return person;
}

struct person *people_take(struct people *p, const json_t *peer)
{
    const char *id = member(peer, "id");
    const json_t *rtt = json_object_get(peer, "rtt_ms");
    struct person *person = people_find(p, id);

    if (strlen(id) != PERSON_ID)
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

void people_remove(struct people *p, const char *id)
{
    struct person *person = people_find(p, id);

    if (!person)
        return;
    size_t at = (size_t)(person - p->all);
    p->count--;
    memmove(person, person + 1, (p->count - at) * sizeof(*person));
}

void people_begin(struct people *p)
{
    for (size_t i = 0; i < p->count; i++)
        p->all[i].told = false;
}

enum people_named people_named(const struct people *p, const char *name,
                               const struct person **found)
{
    size_t names = 0, ids = 0, length = strlen(name);
    const struct person *by_id = NULL;

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
        return PEOPLE_NONE;
    return count == 1 ? PEOPLE_ONE : PEOPLE_SEVERAL;
}

size_t people_count(const struct people *p)
{
    size_t count = 0;

    for (size_t i = 0; i < p->count; i++)
        count += p->all[i].in_room;
    return count;
}

const struct person *people_next(const struct people *p, size_t *cursor)
{
    while (*cursor < p->count) {
        const struct person *person = &p->all[(*cursor)++];
        if (person->in_room)
            return person;
    }
    return NULL;
}

const char *person_way(const char *path, double rtt_ms, char room[PERSON_WAY])
{
    if (path[0] == '\0' || strcmp(path, "none") == 0)
        return "no path";
    if (rtt_ms < 0)
        snprintf(room, PERSON_WAY, "%.16s", path);
    else
        snprintf(room, PERSON_WAY,
                 rtt_ms < 10 ? "%.16s, %.1f ms" : "%.16s, %.0f ms", path,
                 rtt_ms);
    return room;
}
