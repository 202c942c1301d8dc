#include "common/conf/conf.h"

#include "common/conf/conf_tree.h"
#include "common/conf/conf_value.h"
#include "common/base/utf8.h"

#include <string.h>

static const struct conf_key *key_of(const struct conf_table *table,
                                     const char *path)
{
    const struct conf_key *key = table->keys;
    while (strcmp(key->path, path) != 0)
        ASSERT(++key < table->keys + table->count);
    return key;
}

static void set_mapping(const struct conf_key *key, const char *text,
                        void *conf, struct mistakes *mistakes)
{
    struct conf_tree tree;
    conf_tree_read(&tree, text, strlen(text), mistakes);
    if (tree.root != NULL && mistakes->count == 0)
        conf_value_read(key, tree.root, NULL, conf, mistakes);
    conf_tree_close(&tree);
}

static void set(const struct conf_key *key, const char *text, void *conf,
                struct mistakes *mistakes)
{
    struct conf_node node = {
        .kind = CONF_NODE_SCALAR, .plain = true, .text = text, .place = {1, 1}};
    if (!utf8_valid(bytes_of_string(text)))
        mistakes_add(mistakes, node.place, "not UTF-8");
    else if (key->kind == CONF_LIST || key->kind == CONF_PATHS ||
             key->kind == CONF_ENTRIES)
        conf_value_append(key, &node, conf, mistakes);
    else if (key->kind == CONF_MAPPING)
        set_mapping(key, text, conf, mistakes);
    else
        conf_value_read(key, &node, NULL, conf, mistakes);
}

bool conf_set(const struct conf_table *table, void *conf, const char *key,
              const char *text, const char *option, FILE *errors)
{
    struct mistakes mistakes = {0};
    set(key_of(table, key), text, conf, &mistakes);
    bool good = mistakes.count == 0;
    if (!good)
        fprintf(errors, "%s: %s\n", option, mistakes.items[0].text);
    mistakes_close(&mistakes);
    return good;
}
