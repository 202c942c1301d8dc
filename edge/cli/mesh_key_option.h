/*
 * mesh_key_option - reads the key that `zs mesh add --key FILE` certifies.
 */
#ifndef EDGE_CLI_MESH_KEY_OPTION_H
#define EDGE_CLI_MESH_KEY_OPTION_H

#include "common/conf/identity.h"

/*
 * `text` names a file that `zs keygen FILE` made, whose secret key goes into
 * the identity; or a file with the node's id as 64 hexadecimal digits; or is
 * these digits itself. With an id alone the secret key stays on the node's
 * machine. Sets said.node, and for a secret key also secret_key and has_key. On
 * failure it prints a line on stderr and returns false.
 */
bool mesh_key_option(const char *text, struct edge_identity *to) MUST_USE;

#endif
