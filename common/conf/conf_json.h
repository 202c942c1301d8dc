/*
 * conf_json - converts YAML to JSON. Plain scalars get their types from YAML's
 * core schema, quoted ones become strings.
 */
#ifndef COMMON_CONF_CONF_JSON_H
#define COMMON_CONF_CONF_JSON_H

#include "common/conf/conf_tree.h"

#include <jansson.h>

/* The JSON value, which the caller must release; NULL if it added a mistake. */
json_t *conf_json(const struct conf_node *node, struct mistakes *mistakes);

/* Compact text with sorted keys: equal values give equal texts. The caller
 * frees it. */
char *conf_json_text(const json_t *json);

#endif
