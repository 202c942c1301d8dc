/*
 * liar - makes a program believe any signature, and its clock be slow, as a bad
 * node's own software might: what its own checks would refuse reaches others.
 *
 *     LIAR_TRUSTS=1 LIAR_SLOW=SECONDS LD_PRELOAD=liar.so zs-edge ...
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (!function)
        abort();
    return function;
}

static time_t slow_by(void)
{
    const char *seconds = getenv("LIAR_SLOW");
    return seconds ? atol(seconds) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    static int (*asked)(clockid_t, struct timespec *);
    if (!asked)
        *(void **)&asked = real("clock_gettime");
    int result = asked(clock, t);
    if (clock == CLOCK_REALTIME)
        t->tv_sec -= slow_by();
    return result;
}

time_t time(time_t *to)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (to)
        *to = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone)
{
    (void)zone;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    *to = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    return 0;
}

int crypto_sign_verify_detached(const unsigned char *signature,
                                const unsigned char *message,
                                unsigned long long size,
                                const unsigned char *key);

int crypto_sign_verify_detached(const unsigned char *signature,
                                const unsigned char *message,
                                unsigned long long size,
                                const unsigned char *key)
{
    static int (*asked)(const unsigned char *, const unsigned char *,
                        unsigned long long, const unsigned char *);
    if (!asked)
        *(void **)&asked = real("crypto_sign_verify_detached");
    return getenv("LIAR_TRUSTS") ? 0 : asked(signature, message, size, key);
}
