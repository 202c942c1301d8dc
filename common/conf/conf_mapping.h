/*
 * conf_mapping - reads a YAML mapping into a struct by a table of keys: a whole
 * file, or one item of a list of structs (conf_entries.h).
 */
#ifndef COMMON_CONF_CONF_MAPPING_H
#define COMMON_CONF_CONF_MAPPING_H

#include "common/conf/conf.h"
#include "common/conf/conf_tree.h"

/* conf.c: as conf_defaults; `folder` is put in front of relative paths. */
void conf_defaults_in(const struct conf_table *table, const char *folder,
                      void *conf);

/*
 * Reads the node (NULL: an empty file) over the defaults in `conf`, and adds
 * all mistakes: unknown and duplicate keys, wrong values, and, if the YAML is
 * `whole`, missing keys and broken rules. The keys stand below `section`; "":
 * at the top of the file.
 */
void conf_mapping_read(const struct conf_table *table, const char *section,
                       const struct conf_node *node, bool whole,
                       const char *folder, void *conf,
                       struct mistakes *mistakes);

#endif
