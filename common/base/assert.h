/*
 * assert - ASSERT is for bugs of ours, and is always on.
 *
 * Never for what a peer, a file or a caller's data does: that is a result.
 */
#ifndef COMMON_BASE_ASSERT_H
#define COMMON_BASE_ASSERT_H

#define ASSERT(condition)                                                      \
    ((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__))

/* Prints the condition and where it stands to stderr, then aborts. */
_Noreturn void assert_failed(const char *condition, const char *file, int line);

#define MUST_USE __attribute__((warn_unused_result))

#endif
