#include "common/conf/conf.h"

#include "common/conf/conf_value.h"
#include "common/conf/yaml_core.h"

#include <string.h>

static size_t section_size(const char *path)
{
    const char *dot = strchr(path, '.');
    return dot ? (size_t)(dot - path) : 0;
}

static bool same_section(const char *a, const char *b)
{
    size_t size = section_size(a);
    return size > 0 && size == section_size(b) && strncmp(a, b, size) == 0;
}

/* Writes each line of the text as a comment; `mark` follows the last one. */
static void print_comment(const char *indent, const char *text,
                          const char *mark, FILE *out)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        bool last = text[size] == '\0';
        fprintf(out, "%s# %.*s%s\n", indent, (int)size, text, last ? mark : "");
        text += size + !last;
    }
}

static void print_key(const struct conf_key *key, const void *conf, bool help,
                      FILE *out)
{
    size_t section = section_size(key->path);
    const char *indent = section ? "  " : "";
    if (help)
        print_comment(indent, key->help, key->live ? " [reload]" : "", out);
    fprintf(out, "%s%s: ", indent, key->path + section + (section > 0));
    if (key->sample != NULL && conf_value_is_empty(key, conf))
        yaml_put_string(key->sample, out);
    else
        conf_value_print(key, conf, out);
    fputc('\n', out);
}

void conf_print(const struct conf_table *table, const void *conf, bool help,
                FILE *out)
{
    const char *before = "";
    if (help)
        print_comment("", table->title, "", out);
    for (size_t i = 0; i < table->count; i++) {
        const char *path = table->keys[i].path;
        if (!same_section(path, before)) {
            fputs(help ? "\n" : "", out);
            if (section_size(path) > 0)
                fprintf(out, "%.*s:\n", (int)section_size(path), path);
        }
        before = path;
        print_key(&table->keys[i], conf, help, out);
    }
}

void conf_diff(const struct conf_table *table, const void *before,
               const void *after, conf_changed *changed, void *context)
{
    for (size_t i = 0; i < table->count; i++)
        if (!conf_value_equal(&table->keys[i], before, after))
            changed(context, table->keys[i].path, table->keys[i].live);
}
