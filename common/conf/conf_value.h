/*
 * conf_value - reads, prints, compares and frees one key's value in the
 * program's struct, as the key's kind says.
 */
#ifndef COMMON_CONF_CONF_VALUE_H
#define COMMON_CONF_CONF_VALUE_H

#include "common/conf/conf.h"
#include "common/conf/conf_tree.h"

/* Reads the node and replaces the value in the struct. If the node is wrong,
 * adds a mistake and leaves the value unchanged. */
void conf_value_read(const struct conf_key *key, const struct conf_node *node,
                     const char *folder, void *conf, struct mistakes *mistakes);
/* Adds the node as one more item to a LIST, PATHS or ENTRIES. */
void conf_value_append(const struct conf_key *key, const struct conf_node *node,
                       void *conf, struct mistakes *mistakes);
/* True for "" and for lists and mappings without items. */
bool conf_value_is_empty(const struct conf_key *key, const void *conf);
/* Writes the value as it stands behind "key: " in a file. */
void conf_value_print(const struct conf_key *key, const void *conf, FILE *out);
bool conf_value_equal(const struct conf_key *key, const void *a, const void *b);
void conf_list_free(struct conf_list *list);
/* Frees the value's memory and clears its pointers. */
void conf_value_free(const struct conf_key *key, void *conf);

#endif
