#include "common/conf/mistakes.h"

#include "common/base/memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void mistakes_add(struct mistakes *m, struct place place, const char *text, ...)
{
    char buffer[512];
    va_list list;
    if (m->count++ >= MISTAKES_MAX)
        return;
    va_start(list, text);
    vsnprintf(buffer, sizeof buffer, text, list);
    va_end(list);
    m->items[m->count - 1] = (struct mistake){place, memory_string(buffer)};
}

bool mistakes_full(const struct mistakes *m)
{
    return m->count >= MISTAKES_MAX;
}

static size_t kept(const struct mistakes *m)
{
    return mistakes_full(m) ? MISTAKES_MAX : m->count;
}

static bool is_before(struct place a, struct place b)
{
    return a.line < b.line || (a.line == b.line && a.column < b.column);
}

/* An insertion sort, because there are few, they are nearly in order, and those
 * of one place must keep their order. */
static void sort(struct mistakes *m)
{
    for (size_t i = 1; i < kept(m); i++) {
        struct mistake moved = m->items[i];
        size_t j = i;
        for (; j > 0 && is_before(moved.place, m->items[j - 1].place); j--)
            m->items[j] = m->items[j - 1];
        m->items[j] = moved;
    }
}

void mistakes_print(struct mistakes *m, const char *name, FILE *out)
{
    sort(m);
    for (size_t i = 0; i < kept(m); i++)
        fprintf(out, "%s:%zu:%zu: %s\n", name, m->items[i].place.line,
                m->items[i].place.column, m->items[i].text);
    if (mistakes_full(m))
        fprintf(out, "%s: too many mistakes, the rest is not checked\n", name);
}

void mistakes_close(struct mistakes *m)
{
    for (size_t i = 0; i < kept(m); i++)
        free(m->items[i].text);
    m->count = 0;
}

const char *mistakes_value(const char *value, char buffer[MISTAKES_VALUE_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        if (used + sizeof "\\xNN..." > MISTAKES_VALUE_SIZE) {
            strcpy(buffer + used, "...");
            return buffer;
        }
        if (c >= ' ' && c <= '~') {
            buffer[used++] = (char)c;
            continue;
        }
        buffer[used++] = '\\';
        buffer[used++] = 'x';
        buffer[used++] = hex[c >> 4];
        buffer[used++] = hex[c & 15];
    }
    buffer[used] = '\0';
    return buffer;
}
