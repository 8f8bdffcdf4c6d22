/* state.h - cordon's own places: configuration, and one state directory per workspace.
 *
 *   $XDG_CONFIG_HOME/cordon/policy.json           the user's policy
 *   $XDG_STATE_HOME/cordon/WORKSPACE-HASH/
 *       workspace             the workspace's path, for people
 *       version               written last: the rest is complete
 *       tmp vartmp shm cache  the command's /tmp, /var/tmp, /dev/shm and caches
 *       run-PID-RANDOM        with --tmp fresh: this run's tmp, vartmp and shm
 *       dev                   skeleton of /dev: empty files and links to mount over
 *       mask                  empty unreadable directory and file that hide deny_read
 *       registry              placeholders that this workspace's sandboxes made
 *       report.json           the last run's report
 *
 * Everything is made with mode 0700 by openat2(RESOLVE_NO_SYMLINKS) below the
 * state root: the command writes into tmp, vartmp, shm and cache, so a later
 * run must not follow what an earlier one planted there.
 */
#ifndef CORDON_LINUX_STATE_H
#define CORDON_LINUX_STATE_H

#include <stdbool.h>

#include "core/error.h"
#include "core/policy.h"

struct places {
    char *home;        /* resolved; NULL when HOME is unset or not there */
    char *config_root; /* .../cordon, normalised; may not exist; NULL without HOME and XDG_CONFIG_HOME */
    char *policy_file; /* config_root/policy.json, or NULL */
    char *state_root;  /* .../cordon, resolved; exists after state_open */
    char *workspace;   /* state_root/NAME: this workspace's directory */
    char *cache_view;  /* where the command sees its private cache: state_root/cache */
    int workspace_fd;  /* O_DIRECTORY on `workspace`; -1 before state_open */
    bool fresh;        /* --tmp fresh: tmp directories of this run only, removed by state_close */
    char *run_name;    /* with fresh: name below `workspace` that holds tmp vartmp shm; else NULL */
    int run_fd;        /* with fresh: that directory, locked while the run lives; else -1 */
};

void places_init(struct places *p);
void places_release(struct places *p);

/* From HOME, XDG_CONFIG_HOME, XDG_STATE_HOME (relative values are ignored, as
 * the XDG specification says). No side effect. Neither HOME nor XDG_STATE_HOME:
 * step "state.home". */
cordon_status places_find(struct places *out, char *const *environment, struct cordon_error *err);

/* Makes and opens the state directory of `workspace` (resolved path). Idempotent
 * and safe when two runs start at once. A run that repeats pays a handful of
 * system calls, not the making. Step "state.open", with the remedy (a full
 * disk, a read-only or foreign home: set XDG_STATE_HOME). */
cordon_status state_open(struct places *p, const char *workspace, enum policy_tmp tmp,
                         struct cordon_error *err);

/* Only names what state_open would open, for `plan` and `explain`: no side
 * effect, workspace_fd stays -1. A fresh run's name is not known before. */
cordon_status state_name(struct places *p, const char *workspace, enum policy_tmp tmp,
                         struct cordon_error *err);

/* Has this user ever run a command with `workspace` (resolved path) as its workspace? */
bool state_knows(const struct places *p, const char *workspace);

/* Absolute paths of the backing directories, borrowed from nothing: the caller frees. */
char *state_path(const struct places *p,
                 const char *name); /* "tmp", "vartmp", "shm" (of this run when fresh), "cache", "dev",
                                       "mask/dir", "mask/file" */

/* Makes the mount point `path` (below the tmp directory `name`, given relative
 * to it) as directory or empty file; never follows a link. Also used for
 * devices in "dev". Step "state.mountpoint". */
cordon_status state_mountpoint(const struct places *p, const char *name, const char *relative, bool directory,
                               struct cordon_error *err);

/* A directory below mask/ that is searchable but shows nothing except the chain
 * `hole` (relative, may be nested): hides a directory that has a visible part.
 * Calls with one key add holes to one directory (as do the holes that an
 * earlier run with this key had: empty directories). Returns its absolute path
 * in *out (caller frees). Step "state.mask". */
cordon_status state_mask_with_hole(const struct places *p, const char *key, const char *hole, char **out,
                                   struct cordon_error *err);

/* Writes `name` atomically (temporary file, rename) in the workspace's directory. */
cordon_status state_write(const struct places *p, const char *name, const char *bytes, size_t len,
                          struct cordon_error *err);

/* Removes this run's fresh directories; tolerates everything. */
void state_close(struct places *p);

#endif
