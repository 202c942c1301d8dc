/*
 * conf_json - YAML as JSON: plain scalars typed by the core schema, quoted
 * ones as strings.
 */
#ifndef COMMON_CONF_CONF_JSON_H
#define COMMON_CONF_CONF_JSON_H

#include "common/conf/conf_tree.h"

#include <jansson.h>

/* NULL once a mistake was added. The caller's. */
json_t *conf_json(const struct conf_node *node, struct mistakes *mistakes);

/* Compact text with sorted keys, so that equal values are equal texts. */
char *conf_json_text(const json_t *json);

#endif
