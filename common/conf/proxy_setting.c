#include "common/conf/proxy_setting.h"

#include "common/base/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- no_proxy */

static size_t without_dot(const char *name, size_t size)
{
    return size > 1 && name[size - 1] == '.' ? size - 1 : size;
}

/* "example.org" and ".example.org" are the host of that name and all hosts
 * below it. */
static bool is_below(const char *host, const char *item, size_t size)
{
    size_t whole = without_dot(host, strlen(host));

    if (size > 0 && item[0] == '.') {
        item++;
        size--;
    }
    size = without_dot(item, size);
    if (size == 0 || size > whole ||
        strncasecmp(host + whole - size, item, size) != 0)
        return false;
    return size == whole || host[whole - size - 1] == '.';
}

/* Whether the first `bits` of both are the same. */
static bool is_same_network(const struct address *a, const struct address *b,
                            unsigned bits)
{
    size_t bytes = bits / 8;
    unsigned rest = bits % 8;

    if (a->family != b->family || memcmp(a->ip, b->ip, bytes) != 0)
        return false;
    return rest == 0 || (a->ip[bytes] ^ b->ip[bytes]) >> (8 - rest) == 0;
}

/* The number behind the slash; false if it is none, or too large. */
static bool read_bits(const char *text, unsigned most, unsigned *bits)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 3 || text[digits] != '\0')
        return false;
    *bits = (unsigned)strtoul(text, NULL, 10);
    return *bits <= most;
}

/* "192.0.2.0/24", "2001:db8::/32", "[2001:db8::1]" */
static bool has_address(const char *item, size_t size,
                        const struct address *host)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address network;

    if (size >= 2 && item[0] == '[' && item[size - 1] == ']') {
        item++;
        size -= 2;
    }
    if (size >= sizeof text)
        return false;
    memcpy(text, item, size);
    text[size] = '\0';
    char *slash = strchr(text, '/');
    if (slash != NULL)
        *slash = '\0';
    if (!address_of_ip(text, 0, &network))
        return false;
    unsigned bits = network.family == ADDRESS_V4 ? 32 : 128;
    if (slash != NULL && !read_bits(slash + 1, bits, &bits))
        return false;
    return is_same_network(&network, host, bits);
}

bool proxy_list_has(const char *list, const char *host)
{
    static const char between[] = ", \t";
    struct address address;
    bool is_address = address_of_ip(host, 0, &address);

    for (;;) {
        list += strspn(list, between);
        size_t size = strcspn(list, between);
        if (size == 0)
            return false;
        if ((size == 1 && *list == '*') ||
            (is_address ? has_address(list, size, &address)
                        : is_below(host, list, size)))
            return true;
        list += size;
    }
}

/* ---- Which one */

struct environment {
    proxy_variable *variable;
    void *context;
};

/* The first of the variables that is set, and its name; NULL: none. */
static const char *first_of(const struct environment *e,
                            const char *const *names, const char **name)
{
    for (; *names != NULL; names++) {
        const char *value = e->variable(e->context, *names);
        *name = *names;
        if (value != NULL && value[0] != '\0')
            return value;
    }
    return NULL;
}

static void find_variable(const struct environment *e, const char *host,
                          bool plain_http, struct proxy_setting *found)
{
    static const char *const names[] = {"http_proxy",  "https_proxy",
                                        "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY",   NULL};
    static const char *const exceptions[] = {"no_proxy", "NO_PROXY", NULL};
    const char *ignored;
    const char *value =
        first_of(e, names + (plain_http ? 0 : 1), &found->variable);
    const char *except = first_of(e, exceptions, &ignored);

    if (value == NULL || (except != NULL && proxy_list_has(except, host)))
        return;
    found->source = PROXY_FROM_VARIABLE;
    found->wrong = proxy_url_parse(value, PROXY_URL_ENVIRONMENT, &found->url);
    if (found->wrong == NULL)
        found->use = PROXY_BOTH;
}

const char *proxy_setting_parse(const char *setting,
                                struct proxy_setting *found)
{
    *found = (struct proxy_setting){.use = PROXY_WITHOUT_ONLY,
                                    .source = PROXY_FROM_FILE};
    if (strcmp(setting, "none") == 0)
        return NULL;
    found->use = PROXY_WITH_ONLY;
    found->wrong = proxy_url_parse(setting, PROXY_URL_FILE, &found->url);
    return found->wrong;
}

void proxy_setting_find(const char *setting, const char *host, bool plain_http,
                        proxy_variable *variable, void *context,
                        struct proxy_setting *found)
{
    struct environment e = {variable, context};

    if (setting[0] != '\0') {
        found->wrong = proxy_setting_parse(setting, found);
        return;
    }
    *found = (struct proxy_setting){.use = PROXY_WITHOUT_ONLY,
                                    .source = PROXY_FROM_NOWHERE};
    find_variable(&e, host, plain_http, found);
}

static const char *read_variable(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

void proxy_setting_read(const char *setting, const char *host, bool plain_http,
                        struct proxy_setting *found)
{
    proxy_setting_find(setting, host, plain_http, read_variable, NULL, found);
}
