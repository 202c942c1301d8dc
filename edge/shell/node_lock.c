#include "edge/shell/node_lock.h"

#include "common/base/hex.h"
#include "common/base/memory.h"
#include "common/io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A process that was killed may take a moment to end. */
enum { TRIES = 100, TRY_MS = 20, BACKLOG = 4096, HASH_SIZE = 16 };

struct node_lock {
    int file; /* -1: none */
    int name;
};

static void pause_a_little(void)
{
    struct timespec pause = {.tv_nsec = TRY_MS * 1000000L};

    (void)nanosleep(&pause, NULL);
}

bool file_lock_take(int fd)
{
    for (int i = 0; i < TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 ||
            (errno != EWOULDBLOCK && errno != EINTR))
            return true;
        pause_a_little();
    }
    return false;
}

/* ---- The name */

static socklen_t address_of(const uint8_t secret_key[64], struct sockaddr_un *a)
{
    static const char label[] = "zs1 node lock";
    uint8_t hash[HASH_SIZE];
    char hex[2 * HASH_SIZE + 1];

    /* Derived from the secret key, so that no other user can bind it first. */
    crypto_generichash(hash, sizeof hash, (const uint8_t *)label,
                       sizeof label - 1, secret_key, 32);
    hex_encode(bytes_of(hash, sizeof hash), hex);
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    int size = snprintf(a->sun_path + 1, sizeof a->sun_path - 1,
                        "zeroservices/%s", hex);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                       (size_t)size);
}

static bool is_running(pid_t pid)
{
    char path[40];

    snprintf(path, sizeof path, "/proc/%ld", (long)pid);
    return access("/proc/self", F_OK) != 0 || access(path, F_OK) == 0;
}

enum holder { HOLDER_NONE, HOLDER_OTHER, HOLDER_SELF, HOLDER_STRANGER };

/* Which process has bound the name. NONE: a child of a process that has ended
 * still has the socket open. STRANGER: another user, who saw the name earlier,
 * has bound it to disturb this node. */
static enum holder holder_of(const struct sockaddr_un *a, socklen_t size,
                             uid_t owner, pid_t *pid)
{
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool known = fd >= 0 &&
                 connect(fd, (const struct sockaddr *)a, size) == 0 &&
                 getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0;

    if (fd >= 0)
        close(fd);
    *pid = peer.pid;
    if (!known)
        return HOLDER_OTHER;
    if (peer.pid == getpid())
        return HOLDER_SELF;
    if (peer.uid != owner && peer.uid != geteuid() && peer.uid != 0)
        return HOLDER_STRANGER;
    if (peer.pid > 0 && !is_running(peer.pid))
        return HOLDER_NONE;
    return HOLDER_OTHER;
}

/* False: another process runs the node. True: this process may go on, with the
 * name bound or (*fd < 0) without. */
static bool take_name(const uint8_t secret_key[64], uid_t owner, int *fd,
                      enum holder *holder, pid_t *pid)
{
    struct sockaddr_un a;
    socklen_t size = address_of(secret_key, &a);

    *holder = HOLDER_NONE;
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < TRIES && *fd >= 0; i++) {
        if (bind(*fd, (const struct sockaddr *)&a, size) == 0 &&
            listen(*fd, BACKLOG) == 0)
            return true;
        *holder =
            errno == EADDRINUSE ? holder_of(&a, size, owner, pid) : HOLDER_NONE;
        if (*holder != HOLDER_OTHER)
            break;
        pause_a_little();
    }
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return *holder != HOLDER_OTHER;
}

/* ---- Both */

static int open_file(const char *path, uid_t *owner)
{
    struct stat st;
    int fd = path[0] == '\0'
                 ? -1
                 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    *owner = geteuid();
    if (fd >= 0 && fstat(fd, &st) == 0)
        *owner = st.st_uid;
    return fd;
}

static struct node_lock *taken(struct node_lock *l, const char *path, pid_t pid,
                               char error[NODE_LOCK_ERROR_SIZE])
{
    char who[40] = "";

    if (pid > 0)
        snprintf(who, sizeof who, ", as process %ld", (long)pid);
    snprintf(error, NODE_LOCK_ERROR_SIZE,
             "%s%sthis node runs already on this host%s: two processes "
             "with one identity replace each other in the mesh",
             path, path[0] != '\0' ? ": " : "", who);
    node_lock_close(&l);
    return NULL;
}

struct node_lock *node_lock_open(const char *path, const uint8_t secret_key[64],
                                 char error[NODE_LOCK_ERROR_SIZE])
{
    struct node_lock *l = memory_new(sizeof *l);
    enum holder holder;
    uid_t owner;
    pid_t pid = 0;

    l->file = open_file(path, &owner);
    l->name = -1;
    if (!take_name(secret_key, owner, &l->name, &holder, &pid))
        return taken(l, path, pid, error);
    if (holder == HOLDER_STRANGER)
        log_warn("node_lock_taken", "by_process=%ld", (long)pid);
    /* This process, or children of an ended one, have the file's lock, too. */
    if (l->name < 0 && (holder == HOLDER_SELF || pid > 0) &&
        holder != HOLDER_STRANGER)
        return l;
    if (l->file >= 0 && !file_lock_take(l->file))
        return taken(l, path, 0, error);
    return l;
}

void node_lock_close(struct node_lock **self)
{
    struct node_lock *l = *self;

    *self = NULL;
    if (l == NULL)
        return;
    if (l->file >= 0)
        close(l->file);
    if (l->name >= 0)
        close(l->name);
    free(l);
}
