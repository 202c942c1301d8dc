#include "common/io/stdfds.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void stdfds_hold(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd)
            /* Open takes the lowest free number, and there is no other thread.
             */
            abort();
    }
}
