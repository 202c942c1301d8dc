/*
 * relay_key - loads and creates the file of a relay's CURVE key pair, mode
 * 0600.
 */
#ifndef COMMON_CONF_RELAY_KEY_H
#define COMMON_CONF_RELAY_KEY_H

#include "common/base/assert.h"
#include "common/core/secrets.h"

#include <stdio.h>

/* False with a line on `errors` if the file is missing, wrong, or other users
 * may read it. */
bool relay_key_load(const char *path, struct curve_pair *pair,
                    FILE *errors) MUST_USE;
/* Makes a new pair and writes the file. False with a line on `errors`, also if
 * the file exists. */
bool relay_key_create(const char *path, struct curve_pair *pair,
                      FILE *errors) MUST_USE;

#endif
