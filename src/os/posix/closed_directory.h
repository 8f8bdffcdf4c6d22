/* closed_directory.h - what keeps a path from being looked at, when its owner could change that. */
#ifndef CORDON_POSIX_CLOSED_DIRECTORY_H
#define CORDON_POSIX_CLOSED_DIRECTORY_H

#include "core/error.h"

/* `path` is absolute and cannot be looked at (EACCES). *out: the directory on
 * the way to it, links followed, that forbids it and belongs to this user, so
 * that a command with the user's rights could open it up; the caller frees.
 * NULL: there is none, it is closed to the command too. Step "resolve.closed". */
cordon_status closed_directory_find(const char *path, char **out, struct cordon_error *err);

#endif
