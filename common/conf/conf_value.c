#include "common/conf/conf_value.h"

#include "common/conf/conf_entries.h"
#include "common/conf/units.h"
#include "common/conf/url_password.h"
#include "common/conf/yaml_core.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A pointer to a key's value, by the key's kind. */
union slot {
    const char *const *text;
    const bool *boolean;
    const size_t *number;
    const uint16_t *port;
    const struct span *duration;
    const struct conf_list *list;
    const struct conf_entries *entries;
};

static union slot slot_of(const struct conf_key *key, const void *conf)
{
    const void *slot = (const char *)conf + key->offset;
    union slot s = {slot};
    return s;
}

static bool list_equal(const struct conf_list *a, const struct conf_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

bool conf_value_equal(const struct conf_key *key, const void *conf_a,
                      const void *conf_b)
{
    union slot a = slot_of(key, conf_a), b = slot_of(key, conf_b);
    switch (key->kind) {
    case CONF_STRING:
    case CONF_PATH:
    case CONF_CHOICE:
    case CONF_MAPPING:
        return strcmp(*a.text, *b.text) == 0;
    case CONF_BOOL:
        return *a.boolean == *b.boolean;
    case CONF_COUNT:
    case CONF_SIZE:
        return *a.number == *b.number;
    case CONF_PORT:
        return *a.port == *b.port;
    case CONF_DURATION:
        return a.duration->us == b.duration->us;
    case CONF_LIST:
    case CONF_PATHS:
        return list_equal(a.list, b.list);
    case CONF_ENTRIES:
        break;
    }
    return conf_entries_equal(key, a.entries, b.entries);
}

bool conf_value_is_empty(const struct conf_key *key, const void *conf)
{
    union slot s = slot_of(key, conf);
    switch (key->kind) {
    case CONF_STRING:
    case CONF_PATH:
    case CONF_CHOICE:
        return **s.text == '\0';
    case CONF_MAPPING:
        return strcmp(*s.text, "{}") == 0;
    case CONF_LIST:
    case CONF_PATHS:
        return s.list->count == 0;
    case CONF_ENTRIES:
        return s.entries->count == 0;
    case CONF_BOOL:
    case CONF_COUNT:
    case CONF_SIZE:
    case CONF_PORT:
    case CONF_DURATION:
        break;
    }
    return false;
}

static void print_list(const struct conf_list *list, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < list->count; i++) {
        fputs(i > 0 ? ", " : "", out);
        yaml_put_string(list->items[i], out);
    }
    fputc(']', out);
}

static void print_text(const struct conf_key *key, const char *text, FILE *out)
{
    char *masked = key->secret ? url_without_password(text) : NULL;
    yaml_put_string(masked != NULL ? masked : text, out);
    free(masked);
}

/* With spaces, which people and libyaml read better. */
static void print_mapping(const char *text, FILE *out)
{
    json_t *json = json_loads(text, 0, NULL);
    ASSERT(json != NULL);
    char *spaced = json_dumps(json, JSON_SORT_KEYS);
    ASSERT(spaced != NULL);
    yaml_put_json(spaced, out);
    free(spaced);
    json_decref(json);
}

void conf_value_print(const struct conf_key *key, const void *conf, FILE *out)
{
    char buffer[UNITS_TEXT_SIZE];
    union slot s = slot_of(key, conf);
    switch (key->kind) {
    case CONF_STRING:
    case CONF_PATH:
        print_text(key, *s.text, out);
        break;
    case CONF_CHOICE: /* A quoted `true` would look like another value. */
        fputs(*s.text, out);
        break;
    case CONF_MAPPING:
        print_mapping(*s.text, out);
        break;
    case CONF_BOOL:
        fputs(*s.boolean ? "true" : "false", out);
        break;
    case CONF_COUNT:
        fprintf(out, "%zu", *s.number);
        break;
    case CONF_SIZE:
        fputs(units_print_size(*s.number, buffer), out);
        break;
    case CONF_PORT:
        fprintf(out, "%u", *s.port);
        break;
    case CONF_DURATION:
        fputs(units_print_duration(*s.duration, buffer), out);
        break;
    case CONF_LIST:
    case CONF_PATHS:
        print_list(s.list, out);
        break;
    case CONF_ENTRIES:
        conf_entries_print(key, s.entries, out);
        break;
    }
}

void conf_list_free(struct conf_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct conf_list){0};
}

void conf_value_free(const struct conf_key *key, void *conf)
{
    void *slot = (char *)conf + key->offset;
    switch (key->kind) {
    case CONF_STRING:
    case CONF_PATH:
    case CONF_CHOICE:
    case CONF_MAPPING:
        free(*(char **)slot);
        *(char **)slot = NULL;
        break;
    case CONF_LIST:
    case CONF_PATHS:
        conf_list_free(slot);
        break;
    case CONF_ENTRIES:
        conf_entries_free(key, slot);
        break;
    case CONF_BOOL:
    case CONF_COUNT:
    case CONF_SIZE:
    case CONF_PORT:
    case CONF_DURATION:
        break;
    }
}
