/* landlock_steps.h - what each Landlock ABI adds, and what carries it where the kernel's is older. Pure.
 *
 * docs/platforms.md has this table for people; a test holds the two together.
 */
#ifndef CORDON_PLAN_LANDLOCK_STEPS_H
#define CORDON_PLAN_LANDLOCK_STEPS_H

#include <stddef.h>

struct landlock_step {
    int abi;
    const char *linux_version; /* the first with it */
    const char *adds;
    const char *facets;     /* that it bears on, separated by blanks; "" for none */
    const char *carried_by; /* the other layer, where the ABI is older */
};

extern const struct landlock_step landlock_steps[];
extern const size_t landlock_step_count;

#endif
