/* policy_file.h - from a policy file and options to the policy in effect; the
 * programs and the library share it.
 */
#ifndef CORDON_LINUX_POLICY_FILE_H
#define CORDON_LINUX_POLICY_FILE_H

#include <stdbool.h>

#include "core/policy.h"

/* `given` must be there; NULL: the user's own configuration, which may be
 * absent. *path (the caller frees) is the file that was read, or NULL. Steps
 * "policy.read" and "policy.parse". */
cordon_status policy_file_load(const char *given, char *const *environment, struct policy *layer, char **path,
                               struct cordon_error *err);

/* policy_merge(), and an error (step "cli.reserved") for what the policy asks
 * and this version does not have. `file` may be NULL. */
cordon_status policy_in_effect(struct policy *out, const struct policy *file, const struct policy *options,
                               struct cordon_error *err);

#endif
