#include "edge/shell/revocations.h"

#include "common/conf/revoked.h"
#include "common/io/log.h"

#include <string.h>

static void not_kept(const char *path, const char *why)
{
    char quoted[512];

    log_warn("revocation_not_kept", "path=%s text=%s", path,
             log_quote(why, quoted, sizeof quoted));
}

static void on_done(void *context, const char *path, bool good, char *errors)
{
    (void)context;
    errors[strcspn(errors, "\n")] = '\0';
    if (!good)
        not_kept(path, errors);
}

struct keeper *revocations_open(uv_loop_t *loop)
{
    static const struct keeper_calls calls = {.write = revoked_save,
                                              .done = on_done};

    return keeper_open(loop, &calls);
}

void revocations_keep(struct keeper *k, const char *path, struct bytes list)
{
    if (path[0] != '\0' && (k == NULL || !keeper_put(k, path, list)))
        not_kept(path, "no thread to write it");
}
