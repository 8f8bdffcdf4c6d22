/* closed_directory.c - see closed_directory.h. Called while a policy is resolved, as the user.
 *
 * An earlier command may have made a directory of the workspace unsearchable
 * (chmod 0) so that a deny_read in it finds nothing, to open it up in the next.
 */
#include "os/posix/closed_directory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/limits.h"
#include "core/path.h"

#define STEP "resolve.closed"
#define MAX_LINKS 40 /* as the kernel's own walk */

/* Looks at the first part of *path that cannot be looked at. A link there is put
 * in its place, and *again set. */
static cordon_status step(char **path, bool *again, char **out, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    struct stat directory, entry;
    char target[LIMIT_PATH_BYTES + 1];
    char *name = NULL, *next = NULL, *parent = string_copy(*path);
    size_t len;

    *again = false;
    if (!parent)
        return error_nomem(err, STEP);
    do {
        len = path_parent_length(PATH_POSIX, parent);
        parent[len] = '\0';
    } while (stat(parent, &directory) != 0 && len > 1);
    const char *rest = *path + len + strspn(*path + len, "/");
    size_t first = strcspn(rest, "/");
    name = string_format("%s/%.*s", parent, (int)first, rest);
    if (!name) {
        status = error_nomem(err, STEP);
    } else if (lstat(name, &entry) != 0) {
        if (errno == EACCES && directory.st_uid == geteuid()) {
            *out = parent;
            parent = NULL;
        }
    } else if (S_ISLNK(entry.st_mode)) {
        ssize_t got = readlink(name, target, sizeof target - 1);
        target[got > 0 ? got : 0] = '\0';
        next = target[0] == '/' ? string_format("%s%s", target, rest + first)
                                : string_format("%s/%s%s", parent, target, rest + first);
        if (!next) {
            status = error_nomem(err, STEP);
        } else {
            free(*path);
            *path = next;
            *again = true;
        }
    }
    free(name);
    free(parent);
    return status;
}

cordon_status closed_directory_find(const char *path, char **out, struct cordon_error *err)
{
    char *at = string_copy(path);
    bool again = true;
    cordon_status status = at ? CORDON_OK : error_nomem(err, STEP);
    *out = NULL;
    for (int links = 0; status == CORDON_OK && again && links < MAX_LINKS; links++)
        status = step(&at, &again, out, err);
    free(at);
    return status;
}
