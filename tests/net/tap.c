/*
 * tap - records every frame that a program receives from libzmq, as it is after
 * CURVE took its encryption off.
 *
 *     ZS_TAP=FILE LD_PRELOAD=tap.so zs-relay ...
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

static void record(const void *bytes, size_t size)
{
    static int fd = -1;
    if (fd < 0) {
        const char *file = getenv("ZS_TAP");
        fd = file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                  : -1;
    }
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort(); /* A record with a hole in it would prove nothing. */
}

int zmq_msg_recv(zmq_msg_t *msg, void *socket, int flags)
{
    static int (*real)(zmq_msg_t *, void *, int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "zmq_msg_recv");
    int size = real(msg, socket, flags);
    if (size >= 0)
        record(zmq_msg_data(msg), (size_t)size);
    return size;
}

int zmq_recv(void *socket, void *room, size_t room_size, int flags)
{
    static int (*real)(void *, void *, size_t, int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "zmq_recv");
    int size = real(socket, room, room_size, flags);
    if (size >= 0)
        record(room, (size_t)size < room_size ? (size_t)size : room_size);
    return size;
}
