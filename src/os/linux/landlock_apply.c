/* landlock_apply.c - see landlock_apply.h. Runs as the user, outside. */
#include "os/linux/landlock_apply.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "os/linux/sys.h"

#define LANDLOCK_CREATE_RULESET_VERSION 1
#define LANDLOCK_RULE_PATH_BENEATH 1

int landlock_abi(void)
{
    long abi = syscall(SYS_NR_LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : (int)abi;
}

static cordon_status add_rule(int ruleset, const struct landlock_rule *rule, uint64_t handled,
                              struct cordon_error *err)
{
    struct stat st;
    cordon_status status = CORDON_OK;
    int fd = open(rule->path, O_PATH | O_CLOEXEC | (rule->follow ? 0 : O_NOFOLLOW));
    if (fd < 0) {
        if (rule->optional && (errno == ENOENT || errno == ENOTDIR))
            return CORDON_OK;
        return error_set(err, CORDON_E_SYSTEM, errno, "linux.landlock.rule", "cannot open %s: %s", rule->path,
                         strerror(errno));
    }
    if (rule->check) {
        if (fstat(fd, &st) != 0 || (uint64_t)st.st_dev != rule->dev || (uint64_t)st.st_ino != rule->ino) {
            status = error_set(err, CORDON_E_CONFLICT, 0, "linux.landlock.rule",
                               "%s was replaced while the sandbox was being made; run it again", rule->path);
            goto out;
        }
    }
    struct sys_landlock_path_beneath attr = {rule->access & handled, fd};
    if (attr.allowed_access &&
        syscall(SYS_NR_LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) != 0 &&
        !(rule->follow && errno == EBADFD)) /* a memory file: Landlock leaves those alone */
        status = error_set(err, CORDON_E_SYSTEM, errno, "linux.landlock.rule",
                           "cannot add a Landlock rule for %s: %s", rule->path, strerror(errno));
out:
    close(fd);
    return status;
}

cordon_status landlock_build(const struct linux_plan *plan, int *ruleset_fd, struct cordon_error *err)
{
    *ruleset_fd = -1;
    if (!plan->ruleset.handled_fs)
        return CORDON_OK;
    /* An older kernel refuses a struct whose trailing fields are set; unset ones are fine. */
    int fd = (int)syscall(SYS_NR_LANDLOCK_CREATE_RULESET, &plan->ruleset, sizeof plan->ruleset, 0);
    if (fd < 0)
        return error_set(err, CORDON_E_SYSTEM, errno, "linux.landlock.create",
                         "cannot create a Landlock ruleset: %s", strerror(errno));
    for (size_t i = 0; i < plan->rule_count; i++) {
        cordon_status status = add_rule(fd, &plan->rules[i], plan->ruleset.handled_fs, err);
        if (status != CORDON_OK) {
            close(fd);
            return status;
        }
    }
    *ruleset_fd = fd;
    return CORDON_OK;
}
