/* beneath.c - see beneath.h. Called by state.c and placeholder.c, as the user. */
#include "os/linux/beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/linux/sys.h"

#define RESOLVE_BENEATH_ 0x08ull /* linux/openat2.h */

struct kernel_dirent { /* struct linux_dirent64 */
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

int beneath_open(int dir, const char *path, int flags)
{
    int fd;
    do /* RESOLVE_BENEATH answers EAGAIN when a rename elsewhere raced with its check of `..` */
        fd = sys_openat2(dir, path, (uint64_t)flags | O_CLOEXEC, SYS_RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH_);
    while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    return fd;
}

int beneath_open_absolute(const char *path, int flags)
{
    int fd;
    do
        fd = sys_openat2(AT_FDCWD, path, (uint64_t)flags | O_CLOEXEC, SYS_RESOLVE_NO_SYMLINKS);
    while (fd < 0 && errno == EINTR);
    return fd;
}

void beneath_list_init(struct beneath_list *list, int dir)
{
    list->dir = dir;
    list->at = list->filled = 0;
}

int beneath_list_next(struct beneath_list *list, struct beneath_entry *entry)
{
    for (;;) {
        if (list->at >= list->filled) {
            long got = syscall(SYS_getdents64, list->dir, list->bytes, sizeof list->bytes);
            if (got <= 0)
                return (int)got;
            list->filled = (size_t)got;
            list->at = 0;
        }
        const struct kernel_dirent *d = (const void *)(list->bytes + list->at);
        list->at += d->reclen;
        if (strcmp(d->name, ".") == 0 || strcmp(d->name, "..") == 0)
            continue;
        entry->name = d->name;
        entry->type = d->type;
        return 1;
    }
}

int beneath_is_empty(int dir)
{
    struct beneath_list list;
    struct beneath_entry entry = {NULL, 0};
    if (lseek(dir, 0, SEEK_SET) < 0)
        return -1;
    beneath_list_init(&list, dir);
    int got = beneath_list_next(&list, &entry);
    return got < 0 ? -1 : got == 0;
}

/* Opens a directory for reading, changing a mode that forbids it. By
 * descriptor: chmod of the name would follow a link put there meanwhile. */
static int open_for_removal(int dir, const char *name)
{
    char proc[40];
    int fd = beneath_open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) == 0700)
        return fd;
    if (fd >= 0) { /* readable, but nothing can be removed from it yet */
        (void)!fchmod(fd, 0700);
        return fd;
    }
    if (errno != EACCES)
        return -1;
    int path_fd = beneath_open(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (path_fd < 0)
        return -1;
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", path_fd);
    if (chmod(proc, 0700) == 0)
        fd = beneath_open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    close(path_fd);
    return fd;
}

/* Removes a file, a link or an empty directory. */
static bool remove_plain(int dir, const char *name, unsigned char type)
{
    if (type != DT_DIR && unlinkat(dir, name, 0) == 0)
        return true;
    return unlinkat(dir, name, AT_REMOVEDIR) == 0;
}

/* Moves a directory that is not empty up into `top`, under a name of its own. */
static bool lift(int top, int dir, const char *name, uint64_t *counter)
{
    char fresh[32];
    int fd = open_for_removal(dir, name); /* a move elsewhere writes `..`: the mode must allow that */
    if (fd >= 0)
        close(fd);
    for (int tries = 0; tries < 1000; tries++) {
        snprintf(fresh, sizeof fresh, "lifted-%llu", (unsigned long long)(*counter)++);
        if (renameat(dir, name, top, fresh) == 0)
            return true;
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
            return false;
    }
    return false;
}

/* Empties top/name by one level: what is deeper is lifted into `top`. */
static bool flatten(int top, const char *name, uint64_t *counter)
{
    struct beneath_list list;
    struct beneath_entry entry = {NULL, 0};
    bool progress = false;
    int fd = open_for_removal(top, name);
    if (fd < 0)
        return false;
    beneath_list_init(&list, fd);
    while (beneath_list_next(&list, &entry) > 0)
        if (remove_plain(fd, entry.name, entry.type) || lift(top, fd, entry.name, counter))
            progress = true;
    close(fd);
    return progress;
}

bool beneath_remove(int dir, const char *name)
{
    uint64_t counter = 0;
    bool progress = true;
    if (remove_plain(dir, name, DT_UNKNOWN) || errno == ENOENT)
        return true;
    int top = open_for_removal(dir, name);
    if (top < 0)
        return false;
    /* Every round takes one level off all that is left. A round that changes
     * nothing has met only what this user cannot remove. */
    while (progress) {
        struct beneath_list list;
        struct beneath_entry entry = {NULL, 0};
        progress = false;
        if (lseek(top, 0, SEEK_SET) < 0)
            break;
        beneath_list_init(&list, top);
        while (beneath_list_next(&list, &entry) > 0) {
            if (remove_plain(top, entry.name, entry.type))
                progress = true;
            else if (flatten(top, entry.name, &counter)) {
                progress = true;
                remove_plain(top, entry.name, DT_DIR);
            }
        }
    }
    close(top);
    return unlinkat(dir, name, AT_REMOVEDIR) == 0;
}

/* By descriptor, which fchmod would not take from O_PATH. */
static int set_mode(int dir, int mode)
{
    char proc[40];
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", dir);
    return chmod(proc, (mode_t)mode);
}

int beneath_open_up(int dir)
{
    struct stat st;
    if (fstat(dir, &st) != 0 || set_mode(dir, (st.st_mode & 07777) | 0700) != 0)
        return -1;
    return st.st_mode & 07777;
}

void beneath_set_mode(int dir, int mode)
{
    int code = errno;
    (void)!set_mode(dir, mode);
    errno = code;
}

uint64_t beneath_hash(const char *s)
{
    uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */
    for (; *s; s++)
        hash = (hash ^ (unsigned char)*s) * 0x100000001b3ull;
    return hash;
}

void beneath_random_name(char *out, size_t size, const char *prefix)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        random = (uint64_t)now.tv_nsec; /* names are made exclusively: this only has to differ */
    }
    snprintf(out, size, "%s%ld-%016llx", prefix, (long)getpid(), (unsigned long long)random);
}
