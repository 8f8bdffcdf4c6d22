/* locate.c - see locate.h. Runs as the user, outside.
 *
 * One open with O_PATH pins the object. It also names it, so that name and
 * identity cannot come from two different moments: a normalised path that the
 * kernel walks without a link is the name; any other is asked for through
 * /proc/self/fd, which costs as much again.
 */
#include "os/linux/locate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/limits.h"
#include "os/linux/sys.h"

enum object_type locate_type(mode_t mode)
{
    if (S_ISDIR(mode))
        return OBJECT_DIRECTORY;
    if (S_ISREG(mode))
        return OBJECT_FILE;
    if (S_ISLNK(mode))
        return OBJECT_SYMLINK;
    return S_ISCHR(mode) || S_ISBLK(mode) ? OBJECT_DEVICE : OBJECT_OTHER;
}

static cordon_status failed(const char *path, int code, struct cordon_error *err)
{
    return error_set(err, CORDON_E_INVALID, code, "resolve.path", "%s: %s", path, strerror(code));
}

/* Fills *out from an open O_PATH descriptor, which it takes. */
static cordon_status describe(int fd, const char *name, struct located *out, struct cordon_error *err)
{
    struct stat st;
    cordon_status status = CORDON_OK;
    if (fstat(fd, &st) != 0)
        status = failed(name, errno, err);
    else if (st.st_nlink == 0 || name[0] != '/')
        status = failed(name, ENOENT, err); /* deleted meanwhile, or not reachable from our root */
    if (status == CORDON_OK) {
        *out = (struct located){string_copy(name), locate_type(st.st_mode),
                                st.st_dev,         st.st_ino,
                                st.st_nlink,       st.st_uid,
                                st.st_gid,         fd};
        if (!out->path)
            status = error_nomem(err, "resolve.path");
    }
    if (status != CORDON_OK)
        close(fd);
    return status;
}

/* The same; the kernel says what the descriptor is called. */
static cordon_status describe_by_kernel(int fd, const char *asked, struct located *out,
                                        struct cordon_error *err)
{
    char link[40], path[LIMIT_PATH_BYTES + 1];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path);
    int code = len < 0 ? errno : ENAMETOOLONG;
    if (len < 0 || (size_t)len >= sizeof path) {
        close(fd);
        return failed(asked, code, err);
    }
    path[len] = '\0';
    return describe(fd, path, out, err);
}

static bool is_normalised(const char *path)
{
    if (path[0] != '/')
        return false;
    for (const char *c = path; *c; c++) {
        if (c[0] != '/' || (c == path && c[1] == '\0'))
            continue;
        size_t len = strcspn(c + 1, "/");
        if (len == 0 || (len <= 2 && strspn(c + 1, ".") >= len))
            return false; /* `//`, a slash at the end, `.`, `..` */
    }
    return true;
}

/* The longest existing part resolved, the rest appended. */
static cordon_status locate_absent(const char *path, struct located *out, struct cordon_error *err)
{
    cordon_status status;
    struct buf text = BUF_INIT;
    char *head = path[0] == '/' ? string_copy(path) : string_format("./%s", path);
    if (!head)
        return error_nomem(err, "resolve.path");
    size_t len = strlen(head);
    for (;;) {
        while (len > 1 && head[len - 1] == '/')
            len--;
        while (len > 1 && head[len - 1] != '/')
            len--;
        char kept = head[len];
        head[len] = '\0'; /* at least "/" or "./": one of them can be opened */
        int fd = open(head, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0) {
            struct located parent;
            status = describe_by_kernel(fd, head, &parent, err);
            head[len] = kept;
            if (status != CORDON_OK)
                goto out;
            status = path_normalize(PATH_POSIX, parent.path, head + len, &text, err);
            located_release(&parent);
            break;
        }
        if ((errno != ENOENT && errno != ENOTDIR) || len <= 1) {
            status = failed(path, errno, err);
            goto out;
        }
    }
    if (status == CORDON_OK) {
        char *taken = buf_take(&text);
        if (!taken)
            status = error_nomem(err, "resolve.path");
        else
            *out = (struct located){.path = taken, .type = OBJECT_ABSENT, .fd = -1};
    }
out:
    buf_release(&text);
    free(head);
    return status;
}

cordon_status locate(const char *path, bool follow, struct located *out, struct cordon_error *err)
{
    if (strlen(path) > LIMIT_PATH_BYTES)
        return failed(path, ENAMETOOLONG, err);
    int flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
    if (is_normalised(path)) {
        int plain = sys_openat2(AT_FDCWD, path, (uint64_t)flags, SYS_RESOLVE_NO_SYMLINKS);
        if (plain >= 0)
            return describe(plain, path, out, err);
        if (errno == ENOENT)
            return locate_absent(path, out, err); /* a link on the way would have been ELOOP */
    }
    int fd = open(path, flags);
    if (fd >= 0)
        return describe_by_kernel(fd, path, out, err);
    if (errno != ENOENT && errno != ENOTDIR)
        return failed(path, errno, err);
    return locate_absent(path, out, err);
}

void located_release(struct located *l)
{
    if (l->fd >= 0)
        close(l->fd);
    free(l->path);
    l->fd = -1;
    l->path = NULL;
}
