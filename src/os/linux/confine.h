/* confine.h - what the command's own process does to itself before exec, in this order. */
#ifndef CORDON_LINUX_CONFINE_H
#define CORDON_LINUX_CONFINE_H

#include "core/error.h"
#include "plan/linux_plan.h"

/* All async-signal-safe. */

/* For init while it waits for the plan, forty calls that the command is then
 * spared: no program that is executed after it can have more than
 * LINUX_CAPS_EVER_KEPT. What init itself holds stays. */
cordon_status confine_bounding_set(struct cordon_error *err);

/* After confine_bounding_set(): bounding and ambient sets emptied but for `keep`, then the rest. */
cordon_status confine_capabilities(uint64_t keep, struct cordon_error *err);

/* For init, which never executes anything: its own sets only. */
cordon_status confine_drop_all(struct cordon_error *err);

/* rlimits; no core dumps are changed. */
cordon_status confine_limits(const struct linux_plan *plan, struct cordon_error *err);

/* no_new_privs, then Landlock (ruleset_fd -1: none), then seccomp: Landlock's
 * own calls must come before a filter that might one day refuse them.
 * *listener: the notification descriptor when the plan wants one, else -1. */
cordon_status confine_layers(const struct linux_plan *plan, int ruleset_fd, int *listener,
                             struct cordon_error *err);

/* A further filter, after confine_layers(). */
cordon_status confine_filter(const struct bpf_program *filter, struct cordon_error *err);

#endif
