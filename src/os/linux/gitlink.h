/* gitlink.h - a `.git` that is a file: worktrees and submodules. */
#ifndef CORDON_LINUX_GITLINK_H
#define CORDON_LINUX_GITLINK_H

#include "core/error.h"

/* Where it points: the git directory, and that directory's common one (its
 * `commondir`), which holds the config and the hooks that git obeys. */
struct gitlink {
    char *paths[2]; /* absolute, not resolved; NULL when there is none */
};

/* A file that is no git link leaves *out empty; unreadable: an error, step
 * "resolve.gitlink" (what cannot be read cannot be protected). */
cordon_status gitlink_read(const char *file, struct gitlink *out, struct cordon_error *err);
void gitlink_release(struct gitlink *link);

#endif
