/*
 * conf_tree - reads one YAML document into a tree of nodes that know their line
 * and column.
 *
 * Size, depth and number of nodes are bounded. Aliases, tags and further
 * documents are mistakes: no configuration needs them, and a small file with
 * aliases can expand without bound.
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
    CONF_NODE_BROKEN, /* it has a mistake that was reported */
};

struct conf_node {
    enum conf_node_kind kind;
    bool plain;       /* a scalar without quotes */
    const char *text; /* of a scalar: UTF-8 without a NUL */
    struct place place;
    /* children; those of a mapping: key, value, key, ... */
    struct conf_node *first;
    struct conf_node *last;
    struct conf_node *next;
};

struct conf_tree {
    struct arena arena;
    struct conf_node *root; /* NULL: the document is empty */
    /* False: the YAML is malformed, and the tree has only the part before that;
     * the last key of a mapping may have no value. */
    bool whole;
};

/* Adds what is wrong to `mistakes`; the tree has everything that could be read.
 */
void conf_tree_read(struct conf_tree *tree, const char *text, size_t size,
                    struct mistakes *mistakes);
void conf_tree_close(struct conf_tree *tree);

#endif
