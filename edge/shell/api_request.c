#include "edge/shell/api_internal.h"

#include "common/base/jtext.h"
#include "common/base/memory.h"
#include "common/conf/units.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} members[] = {
    {"op", offsetof(struct request, op)},
    {"ref", offsetof(struct request, ref)},
    {"to", offsetof(struct request, to)},
    {"type", offsetof(struct request, type)},
    {"data", offsetof(struct request, data)},
    {"data_b64", offsetof(struct request, data_b64)},
    {"group", offsetof(struct request, group)},
    {"groups", offsetof(struct request, groups)},
    {"types", offsetof(struct request, types)},
    {"member_of", offsetof(struct request, member_of)},
    {"events", offsetof(struct request, events)},
    {"wait", offsetof(struct request, wait)},
    {"timeout", offsetof(struct request, timeout)},
    {"request", offsetof(struct request, request)},
};

static void set_member(struct request *r, struct bytes key, struct bytes value)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (jtext_is(key, members[i].name)) {
            struct bytes *member =
                (struct bytes *)(void *)((char *)r + members[i].offset);
            r->twice = r->twice || member->size > 0;
            *member = value;
            return;
        }
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
