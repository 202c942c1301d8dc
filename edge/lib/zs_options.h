/*
 * zs_options - the settings of a node of the library.
 *
 * The program and each node that was opened with them hold a reference.
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
    char *passphrase;             /* NULL: node.identity is used */
    bool wait;
    char *error; /* malloc'd, or NULL */
    atomic_int holders;
};

/* A stream for error messages, with a reserve while it is open. */
struct complaint {
    struct reserve *reserve, *before;
    char *text;
    size_t size;
    FILE *file;
};
/* False: there is no memory. */
bool complaint_open(struct complaint *c) MUST_USE;
/* Makes the text the options' error (an empty text: none). False: malloc failed
 * meanwhile. */
bool complaint_close(struct complaint *c, struct zs_options *o);

/* Reads the identity of the settings; false with a message in `errors`. */
bool options_identity(const struct zs_options *o,
                      struct edge_identity *identity, FILE *errors) MUST_USE;
void options_hold(struct zs_options *o);

#endif
