/* gitlink.c - see gitlink.h. Runs as the user, outside; called by resolve.c. */
#include "os/linux/gitlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/limits.h"
#include "core/path.h"
#include "os/linux/sys.h"

/* The first line of a small file without its newline; NULL: not there (errno) or not one line. */
static char *first_line(const char *path)
{
    char text[LIMIT_PATH_BYTES + 16];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return NULL;
    ssize_t len = read(fd, text, sizeof text - 1);
    int code = errno;
    close(fd);
    errno = code;
    if (len < 0)
        return NULL;
    text[len] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    return string_copy(text);
}

static char *relative_to(const char *directory, size_t directory_length, const char *path)
{
    if (path[0] == '/')
        return string_copy(path);
    return string_format("%.*s/%s", (int)directory_length, directory, path);
}

cordon_status gitlink_read(const char *file, struct gitlink *out, struct cordon_error *err)
{
    static const char key[] = "gitdir:";
    const char *name = path_basename(PATH_POSIX, file);
    cordon_status status = CORDON_OK;
    char *line = NULL, *common_file = NULL, *common = NULL;
    if (strcmp(name, ".git") != 0)
        return CORDON_OK;
    line = first_line(file);
    if (!line) {
        status = error_set(err, CORDON_E_INVALID, errno, "resolve.gitlink",
                           "%s: cannot read where it points: %s", file, strerror(errno));
        goto out;
    }
    if (strncmp(line, key, sizeof key - 1) != 0)
        goto out;
    const char *target = line + sizeof key - 1;
    while (*target == ' ')
        target++;
    if (!*target)
        goto out;
    out->paths[0] = relative_to(file, path_parent_length(PATH_POSIX, file), target);
    common_file = out->paths[0] ? string_format("%s/commondir", out->paths[0]) : NULL;
    if (!common_file) {
        status = error_nomem(err, "resolve.gitlink");
        goto out;
    }
    common = first_line(common_file);
    if (common && *common) {
        out->paths[1] = relative_to(out->paths[0], strlen(out->paths[0]), common);
        if (!out->paths[1])
            status = error_nomem(err, "resolve.gitlink");
    }
out:
    free(line);
    free(common_file);
    free(common);
    if (status != CORDON_OK)
        gitlink_release(out);
    return status;
}

void gitlink_release(struct gitlink *link)
{
    for (size_t i = 0; i < 2; i++) {
        free(link->paths[i]);
        link->paths[i] = NULL;
    }
}
