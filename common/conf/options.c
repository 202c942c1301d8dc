#include "common/conf/options.h"

#include "common/base/bytes.h"
#include "common/base/memory.h"
#include "common/conf/describe.h"
#include "common/conf/mistakes.h"
#include "common/conf/nearest.h"
#include "common/conf/units.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* One option of the command line. */
struct option_given {
    const struct option_row *row;
    const char *value; /* NULL for a flag */
};

static const struct option_row help_row = {"help", 'h', OPTION_FLAG, NULL,
                                           "print this help and end"};
static const struct option_row version_row = {"version", 0, OPTION_FLAG, NULL,
                                              "print the version and end"};

const struct option_row *options_row(const struct options_spec *spec,
                                     size_t *cursor)
{
    size_t i = (*cursor)++;
    if (i < spec->row_count)
        return &spec->rows[i];
    i -= spec->row_count;
    if (i < spec->shared_count)
        return &spec->shared[i];
    i -= spec->shared_count;
    return i == 0 ? &help_row : i == 1 ? &version_row : NULL;
}

static const struct option_row *find_name(const struct options_spec *spec,
                                          const char *name, size_t size)
{
    const struct option_row *row;
    for (size_t c = 0; (row = options_row(spec, &c)) != NULL;)
        if (strlen(row->name) == size && memcmp(row->name, name, size) == 0)
            return row;
    return NULL;
}

static const struct option_row *find_letter(const struct options_spec *spec,
                                            char letter)
{
    const struct option_row *row;
    for (size_t c = 0; (row = options_row(spec, &c)) != NULL;)
        if (row->letter != 0 && row->letter == letter)
            return row;
    return NULL;
}

int options_wrong(const struct options_spec *spec, const char *message, ...)
{
    va_list list;
    fprintf(stderr, "%s: ", spec->program);
    va_start(list, message);
    vfprintf(stderr, message, list);
    va_end(list);
    fprintf(stderr, "\nTry `%s --help`.\n", spec->program);
    return EXIT_USAGE;
}

/* The state of parsing. */
struct parsing {
    const struct options_spec *spec;
    struct options *o;
    char *const *at; /* the next argument; NULL at the end */
    bool wrong;
};

static void unknown_name(struct parsing *p, const char *name, size_t size)
{
    char shown[MISTAKES_VALUE_SIZE];
    char *wrong = memory_copy(name, size + 1);
    wrong[size] = '\0';
    struct nearest near = {0};
    const struct option_row *row;
    for (size_t c = 0; (row = options_row(p->spec, &c)) != NULL;)
        nearest_offer(&near, wrong, row->name);
    mistakes_value(wrong, shown);
    if (near.word != NULL)
        options_wrong(p->spec, "unknown option --%s: did you mean --%s?", shown,
                      near.word);
    else
        options_wrong(p->spec, "unknown option --%s", shown);
    free(wrong);
    p->wrong = true;
}

static const char *kind_wrong(enum option_kind kind, const char *value)
{
    int64_t integer;
    struct span span;
    uint64_t size;
    switch (kind) {
    case OPTION_INTEGER:
        return units_integer(value, &integer) && integer >= 0
                   ? NULL
                   : "a whole number";
    case OPTION_DURATION:
        return units_duration(value, &span)
                   ? NULL
                   : "a duration such as 250ms, 5s or 10m";
    case OPTION_SIZE:
        return units_size(value, &size) ? NULL : "a size such as 1500 or 64KiB";
    case OPTION_FLAG:
    case OPTION_TEXT:
        break;
    }
    return NULL;
}

static void give(struct parsing *p, const struct option_row *row,
                 const char *value)
{
    char shown[MISTAKES_VALUE_SIZE];
    const char *wants = value ? kind_wrong(row->kind, value) : NULL;
    if (wants != NULL) {
        options_wrong(p->spec, "--%s wants %s, not `%s`", row->name, wants,
                      mistakes_value(value, shown));
        p->wrong = true;
        return;
    }
    p->o->given[p->o->given_count++] = (struct option_given){row, value};
}

/* Stores an option's value: `joined`, or else the next argument. */
static void give_valued(struct parsing *p, const struct option_row *row,
                        const char *joined)
{
    if (joined == NULL && *p->at == NULL) {
        options_wrong(p->spec, "--%s wants a value: %s", row->name, row->value);
        p->wrong = true;
    } else {
        give(p, row, joined ? joined : *p->at++);
    }
}

