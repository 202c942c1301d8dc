/*
 * conf_value - one key's value in the program's struct: read, printed,
 * compared and freed as its kind says.
 */
#ifndef COMMON_CONF_CONF_VALUE_H
#define COMMON_CONF_CONF_VALUE_H

#include "common/conf/conf.h"
#include "common/conf/conf_tree.h"

/* Reads the node into the struct in place of the value there; what is wrong
 * becomes a mistake, and the value stays. */
void conf_value_read(const struct conf_key *key, const struct conf_node *node,
                     const char *folder, void *conf, struct mistakes *mistakes);
/* One item more for a LIST or PATHS. */
void conf_value_append(const struct conf_key *key, const struct conf_node *node,
                       void *conf, struct mistakes *mistakes);
/* True for "" and lists and mappings without items. */
bool conf_value_is_empty(const struct conf_key *key, const void *conf);
/* As it stands behind "key: " in a file. */
void conf_value_print(const struct conf_key *key, const void *conf, FILE *out);
bool conf_value_equal(const struct conf_key *key, const void *a, const void *b);
void conf_list_free(struct conf_list *list);
/* Frees it and leaves zeros. */
void conf_value_free(const struct conf_key *key, void *conf);

#endif
