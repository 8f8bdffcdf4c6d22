/* linux_plain.h - the reduced plan for a user who gets no namespaces: Landlock
 * and seccomp alone (docs/platforms.md, "Without user namespaces"). Pure.
 */
#ifndef CORDON_PLAN_LINUX_PLAIN_H
#define CORDON_PLAN_LINUX_PLAIN_H

#include "plan/linux_plan.h"

/* A second filter, beside the one of every run, for what namespaces hold
 * otherwise: IPC objects, the settings of other processes, and with `network`
 * false every socket that is not a unix one. The kernel takes the stricter of two
 * answers. Step "linux.plan.plain"; the caller releases *out. */
cordon_status linux_plain_filter(enum seccomp_arch arch, bool network, struct bpf_program *out,
                                 struct cordon_error *err);

/* linux_facets() of such a plan. */
size_t linux_plain_facets(const struct linux_facts *facts, const struct policy *policy,
                          struct facet out[LINUX_FACETS_MAX]);

/* The rules as they hold then, in place of what the policy resolved to: no part
 * of a root is protected, nothing is hidden or replaced, and private directories
 * are written where they lie. Step "resolve.rules". */
cordon_status linux_plain_rules(struct resolved *resolved, struct cordon_error *err);

/* For `cordon plan`. */
void linux_plain_describe(bool network, struct buf *out);

/* What cannot be granted or promised at all then. Step "linux.plan.plain". */
cordon_status linux_plain_check(const struct policy *policy, const struct linux_facts *facts,
                                struct cordon_error *err);

#endif
