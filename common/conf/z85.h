/*
 * z85 - keys in ZeroMQ's text form: 32 bytes in 40 characters (ZeroMQ RFC 32).
 */
#ifndef COMMON_CONF_Z85_H
#define COMMON_CONF_Z85_H

#include "common/base/assert.h"
#include "common/wire/ids.h"

enum { Z85_KEY_SIZE = 40 };

const char *z85_encode(const uint8_t key[KEY_SIZE],
                       char text[Z85_KEY_SIZE + 1]);
/* Reads `size` characters; false if they are not a key in that form. */
bool z85_decode(const char *text, size_t size, uint8_t key[KEY_SIZE]) MUST_USE;

#endif
