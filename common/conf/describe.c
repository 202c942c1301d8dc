#include "common/conf/describe.h"

#include <string.h>

bool describe_asked(int argc, char *const *argv)
{
    return argc == 2 && strcmp(argv[1], "--describe") == 0;
}

static void put_field(const char *text, FILE *out)
{
    fputc('\t', out);
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '\n')
            fputs("\\n", out);
        else
            fputc(*text, out);
    }
}

void describe_options(const struct options_spec *spec, FILE *out)
{
    const struct option_row *row;

    fputs("program", out);
    put_field(spec->program, out);
    put_field(spec->synopsis, out);
    put_field(spec->about, out);
    /* The epilogue of a program with commands is the list of those. */
    put_field(spec->stop_at_positional ? "" : spec->epilogue, out);
    fputc('\n', out);
    for (size_t c = 0; (row = options_row(spec, &c)) != NULL;) {
        const char letter[] = {row->letter, '\0'};
        bool own = c <= spec->row_count;
        fputs(own ? "option" : "shared", out);
        put_field(row->name, out);
        put_field(letter, out);
        put_field(row->value, out);
        put_field(row->help, out);
        fputc('\n', out);
    }
}

void describe_command(const char *name, const char *arguments, const char *help,
                      FILE *out)
{
    fputs("command", out);
    put_field(name, out);
    put_field(arguments, out);
    put_field(help, out);
    fputc('\n', out);
}

void describe_command_end(FILE *out)
{
    fputs("end\n", out);
}

static const char *kind_name(enum conf_kind kind)
{
    switch (kind) {
    case CONF_STRING:
        return "text";
    case CONF_PATH:
        return "path";
    case CONF_CHOICE:
        return "choice";
    case CONF_BOOL:
        return "true or false";
    case CONF_COUNT:
        return "number";
    case CONF_PORT:
        return "port";
    case CONF_SIZE:
        return "size";
    case CONF_DURATION:
        return "duration";
    case CONF_LIST:
        return "list";
    case CONF_PATHS:
        return "list of paths";
    case CONF_ENTRIES:
        return "list of texts or mappings";
    case CONF_MAPPING:
        return "mapping";
    }
    return "";
}

void describe_conf(const struct conf_table *table, FILE *out)
{
    fputs("conf", out);
    put_field(table->title, out);
    fputc('\n', out);
    for (size_t i = 0; i < table->count; i++) {
        const struct conf_key *key = &table->keys[i];
        fputs("key", out);
        put_field(key->path, out);
        put_field(kind_name(key->kind), out);
        put_field(key->fallback, out);
        put_field(key->live ? "live" : "", out);
        put_field(key->help, out);
        fputc('\n', out);
    }
}
