#include "edge/shell/open_files.h"

#include <dirent.h>
#include <sys/resource.h>

enum {
    /* For libzmq's threads and sockets, listeners, UDP, timers; two spare. */
    FILES_OWN = 27,
    /* An outgoing link: its TCP connection, its DEALER, the two ends of its
     * monitor. */
    FILES_OF_LINK = 4,
    /* A link to a relay in one form: its connection, and the next address's
     * while it opens; libcurl has two more. */
    FILES_OF_RELAY = 4,
    /* A WebSocket has two more, a socket pair to the API; but only half of the
     * connections are WebSockets. */
    FILES_OF_PAGE = 2,
};

static size_t less(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t within(size_t value, size_t most)
{
    return less(value < 1 ? 1 : value, most);
}

bool open_files_divide(size_t files, size_t open, size_t relay_links,
                       const struct open_files_share *wanted,
                       struct open_files_share *share)
{
    size_t taken = open + FILES_OWN + FILES_OF_RELAY * relay_links;
    size_t left = files > taken ? files - taken : 0;

    size_t programs = left / 4;

    share->pages = within(programs / 2 / FILES_OF_PAGE, wanted->pages);
    programs -= less(programs, FILES_OF_PAGE * share->pages);
    left -= less(left, FILES_OF_PAGE * share->pages);
    share->clients = within(programs, wanted->clients);
    left -= less(left, share->clients);
    share->sockets = within(left / 2, wanted->sockets);
    left -= less(left, share->sockets);
    share->links = within(left / FILES_OF_LINK, wanted->links);
    share->strangers = within(share->sockets / 2, wanted->strangers);
    return share->clients == wanted->clients && share->pages == wanted->pages &&
           share->sockets == wanted->sockets && share->links == wanted->links;
}

size_t open_files_limit(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

/* Does not count ".", ".." and the descriptor of the folder itself. */
size_t open_files_count(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count > 3 ? count - 3 : 0;
}
