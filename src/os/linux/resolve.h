/* resolve.h - from what the policy says to what this machine has: paths
 * resolved, objects identified and held, dangerous roots refused. No side
 * effect on the file system, so `explain` and `plan` use it too.
 */
#ifndef CORDON_LINUX_RESOLVE_H
#define CORDON_LINUX_RESOLVE_H

#include <stddef.h>

#include "core/decide.h"
#include "core/error.h"
#include "core/policy.h"
#include "core/report.h"
#include "os/linux/state.h"

struct resolve_input {
    const struct policy *policy;
    const char *workspace;      /* as given; NULL: the current directory */
    const char *workspace_path; /* the same from resolve_workspace() */
    const char *directory;      /* where the command starts; NULL: the current directory */
    const char *program;        /* argv[0] or NULL: kept visible when it lies in a replaced directory */
    const char *policy_file;    /* the file the policy came from or NULL: must not be writable inside */
};

/* A resolved policy and what keeps it true: descriptors on every checked
 * object, so that no inode number can be given to something else meanwhile. */
struct resolution {
    struct resolved resolved;
    char *cwd;
    uint32_t owner_uid, owner_gid; /* the workspace's */
    char **devices;                /* names below /dev that rules name; NULL-terminated */
    size_t device_count;
    int *pins;
    size_t pin_count, pin_cap;
};

void resolution_init(struct resolution *r);
void resolution_release(struct resolution *r);

/* `places` must come from places_find(); it is used as is when state_open() has
 * not run (plan, explain). Warnings (an absent deny_read path, hard links) go
 * into *report. Steps "resolve.*". */
cordon_status resolve_workspace(const char *given, char **path, struct cordon_error *err);
cordon_status resolve_policy(struct resolution *out, const struct resolve_input *input, struct places *places,
                             struct report *report, struct cordon_error *err);

/* A path that the user asks about, as decide() wants it: links resolved, also
 * when it does not exist. The caller frees. */
cordon_status resolve_question(const char *path, char **out, struct cordon_error *err);

#endif
