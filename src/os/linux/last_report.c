/* last_report.c - see last_report.h. Runs as the user, outside. */
#include "os/linux/last_report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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
