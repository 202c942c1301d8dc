#include "edge/lib/lib_node.h"

#include "common/base/memory.h"

#include <stdlib.h>

struct request_key {
    struct node_id from;
    uint64_t reference;
};

/* By age in a list, so that the oldest is forgotten first. */
struct open_request {
    struct request_key key;
    struct open_request *previous, *next;
};

static void forget(struct zs_node *n, struct open_request *one)
{
    map_remove(&n->open_requests, &one->key);
    if (one->previous != NULL)
        one->previous->next = one->next;
    else
        n->oldest_request = one->next;
    if (one->next != NULL)
        one->next->previous = one->previous;
    else
        n->newest_request = one->previous;
    free(one);
}

void open_requests_add(struct zs_node *n, const struct node_id *from,
                       uint64_t reference)
{
    const struct request_key key = {*from, reference};

    if (map_get(&n->open_requests, &key) != NULL)
        return;
    if (n->open_requests.count == OPEN_REQUESTS)
        forget(n, n->oldest_request);
    struct open_request *one = memory_new(sizeof *one);
    one->key = key;
    one->previous = n->newest_request;
    if (one->previous != NULL)
        one->previous->next = one;
    else
        n->oldest_request = one;
    n->newest_request = one;
    map_put(&n->open_requests, &one->key, one);
}

bool open_requests_take(struct zs_node *n, const struct node_id *from,
                        uint64_t reference)
{
    const struct request_key key = {*from, reference};
    struct open_request *one = map_get(&n->open_requests, &key);

    if (one != NULL)
        forget(n, one);
    return one != NULL;
}

void open_requests_peer_left(struct zs_node *n, const struct node_id *peer)
{
    struct open_request *next;

    for (struct open_request *one = n->oldest_request; one != NULL;
         one = next) {
        next = one->next;
        if (node_id_equal(&one->key.from, peer))
            forget(n, one);
    }
}

void open_requests_close(struct zs_node *n)
{
    /* The analyzer does not see that each leaves the list. */
    while (n->oldest_request != NULL)
        forget(n, n->oldest_request); /* NOLINT(clang-analyzer-unix.Malloc) */
    map_close(&n->open_requests);
}
