#include "edge/cli/peer_row.h"

#include "common/base/memory.h"
#include "common/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void add_groups(struct text_table *t, const json_t *groups)
{
    struct text list = {0};
    json_t *group;
    size_t i;

    json_array_foreach(groups, i, group)
    {
        if (i > 0)
            text_add_char(&list, ',');
        text_add_string(&list, json_string_value(group));
    }
    table_add(t, list.size > 0 ? text_string(&list) : "-");
    text_close(&list);
}

static int by_name(const void *a, const void *b)
{
    const json_t *one = *(json_t *const *)a, *other = *(json_t *const *)b;
    int order = strcmp(json_text(one, "name"), json_text(other, "name"));

    return order != 0 ? order
                      : strcmp(json_text(one, "id"), json_text(other, "id"));
}

void peers_sort(json_t *peers)
{
    size_t count = json_array_size(peers);
    json_t **sorted = memory_array(count + 1, sizeof(json_t *));

    for (size_t i = 0; i < count; i++)
        sorted[i] = json_incref(json_array_get(peers, i));
    qsort(sorted, count, sizeof(json_t *), by_name);
    json_array_clear(peers);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(peers, sorted[i]);
    free(sorted);
}

void peer_row(struct text_table *t, const json_t *peer)
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
    add_groups(t, json_object_get(peer, "groups"));
    table_add(t, info);
    free(info);
}
