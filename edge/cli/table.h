/*
 * table - lines of cells, printed in columns that are as wide as they must be.
 */
#ifndef EDGE_CLI_TABLE_H
#define EDGE_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS = 8 };

/* A zeroed table is empty and ready. */
struct table {
    char **cells;
    size_t count;
    size_t columns; /* to be set; <= TABLE_COLUMNS */
};

/* Copies the cell; control characters in it become '?'. NULL is "". */
void table_add(struct table *t, const char *cell);
/* Prints all to stdout, each line behind `margin`, and empties the table. */
void table_print(struct table *t, const char *margin);

#endif
