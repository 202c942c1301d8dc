/*
 * http_token - the secret that lets a page or program in by HTTP, in a file
 * beside the API's socket: alice.sock, alice.token. It stays when the edge
 * ends, so that a page goes on after a restart.
 */
#ifndef EDGE_SHELL_HTTP_TOKEN_H
#define EDGE_SHELL_HTTP_TOKEN_H

#include "edge/shell/api.h"
#include "edge/shell/http_gate.h"

/* The file's path, to be freed. */
char *http_token_path(const char *socket);

/* Reads it, or makes it of mode 0600. False with a line in `error` if it cannot
 * be made, or others may read it. */
bool http_token_load(const char *path, char token[HTTP_TOKEN_SIZE],
                     char error[API_ERROR_SIZE]) MUST_USE;

#endif
