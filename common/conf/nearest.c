#include "common/conf/nearest.h"

#include <string.h>

enum { LONGEST = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* The number of letters to insert, remove, replace, or swap with the next one.
 */
static size_t distance(const char *a, size_t a_size, const char *b,
                       size_t b_size)
{
    /* The row before the last, the last, this one. */
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_size; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t differ = a[i - 1] != b[j - 1];
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + differ);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_size];
}

void nearest_offer(struct nearest *n, const char *wrong, const char *known)
{
    size_t wrong_size = strnlen(wrong, LONGEST + 1);
    size_t known_size = strnlen(known, LONGEST + 1);
    if (wrong_size > LONGEST || known_size > LONGEST)
        return;
    size_t longer = wrong_size > known_size ? wrong_size : known_size;
    size_t d = distance(wrong, wrong_size, known, known_size);
    if (d > (longer + 2) / 3 || (n->word != NULL && d >= n->distance))
        return;
    *n = (struct nearest){known, d};
}
