#include "edge/cli/input.h"

#include "common/base/jtext.h"
#include "common/base/utf8.h"
#include "edge/cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

enum input_form input_form(const struct options *o)
{
    if (options_text(o, "file"))
        return INPUT_BYTES;
    return options_flag(o, "json-data") ? INPUT_JSON : INPUT_TEXT;
}

static bool read_all(int fd, struct text *content)
{
    for (;;) {
        ssize_t got = read(fd, text_room(content, CHUNK), CHUNK);
        if (got == 0)
            return true;
        if (got > 0)
            text_wrote(content, (size_t)got);
        else if (errno != EINTR)
            return false;
    }
}

bool input_file(const char *path, struct text *content)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;

    bool read = read_all(fd, content);
    int reason = errno;
    close(fd);
    errno = reason;
    return read;
}

bool input_read(const struct options *o, const char *data, struct text *content,
                int *code)
{
    const char *file = options_text(o, "file");
    const char *name = "standard input";
    bool read;

    *code = EXIT_USAGE;
    if (file && (data || options_flag(o, "json-data"))) {
        options_wrong(o->spec, "--file excludes DATA and --json-data");
        return false;
    }
    *code = EXIT_FAILED;
    if (file && strcmp(file, "-") != 0) {
        name = file;
        read = input_file(file, content);
    } else if (data && strcmp(data, "-") != 0) {
        text_add_string(content, data);
        return true;
    } else {
        read = read_all(STDIN_FILENO, content);
    }
    if (!read)
        command_fail(*code, "%s: %s", name, strerror(errno));
    return read;
}

static void add_json(struct text *out, struct bytes json)
{
    char *at = text_room(out, json.size);

    /* A request must be one line. Valid JSON has line breaks only between
     * tokens, where a space does as well. */
    for (size_t i = 0; i < json.size; i++) {
        char c = (char)json.data[i];
        at[i] = c == '\n' || c == '\r' ? ' ' : c;
    }
    text_wrote(out, json.size);
}

static void add_base64(struct text *out, struct bytes content)
{
    const int variant = sodium_base64_VARIANT_ORIGINAL;
    size_t size = sodium_base64_encoded_len(content.size, variant);

    text_add_char(out, '"');
    sodium_bin2base64(text_room(out, size), size, content.data, content.size,
                      variant);
    text_wrote(out, size - 1);
    text_add_char(out, '"');
}

bool input_write(struct text *out, enum input_form form, struct bytes content,
                 const char **wrong)
{
    switch (form) {
    case INPUT_TEXT:
        *wrong = "not UTF-8: send it as bytes with --file";
        if (!utf8_valid(content))
            return false;
        text_add_string(out, ",\"data\":");
        text_add_json(out, content);
        return true;
    case INPUT_JSON:
        *wrong = "not JSON";
        if (!jtext_valid(content))
            return false;
        text_add_string(out, ",\"data\":");
        add_json(out, content);
        return true;
    case INPUT_BYTES:
        text_add_string(out, ",\"data_b64\":");
        add_base64(out, content);
        return true;
    }
    return false;
}

static void add_member(struct text *out, const char *key, const char *value)
{
    if (!value)
        return;
    text_add_string(out, ",\"");
    text_add_string(out, key);
    text_add_string(out, "\":");
    text_add_json(out, bytes_of_string(value));
}

void input_begin(struct text *out, const char *op, const char *to,
                 const char *type, const char *group)
{
    text_add_string(out, "{\"op\":\"");
    text_add_string(out, op);
    text_add_char(out, '"');
    add_member(out, "to", to);
    add_member(out, "type", type);
    add_member(out, "group", group);
}
