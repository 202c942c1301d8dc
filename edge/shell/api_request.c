#include "edge/shell/api_internal.h"

#include "common/base/jtext.h"
#include "common/base/memory.h"
#include "common/conf/mistakes.h"
#include "common/conf/nearest.h"
#include "common/conf/units.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIELDS_ALWAYS = FIELD_OP | FIELD_REF,
    KEY_TEXT_SIZE =
        MISTAKES_VALUE_SIZE + 1, /* errors show at most this much of a key */
};

static const struct member {
    const char *name;
    enum request_field field;
    size_t offset;
} members[] = {
    {"op", FIELD_OP, offsetof(struct request, op)},
    {"ref", FIELD_REF, offsetof(struct request, ref)},
    {"to", FIELD_TO, offsetof(struct request, to)},
    {"type", FIELD_TYPE, offsetof(struct request, type)},
    {"data", FIELD_DATA, offsetof(struct request, data)},
    {"data_b64", FIELD_DATA_B64, offsetof(struct request, data_b64)},
    {"group", FIELD_GROUP, offsetof(struct request, group)},
    {"groups", FIELD_GROUPS, offsetof(struct request, groups)},
    {"types", FIELD_TYPES, offsetof(struct request, types)},
    {"member_of", FIELD_MEMBER_OF, offsetof(struct request, member_of)},
    {"events", FIELD_EVENTS, offsetof(struct request, events)},
    {"wait", FIELD_WAIT, offsetof(struct request, wait)},
    {"timeout", FIELD_TIMEOUT, offsetof(struct request, timeout)},
    {"request", FIELD_REQUEST, offsetof(struct request, request)},
};

enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

static const struct member *find_member(struct bytes key)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (jtext_is(key, members[i].name))
            return &members[i];
    return NULL;
}

/* Decodes the key. A key with a NUL, or one that is too long, stays as it is in
 * the line. */
static void key_text(struct bytes key, char room[KEY_TEXT_SIZE])
{
    struct bytes quoted = bytes_of(key.data - 1, key.size + 2);
    size_t length;

    if (jtext_string(quoted, room, KEY_TEXT_SIZE, &length) &&
        strlen(room) == length)
        return;
    size_t size = key.size < KEY_TEXT_SIZE ? key.size : KEY_TEXT_SIZE - 1;
    memcpy(room, key.data, size);
    room[size] = '\0';
}

static void set_member(struct request *r, struct bytes key, struct bytes value)
{
    const struct member *m = find_member(key);

    if (!m && memchr(key.data, '\\', key.size)) {
        char text[KEY_TEXT_SIZE];
        key_text(key, text);
        m = find_member(bytes_of_string(text));
    }
    if (m) {
        struct bytes *at = (struct bytes *)(void *)((char *)r + m->offset);
        r->twice = r->twice || at->size > 0;
        r->given |= m->field;
        *at = value;
    } else if (!r->has_unknown) {
        r->unknown = key;
        r->has_unknown = true;
    }
}

bool request_parse(struct bytes line, struct request *r)
{
    struct jtext_walk walk;
    struct bytes key, value;

    *r = (struct request){0};
    if (!jtext_enter(&walk, line, '{'))
        return false;
    while (jtext_member(&walk, &key, &value))
        set_member(r, key, value);
    return jtext_left(&walk);
}

bool request_has_only(const struct request *r, unsigned fields)
{
    return !r->has_unknown && (r->given & ~(fields | FIELDS_ALWAYS)) == 0;
}

/* A field of the request that only other operations have. */
static const char *foreign_field(const struct request *r, unsigned fields)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (members[i].field & r->given & ~(fields | FIELDS_ALWAYS))
            return members[i].name;
    return "";
}

static void tell_fields(unsigned fields, struct text *why)
{
    text_add_string(why, ": its fields are");
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i].field & (fields | FIELDS_ALWAYS)) {
            text_add_char(why, ' ');
            text_add_string(why, members[i].name);
        }
    }
}

void request_tell_unknown(const struct request *r, unsigned fields,
                          const char *op, struct text *why)
{
    char key[KEY_TEXT_SIZE], shown[MISTAKES_VALUE_SIZE];
    const char *wrong = key;
    struct nearest near = {0};

    if (r->has_unknown)
        key_text(r->unknown, key);
    else
        wrong = foreign_field(r, fields);
    for (size_t i = 0; i < MEMBERS; i++)
        if (members[i].field & (fields | FIELDS_ALWAYS))
            nearest_offer(&near, wrong, members[i].name);
    text_add_string(why, "unknown field `");
    text_add_string(why, mistakes_value(wrong, shown));
    text_add_string(why, op ? "` in `" : "`");
    if (op) {
        text_add_string(why, op);
        text_add_char(why, '`');
    }
    if (near.word) {
        text_add_string(why, ": did you mean `");
        text_add_string(why, near.word);
        text_add_string(why, "`?");
    } else if (op) {
        tell_fields(fields, why);
    }
}

void filter_close(struct filter *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->names[i]);
    f->count = 0;
}

static bool filter_add(struct filter *f, struct bytes value)
{
    char name[API_TYPE_SIZE + 1];
    size_t length;

    if (f->count == API_FILTERS ||
        !jtext_string(value, name, sizeof(name), &length) ||
        strlen(name) != length)
        return false;
    f->names[f->count++] = memory_string(name);
    return true;
}

bool filter_parse(struct bytes value, struct filter *f)
{
    struct jtext_walk walk;
    struct bytes element;

    *f = (struct filter){0};
    if (jtext_is_string(value))
        return filter_add(f, value);
    if (!jtext_enter(&walk, value, '['))
        return false;
    while (jtext_element(&walk, &element)) {
        if (!filter_add(f, element)) {
            filter_close(f);
            return false;
        }
    }
    return true;
}

bool filter_passes(const struct filter *f, struct bytes name)
{
    for (size_t i = 0; i < f->count; i++)
        if (bytes_equal(bytes_of_string(f->names[i]), name))
            return true;
    return f->count == 0;
}

bool timeout_parse(struct bytes value, struct span fallback, struct span *s)
{
    char text[UNITS_TEXT_SIZE];
    size_t length;
    uint64_t ms;

    *s = fallback;
    if (value.size == 0)
        return true;
    if (jtext_number(value, &ms)) {
        *s = span_ms((int64_t)(ms & INT32_MAX));
        return ms > 0 && ms <= INT32_MAX;
    }
    return jtext_string(value, text, sizeof(text), &length) &&
           units_duration(text, s) && s->us > 0;
}
