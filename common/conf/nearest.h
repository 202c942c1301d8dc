/*
 * nearest - finds the known word that is closest to a wrong one, for "did you
 * mean".
 */
#ifndef COMMON_CONF_NEAREST_H
#define COMMON_CONF_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word; /* the best one offered so far, or NULL */
    size_t distance;
};

/* Offers a known word: zero the struct, offer each word, then read .word. It is
 * NULL if more than a third of the letters differ from each of them. Two
 * swapped letters count as one difference. */
void nearest_offer(struct nearest *n, const char *wrong, const char *known);

#endif
