#include "common/conf/conf_value.h"

#include "common/base/memory.h"
#include "common/conf/conf_entries.h"
#include "common/conf/conf_json.h"
#include "common/conf/units.h"
#include "common/conf/yaml_core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The state of reading one value. */
struct value_reading {
    const struct conf_key *key;
    const struct conf_node *node;
    const char *folder;
    void *slot; /* the value's place in the struct */
    struct mistakes *mistakes;
};

/* Adds a mistake like "`limits.window` wants a size: `4 MB`". */
static void refuse(const struct value_reading *r, const char *why)
{
    char buffer[MISTAKES_VALUE_SIZE];
    switch (r->node->kind) {
    case CONF_NODE_SCALAR:
        if (r->key->secret)
            mistakes_add(r->mistakes, r->node->place, "`%s` %s", r->key->path,
                         why);
        else
            mistakes_add(r->mistakes, r->node->place, "`%s` %s: `%s`",
                         r->key->path, why,
                         mistakes_value(r->node->text, buffer));
        break;
    case CONF_NODE_SEQUENCE:
        mistakes_add(r->mistakes, r->node->place, "`%s` %s, not a list",
                     r->key->path, why);
        break;
    case CONF_NODE_MAPPING:
        mistakes_add(r->mistakes, r->node->place, "`%s` %s, not a mapping",
                     r->key->path, why);
        break;
    case CONF_NODE_BROKEN:
        break;
    }
}

static bool is_nothing(const struct conf_node *node)
{
    return node->kind == CONF_NODE_SCALAR && node->plain &&
           yaml_type_of(node->text) == YAML_TYPE_NULL;
}

/* A scalar's text; NULL after a mistake. A missing value reads as "". */
static const char *text_of(const struct value_reading *r, const char *wants)
{
    if (r->node->kind == CONF_NODE_SCALAR)
        return is_nothing(r->node) ? "" : r->node->text;
    refuse(r, wants);
    return NULL;
}

static char *resolve(const char *folder, const char *path)
{
    char *resolved;
    if (folder == NULL || *path == '\0' || *path == '/')
        return memory_string(path);
    ASSERT(asprintf(&resolved, "%s/%s", folder, path) >= 0);
    return resolved;
}

static bool is_right(const struct value_reading *r, const char *text)
{
    const char *wrong = r->key->check ? r->key->check(text) : NULL;
    if (wrong != NULL)
        refuse(r, wrong);
    return wrong == NULL;
}

static void set_text(const struct value_reading *r, char *text)
{
    char **slot = r->slot;
    free(*slot);
    *slot = text;
}

static void read_string(const struct value_reading *r)
{
    const char *text = text_of(r, "wants a text");
    if (text != NULL && (*text == '\0' || is_right(r, text)))
        set_text(r, memory_string(text));
}

static void read_path(const struct value_reading *r)
{
    const char *text = text_of(r, "wants a path");
    if (text != NULL && (*text == '\0' || is_right(r, text)))
        set_text(r, resolve(r->folder, text));
}

static bool is_bool(const struct value_reading *r, const char *text)
{
    return r->node->plain && yaml_type_of(text) == YAML_TYPE_BOOL;
}

static bool is_true(const char *text)
{
    return *text == 't' || *text == 'T';
}

static void read_choice(const struct value_reading *r)
{
    char wants[128] = "wants one of";
    const char *text = text_of(r, "wants a word");
    const char *const *choice = r->key->choices;
    if (text == NULL)
        return;
    if (*text == '\0' && *r->key->fallback == '\0') {
        set_text(r, memory_string(""));
        return;
    }
    if (is_bool(r, text)) /* True and TRUE are true. */
        text = is_true(text) ? "true" : "false";
    for (; *choice != NULL; choice++) {
        if (strcmp(*choice, text) == 0) {
            set_text(r, memory_string(text));
            return;
        }
        size_t used = strlen(wants);
        snprintf(wants + used, sizeof wants - used, " %s", *choice);
    }
    refuse(r, wants);
}

