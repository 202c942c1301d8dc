/* In place of nat_pmp.c where libnatpmp is missing: nothing is ever asked. */
#include "edge/shell/nat_pmp.h"

bool nat_pmp_is_available(void)
{
    return false;
}

void nat_pmp_ask(const struct gateway *g, const struct mapping_request *r,
                 const struct io_limit *l, struct mapping_answer *answer)
{
    (void)g;
    (void)r;
    (void)l;
    *answer = (struct mapping_answer){.result = MAPPING_SILENT};
}
