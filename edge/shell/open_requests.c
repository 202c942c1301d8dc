#include "edge/shell/open_requests.h"

#include "common/base/memory.h"

#include <stdlib.h>

struct request_key {
    struct node_id from;
    uint64_t reference;
};

/* In a list by age. */
struct open_request {
    struct request_key key;
    struct open_request *previous, *next;
};

void open_requests_init(struct open_requests *r, const uint8_t hash_key[16])
{
    *r = (struct open_requests){0};
    map_init(&r->map, sizeof(struct request_key), hash_key);
}

static void forget(struct open_requests *r, struct open_request *one)
{
    map_remove(&r->map, &one->key);
    if (one->previous != NULL)
        one->previous->next = one->next;
    else
        r->oldest = one->next;
    if (one->next != NULL)
        one->next->previous = one->previous;
    else
        r->newest = one->previous;
    free(one);
}

void open_requests_close(struct open_requests *r)
{
    /* The analyzer does not see that each leaves the list. */
    while (r->oldest != NULL)
        forget(r, r->oldest); /* NOLINT(clang-analyzer-unix.Malloc) */
    map_close(&r->map);
}

void open_requests_add(struct open_requests *r, const struct node_id *from,
                       uint64_t reference)
{
    const struct request_key key = {*from, reference};

    if (map_get(&r->map, &key) != NULL)
        return;
    if (r->map.count == OPEN_REQUESTS)
        forget(r, r->oldest);
    struct open_request *one = memory_new(sizeof *one);
    one->key = key;
    one->previous = r->newest;
    if (one->previous != NULL)
        one->previous->next = one;
    else
        r->oldest = one;
    r->newest = one;
    map_put(&r->map, &one->key, one);
}

bool open_requests_take(struct open_requests *r, const struct node_id *from,
                        uint64_t reference)
{
    const struct request_key key = {*from, reference};
    struct open_request *one = map_get(&r->map, &key);

    if (one != NULL)
        forget(r, one);
    return one != NULL;
}

void open_requests_peer_left(struct open_requests *r,
                             const struct node_id *peer)
{
    struct open_request *next;

    for (struct open_request *one = r->oldest; one != NULL; one = next) {
        next = one->next;
        if (node_id_equal(&one->key.from, peer))
            forget(r, one);
    }
}
