/*
 * peer_row - formats the peers of an edge's answer as rows of a table.
 */
#ifndef EDGE_CLI_PEER_ROW_H
#define EDGE_CLI_PEER_ROW_H

#include "edge/cli/table.h"

#include <jansson.h>

enum { PEER_COLUMNS = 7, PEER_TEXT_SIZE = 64 };

/* Sorts an array of peers by name, then by id. */
void peers_sort(json_t *peers);
/* Adds a row: name, beginning of the id, path, round trip, endpoint, groups,
 * info. */
void peer_row(struct text_table *t, const json_t *peer);
/* Writes a round trip into `room` and returns it: "12.1 ms", or "-" for
 * null. */
const char *peer_rtt(const json_t *rtt_ms, char room[PEER_TEXT_SIZE]);
/* The value of a member that is a string; "" if there is none. */
const char *json_text(const json_t *object, const char *key);

#endif
