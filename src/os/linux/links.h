/* links.h - symbolic links on the way to a path that the command could have planted.
 *
 * A sandboxed command may make links in its writable roots. A later run that
 * follows one, to find a root, a policy file or the place of a report, would
 * give away or overwrite what it leads to.
 */
#ifndef CORDON_LINUX_LINKS_H
#define CORDON_LINUX_LINKS_H

#include "core/decide.h"
#include "core/error.h"

/* Walks `path` (absolute, not resolved) link by link; an error, step
 * "resolve.link", when one lies where the rules let the command make it. `what`
 * and `origin` are for the message. A missing component ends the walk: fine. */
cordon_status links_check(const struct resolved *resolved, const char *path, const char *what,
                          const char *origin, struct cordon_error *err);

#endif
