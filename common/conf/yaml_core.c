#include "common/conf/yaml_core.h"

#include "common/base/utf8.h"

#include <string.h>

#define DIGITS "0123456789"

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static bool is_all_of(const char *text, const char *set)
{
    return *text != '\0' && text[strspn(text, set)] == '\0';
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_real(const char *at)
{
    at += *at == '-' || *at == '+';
    size_t whole = strspn(at, DIGITS), part = 0;
    at += whole;
    if (*at == '.') {
        part = strspn(++at, DIGITS);
        at += part;
    }
    if (whole + part == 0)
        return false;
    if (*at == '\0')
        return true;
    if (*at != 'e' && *at != 'E')
        return false;
    at++;
    at += *at == '-' || *at == '+';
    return is_all_of(at, DIGITS);
}

enum yaml_type yaml_type_of(const char *plain)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const bools[] = {"true",  "True",  "TRUE", "false",
                                        "False", "FALSE", NULL};
    static const char *const odd[] = {".inf", ".Inf", ".INF", ".nan",
                                      ".NaN", ".NAN", NULL};
    if (is_one_of(plain, nulls))
        return YAML_TYPE_NULL;
    if (is_one_of(plain, bools))
        return YAML_TYPE_BOOL;
    const char *unsigned_part = plain + (*plain == '-' || *plain == '+');
    if (is_all_of(unsigned_part, DIGITS))
        return YAML_TYPE_INTEGER;
    if (strncmp(plain, "0o", 2) == 0 && is_all_of(plain + 2, "01234567"))
        return YAML_TYPE_OTHER_BASE;
    if (strncmp(plain, "0x", 2) == 0 &&
        is_all_of(plain + 2, DIGITS "abcdefABCDEF"))
        return YAML_TYPE_OTHER_BASE;
    if (is_one_of(unsigned_part, odd))
        return YAML_TYPE_NOT_A_NUMBER;
    return is_real(plain) ? YAML_TYPE_REAL : YAML_TYPE_STRING;
}

static bool is_plain(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "_/";
    static const char inner[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "_/.+-";
    return *text != '\0' && strchr(letters, *text) != NULL &&
           is_all_of(text, inner) && strlen(text) < 128 &&
           yaml_type_of(text) == YAML_TYPE_STRING;
}

/* True for the line breaks of YAML 1.1 and for what libyaml does not accept
 * unescaped. */
static bool needs_escape(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
           c == 0xfeff || c == 0xfffe || c == 0xffff;
}

/* Writes the text with \uNNNN for characters that need an escape. */
static void put_escaped(const char *text, bool quotes_too, FILE *out)
{
    struct utf8 at = utf8_of(text, strlen(text));
    const uint8_t *start = at.at;
    for (uint32_t c; utf8_next(&at, &c); start = at.at) {
        if (needs_escape(c))
            fprintf(out, "\\u%04x", (unsigned)c);
        else if (quotes_too && (c == '"' || c == '\\'))
            fprintf(out, "\\%c", (int)c);
        else
            fwrite(start, 1, (size_t)(at.at - start), out);
    }
}

void yaml_put_string(const char *text, FILE *out)
{
    if (is_plain(text)) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    put_escaped(text, true, out);
    fputc('"', out);
}

void yaml_put_json(const char *json, FILE *out)
{
    put_escaped(json, false, out);
}
