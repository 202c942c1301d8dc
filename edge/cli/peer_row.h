/*
 * peer_row - peers of the edge's answers, as rows for people.
 */
#ifndef EDGE_CLI_PEER_ROW_H
#define EDGE_CLI_PEER_ROW_H

#include "edge/cli/table.h"

#include <jansson.h>

enum { PEER_COLUMNS = 7, PEER_TEXT_SIZE = 64 };

/* By name, then by id. */
void peers_sort(json_t *peers);
/* Name, id (its begin), path, RTT, endpoint, groups, info. */
void peer_row(struct table *t, const json_t *peer);
/* "12.1 ms", or "-" for null. */
const char *peer_rtt(const json_t *rtt_ms, char room[PEER_TEXT_SIZE]);
/* A member that is a string, or "". */
const char *json_text(const json_t *object, const char *key);

#endif
