/*
 * node_lock - one process for one node of a host.
 *
 * A second one would take the first out of the mesh, as the others take it for
 * the successor. So both locks are taken before anything is sent: one on the
 * identity's file, which holds between containers that share it, and one on a
 * name made from the node's key, in the abstract namespace of Unix sockets,
 * which holds for copies of the file and needs no folder that can be written.
 * Both end with the process, however it ends. Nodes of one process may share an
 * identity: that is its own affair.
 */
#ifndef EDGE_SHELL_NODE_LOCK_H
#define EDGE_SHELL_NODE_LOCK_H

#include "common/base/bytes.h"

enum { NODE_LOCK_ERROR_SIZE = 256 };

struct node_lock;

/* `path`: the identity's file, or "". Waits up to 2 s for a process that is
 * just ending. NULL with a sentence in `error`: another one runs. */
struct node_lock *node_lock_open(const char *path, const uint8_t secret_key[64],
                                 char error[NODE_LOCK_ERROR_SIZE]) MUST_USE;
/* NULL-safe. */
void node_lock_close(struct node_lock **self);

/* Takes the file's lock, waiting as long; false: another process has it. Where
 * the file system knows no locks it is true. */
bool file_lock_take(int fd) MUST_USE;

#endif
