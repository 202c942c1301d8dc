#include "edge/term/top.h"

#include <string.h>

void top_close(struct top *t)
{
    json_decref(t->now);
    json_decref(t->before);
    json_decref(t->peers_before);
    *t = (struct top){0};
}

static json_t *by_id(const json_t *status)
{
    json_t *peers = json_object(), *peer;
    size_t i;

    json_array_foreach(json_object_get(status, "peers"), i, peer)
    {
        const char *id = json_string_value(json_object_get(peer, "id"));
        if (id)
            json_object_set(peers, id, peer);
    }
    return peers;
}

void top_take(struct top *t, struct instant now, time_t wall, json_t *status)
{
    json_decref(t->before);
    json_decref(t->peers_before);
    t->before = t->now;
    t->peers_before = by_id(t->before);
    t->now = json_incref(status);
    t->seconds = t->before && !t->away
                     ? (double)instant_between(t->at, now).us / 1e6
                     : 0;
    t->at = now;
    t->wall = wall;
    t->away = false;
}

void top_lost(struct top *t)
{
    t->away = true;
    t->seconds = 0;
}

static const char *const sorts[] = {
    [SORT_NAME] = "name",       [SORT_PATH] = "path",   [SORT_RTT] = "rtt",
    [SORT_TRAFFIC] = "traffic", [SORT_SINCE] = "since",
};

enum { SORTS = sizeof(sorts) / sizeof(sorts[0]) };

const char *top_sort_name(enum top_sort sort)
{
    return sorts[sort];
}

bool top_sort_named(const char *name, enum top_sort *sort)
{
    for (size_t i = 0; i < SORTS; i++)
        if (strcmp(sorts[i], name) == 0) {
            *sort = (enum top_sort)i;
            return true;
        }
    return false;
}

bool top_sort_key(char letter, enum top_sort *sort)
{
    for (size_t i = 0; i < SORTS; i++)
        if (sorts[i][0] == letter) {
            *sort = (enum top_sort)i;
            return true;
        }
    return false;
}

/* --- Rates */

static double grew(const struct top *t, const json_t *now, const json_t *before)
{
    if (t->seconds <= 0 || !json_is_integer(now) || !json_is_integer(before))
        return -1;
    double by = (double)(json_integer_value(now) - json_integer_value(before));
    return by < 0 ? -1 : by / t->seconds; /* < 0: the node was restarted. */
}

double top_rate(const struct top *t, const char *counter)
{
    return grew(
        t, json_object_get(json_object_get(t->now, "counters"), counter),
        json_object_get(json_object_get(t->before, "counters"), counter));
}

double top_peer_rate(const struct top *t, const json_t *peer,
                     const char *counter)
{
    const char *id = json_string_value(json_object_get(peer, "id"));
    const json_t *before = id ? json_object_get(t->peers_before, id) : NULL;

    return grew(t, json_object_get(json_object_get(peer, "traffic"), counter),
                json_object_get(json_object_get(before, "traffic"), counter));
}

static bool only_grows(const char *counter)
{
    return strcmp(counter, "clients") != 0 &&
           strcmp(counter, "store_bytes") != 0;
}

static void set_rate(json_t *rates, const char *counter, double rate)
{
    json_object_set_new(rates, counter,
                        rate < 0 ? json_null() : json_real(rate));
}

static void add_peer_rates(const struct top *t, json_t *peer)
{
    json_t *traffic = json_object_get(peer, "traffic"), *value;
    const char *counter;

    if (!json_is_object(traffic))
        return;
    json_t *rates = json_object();
    json_object_foreach(traffic, counter, value)
        set_rate(rates, counter, top_peer_rate(t, peer, counter));
    json_object_set_new(peer, "rates", rates);
}

json_t *top_json(const struct top *t)
{
    json_t *all = json_deep_copy(t->now), *rates = json_object();
    json_t *value, *peer;
    const char *counter;
    size_t i;

    json_object_foreach(json_object_get(t->now, "counters"), counter,
                        value) if (only_grows(counter))
        set_rate(rates, counter, top_rate(t, counter));
    json_object_set_new(all, "seconds", json_real(t->seconds));
    json_object_set_new(all, "rates", rates);
    json_array_foreach(json_object_get(all, "peers"), i, peer)
        add_peer_rates(t, peer);
    return all;
}
