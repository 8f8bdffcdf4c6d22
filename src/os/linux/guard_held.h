/* guard_held.h - the things that a mount protects or hides inside, seen from outside.
 *
 * Whoever replaces or removes such a thing outside (an editor that saves by
 * renaming, `mv .git aside`) takes the mount away with it: the kernel drops it
 * from every namespace. What then has the name is open to the command.
 */
#ifndef CORDON_LINUX_GUARD_HELD_H
#define CORDON_LINUX_GUARD_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/decide.h"
#include "core/error.h"

struct guard_entry {
    const char *path;  /* borrowed from the rule */
    char *pinned;      /* or owned: a directory between a rule and its root, which must not be renamed */
    size_t pin_before; /* the pinned one added before this one, counted from 1; 0: none */
    uint64_t dev, ino;
    int watch; /* its directory's; -1: none */
    bool hidden, dropped;
};

struct guard_held {
    struct guard_entry *entries; /* a directory's mostly in a row */
    size_t count, cap, last_pin;
    struct guard_entry **by_watch; /* sorted by watch and name; NULL before guard_held_watch() */
    const struct resolved *resolved;
    int top;       /* O_PATH on the workspace: it may be moved meanwhile; borrowed */
    size_t cursor; /* of guard_held_look_some() */
};

void guard_held_init(struct guard_held *h);
void guard_held_release(struct guard_held *h);

cordon_status guard_held_begin(struct guard_held *h, const struct resolved *resolved, int top,
                               struct cordon_error *err);

/* Looks at up to `most` entries, going on where the last call ended, and marks
 * what is dropped. False: something is. */
bool guard_held_look_some(struct guard_held *h, size_t most);

/* Watches the directory of each by `inotify`. False (errno): not all could be. */
bool guard_held_watch(struct guard_held *h, int inotify, uint32_t mask);

/* One event of inotify: whatever it is (but a creation), it dropped the mount, also
 * when the same object has the name again since. False: something is dropped. */
bool guard_held_event(struct guard_held *h, int watch, uint32_t mask, const char *name);

#endif
