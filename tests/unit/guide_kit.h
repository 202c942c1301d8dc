/*
 * guide_kit - the page of the guide that explains what the programs say.
 */
#ifndef TESTS_UNIT_GUIDE_KIT_H
#define TESTS_UNIT_GUIDE_KIT_H

#include "tests/unit/kit.h"

#include <stdio.h>

/* This file lies in tests/unit. */
static inline const char *guide(void)
{
    static char page[256 * 1024];
    char path[4096];
    const char *end = strstr(__FILE__, "tests/unit/");

    if (page[0] != '\0')
        return page;
    assert_non_null(end);
    snprintf(path, sizeof path, "%.*sdeploy/guide/troubleshooting.md",
             (int)(end - __FILE__), __FILE__);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(page, 1, sizeof page - 1, file) > 1000);
    fclose(file);
    return page;
}

#endif
