#include "common/io/processor.h"

bool processor_is_wide(void)
{
#ifdef __x86_64__
    /* IFMA came with Ice Lake and Zen 4. */
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512ifma");
#else
    return false;
#endif
}
