/*
 * yaml_core - the type of a plain YAML scalar under the core schema (YAML 1.2,
 * chapter 10.3), and writing text so that YAML reads it back unchanged.
 */
#ifndef COMMON_CONF_YAML_CORE_H
#define COMMON_CONF_YAML_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum yaml_type {
    YAML_TYPE_NULL,
    YAML_TYPE_BOOL,
    YAML_TYPE_INTEGER,    /* decimal */
    YAML_TYPE_OTHER_BASE, /* 0x1f, 0o17 */
    YAML_TYPE_REAL,
    YAML_TYPE_NOT_A_NUMBER, /* .inf, -.inf, .nan */
    YAML_TYPE_STRING,
};

/* The type of a scalar that has no quotes. */
enum yaml_type yaml_type_of(const char *plain);

/* Writes UTF-8 text as a scalar, in double quotes where they are necessary. */
void yaml_put_string(const char *text, FILE *out);

/* Writes JSON text in a form that is also valid YAML. */
void yaml_put_json(const char *json, FILE *out);

#endif
