#include "common/conf/conf_json.h"

#include "common/conf/yaml_core.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX_SIZE = 255 };

static json_t *refuse(const struct conf_node *node, struct mistakes *mistakes,
                      const char *why)
{
    char buffer[MISTAKES_VALUE_SIZE];
    mistakes_add(mistakes, node->place, "`%s` %s",
                 mistakes_value(node->text, buffer), why);
    return NULL;
}

static json_t *integer_of(const struct conf_node *node,
                          struct mistakes *mistakes)
{
    const char *text = node->text;
    int base = 10;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
        base = text[1] == 'x' ? 16 : 8;
        text += 2;
    }
    errno = 0;
    json_int_t value = strtoll(text, NULL, base);
    if (errno != 0)
        return refuse(node, mistakes, "is not a number of 64 bits");
    return json_integer(value);
}

static json_t *real_of(const struct conf_node *node, struct mistakes *mistakes)
{
    double value = strtod(node->text, NULL);
    if (!isfinite(value))
        return refuse(node, mistakes, "cannot be written as JSON");
    return json_real(value);
}

static json_t *scalar_of(const struct conf_node *node,
                         struct mistakes *mistakes)
{
    if (!node->plain)
        return json_string(node->text);
    switch (yaml_type_of(node->text)) {
    case YAML_TYPE_NULL:
        return json_null();
    case YAML_TYPE_BOOL:
        return json_boolean(node->text[0] == 't' || node->text[0] == 'T');
    case YAML_TYPE_INTEGER:
    case YAML_TYPE_OTHER_BASE:
        return integer_of(node, mistakes);
    case YAML_TYPE_REAL:
        return real_of(node, mistakes);
    case YAML_TYPE_NOT_A_NUMBER:
        return refuse(node, mistakes, "cannot be written as JSON");
    case YAML_TYPE_STRING:
        break;
    }
    return json_string(node->text);
}

static json_t *array_of(const struct conf_node *node, struct mistakes *mistakes)
{
    json_t *array = json_array();
    size_t before = mistakes->count;
    for (const struct conf_node *n = node->first; n != NULL; n = n->next) {
        json_t *item = conf_json(n, mistakes);
        if (item != NULL)
            json_array_append_new(array, item);
    }
    if (mistakes->count == before)
        return array;
    json_decref(array);
    return NULL;
}

/* True if the node may be a key of the object, which does not have it yet. */
static bool key_is_good(const struct conf_node *key, const json_t *object,
                        struct mistakes *mistakes)
{
    if (key->kind == CONF_NODE_BROKEN)
        return false;
    if (key->kind != CONF_NODE_SCALAR)
        mistakes_add(mistakes, key->place, "a key must be a word or a text");
    else if (strlen(key->text) > KEY_MAX_SIZE)
        refuse(key, mistakes, "is too long for a key");
    else if (json_object_get(object, key->text) != NULL)
        refuse(key, mistakes, "is repeated");
    else
        return true;
    return false;
}

static json_t *object_of(const struct conf_node *node,
                         struct mistakes *mistakes)
{
    json_t *object = json_object();
    size_t before = mistakes->count;
    const struct conf_node *key = node->first;
    for (; key != NULL && key->next != NULL; key = key->next->next) {
        bool good = key_is_good(key, object, mistakes);
        json_t *value = conf_json(key->next, mistakes);
        if (good && value != NULL)
            json_object_set_new(object, key->text, value);
        else
            json_decref(value);
    }
    if (mistakes->count == before)
        return object;
    json_decref(object);
    return NULL;
}

json_t *conf_json(const struct conf_node *node, struct mistakes *mistakes)
{
    switch (node->kind) {
    case CONF_NODE_SCALAR:
        return scalar_of(node, mistakes);
    case CONF_NODE_SEQUENCE:
        return array_of(node, mistakes);
    case CONF_NODE_MAPPING:
        return object_of(node, mistakes);
    case CONF_NODE_BROKEN:
        break;
    }
    return NULL;
}

char *conf_json_text(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    ASSERT(text != NULL);
    return text;
}