static void read_bool(const struct value_reading *r)
{
    const char *text = text_of(r, "wants true or false");
    if (text == NULL)
        return;
    if (is_bool(r, text))
        *(bool *)r->slot = is_true(text);
    else
        refuse(r, "wants true or false");
}

/* True if the value is within the key's limits; else adds a mistake that names
 * them in the key's own unit. */
static bool is_within(const struct value_reading *r, uint64_t value,
                      void (*print)(uint64_t value, char *text))
{
    char why[96], limit[UNITS_TEXT_SIZE];
    uint64_t max = r->key->max ? r->key->max : SIZE_MAX;
    if (value >= r->key->min && value <= max)
        return true;
    bool less = value < r->key->min;
    print(less ? r->key->min : max, limit);
    snprintf(why, sizeof why, "must be at %s %s", less ? "least" : "most",
             limit);
    refuse(r, why);
    return false;
}

static void print_count(uint64_t value, char *text)
{
    snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64, value);
}

static void print_size(uint64_t value, char *text)
{
    units_print_size(value, text);
}

static void print_duration(uint64_t value, char *text)
{
    units_print_duration(span_us((int64_t)value), text);
}

static bool number_of(const struct value_reading *r, const char *wants,
                      uint64_t *value)
{
    int64_t number;
    const char *text = text_of(r, wants);
    if (text == NULL)
        return false;
    if (!r->node->plain || !units_integer(text, &number) || number < 0) {
        refuse(r, wants);
        return false;
    }
    *value = (uint64_t)number;
    return is_within(r, *value, print_count);
}

static void read_count(const struct value_reading *r)
{
    uint64_t value;
    if (number_of(r, "wants a whole number", &value))
        *(size_t *)r->slot = (size_t)value;
}

static void read_port(const struct value_reading *r)
{
    uint64_t value;
    ASSERT(r->key->max > 0 && r->key->max <= UINT16_MAX);
    if (number_of(r, "wants a port", &value))
        *(uint16_t *)r->slot = (uint16_t)value;
}

static void read_size(const struct value_reading *r)
{
    static const char wants[] = "wants a size such as 1500, 64KiB or 4MiB";
    uint64_t value;
    const char *text = text_of(r, wants);
    if (text == NULL)
        return;
    if (!units_size(text, &value))
        refuse(r, wants);
    else if (is_within(r, value, print_size))
        *(size_t *)r->slot = (size_t)value;
}

static void read_duration(const struct value_reading *r)
{
    static const char wants[] = "wants a duration such as 250ms, 1s or 5m";
    struct span value;
    const char *text = text_of(r, wants);
    if (text == NULL)
        return;
    if (!units_duration(text, &value))
        refuse(r, wants);
    else if (is_within(r, (uint64_t)value.us, print_duration))
        *(struct span *)r->slot = value;
}

static void list_append(const struct value_reading *r, struct conf_list *list)
{
    const char *text = text_of(r, "wants a list of texts");
    if (text != NULL && *text == '\0')
        refuse(r, "may not hold an empty text");
    if (text == NULL || *text == '\0' || !is_right(r, text))
        return;
    list->items =
        memory_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] =
        resolve(r->key->kind == CONF_PATHS ? r->folder : NULL, text);
}

static bool is_list(const struct value_reading *r)
{
    if (r->node->kind == CONF_NODE_SEQUENCE || is_nothing(r->node))
        return true;
    refuse(r, "wants a list such as [a, b]");
    return false;
}

/* The limits of the number of items; the lower one only if no item was left
 * out for a mistake. */
static void check_count(const struct value_reading *r, size_t count, bool all)
{
    if (all && count < r->key->min)
        mistakes_add(r->mistakes, r->node->place,
                     "`%s` wants at least %" PRIu64 " of them", r->key->path,
                     r->key->min);
    if (r->key->max != 0 && count > r->key->max)
        mistakes_add(r->mistakes, r->node->place,
                     "`%s` may hold at most %" PRIu64 ", not %zu", r->key->path,
                     r->key->max, count);
}

