/* root_owned.c - see root_owned.h. Runs as root in cordon-setup, as the user in cordon. */
#include "os/linux/root_owned.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"

#define STEP "setup.path"

/* `len`: up to the component in question, for the message. */
static cordon_status judge(int fd, const char *path, size_t len, uint32_t owner, mode_t type,
                           struct cordon_error *err)
{
    struct stat st;
    int shown = (int)(len ? len : 1);
    if (fstat(fd, &st) != 0)
        return error_set(err, CORDON_E_SYSTEM, errno, STEP, "%.*s: %s", shown, path, strerror(errno));
    if (S_ISLNK(st.st_mode))
        return error_set(err, CORDON_E_INVALID, 0, STEP,
                         "%.*s is a symbolic link: name the file itself, without links", shown, path);
    if ((st.st_mode & S_IFMT) != type)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "%.*s is not a %s", shown, path,
                         type == S_IFDIR ? "directory" : "file");
    if (st.st_uid != 0 && st.st_uid != owner)
        return error_set(
            err, CORDON_E_INVALID, 0, STEP,
            "%.*s belongs to uid %lu, who could put something else in its place: it must be root's "
            "(make install as root)",
            shown, path, (unsigned long)st.st_uid);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return error_set(err, CORDON_E_INVALID, 0, STEP,
                         "%.*s can be written by others than root (mode %04o): chmod go-w it, or install "
                         "elsewhere",
                         shown, path, (unsigned)(st.st_mode & 07777));
    if (type == S_IFREG && !(st.st_mode & S_IXUSR))
        return error_set(err, CORDON_E_INVALID, 0, STEP, "%.*s is not executable", shown, path);
    return CORDON_OK;
}

cordon_status root_owned_open(const char *top, const char *path, uint32_t owner, bool directory, int *fd,
                              struct cordon_error *err)
{
    char name[LIMIT_PATH_BYTES];
    if (path[0] != '/' || strlen(path) >= sizeof name)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "%s: want an absolute path of less than %zu bytes",
                         path, sizeof name);
    int at = open(*top ? top : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return error_set(err, CORDON_E_SYSTEM, errno, STEP, "%s: %s", *top ? top : "/", strerror(errno));
    cordon_status status = judge(at, path, 0, owner, S_IFDIR, err);
    for (const char *c = path + 1; status == CORDON_OK && *c;) {
        size_t len = strcspn(c, "/");
        bool last = !c[len];
        if (len == 0 || (len <= 2 && strncmp(c, "..", len) == 0) || (c[len] && !c[len + 1])) {
            status = error_set(err, CORDON_E_INVALID, 0, STEP,
                               "%s: want a plain path, without `//`, `.` or `..`", path);
            break;
        }
        memcpy(name, c, len);
        name[len] = '\0';
        int next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0) {
            status = error_set(err, CORDON_E_SYSTEM, errno, STEP, "%.*s: %s", (int)(c + len - path), path,
                               strerror(errno));
            break;
        }
        close(at);
        at = next;
        status =
            judge(at, path, (size_t)(c + len - path), owner, last && !directory ? S_IFREG : S_IFDIR, err);
        c += len + !last;
    }
    if (status == CORDON_OK)
        *fd = at;
    else
        close(at);
    return status;
}