static void take_long(struct parsing *p, const char *argument)
{
    const char *name = argument + 2;
    size_t size = strcspn(name, "=");
    const char *joined = name[size] == '=' ? name + size + 1 : NULL;
    const struct option_row *row = find_name(p->spec, name, size);
    if (row == NULL) {
        unknown_name(p, name, size);
    } else if (row->kind != OPTION_FLAG) {
        give_valued(p, row, joined);
    } else if (joined == NULL) {
        give(p, row, NULL);
    } else {
        options_wrong(p->spec, "--%s takes no value", row->name);
        p->wrong = true;
    }
}

/* Takes -c FILE, -cFILE, or -ab for -a -b. */
static void take_letters(struct parsing *p, const char *argument)
{
    for (const char *at = argument + 1; *at != '\0' && !p->wrong; at++) {
        char letter[] = {*at, '\0'}, shown[MISTAKES_VALUE_SIZE];
        const struct option_row *row = find_letter(p->spec, *at);
        if (row == NULL) {
            options_wrong(p->spec, "unknown option -%s",
                          mistakes_value(letter, shown));
            p->wrong = true;
        } else if (row->kind != OPTION_FLAG) {
            give_valued(p, row, at[1] != '\0' ? at + 1 : NULL);
            return;
        } else {
            give(p, row, NULL);
        }
    }
}

static bool is_given(const struct options *o, const struct option_row *row)
{
    for (size_t i = 0; i < o->given_count; i++)
        if (o->given[i].row == row)
            return true;
    return false;
}

/* Takes arguments up to the end, a mistake, --help or --version. */
static void take_all(struct parsing *p)
{
    bool literal = false;
    while (*p->at != NULL && !p->wrong && !is_given(p->o, &help_row)) {
        char *argument = *p->at++;
        if (!literal && strcmp(argument, "--") == 0)
            literal = true;
        else if (!literal && strncmp(argument, "--", 2) == 0)
            take_long(p, argument);
        else if (!literal && argument[0] == '-' && argument[1] != '\0')
            take_letters(p, argument);
        else {
            p->o->positionals[p->o->positional_count++] = argument;
            literal = literal || p->spec->stop_at_positional;
        }
    }
}

/* The synopsis' word for positional `n`: "TO TYPE [DATA]" gives TO and TYPE.
 * Options and their values, and words in brackets, do not count; "serve | TO"
 * is one positional. */
static struct bytes positional_word(const char *synopsis, size_t n)
{
    const char *at = synopsis;
    bool value = false;

    if (strstr(synopsis, " | ") != NULL)
        return bytes_of_string(synopsis);
    for (;;) {
        at += strspn(at, " ");
        size_t size = strcspn(at, " ");
        if (size == 0)
            return bytes_of_string("an argument");
        if (*at == '[') {
            const char *end = strchr(at, ']');
            size = end ? (size_t)(end - at) + 1 : strlen(at);
            size += strspn(at + size, ".");
        } else if (value) {
            value = false;
        } else if (*at == '-') {
            value = true;
        } else if (n-- == 0) {
            return bytes_of(at, size);
        }
        at += size;
    }
}

static void tell_missing(const struct options_spec *spec, size_t given)
{
    const char *synopsis = spec->synopsis ? spec->synopsis : "";
    struct bytes word = positional_word(synopsis, given);

    options_wrong(spec, "%.*s is missing: %s %s", (int)word.size,
                  (const char *)word.data, spec->program, synopsis);
}

/* True if the number of positionals is right; else prints the mistake. */
static bool count_is_right(const struct options_spec *spec,
                           const struct options *o)
{
    char shown[MISTAKES_VALUE_SIZE];
    if (o->positional_count < spec->positional_min)
        tell_missing(spec, o->positional_count);
    else if (o->positional_count > spec->positional_max &&
             !spec->stop_at_positional)
        options_wrong(
            spec, "what is `%s`?",
            mistakes_value(o->positionals[spec->positional_max], shown));
    else
        return true;
    return false;
}

