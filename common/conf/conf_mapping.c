#include "common/conf/conf_mapping.h"

#include "common/conf/conf_value.h"
#include "common/conf/nearest.h"

#include <string.h>

enum { PATH_SIZE = 128 };

/* The state of reading one mapping and the sections in it. */
struct reading {
    const struct conf_table *table;
    const char *folder;
    void *conf;
    struct mistakes *mistakes;
    /* By row: the place of its value; line 0: not in the file. */
    struct place seen[CONF_KEYS_MAX];
    bool wrong[CONF_KEYS_MAX]; /* by row: a mistake was reported */
};

static const char *leaf_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

static bool has_section(const char *path)
{
    return leaf_of(path) != path;
}

static size_t section_size(const char *path)
{
    return has_section(path) ? (size_t)(leaf_of(path) - path - 1) : 0;
}

/* The row of this path, or NULL if there is none. */
static const struct conf_key *find_key(const struct conf_table *table,
                                       const char *path)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->keys[i].path, path) == 0)
            return &table->keys[i];
    return NULL;
}

static bool is_below(const char *path, const char *section)
{
    size_t size = strlen(section);
    return strncmp(path, section, size) == 0 && path[size] == '.';
}

static bool is_section(const struct conf_table *table, const char *path)
{
    for (size_t i = 0; i < table->count; i++)
        if (is_below(table->keys[i].path, path))
            return true;
    return false;
}

/* Offers the keys and sections directly below a section ("" is the top level)
 * as corrections. */
static void offer_siblings(const struct conf_table *table, const char *section,
                           const char *wrong, struct nearest *near,
                           char buffer[PATH_SIZE])
{
    size_t skip = *section ? strlen(section) + 1 : 0;
    for (size_t i = 0; i < table->count; i++) {
        const char *path = table->keys[i].path;
        char word[PATH_SIZE] = "";
        if (*section && !is_below(path, section))
            continue;
        memcpy(word, path + skip, strcspn(path + skip, "."));
        const char *before = near->word;
        nearest_offer(near, wrong, word);
        if (near->word != before)
            near->word = strcpy(buffer, word);
    }
}

/* The path of a row with the same last word in another section, or NULL. */
static const char *elsewhere(const struct conf_table *table, const char *wrong)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(leaf_of(table->keys[i].path), wrong) == 0 ||
            strcmp(table->keys[i].path, wrong) == 0)
            return table->keys[i].path;
    return NULL;
}

static void tell_unknown(struct reading *r, const struct conf_node *key,
                         const char *section)
{
    char shown[MISTAKES_VALUE_SIZE], buffer[PATH_SIZE];
    const char *in = *section ? " in `" : "", *tick = *section ? "`" : "";
    struct nearest near = {0};
    mistakes_value(key->text, shown);
    const char *other = elsewhere(r->table, key->text);
    if (other == NULL)
        offer_siblings(r->table, section, key->text, &near, buffer);
    if (other != NULL)
        mistakes_add(r->mistakes, key->place,
                     "unknown key `%s`%s%s%s: did you mean `%s`%s%.*s%s?",
                     shown, in, section, tick, leaf_of(other),
                     has_section(other) ? " below `" : "",
                     (int)section_size(other), other,
                     has_section(other) ? "`" : " at the top");
    else if (near.word != NULL)
        mistakes_add(r->mistakes, key->place,
                     "unknown key `%s`%s%s%s: did you mean `%s`?", shown, in,
                     section, tick, near.word);
    else
        mistakes_add(r->mistakes, key->place, "unknown key `%s`%s%s%s", shown,
                     in, section, tick);
}

static bool is_nothing(const struct conf_node *node)
{
    return node->kind == CONF_NODE_SCALAR && node->plain && *node->text == '\0';
}

/* An earlier occurrence of the key in the same mapping, or NULL. */
static const struct conf_node *first_of(const struct conf_node *mapping,
                                        const struct conf_node *key)
{
    const struct conf_node *n = mapping->first;
    for (; n != key; n = n->next->next)
        if (n->kind == CONF_NODE_SCALAR && strcmp(n->text, key->text) == 0)
            return n;
    return NULL;
}

static void read_key(struct reading *r, const struct conf_key *key,
                     const struct conf_node *value)
{
    size_t row = (size_t)(key - r->table->keys);
    r->seen[row] = value->place;
    size_t before = r->mistakes->count;
    conf_value_read(key, value, r->folder, r->conf, r->mistakes);
    if (key->sample != NULL && r->mistakes->count == before &&
        conf_value_is_empty(key, r->conf))
        mistakes_add(r->mistakes, value->place, "`%s` may not be empty",
                     key->path);
    r->wrong[row] = r->mistakes->count != before;
}

