/* broker_walk.c - see broker_walk.h. Runs as the user, outside.
 *
 * Component by component, each held by a descriptor: openat2 could take another
 * directory for its root, but then not begin at a working directory below it.
 * The command may rename and replace what we walk through. That leads us to
 * another object that it can name, as it would lead the kernel; what is decided
 * is decided about the object that is held in the end.
 */
#include "os/linux/broker_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define WALK_LINKS 40   /* as the kernel */
#define WALK_BYTES 4096 /* PATH_MAX, with what links add */

struct walk {
    int root, at;
    unsigned links;
    char rest[WALK_BYTES + 1]; /* still to go */
};

static int open_of(const struct notify_request *r, const char *what)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)r->pid, what);
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void move_to(struct walk *w, int fd)
{
    if (w->at != w->root)
        close(w->at);
    w->at = fd;
}

/* The same directory of the same mount: `..` ends here. */
static bool is_root(const struct walk *w)
{
    struct statx root, at;
    unsigned want = STATX_INO | STATX_MNT_ID;
    return w->at == w->root || (statx(w->root, "", AT_EMPTY_PATH, want, &root) == 0 &&
                                statx(w->at, "", AT_EMPTY_PATH, want, &at) == 0 &&
                                root.stx_ino == at.stx_ino && root.stx_dev_major == at.stx_dev_major &&
                                root.stx_dev_minor == at.stx_dev_minor && root.stx_mnt_id == at.stx_mnt_id);
}

/* The link's text comes before what is left of the way. False: errno. */
static bool follow(struct walk *w, int link, const char *left)
{
    char text[WALK_BYTES + 1];
    ssize_t len = readlinkat(link, "", text, sizeof text);
    size_t tail = strlen(left);
    if (len < 0)
        return false;
    if (++w->links > WALK_LINKS) {
        errno = ELOOP;
        return false;
    }
    if (len == 0 || (size_t)len + tail > WALK_BYTES) {
        errno = len ? ENAMETOOLONG : ENOENT;
        return false;
    }
    memmove(w->rest + len, left, tail + 1);
    memcpy(w->rest, text, (size_t)len);
    if (w->rest[0] == '/')
        move_to(w, w->root);
    return true;
}

static bool is_magic(int link)
{
    struct statfs st;
    return fstatfs(link, &st) != 0 || st.f_type == PROC_SUPER_MAGIC;
}

/* One component. WALK_FOUND: on to the next. */
static enum walk_result step(struct walk *w, char *name, char *left)
{
    struct stat st;
    if (strcmp(name, "..") == 0 && is_root(w))
        name[1] = '\0';
    bool is_up = name[0] == '.' && (name[1] == '\0' || strcmp(name, "..") == 0);
    int fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | (is_up ? O_DIRECTORY : 0));
    if (fd < 0)
        return WALK_FAILED;
    if (fstat(fd, &st) != 0) {
        close(fd);
        return WALK_FAILED;
    }
    if (S_ISLNK(st.st_mode)) {
        enum walk_result result = is_magic(fd) ? WALK_MAGIC : follow(w, fd, left) ? WALK_FOUND : WALK_FAILED;
        int code = errno;
        close(fd);
        errno = code;
        return result;
    }
    move_to(w, fd);
    if (*left && !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return WALK_FAILED;
    }
    memmove(w->rest, left, strlen(left) + 1);
    return WALK_FOUND;
}

static enum walk_result go(struct walk *w)
{
    char name[256];
    for (;;) {
        char *begin = w->rest + strspn(w->rest, "/");
        size_t len = strcspn(begin, "/");
        if (len == 0)
            return WALK_FOUND;
        if (len >= sizeof name) {
            errno = ENAMETOOLONG;
            return WALK_FAILED;
        }
        memcpy(name, begin, len);
        name[len] = '\0';
        enum walk_result result = step(w, name, begin + len);
        if (result != WALK_FOUND)
            return result;
    }
}

enum walk_result broker_walk(const struct notify *n, const struct notify_request *r, const char *path,
                             int *fd)
{
    struct walk w = {-1, -1, 0, ""};
    enum walk_result result = WALK_FAILED;
    size_t len = strlen(path);
    if (len == 0 || len > WALK_BYTES) {
        errno = len ? ENAMETOOLONG : ENOENT;
        return WALK_FAILED;
    }
    memcpy(w.rest, path, len + 1);
    w.root = open_of(r, "root");
    w.at = path[0] == '/' || w.root < 0 ? w.root : open_of(r, "cwd");
    int code = errno;
    if (!notify_valid(n, r))
        code = ESRCH; /* it was another thread's root that we opened, perhaps */
    else if (w.root >= 0 && w.at >= 0) {
        result = go(&w);
        code = errno;
    }
    if (result == WALK_FOUND && w.at == w.root && (w.at = fcntl(w.root, F_DUPFD_CLOEXEC, 0)) < 0) {
        code = errno;
        result = WALK_FAILED;
    }
    if (result == WALK_FOUND)
        *fd = w.at;
    else if (w.at >= 0 && w.at != w.root)
        close(w.at);
    if (w.root >= 0)
        close(w.root);
    errno = code;
    return result;
}
