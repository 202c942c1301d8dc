/*
 * relay_key - a relay's CURVE key pair, in a file of mode 0600.
 */
#ifndef COMMON_CONF_RELAY_KEY_H
#define COMMON_CONF_RELAY_KEY_H

#include "common/base/assert.h"
#include "common/core/secrets.h"

#include <stdio.h>

/* False with a line on `errors`. */
bool relay_key_load(const char *path, struct curve_pair *pair,
                    FILE *errors) MUST_USE;
/* Makes a fresh pair and the file; an existing one is left alone: false. */
bool relay_key_create(const char *path, struct curve_pair *pair,
                      FILE *errors) MUST_USE;

#endif
