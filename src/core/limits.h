/* limits.h - every bound that a parser or table of cordon has, in one place. */
#ifndef CORDON_CORE_LIMITS_H
#define CORDON_CORE_LIMITS_H

#define LIMIT_POLICY_BYTES (1u << 20)         /* a policy file */
#define LIMIT_POLICY_DEPTH 16                 /* JSON nesting */
#define LIMIT_LIST_ENTRIES 8192               /* entries in one list of the policy, all sources together */
#define LIMIT_STRING_BYTES 32768              /* one string of the policy */
#define LIMIT_PATH_BYTES 4096                 /* a resolved path (PATH_MAX on Linux) */
#define LIMIT_RULES 20000                     /* resolved rules */
#define LIMIT_ENV_ENTRIES 65536               /* environment variables */
#define LIMIT_GLOB_MATCHES 20000              /* what one deny_read glob may match at start */
#define LIMIT_GLOB_VISITED 2000000            /* directory entries that one glob may look at */
#define LIMIT_WALK_ENTRIES 5000000            /* files that the before/after walk remembers */
#define LIMIT_REPORT_CHANGED 100000           /* entries of `changed` */
#define LIMIT_REPORT_PATHS 33554432           /* bytes of their paths: escaped they must fit one buffer */
#define LIMIT_REPORT_REFUSED 4096             /* different refusals that a report lists */
#define LIMIT_REPORT_REFUSED_BYTES (4u << 20) /* bytes of their words */
#define LIMIT_REPORT_DEPTH 8                  /* nesting of a report that is read */
#define LIMIT_REPORT_VALUES 1000000           /* values in it */
#define LIMIT_STATUS_BYTES 65536              /* a status line that is read */
#define LIMIT_BUF_BYTES (256u << 20)          /* any one buffer */

/* The largest limits that a policy can set: 68 years, so that no product of it
 * overflows; Linux's own PID_MAX_LIMIT; the largest integer that every JSON
 * reader holds. */
#define LIMIT_MAX_SECONDS 2147483647
#define LIMIT_MAX_PROCESSES 4194304
#define LIMIT_MAX_BYTES 9007199254740991

#endif
