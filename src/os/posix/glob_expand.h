/* glob_expand.h - what a deny_read glob matches now. */
#ifndef CORDON_POSIX_GLOB_EXPAND_H
#define CORDON_POSIX_GLOB_EXPAND_H

#include <stddef.h>

#include "core/error.h"

/* Expands a normalised absolute pattern (syntax: core/path.h). Literal
 * components follow symbolic links, `**` does not descend through them nor into
 * a directory it cannot read, nor into /proc and /sys. A matched directory's
 * content is not listed too. A directory of the user's own that cannot be looked
 * into counts as a match: the command could open it up. *paths: count strings, sorted, no duplicates, the
 * caller frees each and the array. Steps "resolve.glob" when more than
 * LIMIT_GLOB_MATCHES match or more than LIMIT_GLOB_VISITED names were looked at. */
cordon_status glob_expand(const char *pattern, char ***paths, size_t *count, struct cordon_error *err);

/* The same with other caps (tests). */
cordon_status glob_expand_within(const char *pattern, size_t max_matches, size_t max_visited, char ***paths,
                                 size_t *count, struct cordon_error *err);

#endif
