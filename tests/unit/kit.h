/*
 * kit - cmocka with the headers that it needs before it, for every unit test.
 */
#ifndef TESTS_UNIT_KIT_H
#define TESTS_UNIT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
