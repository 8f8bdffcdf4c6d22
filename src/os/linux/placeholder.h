/* placeholder.h - holds absent protected names while a sandbox runs.
 *
 * An absent name is made as an empty directory (0755: git ignores an empty .git
 * directory, an empty file breaks it), locked shared by flock on the directory
 * itself, and recorded in the workspace's registry before it is made. Whoever
 * can upgrade to an exclusive lock at the end was the last user and removes it,
 * if it is still empty and still the recorded inode. After a SIGKILL the record
 * stays and the next start collects it.
 */
#ifndef CORDON_LINUX_PLACEHOLDER_H
#define CORDON_LINUX_PLACEHOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "os/linux/state.h"

struct placeholder {
    char *path;
    int fd; /* O_RDONLY|O_DIRECTORY, flock LOCK_SH */
    uint64_t dev, ino;
};

struct placeholders {
    struct placeholder *items;
    size_t count;
};

void placeholders_init(struct placeholders *p);

/* Collects what crashed runs of this workspace left (registry entries that
 * nobody locks, still empty, same inode): call at every start, before looking
 * at what exists; cheap when the registry is empty. */
cordon_status placeholders_collect(const struct places *places, struct cordon_error *err);

/* Is `path` an existing EMPTY directory that is a recorded placeholder of this
 * workspace (another sandbox is running)? Then it counts as absent. */
int placeholders_is_ours(const struct places *places, const char *path);

/* Makes and locks one placeholder per path (absolute, resolved parents; missing
 * parents are made, recorded and locked too, outermost first). Paths that exist
 * and are recorded empty placeholders are joined. A path that came into being
 * meanwhile as something else: CORDON_E_CONFLICT. All or nothing: on failure
 * what was made is removed again. Step "linux.placeholder". */
cordon_status placeholders_make(struct placeholders *out, const struct places *places,
                                const char *const *paths, size_t count, struct cordon_error *err);

/* Locks an existing empty protected directory shared, so that another
 * workspace's sandbox, whose placeholder it may be, does not remove it under
 * this one. */
cordon_status placeholders_join(struct placeholders *out, const char *path, struct cordon_error *err);

/* Removes what is ours, still empty and used by nobody else; drops the records. */
void placeholders_remove(struct placeholders *p, const struct places *places);

/* Frees memory and closes descriptors only (in a child). */
void placeholders_release(struct placeholders *p);

#endif