static void read_list(const struct value_reading *r)
{
    struct conf_list list = {0};
    size_t before = r->mistakes->count;
    if (!is_list(r))
        return;
    struct value_reading item = *r;
    for (item.node = r->node->first; item.node; item.node = item.node->next)
        list_append(&item, &list);
    check_count(r, list.count, r->mistakes->count == before);
    if (r->mistakes->count == before) {
        conf_list_free(r->slot);
        *(struct conf_list *)r->slot = list;
    } else {
        conf_list_free(&list);
    }
}

static void read_entries(const struct value_reading *r)
{
    struct conf_entries list = {0};
    size_t before = r->mistakes->count;
    if (!is_list(r))
        return;
    for (const struct conf_node *n = r->node->first; n != NULL; n = n->next)
        conf_entries_append(r->key, n, r->folder, &list, r->mistakes);
    check_count(r, list.count, r->mistakes->count == before);
    if (r->mistakes->count == before) {
        conf_entries_free(r->key, r->slot);
        *(struct conf_entries *)r->slot = list;
    } else {
        conf_entries_free(r->key, &list);
    }
}

static void read_mapping(const struct value_reading *r)
{
    if (r->node->kind != CONF_NODE_MAPPING && !is_nothing(r->node)) {
        refuse(r, "wants a mapping such as {role: camera}");
        return;
    }
    json_t *json =
        is_nothing(r->node) ? json_object() : conf_json(r->node, r->mistakes);
    if (json == NULL)
        return;
    char *text = conf_json_text(json);
    json_decref(json);
    if (strlen(text) <= r->key->max) {
        set_text(r, text);
        return;
    }
    mistakes_add(r->mistakes, r->node->place,
                 "`%s` may be at most %" PRIu64 " bytes as JSON, not %zu",
                 r->key->path, r->key->max, strlen(text));
    free(text);
}

typedef void reader(const struct value_reading *r);

static reader *const readers[] = {
    [CONF_STRING] = read_string,   [CONF_PATH] = read_path,
    [CONF_CHOICE] = read_choice,   [CONF_BOOL] = read_bool,
    [CONF_COUNT] = read_count,     [CONF_PORT] = read_port,
    [CONF_SIZE] = read_size,       [CONF_DURATION] = read_duration,
    [CONF_LIST] = read_list,       [CONF_PATHS] = read_list,
    [CONF_ENTRIES] = read_entries, [CONF_MAPPING] = read_mapping,
};

static struct value_reading reading_of(const struct conf_key *key,
                                       const struct conf_node *node,
                                       const char *folder, void *conf,
                                       struct mistakes *mistakes)
{
    return (struct value_reading){.key = key,
                                  .node = node,
                                  .folder = folder,
                                  .slot = (char *)conf + key->offset,
                                  .mistakes = mistakes};
}

void conf_value_read(const struct conf_key *key, const struct conf_node *node,
                     const char *folder, void *conf, struct mistakes *mistakes)
{
    struct value_reading r = reading_of(key, node, folder, conf, mistakes);
    readers[key->kind](&r);
}

/* Whether one more item fits into a list of this length; else adds a mistake.
 */
static bool has_room(const struct value_reading *r, size_t count)
{
    if (r->key->max == 0 || count < r->key->max)
        return true;
    mistakes_add(r->mistakes, r->node->place, "`%s` may hold at most %" PRIu64,
                 r->key->path, r->key->max);
    return false;
}

void conf_value_append(const struct conf_key *key, const struct conf_node *node,
                       void *conf, struct mistakes *mistakes)
{
    struct value_reading r = reading_of(key, node, NULL, conf, mistakes);
    if (key->kind == CONF_ENTRIES) {
        struct conf_entries *entries = r.slot;
        if (has_room(&r, entries->count))
            conf_entries_append(key, node, NULL, entries, mistakes);
    } else {
        struct conf_list *list = r.slot;
        if (has_room(&r, list->count))
            list_append(&r, list);
    }
}
