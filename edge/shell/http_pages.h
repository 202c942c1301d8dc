/*
 * http_pages - the files of edge/pages, built into the program.
 *
 * deploy/cmake/pages.cmake writes the table.
 */
#ifndef EDGE_SHELL_HTTP_PAGES_H
#define EDGE_SHELL_HTTP_PAGES_H

#include <stddef.h>

struct http_page {
    const char *name; /* of the file: "chat.css" */
    const unsigned char *data;
    size_t size;
};

/* The last entry has name NULL. */
extern const struct http_page http_pages[];

#endif
