/*
 * conf_tree - one YAML document as a small tree, each node with its place.
 *
 * Bounded in size, depth and number of nodes. Aliases, tags and further
 * documents are mistakes: no configuration needs them, and they can blow up.
 */
#ifndef COMMON_CONF_CONF_TREE_H
#define COMMON_CONF_CONF_TREE_H

#include "common/base/arena.h"
#include "common/conf/mistakes.h"

enum {
    CONF_FILE_SIZE = 1024 * 1024,
    CONF_DEPTH = 32,
    CONF_NODES = 65536,
};

enum conf_node_kind {
    CONF_NODE_SCALAR,
    CONF_NODE_SEQUENCE,
    CONF_NODE_MAPPING,
    CONF_NODE_BROKEN, /* a mistake has been told already */
};

struct conf_node {
    enum conf_node_kind kind;
    bool plain;       /* a scalar without quotes */
    const char *text; /* of a scalar: UTF-8 without NUL */
    struct place place;
    struct conf_node *first; /* children; of a mapping key, value, key, ... */
    struct conf_node *last;
    struct conf_node *next;
};

struct conf_tree {
    struct arena arena;
    struct conf_node *root; /* NULL: nothing in it */
    bool whole; /* false: the YAML is broken, and what comes after is missing;
                   a mapping's last key may have no value */
};

/* Adds what is wrong to the mistakes; the tree holds what could be read. */
void conf_tree_read(struct conf_tree *tree, const char *text, size_t size,
                    struct mistakes *mistakes);
void conf_tree_close(struct conf_tree *tree);

#endif
