/* state_mounts.c - what the plan mounts from and onto in cordon's state: backing
 * directories, mount points below them, masks with a hole (see state.h).
 *
 * Called by the launcher, as the user, between state_open and the launch. The
 * command of an earlier run wrote into tmp, vartmp and shm: a link there must
 * not lead a mount point elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "os/linux/beneath.h"
#include "os/linux/state.h"

#define STEP_MOUNTPOINT "state.mountpoint"
#define STEP_MASK "state.mask"
#define MASK_MODE 0111 /* searchable, not listable */

static bool is_of_the_run(const char *name)
{
    return strcmp(name, "tmp") == 0 || strcmp(name, "vartmp") == 0 || strcmp(name, "shm") == 0;
}

char *state_path(const struct places *p, const char *name)
{
    if (p->run_name && is_of_the_run(name))
        return string_format("%s/%s/%s", p->workspace, p->run_name, name);
    return string_format("%s/%s", p->workspace, name);
}

/* No component that is empty, `.` or `..`, and not absolute. */
static bool is_plain_relative(const char *path)
{
    for (const char *c = path;;) {
        size_t len = strcspn(c, "/");
        if (len == 0 || (len == 1 && c[0] == '.') || (len == 2 && c[0] == '.' && c[1] == '.'))
            return false;
        if (c[len] == '\0')
            return true;
        c += len + 1;
    }
}

/* `shown` is the place where it went wrong, for the user to remove. */
static cordon_status mountpoint_failed(struct cordon_error *err, const struct places *p, const char *name,
                                       const char *shown, int code)
{
    bool of_the_run = p->run_name && is_of_the_run(name);
    const char *run = of_the_run ? p->run_name : "", *slash = of_the_run ? "/" : "";
    const char *remedy = of_the_run ? "remove it" : "remove it, or use --tmp fresh";
    if (code == ENOSPC || code == EDQUOT)
        remedy = "free some space";
    if (code == ELOOP || code == ENOTDIR || code == EEXIST || code == EISDIR)
        return error_set(
            err, CORDON_E_CONFLICT, code, STEP_MOUNTPOINT,
            "%s/%s%s%s/%s is in the way: something must be mounted there, and an earlier command "
            "made something else of it; %s",
            p->workspace, run, slash, name, shown, remedy);
    return error_set(err, CORDON_E_SYSTEM, code, STEP_MOUNTPOINT,
                     "cannot make the mount point %s/%s%s%s/%s: %s; %s", p->workspace, run, slash, name,
                     shown, strerror(code), remedy);
}

/* Is it there as what it must be? 1, 0: not there, -1: errno (EEXIST: something else). */
static int look_at(int dir, const char *path, bool directory)
{
    struct stat st;
    int fd = beneath_open(dir, path, O_PATH | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    int result = fstat(fd, &st);
    int code = errno;
    close(fd);
    errno = code;
    if (result != 0)
        return -1;
    if (directory ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode))
        return 1;
    errno = EEXIST;
    return -1;
}

