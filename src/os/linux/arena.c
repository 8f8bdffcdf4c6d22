/* arena.c - see arena.h. Runs as the user, outside. */
#include "os/linux/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 16u

cordon_status arena_open(struct arena *a, struct cordon_error *err)
{
    void *base =
        mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return error_set(err, CORDON_E_SYSTEM, errno, "linux.launch", "cannot map memory for the plan: %s",
                         strerror(errno));
    *a = (struct arena){base, ARENA_BYTES, 0};
    return CORDON_OK;
}

void arena_close(struct arena *a)
{
    if (a->base)
        munmap(a->base, a->size);
    *a = (struct arena){NULL, 0, 0};
}

void *arena_take(struct arena *a, size_t bytes)
{
    if (bytes > a->size - a->used - ALIGNMENT)
        return NULL;
    void *taken = a->base + a->used; /* fresh pages are zero, and nothing is given back */
    a->used += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return taken;
}

char *arena_string(struct arena *a, const char *text)
{
    if (!text)
        return NULL;
    size_t len = strlen(text) + 1;
    char *copy = arena_take(a, len);
    if (copy)
        memcpy(copy, text, len);
    return copy;
}

char **arena_strings(struct arena *a, char *const *list)
{
    size_t count = 0;
    while (list[count])
        count++;
    char **copy = arena_take(a, (count + 1) * sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = arena_string(a, list[i]);
        if (!copy[i])
            return NULL;
    }
    return copy;
}

/* What init reads: mounts, filter, identities, limits. Landlock's rules stay
 * with the launcher, which has built the ruleset. */
const struct linux_plan *arena_plan(struct arena *a, const struct linux_plan *plan)
{
    struct linux_plan *copy = arena_take(a, sizeof *copy);
    struct mount_op *mounts = arena_take(a, plan->mount_count * sizeof *mounts);
    struct bpf_insn *insns = arena_take(a, plan->filter.count * sizeof *insns);
    struct bpf_insn *plain = arena_take(a, plan->plain_filter.count * sizeof *plain);
    char *cwd = arena_string(a, plan->cwd);
    if (!copy || !mounts || !insns || !plain || !cwd)
        return NULL;
    *copy = *plan;
    if (plan->mount_count)
        memcpy(mounts, plan->mounts, plan->mount_count * sizeof *mounts);
    for (size_t i = 0; i < plan->mount_count; i++) {
        mounts[i].source = arena_string(a, plan->mounts[i].source);
        mounts[i].target = arena_string(a, plan->mounts[i].target);
        mounts[i].step = arena_string(a, plan->mounts[i].step); /* in cordon-warden not init's memory too */
        mounts[i].why = mounts[i].origin = NULL;                /* words for people only */
        if ((plan->mounts[i].source && !mounts[i].source) || (plan->mounts[i].target && !mounts[i].target) ||
            !mounts[i].step)
            return NULL;
    }
    memcpy(insns, plan->filter.insns, plan->filter.count * sizeof *insns);
    copy->mounts = mounts;
    copy->filter.insns = insns;
    if (plan->plain_filter.count)
        memcpy(plain, plan->plain_filter.insns, plan->plain_filter.count * sizeof *plain);
    copy->plain_filter.insns = plain;
    copy->cwd = cwd;
    copy->rules = NULL;
    copy->rule_count = 0;
    return copy;
}
