/* doctor_here.c - see doctor_here.h. Runs as the user, outside. */
#include "doctor_here.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/decide.h"
#include "os/linux/gitlink.h"

#define STEP "doctor.print"

static cordon_status find(struct doctor *d, const char *subject, bool good, const char *remedy,
                          struct cordon_error *err, const char *format, ...) CORDON_PRINTF(6, 7);

/* One finding, in words made here. */
static cordon_status find(struct doctor *d, const char *subject, bool good, const char *remedy,
                          struct cordon_error *err, const char *format, ...)
{
    va_list args;
    struct buf text = BUF_INIT;
    va_start(args, format);
    buf_add_vformat(&text, format, args);
    va_end(args);
    cordon_status status = buf_failed(&text) ? error_nomem(err, STEP)
                                             : doctor_add_finding(d, subject, good, text.data, remedy, err);
    buf_release(&text);
    return status;
}

/* -- state ---------------------------------------------------------------- */

static cordon_status find_left_overs(struct doctor *d, const struct probe_state *s, struct cordon_error *err)
{
    size_t all = s->placeholders + s->temporaries;
    if (all == 0)
        return find(d, "left-overs", true, NULL, err, "none of runs that were killed");
    return find(
        d, "left-overs", true, NULL, err,
        "%zu of runs that were killed (%zu placeholder%s, %zu temporary director%s): the next start in "
        "the same workspace removes them",
        all, s->placeholders, s->placeholders == 1 ? "" : "s", s->temporaries,
        s->temporaries == 1 ? "y" : "ies");
}

cordon_status doctor_here_state(struct doctor *d, const char *state_root, const struct probe_state *looked,
                                const struct cordon_error *no_state, int write_code, struct cordon_error *err)
{
    if (!looked)
        return find(d, "state", false, "set HOME or XDG_STATE_HOME", err, "%s", no_state->message);
    if (looked->exists && !looked->ours)
        return find(d, "state", false, "correct that with chown and chmod, or set XDG_STATE_HOME", err,
                    "%s must be a directory that belongs to uid %lu and that nobody else can write",
                    state_root, (unsigned long)geteuid());
    if (write_code)
        return find(d, "state", false, "set XDG_STATE_HOME to a directory of yours that can be written", err,
                    "%s cannot be written (%s): %s", looked->existing, looked->file_system,
                    strerror(write_code));
    cordon_status status =
        looked->exists ? find(d, "state", true, NULL, err, "%s (%s), of %zu workspace%s", state_root,
                              looked->file_system, looked->workspaces, looked->workspaces == 1 ? "" : "s")
                       : find(d, "state", true, NULL, err, "%s (%s), made by the first run", state_root,
                              looked->file_system);
    if (status == CORDON_OK)
        status = find_left_overs(d, looked, err);
    if (status == CORDON_OK && looked->quarantined)
        status = find(d, "quarantine", true, "look at it, run nothing in it, remove it", err,
                      "%zu thing%s that commands planted for git to obey, in %s/*/quarantine",
                      looked->quarantined, looked->quarantined == 1 ? "" : "s", state_root);
    return status;
}

/* -- policy, workspace, git ----------------------------------------------- */

/* The nearest directory above that has a `.git`; the caller frees. NULL: none. */
static char *repository_above(const char *workspace)
{
    char *directory = string_copy(workspace), *found = NULL;
    while (directory && !found && directory[1]) {
        struct stat st;
        char *slash = strrchr(directory, '/');
        slash[slash == directory] = '\0';
        char *git = string_format("%s%s.git", directory, directory[1] ? "/" : "");
        if (git && lstat(git, &st) == 0)
            found = string_copy(directory);
        free(git);
    }
    free(directory);
    return found;
}

static cordon_status find_git_link(struct doctor *d, const char *git, struct cordon_error *err)
{
    struct gitlink link;
    struct cordon_error unreadable;
    if (gitlink_read(git, &link, &unreadable) != CORDON_OK)
        return find(d, "git", false, "mend it: it has one line, `gitdir: PATH`", err, "%s",
                    unreadable.message);
    cordon_status status =
        link.paths[0] ? find(d, "git", true, NULL, err,
                             "a worktree or submodule: its repository %s%s%s is protected with it",
                             link.paths[0], link.paths[1] ? ", and " : "", link.paths[1] ? link.paths[1] : "")
                      : find(d, "git", true, NULL, err, "%s is a file, but leads to no repository", git);
    gitlink_release(&link);
    return status;
}

static cordon_status find_git(struct doctor *d, const struct resolved *resolved, struct cordon_error *err)
{
    struct stat st;
    char *git = string_format("%s/.git", resolved->workspace);
    if (!git)
        return error_nomem(err, STEP);
    cordon_status status;
    char *above = NULL;
    const struct rule *rule = resolved_at(resolved, git);
    if (!rule || rule->kind != RULE_PROTECT)
        status = find(d, "git", true, NULL, err, "your policy does not protect .git here");
    else if (lstat(git, &st) != 0 && (above = repository_above(resolved->workspace)) != NULL)
        status = find(d, "git", true, NULL, err, "inside the repository in %s, which has its .git further up",
                      above);
    else if (lstat(git, &st) != 0)
        status = find(d, "git", true, NULL, err, "no repository, and a command inside cannot make it one");
    else if (S_ISREG(st.st_mode))
        status = find_git_link(d, git, err);
    else
        status = find(d, "git", true, NULL, err, "a repository, protected");
    free(above);
    free(git);
    return status;
}

static cordon_status find_workspace(struct doctor *d, struct prepared *prepared,
                                    const struct options *options, struct cordon_error *err)
{
    struct cordon_error refused;
    if (prepare_box(prepared, options, false, &refused) == CORDON_OK) {
        const struct resolved *resolved = &prepared->box.resolution.resolved;
        cordon_status status = find(d, "workspace", true, NULL, err, "%s could be one", resolved->workspace);
        return status == CORDON_OK ? find_git(d, resolved, err) : status;
    }
    if (strcmp(refused.step, "facet.unavailable") == 0 || strncmp(refused.step, "state.", 6) == 0)
        return CORDON_OK; /* said above */
    return find(d, "workspace", false, NULL, err, "this directory would be refused: %s", refused.message);
}

cordon_status doctor_here_policy(struct doctor *d, const struct options *options, struct cordon_error *err)
{
    struct prepared prepared;
    struct cordon_error bad;
    cordon_status status;
    prepared_init(&prepared);
    if (prepare_policy(&prepared, options, &bad) != CORDON_OK) {
        bool no_home = strcmp(bad.step, "state.home") == 0;
        status = no_home
                     ? CORDON_OK
                     : find(d, "policy", false, "mend it: until then nothing runs", err, "%s", bad.message);
        goto out;
    }
    status = prepared.policy_file ? find(d, "policy", true, NULL, err, "%s", prepared.policy_file)
                                  : find(d, "policy", true, NULL, err, "no file of yours: the defaults");
    if (status == CORDON_OK)
        status = find_workspace(d, &prepared, options, err);
out:
    prepared_release(&prepared);
    return status;
}

/* -- terminal ------------------------------------------------------------- */

cordon_status doctor_here_terminal(struct doctor *d, struct cordon_error *err)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    bool controlling = fd >= 0;
    if (fd >= 0)
        close(fd);
    return find(d, "terminal", true, NULL, err, "%s; standard input is %s",
                controlling ? "there is one, and commands get job control on it"
                            : "none controls this process",
                isatty(STDIN_FILENO) ? "a terminal" : "none");
}
