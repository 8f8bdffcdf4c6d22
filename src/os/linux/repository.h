/* repository.h - what git would take for a repository, by shape only.
 *
 * Wider than git's own test, never narrower: what git obeys counts, whatever
 * HEAD says in it now, for that can change at any moment.
 */
#ifndef CORDON_LINUX_REPOSITORY_H
#define CORDON_LINUX_REPOSITORY_H

#include <stdbool.h>

/* Does a directory above `path` (normalised, not `path` itself) have a .git
 * that is one? A .git directory without HEAD is a placeholder, or nothing. */
bool repository_above(const char *path);

/* Is the directory `dir` (O_PATH will do) itself one? HEAD is no directory, and
 * either objects and refs are there, as whatever, or `commondir` says where
 * they are. */
bool repository_at(int dir);

#endif
