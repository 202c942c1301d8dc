#include "edge/shell/api_internal.h"

#include "common/base/memory.h"

#include <stdlib.h>

struct asked_key {
    struct node_id from;
    uint64_t reference;
};

struct asked {
    struct asked_key key;
    struct asked *previous, *next;
};

static void forget(struct api *a, struct asked *one)
{
    map_remove(&a->asked, &one->key);
    if (one->previous)
        one->previous->next = one->next;
    else
        a->asked_first = one->next;
    if (one->next)
        one->next->previous = one->previous;
    else
        a->asked_last = one->previous;
    free(one);
}

void asked_add(struct api *a, const struct node_id *from, uint64_t reference)
{
    const struct asked_key key = {*from, reference};

    if (map_get(&a->asked, &key))
        return;
    if (a->asked.count == API_ASKED)
        forget(a, a->asked_first);
    struct asked *one = memory_new(sizeof(*one));
    one->key = key;
    one->previous = a->asked_last;
    if (one->previous)
        one->previous->next = one;
    else
        a->asked_first = one;
    a->asked_last = one;
    map_put(&a->asked, &one->key, one);
}

bool asked_take(struct api *a, const struct node_id *from, uint64_t reference)
{
    const struct asked_key key = {*from, reference};
    struct asked *one = map_get(&a->asked, &key);

    if (one)
        forget(a, one);
    return one != NULL;
}

void asked_peer_left(struct api *a, const struct node_id *peer)
{
    struct asked *next;

    for (struct asked *one = a->asked_first; one; one = next) {
        next = one->next;
        if (node_id_equal(&one->key.from, peer))
            forget(a, one);
    }
}

void asked_close(struct api *a)
{
    /* The analyzer does not see that each leaves the list. */
    while (a->asked_first)
        forget(a, a->asked_first); /* NOLINT(clang-analyzer-unix.Malloc) */
    map_close(&a->asked);
}
