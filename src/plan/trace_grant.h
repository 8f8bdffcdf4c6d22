/* trace_grant.h - what is said of a refused operation: the rule that refused it
 * and the option that would allow it. Pure.
 */
#ifndef CORDON_PLAN_TRACE_GRANT_H
#define CORDON_PLAN_TRACE_GRANT_H

#include "core/buf.h"
#include "core/decide.h"

/* For `verdict`, a denial of `op` on `path` (as the command sees it, resolved).
 * *rule: the key of the policy, and the path that it is about. *grant: options of
 * `cordon run`, quoted for a shell; "" where none would do, or only one that
 * would open the whole home directory or more. `home` may be NULL. */
void trace_grant(const struct resolved *resolved, const char *home, const char *path, enum decide_op op,
                 struct verdict verdict, struct buf *rule, struct buf *grant);

/* "OPTION VALUE", the value as one word of a shell: the line can be copied. */
void trace_grant_option(struct buf *out, const char *option, const char *value);

#endif
