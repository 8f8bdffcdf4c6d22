/* doctor_here.h - what doctor says of the place where it was asked: cordon's
 * state, the policy file, the workspace, git, the terminal. Changes nothing.
 */
#ifndef CORDON_PROGRAM_DOCTOR_HERE_H
#define CORDON_PROGRAM_DOCTOR_HERE_H

#include "commands.h"
#include "os/linux/probe_state.h"
#include "plan/doctor.h"

/* `looked` is NULL when nothing says where the state belongs (`no_state` says
 * why); write_code: the errno of trying to write there, 0 when it works. */
cordon_status doctor_here_state(struct doctor *d, const char *state_root, const struct probe_state *looked,
                                const struct cordon_error *no_state, int write_code,
                                struct cordon_error *err);

/* The user's policy file, and this directory as a workspace under it. */
cordon_status doctor_here_policy(struct doctor *d, const struct options *options, struct cordon_error *err);

cordon_status doctor_here_terminal(struct doctor *d, struct cordon_error *err);

#endif
