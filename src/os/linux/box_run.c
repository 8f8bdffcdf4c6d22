/* box_run.c - see box_run.h. Runs as the user, outside. */
#include "os/linux/box_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/posix/stdio_check.h"

cordon_status box_check_stdio(struct box *b, enum policy_net net, const int fds[3], int seal[3],
                              struct cordon_error *err)
{
    for (int i = 0; i < 3; i++) {
        struct stdio_facts facts;
        cordon_status status = stdio_check(fds[i], net == NET_ON, &facts, err);
        if (status != CORDON_OK && fds[i] != i)
            return error_set(err, status, err ? err->os_code : 0, "stdio.descriptor",
                             "for the command's descriptor %d: %s", i, err ? err->message : "refused");
        if (status != CORDON_OK)
            return status;
        if (facts.regular && !facts.writable)
            seal[i] = facts.nlink > 0;
        else if (facts.regular)
            status = linux_plan_add_output(&b->plan, i, &b->facts, err);
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

cordon_status box_snapshot(const struct box *b, struct changes *out, struct cordon_error *err)
{
    const struct resolved *resolved = &b->resolution.resolved;
    const char **roots = calloc(resolved->count + 1, sizeof *roots),
               **skip = calloc(resolved->count + 1, sizeof *skip);
    size_t root_count = 0, skip_count = 0;
    cordon_status status = roots && skip ? CORDON_OK : error_nomem(err, "changes.walk");
    for (size_t i = 0; i < resolved->count && status == CORDON_OK; i++) {
        const struct rule *rule = &resolved->items[i];
        if (rule->kind == RULE_WRITE && !rule->redundant && !rule->backing && rule->role != ROLE_CACHE)
            roots[root_count++] = rule->path;
        else if (rule->role == ROLE_STATE || rule->absent_name)
            skip[skip_count++] = rule->path; /* ours: the state, and the placeholders of this run */
    }
    if (status == CORDON_OK)
        status = changes_snapshot(roots, root_count, skip, skip_count, out, err);
    free(roots);
    free(skip);
    return status;
}

void box_error_words(struct cordon_error *err)
{
    bool from_init = strncmp(err->step, "linux.", 6) == 0 || strcmp(err->step, "exec.not-executable") == 0;
    size_t len = strlen(err->message);
    if (from_init && err->os_code && !strstr(err->message, strerror(err->os_code)))
        snprintf(err->message + len, sizeof err->message - len, ": %s", strerror(err->os_code));
}
