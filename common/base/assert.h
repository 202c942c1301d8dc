/*
 * assert - ASSERT stops the process at a bug in our own code; it stays on in
 * release builds.
 *
 * ASSERT never checks input: bad data from a peer, a file or an API caller is a
 * result that the function returns.
 */
#ifndef COMMON_BASE_ASSERT_H
#define COMMON_BASE_ASSERT_H

#define ASSERT(condition)                                                      \
    ((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__))

/* Prints the condition, the file and the line to stderr, then aborts. */
_Noreturn void assert_failed(const char *condition, const char *file, int line);

#define MUST_USE __attribute__((warn_unused_result))

#endif
