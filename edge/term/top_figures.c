#include "edge/term/top_private.h"

#include <stdio.h>

const char *top_member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

const char *show_count(double rate, char room[FIGURE])
{
    static const char *const units[] = {"", "k", "M", "G"};
    size_t unit = 0;

    if (rate < 0)
        return "-";
    for (; rate >= 10000 && unit < 3; unit++)
        rate /= 1000;
    snprintf(room, FIGURE, rate > 0 && rate < 10 ? "%.1f%s/s" : "%.0f%s/s",
             rate, units[unit]);
    return room;
}

const char *show_bytes(double rate, char room[FIGURE])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    size_t unit = 0;

    if (rate < 0)
        return "-";
    for (; rate >= 1024 && unit < 3; unit++)
        rate /= 1024;
    snprintf(room, FIGURE, unit > 0 && rate < 10 ? "%.1f %s/s" : "%.0f %s/s",
             rate, units[unit]);
    return room;
}

const char *show_rtt(const json_t *holder, char room[FIGURE])
{
    const json_t *rtt = json_object_get(holder, "rtt_ms");
    double ms = json_number_value(rtt);

    if (!json_is_number(rtt))
        return "-";
    snprintf(room, FIGURE, ms < 10 ? "%.2f ms" : "%.1f ms", ms);
    return room;
}

const char *show_since(const struct top *t, const json_t *peer,
                       char room[FIGURE])
{
    struct tm tm = {0};

    if (!strptime(top_member(peer, "since"), "%Y-%m-%dT%H:%M:%SZ", &tm))
        return "-";
    long long s = (long long)difftime(t->wall, timegm(&tm));
    if (s < 0)
        s = 0;
    if (s < 60)
        snprintf(room, FIGURE, "%llds", s);
    else if (s < 3600)
        snprintf(room, FIGURE, "%lldm", s / 60);
    else if (s < 48 * 3600)
        snprintf(room, FIGURE, "%lldh", s / 3600);
    else
        snprintf(room, FIGURE, "%lldd", s / 86400);
    return room;
}
