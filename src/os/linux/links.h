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
#include "os/linux/state.h"

/* Told of each link on the way, itself reached without links, and of what it says. */
typedef cordon_status links_visit(void *context, const char *link, const char *target,
                                  struct cordon_error *err);

/* Walks `path` (absolute, not resolved) as the kernel does, until something is
 * missing. *resolved_path, when asked for: where that led, free of links. */
cordon_status links_walk(const char *path, links_visit *visit, void *context, char **resolved_path,
                         struct cordon_error *err);

/* Walks `path` (absolute, not resolved) link by link; an error, step
 * "resolve.link", when one lies where the rules let the command make it, or in
 * what was ever a command's workspace: an earlier run's policy may have been
 * wider. `what` and `origin` are for the message. A missing component ends the
 * walk: fine. *resolved_path, when asked for: where the walk led, free of links;
 * the caller opens that, for the command of another run may put a link on `path`
 * meanwhile. */
cordon_status links_check(const struct resolved *resolved, const struct places *places, const char *path,
                          const char *what, const char *origin, char **resolved_path,
                          struct cordon_error *err);

#endif
