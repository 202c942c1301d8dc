/*
 * node_lock - ensures that only one process on a host runs a node.
 *
 * With a second process of the same identity the peers would refuse the first
 * one as superseded. So before it sends anything a process takes two locks. The
 * lock on the identity's file also works between containers that share the
 * file. The lock on an abstract Unix socket, whose name is derived from the
 * node's key, also works for copies of the file and needs no writable folder.
 * The kernel releases both when the process ends. Several nodes within one
 * process may share an identity.
 */
#ifndef EDGE_SHELL_NODE_LOCK_H
#define EDGE_SHELL_NODE_LOCK_H

#include "common/base/bytes.h"

enum { NODE_LOCK_ERROR_SIZE = 256 };

struct node_lock;

/* `path`: the identity's file, or "". Waits up to 2 s for an earlier process to
 * end. NULL with a sentence in `error`: another process runs the node. */
struct node_lock *node_lock_open(const char *path, const uint8_t secret_key[64],
                                 char error[NODE_LOCK_ERROR_SIZE]) MUST_USE;
/* NULL-safe. */
void node_lock_close(struct node_lock **self);

/* Takes the lock on an open file, and waits as long for it. False: another
 * process has it. True as well if the file system does not support locks. */
bool file_lock_take(int fd) MUST_USE;

#endif
