/*
 * speech - what an attacker says on a connection: an opening, once, and a
 * refrain, which is repeated for as long as the connection lasts.
 *
 *     if (speech_make(&s, "pings", &a->key))
 *         write s.opening, then s.refrain again and again
 */
#ifndef TESTS_ADVERSARY_SPEECH_H
#define TESTS_ADVERSARY_SPEECH_H

#include "common/base/bytes.h"
#include "common/core/secrets.h"

#include <stdio.h>

struct speech {
    struct bytes opening; /* empty: none */
    struct bytes refrain; /* whole repetitions, about 64 KiB; empty: none */
};

/* False if there is no speech of that name. `server` is the key of a relay, for
 * "zmtp". The bytes are never freed. */
bool speech_make(struct speech *s, const char *name,
                 const struct curve_key *server) MUST_USE;
/* Prints the names and what they stand for. */
void speech_list(FILE *to);

#endif