enum options_result options_parse(const struct options_spec *spec, int argc,
                                  char *const *argv, struct options *o)
{
    ASSERT(argc >= 1);
    if (describe_asked(argc, argv)) {
        describe_options(spec, stdout);
        *o = (struct options){0};
        return OPTIONS_DONE;
    }
    /* One -abc can give as many options as it has letters. */
    size_t capacity = 1;
    for (int i = 1; i < argc; i++)
        capacity += strlen(argv[i]) + 1;
    *o = (struct options){.spec = spec};
    o->positionals = memory_array((size_t)argc, sizeof *o->positionals);
    o->given = memory_array(capacity, sizeof *o->given);
    struct parsing p = {.spec = spec, .o = o, .at = argv + 1};
    take_all(&p);

    enum options_result result = OPTIONS_DONE;
    if (is_given(o, &help_row))
        options_help(spec, stdout);
    else if (p.wrong)
        result = OPTIONS_WRONG;
    else if (is_given(o, &version_row))
        printf("%s %s\n", spec->program, ZS_VERSION);
    else
        result = count_is_right(spec, o) ? OPTIONS_RUN : OPTIONS_WRONG;
    if (result != OPTIONS_RUN)
        options_free(o);
    return result;
}

void options_free(struct options *o)
{
    free(o->positionals);
    free(o->given);
    *o = (struct options){0};
}

const char *options_next(const struct options *o, const char *name,
                         size_t *cursor)
{
    const struct option_row *row = find_name(o->spec, name, strlen(name));
    ASSERT(row != NULL && row->kind != OPTION_FLAG);
    while (*cursor < o->given_count) {
        const struct option_given *given = &o->given[(*cursor)++];
        if (given->row == row)
            return given->value;
    }
    return NULL;
}

const char *options_text(const struct options *o, const char *name)
{
    const char *last = NULL, *value;
    for (size_t c = 0; (value = options_next(o, name, &c)) != NULL;)
        last = value;
    return last;
}

bool options_flag(const struct options *o, const char *name)
{
    const struct option_row *row = find_name(o->spec, name, strlen(name));
    ASSERT(row != NULL && row->kind == OPTION_FLAG);
    return is_given(o, row);
}

int64_t options_integer(const struct options *o, const char *name,
                        int64_t fallback)
{
    const char *text = options_text(o, name);
    ASSERT(text == NULL || units_integer(text, &fallback));
    return fallback;
}

struct span options_duration(const struct options *o, const char *name,
                             struct span fallback)
{
    const char *text = options_text(o, name);
    ASSERT(text == NULL || units_duration(text, &fallback));
    return fallback;
}

uint64_t options_size(const struct options *o, const char *name,
                      uint64_t fallback)
{
    const char *text = options_text(o, name);
    ASSERT(text == NULL || units_size(text, &fallback));
    return fallback;
}

/* Writes "  -c, --config FILE"; returns its width. */
static size_t print_row(const struct option_row *row, char buffer[128])
{
    char letter[] = {'-', row->letter, ',', ' ', '\0'};
    int size = snprintf(buffer, 128, "  %s--%s%s%s",
                        row->letter ? letter : "    ", row->name,
                        row->value ? " " : "", row->value ? row->value : "");
    return (size_t)size < 128 ? (size_t)size : 127;
}

static void print_rows(const struct options_spec *spec, FILE *out)
{
    enum { WIDEST = 30 };
    char buffer[128];
    const struct option_row *row;
    size_t width = 0;
    for (size_t c = 0; (row = options_row(spec, &c)) != NULL;) {
        size_t size = print_row(row, buffer);
        width = size > width && size <= WIDEST ? size : width;
    }
    for (size_t c = 0; (row = options_row(spec, &c)) != NULL;) {
        size_t size = print_row(row, buffer);
        if (size <= width)
            fprintf(out, "%-*s  %s\n", (int)width, buffer, row->help);
        else
            fprintf(out, "%s\n%*s  %s\n", buffer, (int)width, "", row->help);
    }
}

void options_help(const struct options_spec *spec, FILE *out)
{
    fprintf(out, "Usage: %s [OPTIONS]%s%s\n", spec->program,
            spec->synopsis ? " " : "", spec->synopsis ? spec->synopsis : "");
    if (spec->about != NULL)
        fprintf(out, "\n%s\n", spec->about);
    fputs("\nOptions:\n", out);
    print_rows(spec, out);
    if (spec->epilogue != NULL)
        fprintf(out, "\n%s\n", spec->epilogue);
}
