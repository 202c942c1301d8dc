#include "edge/shell/api_internal.h"

#include "common/base/jtext.h"
#include "common/base/memory.h"

#include <stdlib.h>

/* The client whose revocation list is being stored. */
struct keeping {
    struct keeping *next;
    struct client *client; /* NULL: it has closed */
    uint64_t serial;
    uint32_t nodes;
    struct bytes ref; /* in `room` */
    uint8_t room[];
};

enum { KEEPINGS = 64 };

static void answer(struct client *c, struct bytes ref, uint64_t serial,
                   uint32_t nodes)
{
    struct text *out = answer_begin(c, ref);

    text_add_string(out, ",\"serial\":");
    text_add_number(out, serial);
    text_add_string(out, ",\"nodes\":");
    text_add_number(out, nodes);
    answer_end(out);
}

static void add(struct client *c, struct bytes ref,
                const struct revocation *list)
{
    struct keeping **end = &c->api->keepings;
    struct keeping *k = memory_new(sizeof(*k) + ref.size);

    while (*end)
        end = &(*end)->next;
    k->client = c;
    k->serial = list->serial;
    k->nodes = list->count;
    if (ref.size > 0)
        memcpy(k->room, ref.data, ref.size);
    k->ref = bytes_of(k->room, ref.size);
    *end = k;
    c->api->keeping_count++;
}

static void not_kept(struct client *c, struct bytes ref, const char *why)
{
    struct text said = {0};

    text_add_string(&said, "the list holds, but only until the edge ends: it "
                           "could not be kept: ");
    text_add_string(&said, why);
    answer_error(c, ref, "not_kept", text_string(&said));
    text_close(&said);
}

void revoke_given(struct client *c, struct bytes ref,
                  const struct revocation *list, struct bytes encoded)
{
    struct api *a = c->api;

    if (a->keeping_count == KEEPINGS) {
        answer_error(c, ref, "busy", "too many lists are being kept");
        return;
    }
    edge_event(a->edge, &(struct node_event){.kind = NODE_REVOCATION,
                                             .revocation = encoded});
    switch (a->keep ? a->keep(a->keep_context, list, encoded) : API_KEPT) {
    case API_KEPT:
        answer(c, ref, list->serial, list->count);
        break;
    case API_KEEPING:
        add(c, ref, list);
        break;
    case API_NOT_KEPT:
        not_kept(c, ref, "nothing can be written now");
        break;
    }
}

void api_kept(struct api *a, const char *why_not)
{
    struct keeping *k = a->keepings, *next;

    a->keepings = NULL;
    a->keeping_count = 0;
    for (; k; k = next) {
        next = k->next;
        if (k->client && why_not)
            not_kept(k->client, k->ref, why_not);
        else if (k->client)
            answer(k->client, k->ref, k->serial, k->nodes);
        free(k);
    }
}

void revoke_forget(struct client *c)
{
    for (struct keeping *k = c->api->keepings; k; k = k->next)
        if (k->client == c)
            k->client = NULL;
}

void revoke_close(struct api *a)
{
    struct keeping *k;

    while ((k = a->keepings)) {
        a->keepings = k->next;
        free(k);
    }
}
