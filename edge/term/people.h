/*
 * people - who is in a chat: the peers that are present, by their ids.
 *
 * With a group only those are in the room who are in the group; the others can
 * be written to all the same.
 */
#ifndef EDGE_TERM_PEOPLE_H
#define EDGE_TERM_PEOPLE_H

#include "common/base/assert.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { PERSON_ID = 64, PERSON_NAME = 128, PERSON_PATH = 16 };

struct person {
    char id[PERSON_ID + 1];
    char name[PERSON_NAME]; /* fit to be shown */
    char path[PERSON_PATH];
    double rtt_ms; /* < 0: not known */
    bool in_room;
    bool told; /* of since the last people_begin */
};

/* A zeroed people is empty and ready. Sorted by name. */
struct people {
    const char *group; /* NULL: everyone; borrowed */
    struct person *all;
    size_t count, room;
};

void people_close(struct people *p);

/* Takes what the edge says of a peer: its id, name, path, groups, rtt_ms. The
 * person is valid until the next change; NULL if it is none. */
struct person *people_take(struct people *p, const json_t *peer);
void people_remove(struct people *p, const char *id);
struct person *people_find(const struct people *p, const char *id);

/* From now on who is not taken is not told of. */
void people_begin(struct people *p);

enum people_named { PEOPLE_ONE, PEOPLE_NONE, PEOPLE_SEVERAL };

/* By name, else by the begin of the id, 8 digits or more. */
enum people_named people_named(const struct people *p, const char *name,
                               const struct person **found) MUST_USE;
/* How many are in the room, and the next of them from *cursor (0 at first). */
size_t people_count(const struct people *p);
const struct person *people_next(const struct people *p, size_t *cursor);

/* "tcp, 0.42 ms"; "no path" where there is none. */
enum { PERSON_WAY = 48 };
const char *person_way(const char *path, double rtt_ms, char room[PERSON_WAY]);

#endif
