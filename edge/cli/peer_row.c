#include "edge/cli/peer_row.h"

#include <stdio.h>
#include <stdlib.h>

const char *json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

const char *peer_rtt(const json_t *rtt_ms, char room[PEER_TEXT_SIZE])
{
    if (!json_is_number(rtt_ms))
        return "-";
    double ms = json_number_value(rtt_ms);
    snprintf(room, PEER_TEXT_SIZE, ms < 10 ? "%.2f ms" : "%.1f ms", ms);
    return room;
}

void peer_row(struct table *t, const json_t *peer)
{
    char room[PEER_TEXT_SIZE];
    char id[PEER_TEXT_SIZE];
    char *info = json_dumps(json_object_get(peer, "info"), JSON_COMPACT);

    snprintf(id, sizeof(id), "%.12s", json_text(peer, "id"));
    table_add(t, json_text(peer, "name"));
    table_add(t, id);
    table_add(t, json_text(peer, "path"));
    table_add(t, peer_rtt(json_object_get(peer, "rtt_ms"), room));
    table_add(t, json_text(peer, "endpoint"));
    table_add(t, info);
    free(info);
}
