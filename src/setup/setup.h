/* setup.h - the one-time step as root: a table of {name, check, apply, undo}.
 *
 * On Linux it lets cordon make user namespaces where AppArmor restricts them:
 * a profile for cordon's own programs, written below /etc/apparmor.d and loaded.
 * Applying twice is applying once; one that was interrupted is completed by the
 * next; undoing removes exactly what was written, and refuses to remove what
 * somebody else changed.
 *
 * Linked into cordon-setup only. Reads no policy and no environment.
 */
#ifndef CORDON_SETUP_SETUP_H
#define CORDON_SETUP_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"
#include "setup/profile.h"

#define SETUP_PROGRAMS_MAX 2

/* Where things are. Tests give a tree of their own, with a parser that only
 * writes down what it was asked. */
struct setup_places {
    const char *root;           /* before all that follow: "" on a real system */
    uint32_t owner;             /* who besides root may own what must be root's: 0 on a real system */
    const char *directory;      /* of the profiles */
    const char *abi;            /* without it AppArmor knows no rule for user namespaces */
    const char *const *parsers; /* the first that is there; NULL-terminated */
    const char *loaded;         /* the kernel's list of profiles */
};
extern const struct setup_places setup_places_real;

struct setup {
    const struct setup_places *places;
    struct profile_program programs[SETUP_PROGRAMS_MAX];
    size_t program_count;
    int directory;   /* of the profiles, checked and locked; -1 */
    struct buf text; /* the profile as it shall be; empty for undo */
};

enum setup_state {
    SETUP_ABSENT,
    SETUP_FOREIGN, /* something is there that cordon-setup did not write, or that was changed */
    SETUP_OLD,     /* ours, for other programs */
    SETUP_DONE,
};

struct setup_step {
    const char *name;
    cordon_status (*check)(const struct setup *s, enum setup_state *out, struct cordon_error *err);
    cordon_status (*apply)(const struct setup *s, struct cordon_error *err);
    cordon_status (*undo)(const struct setup *s, struct cordon_error *err);
    void (*describe)(const struct setup *s, struct buf *out);
};
void setup_init(struct setup *s, const struct setup_places *places);
void setup_release(struct setup *s);

/* A program of cordon's by its absolute path, re-checked by descriptor: root's,
 * writable by nobody else, and every directory above it too. Its name must be
 * `cordon` or `cordon-warden`. Borrowed. Steps "setup.path", "setup.program". */
cordon_status setup_add_program(struct setup *s, const char *path, struct cordon_error *err);

/* All steps in order. Step ids "setup...." */
cordon_status setup_apply(struct setup *s, struct cordon_error *err);
/* In the other order; what is not there is fine. */
cordon_status setup_undo(struct setup *s, struct cordon_error *err);
/* Is everything in place, for these programs? Changes nothing. */
cordon_status setup_look(struct setup *s, bool *in_place, struct cordon_error *err);
/* What setup_apply() would do, exactly; changes nothing, needs no rights. */
cordon_status setup_describe(struct setup *s, struct buf *out, struct cordon_error *err);

/* The steps, each in a file of its own. */
extern const struct setup_step setup_step_file; /* setup_file.c: the profile is written */
extern const struct setup_step setup_step_load; /* setup_load.c: the kernel has it */

#endif
