/* guard_top.c - see guard_top.h. Runs as the user, outside, while the command runs and after. */
#include "os/linux/guard_top.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/repository.h"

#define BIT(index) (1u << (index))
#define SHAPE (BIT(TOP_HEAD) | BIT(TOP_OBJECTS) | BIT(TOP_REFS) | BIT(TOP_COMMONDIR))

/* Behind commondir: what else `git init --bare` makes. Harmless alone, but it goes along. */
static const char *const names[TOP_NAMES] = {".git",   "HEAD",  "objects", "refs",        "commondir",
                                             "config", "hooks", "info",    "description", "branches"};

const char *guard_top_name(unsigned index)
{
    return names[index];
}

void guard_top_init(struct guard_top *t)
{
    memset(t, 0, sizeof *t);
    t->dir = -1;
    for (unsigned i = 0; i < TOP_NAMES; i++)
        t->before[i].pin = -1;
}

void guard_top_release(struct guard_top *t)
{
    for (unsigned i = 0; i < TOP_NAMES; i++)
        if (t->before[i].pin >= 0)
            close(t->before[i].pin);
    if (t->dir >= 0)
        close(t->dir);
    guard_top_init(t);
}

/* Could the command make this name? */
static bool can_appear(const struct resolved *resolved, const char *name)
{
    struct buf path = BUF_INIT;
    path_join(resolved->rules.style, &path, resolved->workspace, name);
    /* Out of memory: guarded rather than not. */
    bool can = buf_failed(&path) || decide(resolved, path.data, OP_CREATE).allowed;
    buf_release(&path);
    return can;
}

static const struct rule *git_rule(const struct resolved *resolved)
{
    struct buf path = BUF_INIT;
    path_join(resolved->rules.style, &path, resolved->workspace, ".git");
    const struct rule *rule = buf_failed(&path) ? NULL : resolved_at(resolved, path.data);
    buf_release(&path);
    return rule;
}

static cordon_status remember(struct guard_top *t, unsigned index, struct cordon_error *err)
{
    struct guard_top_name *name = &t->before[index];
    struct stat st;
    if (fstatat(t->dir, names[index], &st, AT_SYMLINK_NOFOLLOW) != 0)
        return CORDON_OK;
    name->pin = openat(t->dir, names[index], O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (name->pin < 0 || fstat(name->pin, &st) != 0)
        return error_set(err, errno == ENOENT ? CORDON_E_CONFLICT : CORDON_E_SYSTEM, errno, "linux.guard",
                         "cannot look at %s in the workspace: %s", names[index], strerror(errno));
    name->there = true;
    name->dev = st.st_dev;
    name->ino = st.st_ino;
    return CORDON_OK;
}

cordon_status guard_top_begin(struct guard_top *t, int dir, const struct resolved *resolved,
                              struct cordon_error *err)
{
    const struct rule *git = git_rule(resolved);
    cordon_status status = CORDON_OK;
    t->dir = dir;
    /* --unprotect .git opens the way to a repository, so to one of any shape. */
    if (git && !git->redundant && git->kind <= RULE_PROTECT) {
        t->git = git->watched;
        for (unsigned i = TOP_HEAD; i < TOP_FURNITURE; i++)
            t->shape = t->shape || can_appear(resolved, names[i]);
    }
    for (unsigned i = TOP_HEAD; t->shape && i < TOP_NAMES && status == CORDON_OK; i++)
        status = remember(t, i, err);
    if (status == CORDON_OK && t->git)
        status = remember(t, TOP_GIT, err);
    if (status == CORDON_OK && t->before[TOP_GIT].there)
        status =
            error_set(err, CORDON_E_CONFLICT, 0, "linux.guard",
                      "%s/.git appeared while the sandbox was being made: run it again", resolved->workspace);
    t->repository = t->shape && repository_at(dir);
    return status;
}

static bool is_new(const struct guard_top_name *before, const struct stat *now)
{
    return !before->there || before->ino != (uint64_t)now->st_ino || before->dev != (uint64_t)now->st_dev;
}

/* Of the names that are there and those that appeared, what has to go. */
static unsigned judge(const struct guard_top *t, unsigned there, unsigned fresh, bool head_is_directory)
{
    unsigned away = 0;
    fresh &= there;
    if (t->git && (there & BIT(TOP_GIT)))
        away = BIT(TOP_GIT);
    bool parts = (there & BIT(TOP_COMMONDIR)) || (~there & (BIT(TOP_OBJECTS) | BIT(TOP_REFS))) == 0;
    if (!t->shape || !(there & BIT(TOP_HEAD)) || head_is_directory || !parts)
        return away;
    if (t->repository)
        return away | (fresh & BIT(TOP_COMMONDIR));
    return fresh & SHAPE ? away | (fresh & ~BIT(TOP_GIT)) : away;
}

unsigned guard_top_look(const struct guard_top *t)
{
    unsigned there = 0, fresh = 0;
    bool head_is_directory = false;
    for (unsigned i = t->git ? TOP_GIT : TOP_HEAD; i < TOP_NAMES; i++) {
        struct stat st;
        if (fstatat(t->dir, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0) {
            there |= BIT(i);
            if (is_new(&t->before[i], &st))
                fresh |= BIT(i);
            if (i == TOP_HEAD)
                head_is_directory = S_ISDIR(st.st_mode);
        }
        /* Nothing without it: almost every look ends here. */
        if (i == TOP_HEAD && (!t->shape || !(there & BIT(TOP_HEAD))))
            break;
    }
    return judge(t, there, fresh, head_is_directory);
}

void guard_top_follow(struct guard_top *t)
{
    t->there = t->fresh = t->directory = 0;
    for (unsigned i = 0; i < TOP_NAMES; i++) {
        struct stat st;
        if (fstatat(t->dir, names[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        t->there |= BIT(i);
        if (is_new(&t->before[i], &st))
            t->fresh |= BIT(i);
        if (S_ISDIR(st.st_mode))
            t->directory |= BIT(i);
    }
}

unsigned guard_top_event(struct guard_top *t, uint32_t mask, const char *name)
{
    unsigned index = 0;
    while (index < TOP_NAMES && strcmp(names[index], name) != 0)
        index++;
    if (index == TOP_NAMES)
        return 0;
    t->directory &= ~BIT(index);
    if (mask & (IN_CREATE | IN_MOVED_TO)) {
        t->there |= BIT(index);
        t->fresh |= BIT(index);
        t->directory |= mask & IN_ISDIR ? BIT(index) : 0;
    } else {
        t->there &= ~BIT(index);
    }
    return judge(t, t->there, t->fresh, t->directory & BIT(TOP_HEAD));
}
