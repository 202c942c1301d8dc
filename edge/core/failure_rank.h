/*
 * failure_rank - which of the failures of a relay's forms is told to a person,
 * by `zs status` and `zs netcheck` alike [P-14.6].
 */
#ifndef EDGE_CORE_FAILURE_RANK_H
#define EDGE_CORE_FAILURE_RANK_H

#include "edge/core/node.h"

/* The most telling of the failures of a relay's forms. `list` begins with the
 * best form, as enum relay_form does; 0 stands for no failure. 0: there is
 * none. */
enum link_failure failure_most_telling(const enum link_failure *list,
                                       size_t count);

#endif