cordon_status state_mountpoint(const struct places *p, const char *name, const char *relative, bool directory,
                               struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    char *copy = NULL;
    int dir = -1, next = -1;

    if (!is_plain_relative(relative))
        return error_set(err, CORDON_E_INVALID, 0, STEP_MOUNTPOINT, "\"%s\" is no relative path without `..`",
                         relative);
    copy = p->run_name && is_of_the_run(name) ? string_format("%s/%s", p->run_name, name) : string_copy(name);
    if (!copy)
        return error_nomem(err, STEP_MOUNTPOINT);
    dir = beneath_open(p->workspace_fd, copy, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (dir < 0) {
        status = mountpoint_failed(err, p, name, "", errno);
        goto out;
    }
    int there = look_at(dir, relative, directory);
    if (there < 0)
        status = mountpoint_failed(err, p, name, relative, errno);
    if (there != 0)
        goto out;

    free(copy);
    copy = string_copy(relative);
    if (!copy) {
        status = error_nomem(err, STEP_MOUNTPOINT);
        goto out;
    }
    char *component = copy;
    for (char *slash; (slash = strchr(component, '/')) != NULL; component = slash + 1) {
        *slash = '\0'; /* `copy` now ends at this component */
        if (mkdirat(dir, component, 0755) != 0 && errno != EEXIST) {
            status = mountpoint_failed(err, p, name, copy, errno);
            goto out;
        }
        next = beneath_open(dir, component, O_PATH | O_DIRECTORY | O_NOFOLLOW);
        if (next < 0) {
            status = mountpoint_failed(err, p, name, copy, errno);
            goto out;
        }
        close(dir);
        dir = next;
        *slash = '/';
    }
    int made = directory ? mkdirat(dir, component, 0755) : mknodat(dir, component, S_IFREG | 0644, 0);
    /* Two runs may make it at once: what counts is what is there now. */
    if (made != 0 && (errno != EEXIST || look_at(dir, component, directory) != 1))
        status = mountpoint_failed(err, p, name, relative, errno ? errno : EEXIST);
out:
    free(copy);
    if (dir >= 0)
        close(dir);
    return status;
}

/* Makes one more directory in one that takes no entries. Another run may do the
 * same at once and close it again too early: then once more. 0311 lets this user
 * add, and still shows nothing to a sandbox that has it mounted. */
static int add_to_closed(int mask, const char *parent, const char *path, mode_t mode)
{
    for (int tries = 0; tries < 1000; tries++) {
        if (mkdirat(mask, path, mode) == 0 || errno == EEXIST) {
            (void)!fchmodat(mask, parent, MASK_MODE, 0);
            return 0;
        }
        if (errno != EACCES || fchmodat(mask, parent, MASK_MODE | 0200, 0) != 0)
            return -1;
    }
    return -1;
}

/* Makes mask/name/HOLE, what is missing of it. */
static int make_chain(int mask, const char *name, const char *hole)
{
    struct buf path = BUF_INIT;
    int result = -1;
    buf_add_string(&path, name);
    if (!buf_failed(&path) && mkdirat(mask, path.data, MASK_MODE) != 0 && errno != EEXIST)
        goto out;
    for (const char *c = hole; *c;) {
        size_t len = strcspn(c, "/"), parent_len = path.len;
        const char *rest = c[len] ? c + len + 1 : c + len;
        buf_add_char(&path, '/');
        buf_add(&path, c, len);
        char *parent = buf_failed(&path) ? NULL : string_copy_n(path.data, parent_len);
        if (!parent) {
            errno = ENOMEM;
            goto out;
        }
        int made = add_to_closed(mask, parent, path.data, *rest ? MASK_MODE : 0755);
        free(parent);
        if (made != 0)
            goto out;
        c = rest;
    }
    result = 0;
out:
    buf_release(&path);
    return result;
}

cordon_status state_mask_with_hole(const struct places *p, const char *key, const char *hole, char **out,
                                   struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    char name[24];
    struct stat st;
    char *path = NULL, *chain = NULL;
    int mask = -1;

    if (!is_plain_relative(hole))
        return error_set(err, CORDON_E_INVALID, 0, STEP_MASK, "\"%s\" is no relative path without `..`",
                         hole);
    snprintf(name, sizeof name, "%016llx", (unsigned long long)beneath_hash(key));
    path = string_format("%s/mask/%s", p->workspace, name);
    chain = string_format("%s/%s", name, hole);
    if (!path || !chain) {
        status = error_nomem(err, STEP_MASK);
        goto out;
    }
    mask = beneath_open(p->workspace_fd, "mask", O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (mask < 0 ||
        (fstatat(mask, chain, &st, AT_SYMLINK_NOFOLLOW) != 0 && make_chain(mask, name, hole) != 0))
        status = error_set(err, CORDON_E_SYSTEM, errno, STEP_MASK, "cannot make the mask %s/%s: %s", path,
                           hole, strerror(errno));
    if (status == CORDON_OK) {
        *out = path;
        path = NULL;
    }
out:
    free(path);
    free(chain);
    if (mask >= 0)
        close(mask);
    return status;
}
