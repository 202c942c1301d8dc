/*
 * nat_pmp - carries out one request of mapping_plan by NAT-PMP [RFC 6886].
 *
 * The only module that knows libnatpmp. For a worker thread: it waits for the
 * router.
 */
#ifndef EDGE_SHELL_NAT_PMP_H
#define EDGE_SHELL_NAT_PMP_H

#include "edge/core/mapping_plan.h"
#include "edge/shell/gateway.h"
#include "edge/shell/timed_io.h"

/* Whether this build has NAT-PMP. Without it each answer is SILENT. */
bool nat_pmp_is_available(void);
void nat_pmp_ask(const struct gateway *g, const struct mapping_request *r,
                 const struct io_limit *l, struct mapping_answer *answer);

#endif
