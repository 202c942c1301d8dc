#include "edge/shell/api_internal.h"

#include <string.h>

static size_t find(const struct group_list *list, const char *name)
{
    size_t i = 0;

    while (i < list->count && strcmp(list->names[i], name) != 0)
        i++;
    return i;
}

bool groups_add(struct group_list *list, const char *name)
{
    if (!name_is_valid(bytes_of_string(name)))
        return false;
    if (find(list, name) < list->count)
        return true;
    if (list->count == ANNOUNCEMENT_GROUPS)
        return false;
    strcpy(list->names[list->count++], name);
    return true;
}

void groups_remove(struct group_list *list, const char *name)
{
    size_t i = find(list, name);

    if (i == list->count)
        return;
    list->count--;
    memmove(list->names[i], list->names[i + 1],
            (list->count - i) * sizeof(list->names[0]));
}

static void add_all(struct group_list *list, const struct filter *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (!groups_add(list, f->names[i]))
            return;
}

void groups_collect(const struct api *a, struct group_list *list)
{
    *list = a->groups;
    for (const struct client *c = a->clients; c; c = c->next) {
        if (!c->subscription.on)
            continue;
        add_all(list, &c->subscription.groups);
        add_all(list, &c->subscription.member_of);
    }
}

void groups_tell(struct api *a)
{
    struct group_list list;
    const char *names[ANNOUNCEMENT_GROUPS];

    groups_collect(a, &list);
    for (size_t i = 0; i < list.count; i++)
        names[i] = list.names[i];
    edge_event(a->edge, &(struct node_event){.kind = NODE_SET_GROUPS,
                                             .groups = {names, list.count}});
}
