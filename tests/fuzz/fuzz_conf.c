/*
 * Configuration files of arbitrary bytes: the reader refuses them with a
 * message, or its printed result reads as the same configuration.
 */
#include "common/conf/edge_conf.h"
#include "common/conf/relay_conf.h"

#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define KEY64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void differs(void *context, const char *key, bool live)
{
    (void)context;
    (void)live;
    /* The password of a proxy is not printed. */
    if (strcmp(key, "proxy") != 0)
        abort();
}

static bool read_text(const struct conf_table *table, const char *text,
                      size_t size, void *conf)
{
    char *said;
    size_t said_size;
    FILE *errors = open_memstream(&said, &said_size);
    ASSERT(errors != NULL);
    bool good = conf_read(table, text, size, "f", NULL, conf, errors);
    fclose(errors);
    ASSERT(good == (said_size == 0));
    free(said);
    return good;
}

static void try_table(const struct conf_table *table, const uint8_t *data,
                      size_t size)
{
    void *first = malloc(table->size), *second = malloc(table->size);
    ASSERT(first != NULL && second != NULL);
    if (read_text(table, (const char *)data, size, first)) {
        char *printed;
        size_t printed_size;
        FILE *out = open_memstream(&printed, &printed_size);
        ASSERT(out != NULL);
        conf_print(table, first, true, out);
        fclose(out);
        ASSERT(read_text(table, printed, printed_size, second));
        conf_diff(table, first, second, differs, NULL);
        conf_free(table, second);
        free(printed);
    }
    conf_free(table, first);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_table(&edge_conf_table, data, size);
    try_table(&relay_conf_table, data, size);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const char text[] =
        "node: {identity: a.zs, groups: [lab, b], info: {a: [1, ~, 0x1f], "
        "\"b\\n\": {c: 1.5, d: 'x', e: true}}}\n"
        "listen:\n  port: 9084\n  interfaces: [eth0]\n"
        "discovery:\n  peers:\n    - 10.8.0.2:9084\n    - \"[::1]:1\"\n"
        "  group6: \"ff12::1\"\n  interval: 1.5s # comment\n"
        "limits: {window: 64KiB, peers: 12}\n"
        "proxy: \"http://u:p@h:1\"\nlog: {level: debug, format: json}\n"
        "relays:\n- tcp://h:1?key=" KEY64 "\n"
        "- {url: 'wss://h/?key=" KEY64 "', connect_to: '[::1]',\n"
        "   server_name: a.b, verify: true}\n"
        "presence: {probe: 250ms, lost_after: 1s}\n";
    return fuzz_keep(bytes_of(text, sizeof text - 1), room, size);
}
