/*
 * nearest - "did you mean": the known word that a wrong one is closest to.
 */
#ifndef COMMON_CONF_NEAREST_H
#define COMMON_CONF_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word; /* the best so far, or NULL */
    size_t distance;
};

/* Zero-init, offer each known word, then take .word: NULL if none is near
 * (more than a third of the letters differ). Letters swapped count once. */
void nearest_offer(struct nearest *n, const char *wrong, const char *known);

#endif
