/*
 * golden - compares the stories of main scenarios with those in
 * tests/sim/golden.
 */
#ifndef TESTS_SIM_GOLDEN_H
#define TESTS_SIM_GOLDEN_H

#include <stdbool.h>

/* Compares each story with FOLDER/NAME.txt, or writes it there; returns how
 * many failed. */
int golden_run(const char *folder, bool write);

#endif
