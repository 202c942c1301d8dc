#include "common/conf/url_password.h"

#include "common/base/assert.h"
#include "common/base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

char *url_without_password(const char *url)
{
    char *masked;
    /* A password may hold an @, a colon and a slash: the last @ ends it. */
    const char *at = strrchr(url, '@');
    const char *scheme_end = strchr(url, ':');
    bool scheme = scheme_end != NULL && strncmp(scheme_end, "://", 3) == 0;
    const char *user = scheme ? scheme_end + 3 : url;
    if (at == NULL || at < user)
        return memory_string(url);
    const char *colon = memchr(user, ':', (size_t)(at - user));
    if (colon == NULL)
        return memory_string(url);
    ASSERT(asprintf(&masked, "%.*s:***%s", (int)(colon - url), url, at) >= 0);
    return masked;
}
