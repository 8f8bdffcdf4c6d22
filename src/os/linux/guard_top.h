/* guard_top.h - what must not appear at the top of the workspace, because git would obey it.
 *
 * Two things: a .git where it is absent and not held by a placeholder, and a
 * bare repository (repository.h). What was there at the start is the user's and
 * never counts, unless something that appeared makes a repository of it.
 */
#ifndef CORDON_LINUX_GUARD_TOP_H
#define CORDON_LINUX_GUARD_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/decide.h"
#include "core/error.h"

enum { TOP_GIT, TOP_HEAD, TOP_OBJECTS, TOP_REFS, TOP_COMMONDIR, TOP_FURNITURE, TOP_NAMES = 10 };

struct guard_top {
    int dir;         /* O_PATH on the workspace; -1: nothing is guarded */
    bool git;        /* .git may not appear */
    bool shape;      /* a bare repository may not */
    bool repository; /* it is one from the start: only `commondir` may not appear */
    struct guard_top_name {
        bool there;
        uint64_t dev, ino;
        int pin; /* keeps the inode number from being given to something that appears */
    } before[TOP_NAMES];
    unsigned there, fresh, directory; /* as the events tell it: bits of names */
};

void guard_top_init(struct guard_top *t);
void guard_top_release(struct guard_top *t);

/* Before anything runs. `dir`: O_PATH on the workspace, which is taken. */
cordon_status guard_top_begin(struct guard_top *t, int dir, const struct resolved *resolved,
                              struct cordon_error *err);

/* Looks. The names (bits) that appeared and have to go; 0: all is well. */
unsigned guard_top_look(const struct guard_top *t);

/* From now on events tell: call it once they are watched for, and after some were lost. */
void guard_top_follow(struct guard_top *t);

/* One event of inotify. As guard_top_look(), also for what is gone again since. */
unsigned guard_top_event(struct guard_top *t, uint32_t mask, const char *name);

const char *guard_top_name(unsigned index);

#endif
