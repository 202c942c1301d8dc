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
    const struct revocations_calls *calls = context;
    const char *why = errors != NULL ? errors : "no memory";

    if (errors != NULL)
        errors[strcspn(errors, "\n")] = '\0';
    if (!good)
        not_kept(path, why);
    if (calls != NULL)
        calls->told(calls->context, good ? NULL : why);
}

struct file_writer *revocations_open(uv_loop_t *loop,
                                     struct revocations_calls *calls)
{
    const struct file_writer_calls writer_calls = {
        .context = calls, .write = revoked_save, .done = on_done};

    return file_writer_open(loop, &writer_calls);
}

bool revocations_keep(struct file_writer *w, const char *path,
                      struct bytes list)
{
    if (path[0] == '\0')
        return false;
    if (w != NULL && file_writer_put(w, path, list))
        return true;
    not_kept(path, "no thread to write it");
    return false;
}
