/*
 * zs_options - the settings that a node of the library is opened with.
 *
 * They are held by the program and by each node that was opened with them.
 */
#ifndef EDGE_LIB_ZS_OPTIONS_H
#define EDGE_LIB_ZS_OPTIONS_H

#include "edge/lib/zeroservices.h"

#include "common/base/memory.h"
#include "common/conf/edge_conf.h"
#include "common/conf/identity.h"

#include <stdatomic.h>

struct zs_options {
    struct edge_conf conf;
    char name[NAME_MAX_SIZE + 1]; /* with the passphrase */
    char *passphrase;             /* NULL: node.identity counts */
    bool wait;
    char *error; /* malloc'd, or NULL */
    atomic_int holders;
};

/* Where what goes wrong is written, with a reserve while it is. */
struct complaint {
    struct reserve *reserve, *before;
    char *text;
    size_t size;
    FILE *file;
};
/* False: there is no memory. */
bool complaint_open(struct complaint *c) MUST_USE;
/* Makes it the options' error (an empty one: none). False: something had to do
 * without memory. */
bool complaint_close(struct complaint *c, struct zs_options *o);

/* The identity that they name; false with words in `errors`. */
bool options_identity(const struct zs_options *o,
                      struct edge_identity *identity, FILE *errors) MUST_USE;
void options_hold(struct zs_options *o);

#endif
