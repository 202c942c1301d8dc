/*
 * report - the parts that the reports of zs status and zs netcheck have in
 * common: titles, and what is wrong with what helps.
 */
#ifndef EDGE_CLI_REPORT_H
#define EDGE_CLI_REPORT_H

#include <jansson.h>

void report_bold(const char *text);
/* Prints an empty line and the title of the next part. */
void report_title(const char *title);
/* Prints a part of lines, an array of objects with `severity`, `text` and
 * `remedy`; the remedy may be empty. Lines that follow each other and have the
 * same remedy show it once, behind the last of them. */
void report_lines(const char *title, const json_t *lines);

#endif
