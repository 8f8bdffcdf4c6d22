/* world.h - one row made real: its tree, what the setup adds, what is outside. */
#ifndef CORDON_MATRIX_WORLD_H
#define CORDON_MATRIX_WORLD_H

#include <stdbool.h>
#include <sys/types.h>

#include "names.h"
#include "outside.h"
#include "spawn.h"
#include "tree.h"

#define WORLD_MOUNTS_MAX 4

/* What a lane gives to all its rows. */
struct lane {
    const char *name;   /* "user", "root" */
    const char *column; /* "linux-user", "linux-root" */
    const char *cordon, *probe;
    bool traced;            /* with --trace: what is refused must be the same */
    char home[NAMES_VALUE]; /* where this lane builds: owned by its user */
    uid_t uid;              /* of this lane */
    uid_t other_uid;        /* somebody else, for the setup `owner` */
};

struct world {
    const struct lane *lane;
    struct names names;
    struct outside outside;
    char cwd[NAMES_VALUE];
    int stdin_fd, extra_fd;
    bool terminal, group;
    char mounts[WORLD_MOUNTS_MAX][NAMES_VALUE]; /* to be unmounted */
    size_t mount_count;
};

/* Builds the tree and carries out `setup` (steps separated by `;`, see
 * README.md). -1 with a printed reason. */
int world_make(struct world *w, const struct lane *lane, const char *setup);
void world_release(struct world *w);

/* Runs the probe as `words` say, inside cordon with `policy` or, with a NULL
 * policy, as it is. The environment has HOME and the XDG directories of the row. */
int world_run(struct world *w, const char *policy, const char *probe, bool isolated, struct outcome *out);
/* The same, only started; standard input is a pipe. */
int world_start(struct world *w, const char *policy, const char *probe, struct spawned *out);

#endif
