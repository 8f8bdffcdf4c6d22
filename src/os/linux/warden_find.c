/* warden_find.c - which cordon-warden is executed (warden.h). Runs in the
 * library's caller, as the user.
 *
 * It acts for the user outside the sandbox, so it must be what the user
 * installed: a file that nobody else may write, in a directory in which nobody
 * else may replace it. That it does not lie where the command could write is
 * judged by the library, which knows the policy.
 */
#include "os/linux/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"

#define STEP "warden.find"
#define NAME "cordon-warden"

void warden_program_release(struct warden_program *p)
{
    if (p->fd >= 0)
        close(p->fd);
    free(p->path);
    *p = (struct warden_program){-1, NULL};
}

/* Where the kernel says that the descriptor's file is; NULL: deleted, or out of memory. */
static char *path_of(int fd)
{
    char link[40], path[LIMIT_PATH_BYTES + 1];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path);
    return len > 0 && (size_t)len < sizeof path && path[0] == '/' ? string_copy_n(path, (size_t)len) : NULL;
}

/* May somebody else than root and this user change it? A group of one's own, as
 * many systems give each user, is not somebody else. */
static bool is_ours(const struct stat *st)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return false;
    if (st->st_mode & S_IWOTH)
        return S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);
    return !(st->st_mode & S_IWGRP) || st->st_gid == 0 || st->st_gid == getegid();
}

static cordon_status check(const struct warden_program *p, struct cordon_error *err)
{
    struct stat file, directory;
    char *parent = string_copy_n(p->path, (size_t)(strrchr(p->path, '/') - p->path) + 1);
    if (!parent)
        return error_nomem(err, STEP);
    bool known = fstat(p->fd, &file) == 0 && stat(parent, &directory) == 0;
    free(parent);
    if (!known)
        return error_set(err, CORDON_E_SYSTEM, errno, STEP, "%s: %s", p->path, strerror(errno));
    if (!S_ISREG(file.st_mode) || !(file.st_mode & S_IXUSR))
        return error_set(err, CORDON_E_INVALID, 0, STEP, "%s is not a program", p->path);
    if (!is_ours(&file) || !is_ours(&directory))
        return error_set(
            err, CORDON_E_INVALID, 0, STEP,
            "%s could be changed by others than you and root: install it with `make install`, or "
            "mend its permissions and its directory's",
            p->path);
    return CORDON_OK;
}

/* False: nothing there. */
static bool try(const char *path, struct warden_program *out)
{
    int fd = path ? open(path, O_PATH | O_CLOEXEC) : -1;
    if (fd < 0)
        return false;
    *out = (struct warden_program){fd, path_of(fd)};
    return true;
}

static char *beside_the_program(void)
{
    char path[LIMIT_PATH_BYTES + 1];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len <= 0)
        return NULL;
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    return slash ? string_format("%.*s/" NAME, (int)(slash - path), path) : NULL;
}

cordon_status warden_find(const char *given, struct warden_program *out, struct cordon_error *err)
{
    struct warden_program found = {-1, NULL};
    char *beside = NULL;
    cordon_status status;
    if (given) {
        if (!try(given, &found))
            return error_set(err, CORDON_E_INVALID, errno, STEP, "%s: %s; give the path of " NAME, given,
                             strerror(errno));
    } else if (!try(CORDON_LIBEXECDIR "/" NAME, &found)) {
        beside = beside_the_program();
        if (!try(beside, &found)) {
            status = error_set(err, CORDON_E_INVALID, ENOENT, STEP,
                               NAME " is neither in " CORDON_LIBEXECDIR " nor beside this program (%s): "
                                    "install cordon, put it there, or name it in the options",
                               beside ? beside : "?");
            free(beside);
            return status;
        }
    }
    free(beside);
    status = found.path ? check(&found, err)
                        : error_set(err, CORDON_E_SYSTEM, 0, STEP, NAME " was removed or cannot be named");
    if (status == CORDON_OK)
        *out = found;
    else
        warden_program_release(&found);
    return status;
}
