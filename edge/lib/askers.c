#include "edge/lib/lib_node.h"

#include "common/base/memory.h"

#include <stdlib.h>

struct asker_key {
    struct node_id from;
    uint64_t reference;
};

/* By age in a list, so that the oldest is forgotten first. */
struct asker {
    struct asker_key key;
    struct asker *previous, *next;
};

static void forget(struct zs_node *n, struct asker *one)
{
    map_remove(&n->asked, &one->key);
    if (one->previous != NULL)
        one->previous->next = one->next;
    else
        n->asked_first = one->next;
    if (one->next != NULL)
        one->next->previous = one->previous;
    else
        n->asked_last = one->previous;
    free(one);
}

void askers_add(struct zs_node *n, const struct node_id *from,
                uint64_t reference)
{
    const struct asker_key key = {*from, reference};

    if (map_get(&n->asked, &key) != NULL)
        return;
    if (n->asked.count == ASKERS)
        forget(n, n->asked_first);
    struct asker *one = memory_new(sizeof *one);
    one->key = key;
    one->previous = n->asked_last;
    if (one->previous != NULL)
        one->previous->next = one;
    else
        n->asked_first = one;
    n->asked_last = one;
    map_put(&n->asked, &one->key, one);
}

bool askers_take(struct zs_node *n, const struct node_id *from,
                 uint64_t reference)
{
    const struct asker_key key = {*from, reference};
    struct asker *one = map_get(&n->asked, &key);

    if (one != NULL)
        forget(n, one);
    return one != NULL;
}

void askers_peer_left(struct zs_node *n, const struct node_id *peer)
{
    struct asker *next;

    for (struct asker *one = n->asked_first; one != NULL; one = next) {
        next = one->next;
        if (node_id_equal(&one->key.from, peer))
            forget(n, one);
    }
}

void askers_close(struct zs_node *n)
{
    /* The analyzer does not see that each leaves the list. */
    while (n->asked_first != NULL)
        forget(n, n->asked_first); /* NOLINT(clang-analyzer-unix.Malloc) */
    map_close(&n->asked);
}
