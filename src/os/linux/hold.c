/* hold.c - see hold.h. Called by placeholder.c, as the user. */
#include "os/linux/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/path.h"
#include "os/linux/beneath.h"

#define LOCK_TRIES 2000 /* of a millisecond: a remover holds its lock for a few system calls */
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

int hold_open_parent(const char *path, const char **base)
{
    char *parent = string_copy_n(path, path_parent_length(PATH_POSIX, path));
    if (!parent) {
        errno = ENOMEM;
        return -1;
    }
    int fd = beneath_open_absolute(parent, O_PATH | O_DIRECTORY);
    int code = errno;
    free(parent);
    errno = code;
    *base = path_basename(PATH_POSIX, path);
    return fd;
}

/* When it does not: errno, 0 where another has the name. */
static bool still_names(int parent, const char *base, uint64_t dev, uint64_t ino)
{
    struct stat st;
    errno = 0;
    return fstatat(parent, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && (uint64_t)st.st_dev == dev &&
           (uint64_t)st.st_ino == ino;
}

int hold_lock(struct hold *out, int parent, const char *base)
{
    const struct timespec pause = {0, 1000000};
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        struct stat st;
        int fd = beneath_open(parent, base, DIRECTORY_FLAGS);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
            if (fstat(fd, &st) == 0 && still_names(parent, base, (uint64_t)st.st_dev, (uint64_t)st.st_ino)) {
                out->fd = fd;
                out->dev = (uint64_t)st.st_dev;
                out->ino = (uint64_t)st.st_ino;
                return 0;
            }
            close(fd);
            continue; /* it was removed before the lock: look again */
        }
        int code = errno;
        close(fd);
        errno = code;
        if (code != EWOULDBLOCK && code != EINTR)
            return -1;
        nanosleep(&pause, NULL);
    }
    errno = EWOULDBLOCK;
    return -1;
}

int hold_make(struct hold *out, int parent, const char *base, bool filled, bool *made)
{
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        *made = mkdirat(parent, base, 0755) == 0;
        if (!*made && errno != EEXIST)
            return -1;
        if (hold_lock(out, parent, base) == 0) {
            struct stat st;
            if (*made && fstat(out->fd, &st) == 0 && (st.st_mode & 0755) != 0755)
                (void)!fchmod(out->fd,
                              (st.st_mode & 07777) | 0755); /* others lock it too, whatever the umask */
            if (*made || filled || beneath_is_empty(out->fd) == 1)
                return 0;
            close(out->fd);
            out->fd = -1;
            errno = ENOTEMPTY;
            return -1;
        }
        if (errno != ENOENT) {
            int code = errno;
            if (*made)
                unlinkat(parent, base, AT_REMOVEDIR);
            *made = false;
            errno = code;
            return -1;
        }
    }
    *made = false;
    errno = EWOULDBLOCK;
    return -1;
}

static enum removal remove_named(const struct hold *h, int parent, const char *base)
{
    if (!still_names(parent, base, h->dev, h->ino))
        return errno == EACCES ? REMOVAL_FAILED : REMOVAL_DONE;
    if (unlinkat(parent, base, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENOTDIR)
        return REMOVAL_DONE;
    return errno == ENOTEMPTY || errno == EEXIST ? REMOVAL_NOT_EMPTY : REMOVAL_FAILED;
}

enum removal hold_remove(const struct hold *h, const char *base)
{
    if (flock(h->fd, LOCK_EX | LOCK_NB) != 0)
        return REMOVAL_IN_USE;
    int parent = openat(h->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return errno == ENOENT ? REMOVAL_DONE : REMOVAL_FAILED;
    enum removal result = remove_named(h, parent, base);
    /* The command may have closed the directory (chmod 0): what is ours goes all the same. */
    int mode = result == REMOVAL_FAILED && errno == EACCES ? beneath_open_up(parent) : -1;
    if (mode >= 0) {
        result = remove_named(h, parent, base);
        beneath_set_mode(parent, mode);
    }
    close(parent);
    return result;
}
