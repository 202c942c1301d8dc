/*
 * sensor - publishes the host's load to the group `sensors` each second. The
 * node runs in a thread of its own; the program's thread publishes.
 *
 *     ./sensor alice.yaml [TIMES]
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zeroservices.h>

static void on_log(void *context, enum zs_level level, const char *event,
                   const char *details)
{
    (void)context;
    if (level <= ZS_LOG_WARN)
        fprintf(stderr, "%s %s\n", event, details);
}

static void on_published(void *context, const struct zs_delivery *d)
{
    (void)context;
    printf("%s, to %u\n", zs_error_name(d->error), d->peers);
}

int main(int argc, char **argv)
{
    struct zs_callbacks on = {.on_log = on_log};
    struct zs_options *options = zs_options_new();
    struct zs_node *node;
    long times = argc > 2 ? strtol(argv[2], NULL, 10) : 3600;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (zs_options_load(options, argc > 1 ? argv[1] : "edge.yaml") != ZS_OK ||
        zs_node_open(&node, options, &on) != ZS_OK ||
        zs_node_start(node) != ZS_OK)
        return fprintf(stderr, "%s\n", zs_options_error(options));
    for (long i = 0; i < times; i++) {
        char json[64];
        double load = 0;

        sleep(1);
        getloadavg(&load, 1);
        snprintf(json, sizeof json, "{\"load\":%.2f}", load);
        zs_publish(node, "sensors", "load", zs_json(json), on_published, NULL);
    }
    zs_node_close(&node);
    zs_options_free(&options);
    return 0;
}
