#include "common/conf/conf_entries.h"

#include "common/base/memory.h"
#include "common/conf/conf_mapping.h"
#include "common/conf/conf_value.h"

#include <stdlib.h>
#include <string.h>

static void *item_of(const struct conf_key *key,
                     const struct conf_entries *list, size_t index)
{
    ASSERT(index < list->count);
    return (char *)list->items + index * key->entry->size;
}

/* ---- Reading */

static void read_first_key(const struct conf_key *key,
                           const struct conf_node *node, const char *folder,
                           void *item, struct mistakes *mistakes)
{
    struct conf_key first = key->entry->keys[0];
    size_t before = mistakes->count;
    first.path = key->path;
    conf_value_read(&first, node, folder, item, mistakes);
    if (mistakes->count == before && conf_value_is_empty(&first, item))
        mistakes_add(mistakes, node->place, "`%s` may not hold an empty text",
                     key->path);
}

void conf_entries_append(const struct conf_key *key,
                         const struct conf_node *node, const char *folder,
                         struct conf_entries *list, struct mistakes *mistakes)
{
    const struct conf_table *table = key->entry;
    size_t before = mistakes->count;
    list->items = memory_resize(list->items, list->count + 1, table->size);
    list->count++;
    void *item = item_of(key, list, list->count - 1);
    conf_defaults_in(table, folder, item);
    if (node->kind == CONF_NODE_MAPPING)
        conf_mapping_read(table, key->path, node, true, folder, item, mistakes);
    else
        read_first_key(key, node, folder, item, mistakes);
    if (mistakes->count == before)
        return;
    conf_free(table, item);
    list->count--;
}

/* ---- Printing */

static bool is_plain(const struct conf_table *table, const void *item,
                     const void *defaults)
{
    for (size_t i = 1; i < table->count; i++)
        if (!conf_value_equal(&table->keys[i], item, defaults))
            return false;
    return true;
}

static void print_mapping(const struct conf_key *key, const void *item,
                          const void *defaults, FILE *out)
{
    const struct conf_table *table = key->entry;
    size_t section = strlen(key->path) + 1;
    fputc('{', out);
    for (size_t i = 0; i < table->count; i++) {
        const struct conf_key *row = &table->keys[i];
        if (i > 0 && conf_value_equal(row, item, defaults))
            continue;
        fprintf(out, "%s%s: ", i > 0 ? ", " : "", row->path + section);
        conf_value_print(row, item, out);
    }
    fputc('}', out);
}

void conf_entries_print(const struct conf_key *key,
                        const struct conf_entries *list, FILE *out)
{
    void *defaults = memory_new(key->entry->size);
    conf_defaults(key->entry, defaults);
    fputc('[', out);
    for (size_t i = 0; i < list->count; i++) {
        const void *item = item_of(key, list, i);
        fputs(i > 0 ? ", " : "", out);
        if (is_plain(key->entry, item, defaults))
            conf_value_print(&key->entry->keys[0], item, out);
        else
            print_mapping(key, item, defaults, out);
    }
    fputc(']', out);
    conf_free(key->entry, defaults);
    free(defaults);
}

/* ---- Comparing and freeing */

bool conf_entries_equal(const struct conf_key *key,
                        const struct conf_entries *a,
                        const struct conf_entries *b)
{
    const struct conf_table *table = key->entry;
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < table->count; k++)
            if (!conf_value_equal(&table->keys[k], item_of(key, a, i),
                                  item_of(key, b, i)))
                return false;
    return true;
}

void conf_entries_free(const struct conf_key *key, struct conf_entries *list)
{
    for (size_t i = 0; i < list->count; i++)
        conf_free(key->entry, item_of(key, list, i));
    free(list->items);
    *list = (struct conf_entries){0};
}
