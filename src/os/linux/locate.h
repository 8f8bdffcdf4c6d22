/* locate.h - what a path of the policy names on this machine. */
#ifndef CORDON_LINUX_LOCATE_H
#define CORDON_LINUX_LOCATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/decide.h"
#include "core/error.h"

struct located {
    char *path; /* normalised, every link resolved (the last component's only when asked); the caller frees */
    enum object_type type;
    uint64_t dev, ino, nlink;
    uint32_t uid, gid;
    int fd; /* O_PATH on it, -1 when absent; the caller closes or keeps it */
};

/* `path` is absolute. An absent path is located too: its existing part resolved,
 * the rest appended. follow: also resolve a link at the end. Errors (step
 * "resolve.path"): loops, no permission to look, too long. */
cordon_status locate(const char *path, bool follow, struct located *out, struct cordon_error *err);

void located_release(struct located *l); /* closes fd too */

enum object_type locate_type(mode_t mode);

#endif
