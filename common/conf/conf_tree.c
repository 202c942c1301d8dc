#include "common/conf/conf_tree.h"

#include "common/base/utf8.h"

#include <string.h>
#include <yaml.h>

struct builder {
    struct conf_tree *tree;
    struct mistakes *mistakes;
    /* The collections that surround the place. */
    struct conf_node *open[CONF_DEPTH];
    size_t depth;
    size_t count;
    bool documents; /* a document has begun */
    bool done;
};

static struct place place_of(yaml_mark_t mark)
{
    return (struct place){mark.line + 1, mark.column + 1};
}

static void stop(struct builder *b, struct place place, const char *why)
{
    mistakes_add(b->mistakes, place, "%s", why);
    b->tree->whole = false;
    b->done = true;
}

static struct conf_node *add(struct builder *b, enum conf_node_kind kind,
                             const yaml_event_t *event)
{
    struct conf_node *node = arena_take(&b->tree->arena, sizeof *node);
    *node =
        (struct conf_node){.kind = kind, .place = place_of(event->start_mark)};
    struct conf_node *parent = b->depth > 0 ? b->open[b->depth - 1] : NULL;
    if (parent == NULL)
        b->tree->root = node;
    else if (parent->last == NULL)
        parent->first = node;
    else
        parent->last->next = node;
    if (parent != NULL)
        parent->last = node;
    if (++b->count > CONF_NODES)
        stop(b, node->place, "too many values in one file");
    return node;
}

static void add_broken(struct builder *b, const yaml_event_t *event,
                       const char *why)
{
    add(b, CONF_NODE_BROKEN, event);
    mistakes_add(b->mistakes, place_of(event->start_mark), "%s", why);
}

static void add_scalar(struct builder *b, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    if (event->data.scalar.tag != NULL) {
        add_broken(b, event, "tags (!...) are not supported");
    } else if (memchr(value, '\0', size) != NULL) {
        add_broken(b, event, "a text may not hold a NUL character");
    } else {
        struct conf_node *node = add(b, CONF_NODE_SCALAR, event);
        char *text = arena_take(&b->tree->arena, size + 1);
        memcpy(text, value, size);
        text[size] = '\0';
        node->text = text;
        node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    }
}

static void open_collection(struct builder *b, const yaml_event_t *event,
                            enum conf_node_kind kind, const yaml_char_t *tag)
{
    struct conf_node *node = add(b, kind, event);
    if (tag != NULL)
        mistakes_add(b->mistakes, node->place, "tags (!...) are not supported");
    if (b->depth == CONF_DEPTH)
        stop(b, node->place, "nested too deep");
    else
        b->open[b->depth++] = node;
}

static void open_document(struct builder *b, const yaml_event_t *event)
{
    if (b->documents)
        stop(b, place_of(event->start_mark),
             "a second document (---): only one is read");
    b->documents = true;
}

static void handle(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        add_scalar(b, event);
        break;
    case YAML_ALIAS_EVENT:
        add_broken(b, event, "aliases (*name) are not supported");
        break;
    case YAML_SEQUENCE_START_EVENT:
        open_collection(b, event, CONF_NODE_SEQUENCE,
                        event->data.sequence_start.tag);
        break;
    case YAML_MAPPING_START_EVENT:
        open_collection(b, event, CONF_NODE_MAPPING,
                        event->data.mapping_start.tag);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        break;
    case YAML_DOCUMENT_START_EVENT:
        open_document(b, event);
        break;
    case YAML_STREAM_END_EVENT:
        b->done = true;
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
}

static void parser_failed(struct builder *b, const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    mistakes_add(b->mistakes, place_of(parser->problem_mark),
                 "broken YAML: %s%s%s", problem, parser->context ? " " : "",
                 parser->context ? parser->context : "");
    b->tree->whole = false;
    b->done = true;
    /* The number of items of an incomplete list must not be checked. */
    for (size_t i = 0; i < b->depth; i++) {
        ASSERT(b->open[i]);
        if (b->open[i]->kind == CONF_NODE_SEQUENCE)
            b->open[i]->kind = CONF_NODE_BROKEN;
    }
}

static void build(struct builder *b, const char *text, size_t size)
{
    yaml_parser_t parser;
    yaml_event_t event;
    ASSERT(yaml_parser_initialize(&parser));
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    while (!b->done && !mistakes_full(b->mistakes)) {
        if (!yaml_parser_parse(&parser, &event)) {
            parser_failed(b, &parser);
            break;
        }
        handle(b, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
}

/* libyaml does not tell where bytes that are not text stand, so this looks for
 * them beforehand. */
static bool is_text(const char *text, size_t size, struct mistakes *mistakes)
{
    struct place place = {1, 1};
    struct utf8 at = utf8_of(text, size);
    for (uint32_t c; utf8_next(&at, &c); place.column++) {
        if (c == UTF8_BAD) {
            mistakes_add(mistakes, place, "not UTF-8");
            return false;
        }
        if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') ||
            (c >= 0x7f && c < 0xa0 && c != 0x85) || c == 0xfffe ||
            c == 0xffff) {
            mistakes_add(mistakes, place, "a control character (0x%02x)",
                         (unsigned)c);
            return false;
        }
        if (c == '\n')
            place = (struct place){place.line + 1, 0};
    }
    return true;
}

void conf_tree_read(struct conf_tree *tree, const char *text, size_t size,
                    struct mistakes *mistakes)
{
    *tree = (struct conf_tree){.whole = true};
    struct builder b = {.tree = tree, .mistakes = mistakes};
    if (size > CONF_FILE_SIZE)
        stop(&b, (struct place){1, 1}, "larger than 1 MiB");
    else if (!is_text(text, size, mistakes))
        tree->whole = false;
    else
        build(&b, text, size);
}

void conf_tree_close(struct conf_tree *tree)
{
    arena_close(&tree->arena);
    tree->root = NULL;
}
