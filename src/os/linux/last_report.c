/* last_report.c - see last_report.h. Runs as the user, outside. */
#include "os/linux/last_report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/limits.h"

cordon_status last_report_store(const struct places *places, const struct buf *text, struct cordon_error *err)
{
    struct stat st = {.st_size = 0};
    size_t done = 0;
    int fd = openat(places->workspace_fd, "report.json", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    int code = fd < 0 || flock(fd, LOCK_EX) != 0 || fstat(fd, &st) != 0 ? errno : 0;
    while (!code && done < text->len) {
        ssize_t put = pwrite(fd, text->data + done, text->len - done, (off_t)done);
        if (put < 0 && errno != EINTR)
            code = errno;
        else if (put > 0)
            done += (size_t)put;
    }
    /* Shorter than the last one: cut. To zero first would be the costly case. */
    if (!code && (size_t)st.st_size > text->len && ftruncate(fd, (off_t)text->len) != 0)
        code = errno;
    if (fd >= 0)
        close(fd);
    if (code)
        return error_set(err, CORDON_E_SYSTEM, code, "state.report", "cannot keep the report in %s: %s",
                         places->workspace, strerror(code));
    return CORDON_OK;
}

cordon_status last_report_read(int fd, const char *name, struct buf *text, struct cordon_error *err)
{
    char chunk[16384];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, CORDON_E_SYSTEM, errno, "report.read", "%s: %s", name, strerror(errno));
        if (got == 0)
            return buf_failed(text) ? error_nomem(err, "report.read") : CORDON_OK;
        if (text->len + (size_t)got >= LIMIT_BUF_BYTES)
            return error_set(err, CORDON_E_LIMIT, 0, "report.read",
                             "%s: larger than a report can be, %u bytes", name, LIMIT_BUF_BYTES);
        buf_add(text, chunk, (size_t)got);
    }
}

/* A writer takes milliseconds; one that was stopped in the middle must not hang us. */
static bool lock_shared(int fd)
{
    static const struct timespec pause = {.tv_nsec = 50000000};
    for (int tries = 0; flock(fd, LOCK_SH | LOCK_NB) != 0; tries++) {
        if (tries == 40)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

cordon_status last_report_load(const struct places *places, const char *workspace, struct buf *text,
                               char **name, struct cordon_error *err)
{
    struct stat st;
    cordon_status status = CORDON_OK;
    char *path = string_format("%s/report.json", places->workspace);
    if (!path)
        return error_nomem(err, "state.report");
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        status = error_set(err, CORDON_E_INVALID, ENOENT, "state.report",
                           "no report of %s yet: `cordon run` there makes one, or name a FILE", workspace);
    else if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        status = error_set(err, CORDON_E_SYSTEM, fd < 0 ? errno : 0, "state.report", "cannot read %s: %s",
                           path, fd < 0 ? strerror(errno) : "not a regular file");
    else if (!lock_shared(fd))
        status = error_set(err, CORDON_E_CONFLICT, 0, "state.report",
                           "%s is being written by a cordon that does not finish: try again", path);
    else
        status = last_report_read(fd, path, text, err);
    if (fd >= 0)
        close(fd);
    if (status == CORDON_OK)
        *name = path;
    else
        free(path);
    return status;
}
