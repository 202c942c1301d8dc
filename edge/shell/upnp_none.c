/* In place of upnp.c where libminiupnpc is missing: nothing is ever asked. */
#include "edge/shell/upnp.h"

struct upnp *upnp_new(void)
{
    return NULL;
}

void upnp_free(struct upnp **self)
{
    *self = NULL;
}

bool upnp_is_available(void)
{
    return false;
}

void upnp_ask(struct upnp *u, const struct gateway *g,
              const struct mapping_request *r, const struct io_limit *l,
              struct mapping_answer *answer)
{
    (void)u;
    (void)g;
    (void)r;
    (void)l;
    *answer = (struct mapping_answer){.result = MAPPING_SILENT};
}
