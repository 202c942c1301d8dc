/*
 * api_ref - the `ref` of a line that is no JSON, or too long to be kept.
 *
 * A client that hears which of its calls was refused fails that one only, so
 * the ref is looked for as far as the line can be understood: as a member of
 * the outermost object, whatever is wrong in the others. Fed in pieces.
 */
#ifndef EDGE_SHELL_API_REF_H
#define EDGE_SHELL_API_REF_H

#include "common/base/bytes.h"

enum { API_REF_SIZE = 256 }; /* a longer one is not found */

struct ref_scan { /* zeroed: at the line's begin */
    size_t depth;
    bool in_string, escaped;
    bool value;       /* at depth 1: after the colon */
    bool is_ref;      /* the key is "ref" */
    size_t key_size;  /* of the key's bytes, as far as they are "ref" */
    size_t text_size; /* of the value that comes; SIZE_MAX: none to be taken */
    size_t found_size;
    uint8_t text[API_REF_SIZE];
    uint8_t found[API_REF_SIZE];
};

void ref_scan_take(struct ref_scan *s, struct bytes piece);
/* A number, a text, true, false or null, as it stands in the line, valid as
 * long as `s`; empty if there was none. */
struct bytes ref_scan_found(const struct ref_scan *s);

#endif