static void read_section(struct reading *r, const char *section,
                         const struct conf_node *node);

static void read_pair(struct reading *r, const char *section,
                      const struct conf_node *key,
                      const struct conf_node *value)
{
    char path[PATH_SIZE];
    int size = snprintf(path, sizeof path, "%s%s%s", section,
                        *section ? "." : "", key->text);
    bool fits = size < (int)sizeof path && strchr(key->text, '.') == NULL;
    const struct conf_key *row = fits ? find_key(r->table, path) : NULL;
    if (row != NULL)
        read_key(r, row, value);
    else if (fits && is_section(r->table, path))
        read_section(r, path, value);
    else
        tell_unknown(r, key, section);
}

static void read_mapping(struct reading *r, const char *section,
                         const struct conf_node *mapping)
{
    char shown[MISTAKES_VALUE_SIZE];
    const struct conf_node *key = mapping->first;
    for (; key != NULL && key->next != NULL; key = key->next->next) {
        if (mistakes_full(r->mistakes))
            return;
        if (key->kind == CONF_NODE_BROKEN)
            continue;
        if (key->kind != CONF_NODE_SCALAR) {
            mistakes_add(r->mistakes, key->place, "a key must be a word");
            continue;
        }
        const struct conf_node *first = first_of(mapping, key);
        if (first == NULL)
            read_pair(r, section, key, key->next);
        else
            mistakes_add(r->mistakes, key->place,
                         "duplicate key `%s`, first in line %zu",
                         mistakes_value(key->text, shown), first->place.line);
    }
}

static void read_section(struct reading *r, const char *section,
                         const struct conf_node *node)
{
    if (node->kind == CONF_NODE_MAPPING)
        read_mapping(r, section, node);
    else if (node->kind == CONF_NODE_BROKEN || is_nothing(node))
        return;
    else if (*section)
        mistakes_add(r->mistakes, node->place,
                     "`%s` wants a mapping of keys below it", section);
    else
        mistakes_add(r->mistakes, node->place,
                     "the file must be a mapping of keys (key: value)");
}

/* Where to report a missing key: at its section, if the file has that. */
static struct place place_without(const struct conf_node *root,
                                  const char *path)
{
    if (root == NULL || root->kind != CONF_NODE_MAPPING)
        return (struct place){1, 1};
    const struct conf_node *key = root->first;
    for (; key != NULL && key->next != NULL; key = key->next->next)
        if (key->kind == CONF_NODE_SCALAR && is_below(path, key->text))
            return key->place;
    return root->place;
}

static void tell_missing(struct reading *r, const struct conf_node *root)
{
    for (size_t i = 0; i < r->table->count; i++)
        if (r->table->keys[i].sample != NULL && r->seen[i].line == 0)
            mistakes_add(r->mistakes,
                         place_without(root, r->table->keys[i].path),
                         "`%s` is missing", r->table->keys[i].path);
}

static size_t row_of(const struct conf_table *table, const char *path)
{
    const struct conf_key *key = find_key(table, path);
    ASSERT(key != NULL);
    return (size_t)(key - table->keys);
}

/* Checks a rule; a mistake is reported at the first of its keys that is in the
 * file. */
static void check_rule(struct reading *r, const struct conf_rule *rule)
{
    for (size_t i = 0; i < 3 && rule->keys[i] != NULL; i++)
        if (r->wrong[row_of(r->table, rule->keys[i])])
            return;
    const char *wrong = rule->check(r->conf);
    if (wrong == NULL)
        return;
    struct place place = {0};
    for (size_t i = 0; i < 3 && rule->keys[i] != NULL && place.line == 0; i++)
        place = r->seen[row_of(r->table, rule->keys[i])];
    if (place.line == 0)
        place = (struct place){1, 1};
    mistakes_add(r->mistakes, place, "`%s` %s", rule->keys[0], wrong);
}

void conf_mapping_read(const struct conf_table *table, const char *section,
                       const struct conf_node *node, bool whole,
                       const char *folder, void *conf,
                       struct mistakes *mistakes)
{
    struct reading r = {
        .table = table, .folder = folder, .conf = conf, .mistakes = mistakes};
    if (node != NULL)
        read_section(&r, section, node);
    if (whole && !mistakes_full(mistakes))
        tell_missing(&r, node);
    for (size_t i = 0; i < table->rule_count && whole; i++)
        check_rule(&r, &table->rules[i]);
}
