#include "common/conf/proxy_url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    uint16_t port;
} schemes[PROXY_SCHEMES] = {
    [PROXY_HTTP] = {"http", 80},       [PROXY_HTTPS] = {"https", 443},
    [PROXY_SOCKS4] = {"socks4", 1080}, [PROXY_SOCKS4A] = {"socks4a", 1080},
    [PROXY_SOCKS5] = {"socks5", 1080}, [PROXY_SOCKS5H] = {"socks5h", 1080},
};

const char *proxy_scheme_name(enum proxy_scheme scheme)
{
    return schemes[scheme].name;
}

bool proxy_scheme_is_http(enum proxy_scheme scheme)
{
    return scheme == PROXY_HTTP || scheme == PROXY_HTTPS;
}

bool proxy_scheme_resolves(enum proxy_scheme scheme)
{
    return scheme != PROXY_SOCKS4 && scheme != PROXY_SOCKS5;
}

/* ---- Parsing */

/* Takes "SCHEME://" off the text. */
static const char *take_scheme(const char **text, enum proxy_url_form form,
                               enum proxy_scheme *scheme)
{
    const char *end = strstr(*text, "://");

    *scheme = PROXY_HTTP;
    if (end == NULL && form == PROXY_URL_ENVIRONMENT)
        return NULL;
    for (int i = 0; end != NULL && i < PROXY_SCHEMES; i++) {
        size_t size = (size_t)(end - *text);
        if (strlen(schemes[i].name) == size &&
            strncasecmp(*text, schemes[i].name, size) == 0) {
            *scheme = (enum proxy_scheme)i;
            *text = end + 3;
            return NULL;
        }
    }
    return "wants http://, https://, socks4://, socks4a://, socks5:// or "
           "socks5h:// and HOST:PORT";
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* False: a percent sign without two digits, a control character, or too long.
 * Control characters would let a password write lines of a header. */
static bool decode(const char *from, size_t size, char to[PROXY_WORD_SIZE])
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        int c = (unsigned char)from[i];
        if (c == '%') {
            int high = i + 2 < size ? digit_of(from[i + 1]) : -1;
            int low = high >= 0 ? digit_of(from[i + 2]) : -1;
            if (low < 0)
                return false;
            c = high * 16 + low;
            i += 2;
        }
        if (c < ' ' || c == 127 || used + 1 == PROXY_WORD_SIZE)
            return false;
        to[used++] = (char)c;
    }
    to[used] = '\0';
    return true;
}

/* Takes "USER:PASSWORD@" off the text, if it is there. The last @ counts: many
 * people do not encode the one in their password. */
static const char *take_user(const char **text, struct proxy_url *url)
{
    const char *at = strrchr(*text, '@');

    if (at == NULL)
        return NULL;
    size_t size = (size_t)(at - *text);
    const char *colon = memchr(*text, ':', size);
    size_t user = colon != NULL ? (size_t)(colon - *text) : size;
    url->has_user = true;
    if (!decode(*text, user, url->user) ||
        (colon != NULL && !decode(colon + 1, size - user - 1, url->password)))
        return "has a user or password that is too long, or a % without two "
               "hexadecimal digits";
    if (strchr(url->user, ':') != NULL)
        return "has a colon in the user's name, which no proxy can tell from "
               "the password's";
    *text = at + 1;
    return NULL;
}

/* Whether "HOST", "[2001:db8::1]" lacks ":PORT". */
static bool lacks_port(const char *host)
{
    const char *bracket = strchr(host, ']');

    return strchr(bracket != NULL ? bracket : host, ':') == NULL;
}

static const char *read_host(const char *text, enum proxy_url_form form,
                             struct proxy_url *url)
{
    char host[ENDPOINT_HOST_SIZE + 16];
    size_t size = strcspn(text, "/");

    if (text[size] != '\0' && text[size + 1] != '\0')
        return "wants nothing behind HOST:PORT";
    if (size + sizeof ":65535" > sizeof host)
        return "has a host that is too long";
    memcpy(host, text, size);
    host[size] = '\0';
    if (form == PROXY_URL_ENVIRONMENT && lacks_port(host))
        snprintf(host + size, sizeof host - size, ":%u",
                 schemes[url->scheme].port);
    return endpoint_parse(host, ENDPOINT_CONNECT, &url->at);
}

const char *proxy_url_parse(const char *text, enum proxy_url_form form,
                            struct proxy_url *url)
{
    *url = (struct proxy_url){.scheme = PROXY_HTTP};
    const char *wrong = take_scheme(&text, form, &url->scheme);
    if (wrong == NULL)
        wrong = take_user(&text, url);
    return wrong != NULL ? wrong : read_host(text, form, url);
}

const char *proxy_url_print(const struct proxy_url *url,
                            char text[PROXY_URL_SIZE])
{
    bool bracket = strchr(url->at.host, ':') != NULL;

    snprintf(text, PROXY_URL_SIZE, "%s://%s%s%s:%u", schemes[url->scheme].name,
             bracket ? "[" : "", url->at.host, bracket ? "]" : "",
             url->at.port);
    return text;
}
