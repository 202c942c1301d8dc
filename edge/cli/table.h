/*
 * table - prints rows of cells in aligned columns.
 */
#ifndef EDGE_CLI_TABLE_H
#define EDGE_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS = 8 };

/* A zeroed table is empty and ready. */
struct text_table {
    char **cells;
    size_t count;
    size_t columns; /* set by the caller; <= TABLE_COLUMNS */
};

/* Adds a copy of the cell, escaped by escape.h. NULL is "". A row is full after
 * `columns` cells. */
void table_add(struct text_table *t, const char *cell);
/* Prints all rows to stdout, each after `margin`, and empties the table. */
void table_print(struct text_table *t, const char *margin);

#endif
