/*
 * api_ref - finds the `ref` of a line that is not JSON, or too long.
 *
 * With the ref in the error, the client knows which of its requests failed. The
 * scan takes the line in pieces, and finds the ref as a member of the outermost
 * object, even if the rest of the line is invalid.
 */
#ifndef EDGE_SHELL_API_REF_H
#define EDGE_SHELL_API_REF_H

#include "common/base/bytes.h"

enum { API_REF_SIZE = 256 }; /* it does not find a longer one */

struct ref_scan { /* zeroed at the beginning of a line */
    size_t depth;
    bool in_string, escaped;
    bool value;      /* at depth 1: after the colon */
    bool is_ref;     /* the key is "ref" */
    size_t key_size; /* bytes of the key that match "ref"; SIZE_MAX: no match */
    size_t text_size; /* of the value; SIZE_MAX: it is too long */
    size_t found_size;
    uint8_t text[API_REF_SIZE];
    uint8_t found[API_REF_SIZE];
};

void ref_scan_take(struct ref_scan *s, struct bytes piece);
/* The ref as it is in the line: a number, a string, true, false or null. Valid
 * as long as `s`; empty: none was found. */
struct bytes ref_scan_found(const struct ref_scan *s);

#endif
