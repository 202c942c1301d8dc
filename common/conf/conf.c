#include "common/conf/conf.h"

#include "common/conf/conf_mapping.h"
#include "common/conf/conf_value.h"

#include <stdlib.h>
#include <string.h>

static bool is_scalar(enum conf_kind kind)
{
    return kind != CONF_LIST && kind != CONF_PATHS && kind != CONF_ENTRIES &&
           kind != CONF_MAPPING;
}

static void read_default(const struct conf_key *key, const char *folder,
                         void *conf)
{
    struct conf_tree tree = {0};
    struct mistakes mistakes = {0};
    struct conf_node scalar = {
        .kind = CONF_NODE_SCALAR, .plain = true, .text = key->fallback};
    if (!is_scalar(key->kind))
        conf_tree_read(&tree, key->fallback, strlen(key->fallback), &mistakes);
    conf_value_read(key, tree.root ? tree.root : &scalar, folder, conf,
                    &mistakes);
    ASSERT(mistakes.count == 0); /* our own defaults are never wrong */
    conf_tree_close(&tree);
}

void conf_defaults_in(const struct conf_table *table, const char *folder,
                      void *conf)
{
    ASSERT(table->count <= CONF_KEYS_MAX);
    memset(conf, 0, table->size);
    for (size_t i = 0; i < table->count; i++)
        read_default(&table->keys[i], folder, conf);
}

void conf_defaults(const struct conf_table *table, void *conf)
{
    conf_defaults_in(table, NULL, conf);
}

void conf_free(const struct conf_table *table, void *conf)
{
    for (size_t i = 0; i < table->count; i++)
        conf_value_free(&table->keys[i], conf);
}

bool conf_read(const struct conf_table *table, const char *text, size_t size,
               const char *name, const char *folder, void *conf, FILE *errors)
{
    struct conf_tree tree;
    struct mistakes mistakes = {0};
    conf_defaults_in(table, folder, conf);
    conf_tree_read(&tree, text, size, &mistakes);
    conf_mapping_read(table, "", tree.root, tree.whole, folder, conf,
                      &mistakes);
    bool good = mistakes.count == 0;
    if (!good)
        conf_free(table, conf);
    mistakes_print(&mistakes, name, errors);
    mistakes_close(&mistakes);
    conf_tree_close(&tree);
    return good;
}
