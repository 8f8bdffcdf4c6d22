/* hold.h - one directory's own lock: who uses a placeholder, and who may remove it.
 *
 * It is all that cordons of different workspaces and different users share, who
 * do not see each other's registries:
 *   - a user locks the directory shared, then looks whether the path still
 *     names what he locked; if not, it was removed in between, and he starts
 *     again;
 *   - a remover turns his shared lock into an exclusive one without waiting.
 *     The kernel drops the shared lock first and does not give it back: of
 *     several who try at once, one that finds another's lock leaves and has
 *     none any more, so the last to try finds none and removes. At least one
 *     removes, nobody removes what another holds.
 * All paths are walked without following links: a command that runs in the same
 * workspace can turn a parent into a link at any moment.
 */
#ifndef CORDON_LINUX_HOLD_H
#define CORDON_LINUX_HOLD_H

#include <stdbool.h>
#include <stdint.h>

struct hold {
    int fd; /* -1: none */
    uint64_t dev, ino;
};

/* O_PATH on the parent of an absolute path. *base points into `path`. -1: errno. */
int hold_open_parent(const char *path, const char **base);

/* Locks shared the directory that has the name now. 0, or -1 with errno:
 * EWOULDBLOCK when somebody keeps it locked exclusively. */
int hold_lock(struct hold *out, int parent, const char *base);

/* Makes the directory and locks it, or joins an empty one: another user's, or
 * another workspace's, placeholder looks like that. *made tells which. With
 * `filled` one that is not empty is joined too. 0, or -1 with errno (ENOTEMPTY:
 * it is somebody's) and nothing left. */
int hold_make(struct hold *out, int parent, const char *base, bool filled, bool *made);

enum removal { REMOVAL_DONE, REMOVAL_NOT_EMPTY, REMOVAL_IN_USE, REMOVAL_FAILED };

/* Removes the directory if nobody else holds it, it is empty, and it still has
 * the name `base` (else the user took it: done). Goes by the directory's own
 * parent, so that a workspace that was moved during the run is left clean too.
 * The lock may be lost; close fd after. */
enum removal hold_remove(const struct hold *h, const char *base);

#endif
