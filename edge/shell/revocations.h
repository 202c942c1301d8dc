/*
 * revocations - stores the revocation lists that reach an edge in a file, in a
 * thread of its own (common/io/file_writer.h).
 */
#ifndef EDGE_SHELL_REVOCATIONS_H
#define EDGE_SHELL_REVOCATIONS_H

#include "common/io/file_writer.h"

/* `told` is called when a list was written (NULL), or with the reason why it
 * could not be. */
struct revocations_calls {
    void *context;
    void (*told)(void *context, const char *why_not);
};

/* NULL if no descriptor is left. The caller ends it with file_writer_close.
 * `calls` is borrowed until then, and may be NULL. */
struct file_writer *revocations_open(uv_loop_t *loop,
                                     struct revocations_calls *calls);
/* Writes the list to the file. False: it will not be written, and `told` will
 * not be called. Failures are logged as revocation_not_kept. `path` "": the
 * configuration names no file. */
bool revocations_keep(struct file_writer *w, const char *path,
                      struct bytes list);

#endif
