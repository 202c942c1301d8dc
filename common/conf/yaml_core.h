/*
 * yaml_core - what a plain YAML scalar is under the core schema (YAML 1.2,
 * chapter 10.3), and text written so that YAML reads it back.
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

/* Of a scalar without quotes. */
enum yaml_type yaml_type_of(const char *plain);

/* Writes UTF-8 text as a scalar, in double quotes where they are needed. */
void yaml_put_string(const char *text, FILE *out);

/* Writes JSON text so that it is YAML too. */
void yaml_put_json(const char *json, FILE *out);

#endif
