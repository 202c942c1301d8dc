/*
 * conf_entries - a list whose items are structs with a table of their own.
 *
 *     relays: [URL, {url: URL, verify: true}]
 *
 * An item of the file is a mapping of that table's keys, or only the value of
 * its first key. The paths in the table begin with the path of the list:
 * "relays.url". Here `key` is the list's row, and `key->entry` that table.
 */
#ifndef COMMON_CONF_CONF_ENTRIES_H
#define COMMON_CONF_CONF_ENTRIES_H

#include "common/conf/conf.h"
#include "common/conf/conf_tree.h"

/* Adds the node as one more item; or adds a mistake. */
void conf_entries_append(const struct conf_key *key,
                         const struct conf_node *node, const char *folder,
                         struct conf_entries *list, struct mistakes *mistakes);
/* Writes the list in one line; an item of which only the first key differs from
 * the defaults as that value alone. */
void conf_entries_print(const struct conf_key *key,
                        const struct conf_entries *list, FILE *out);
bool conf_entries_equal(const struct conf_key *key,
                        const struct conf_entries *a,
                        const struct conf_entries *b);
void conf_entries_free(const struct conf_key *key, struct conf_entries *list);

#endif
