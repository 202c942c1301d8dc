/*
 * http_token - the secret that allows a page or program to use the API by HTTP.
 *
 * Its file lies beside the API's socket: alice.sock, alice.token. The edge does
 * not remove it at its end, so that open pages work after a restart.
 */
#ifndef EDGE_SHELL_HTTP_TOKEN_H
#define EDGE_SHELL_HTTP_TOKEN_H

#include "edge/shell/api.h"
#include "edge/shell/http_gate.h"

/* The path of the file, for the socket's path. The caller frees it. */
char *http_token_path(const char *socket);

/* Reads the token, or makes the file with mode 0600. False with a line in
 * `error` if the file cannot be made, or others may read it. */
bool http_token_load(const char *path, char token[HTTP_TOKEN_SIZE],
                     char error[API_ERROR_SIZE]) MUST_USE;

#endif
