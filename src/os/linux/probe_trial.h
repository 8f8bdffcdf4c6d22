/* probe_trial.h - doctor's own directory, and the whole launch path tried in it.
 *
 * Nothing of the user's is used: workspace, state and configuration of the
 * trial lie in a directory of this doctor's own, which is gone afterwards. One
 * that a killed doctor left is removed by the next.
 */
#ifndef CORDON_LINUX_PROBE_TRIAL_H
#define CORDON_LINUX_PROBE_TRIAL_H

#include "core/error.h"

struct probe_scratch {
    int parent, fd; /* the directory it lies in, and itself, locked; -1: none */
    char *path;     /* resolved as far as `places` were */
    char name[64];
    int at; /* index of the place that took it */
};

void probe_scratch_init(struct probe_scratch *s);

/* In the first of `places` (NULL-terminated) that takes it; *first_code becomes
 * the errno of the first place, 0 when it took it. Step "doctor.scratch". */
cordon_status probe_scratch_make(struct probe_scratch *s, const char *const *places, int *first_code,
                                 struct cordon_error *err);

/* Removes it with everything in it. */
void probe_scratch_remove(struct probe_scratch *s);

/* `cordon run` of this very program with the default policy, and in it a shell
 * that writes into its workspace, beside it, and into a protected name; then the
 * look from outside. An error is cordon's own (its step) or, with step
 * "doctor.trial", a boundary that did not hold. allow_degraded: the option's
 * argument, or NULL. */
cordon_status probe_trial(const struct probe_scratch *s, const char *allow_degraded,
                          struct cordon_error *err);

#endif
