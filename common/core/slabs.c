#include "common/core/slabs.h"

#include "common/base/memory.h"

void slabs_close(struct slabs *s)
{
    while (s->spare != NULL) {
        struct slab *slab = s->spare;
        s->spare = slab->newer;
        block_release(&slab->block);
    }
    s->count = 0;
}

struct slab *slabs_take(struct slabs *s)
{
    struct slab *slab = s->spare;
    if (slab != NULL) {
        s->spare = slab->newer;
        s->count--;
    } else {
        slab = memory_resize(NULL, 1, sizeof *slab);
        block_init(&slab->block);
    }
    slab->newer = NULL;
    slab->used = SLAB_FRONT;
    slab->records = 0;
    return slab;
}

bool slabs_want(struct slabs *s, size_t count)
{
    while (s->count < count) {
        struct slab *slab = memory_try(NULL, 1, sizeof *slab);
        if (slab == NULL)
            return false;
        block_init(&slab->block);
        slab->newer = s->spare;
        s->spare = slab;
        s->count++;
    }
    return true;
}

void slabs_give(struct slabs *s, struct slab *slab)
{
    if (s->count >= SLABS_SPARE || block_is_shared(&slab->block)) {
        block_release(&slab->block);
        return;
    }
    slab->newer = s->spare;
    s->spare = slab;
    s->count++;
}
