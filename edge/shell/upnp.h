/*
 * upnp - carries out requests of mapping_plan by UPnP IGD.
 *
 * The only module that knows libminiupnpc. It uses the library's parsers for
 * what the router writes, but does the input and output itself: the library
 * waits 5 s after each byte, takes answers of any size, and goes to whatever
 * host a device of the LAN names. For a worker thread: it waits for the router.
 */
#ifndef EDGE_SHELL_UPNP_H
#define EDGE_SHELL_UPNP_H

#include "edge/core/mapping_plan.h"
#include "edge/shell/gateway.h"
#include "edge/shell/timed_io.h"

/* The service that the last FIND found. */
struct upnp;

/* Whether this build has UPnP. Without it each answer is SILENT. */
bool upnp_is_available(void);
struct upnp *upnp_new(void);
/* NULL-safe. */
void upnp_free(struct upnp **self);
void upnp_ask(struct upnp *u, const struct gateway *g,
              const struct mapping_request *r, const struct io_limit *l,
              struct mapping_answer *answer);

#endif
