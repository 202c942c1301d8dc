/*
 * mesh_key_option - whose key is to be certified: `zs mesh add --key FILE`.
 */
#ifndef EDGE_CLI_MESH_KEY_OPTION_H
#define EDGE_CLI_MESH_KEY_OPTION_H

#include "common/conf/identity.h"

/*
 * FILE is what `zs keygen FILE` made, and then its key goes into the identity;
 * or a file with the node's id as 64 hexadecimal digits, or just those digits,
 * and then the key stays where it is. Fills in said.node, and secret_key with
 * has_key. False with a line on stderr.
 */
bool mesh_key_option(const char *text, struct edge_identity *to) MUST_USE;

#endif
