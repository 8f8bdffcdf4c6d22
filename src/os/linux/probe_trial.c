/* probe_trial.c - see probe_trial.h. Runs as the user, outside. */
#include "os/linux/probe_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "os/linux/beneath.h"

#define STEP_SCRATCH "doctor.scratch"
#define STEP_TRIAL "doctor.trial"
#define PREFIX ".cordon-doctor-"
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define TRIES 20
#define OUTPUT_MAX 8192 /* of cordon's own words that are read */

/* -- the directory -------------------------------------------------------- */

void probe_scratch_init(struct probe_scratch *s)
{
    memset(s, 0, sizeof *s);
    s->parent = s->fd = -1;
}

/* What a doctor left that was killed: nobody locks it any more. */
static void collect(int parent)
{
    struct beneath_list list;
    struct beneath_entry entry;
    beneath_list_init(&list, parent);
    while (beneath_list_next(&list, &entry) > 0) {
        struct stat st;
        if (strncmp(entry.name, PREFIX, sizeof PREFIX - 1) != 0)
            continue;
        int fd = openat(parent, entry.name, DIRECTORY_FLAGS);
        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0)
            beneath_remove(parent, entry.name);
        if (fd >= 0)
            close(fd);
    }
}

/* Made and locked. Another doctor may take it for a left-over in between, and
 * remove it: then once more. 0, or -1 with errno. */
static int make_in(int parent, struct probe_scratch *s)
{
    /* What is made must be removable: that goes by openat2. */
    int look = beneath_open(parent, ".", O_PATH | O_DIRECTORY);
    if (look < 0)
        return -1;
    close(look);
    for (int tries = 0; tries < TRIES; tries++) {
        struct stat here, there;
        beneath_random_name(s->name, sizeof s->name, PREFIX);
        if (mkdirat(parent, s->name, 0700) != 0) {
            if (errno == EEXIST)
                continue;
            return -1;
        }
        s->fd = openat(parent, s->name, DIRECTORY_FLAGS);
        if (s->fd >= 0 && flock(s->fd, LOCK_EX | LOCK_NB) == 0 && fstat(s->fd, &here) == 0 &&
            fstatat(parent, s->name, &there, AT_SYMLINK_NOFOLLOW) == 0 && here.st_ino == there.st_ino)
            return 0;
        int code = errno;
        if (s->fd < 0 && code != ENOENT) {
            unlinkat(parent, s->name, AT_REMOVEDIR);
            errno = code;
            return -1;
        }
        if (s->fd >= 0)
            close(s->fd);
        s->fd = -1;
    }
    errno = EAGAIN;
    return -1;
}

cordon_status probe_scratch_make(struct probe_scratch *s, const char *const *places, int *first_code,
                                 struct cordon_error *err)
{
    int code = ENOENT;
    for (int i = 0; places[i]; i++) {
        int parent = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool made = false;
        if (parent >= 0) {
            collect(parent);
            made = make_in(parent, s) == 0;
        }
        code = made ? 0 : errno;
        if (i == 0)
            *first_code = code;
        if (made) {
            s->path = string_format("%s/%s", places[i], s->name);
            s->parent = parent;
            s->at = i;
            if (s->path)
                return CORDON_OK;
            probe_scratch_remove(s);
            return error_nomem(err, STEP_SCRATCH);
        }
        if (parent >= 0)
            close(parent);
    }
    return error_set(
        err, CORDON_E_SYSTEM, code, STEP_SCRATCH,
        "no directory to try it in: neither cordon's state directory nor TMPDIR, /tmp or /var/tmp "
        "can be written: %s",
        strerror(code));
}

void probe_scratch_remove(struct probe_scratch *s)
{
    if (s->fd >= 0)
        beneath_remove(s->parent, s->name);
    if (s->fd >= 0)
        close(s->fd); /* after the removal: another doctor need not do it too */
    if (s->parent >= 0)
        close(s->parent);
    free(s->path);
    probe_scratch_init(s);
}

/* -- the trial ------------------------------------------------------------ */

/* Each writes in a shell of its own: a redirection that fails ends a shell. */
static const char script[] = "exec </dev/null >/dev/null 2>&1\n"
                             "(echo in >inside)\n"
                             "(echo out >../outside)\n"
                             "(echo out >.git/planted)\n"
                             "exit 0\n";

static cordon_status prepare(const struct probe_scratch *s, struct cordon_error *err)
{
    int fd = -1;
    if (mkdirat(s->fd, "work", 0700) == 0)
        fd = openat(s->fd, "outside", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(err, CORDON_E_SYSTEM, errno, STEP_SCRATCH, "cannot write in %s: %s", s->path,
                         strerror(errno));
    close(fd);
    return CORDON_OK;
}

static _Noreturn void exec_cordon(const struct probe_scratch *s, const char *allow_degraded, int words)
{
    static char home[4200], state[4200], config[4200], degraded[512], text[sizeof script];
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    char *environment[] = {path, home, state, config, NULL};
    char program[] = "cordon", run[] = "run", wall[] = "--limit=wall=10", json[] = "--json-errors",
         quiet[] = "--quiet", end[] = "--", shell[] = "/bin/sh", dash_c[] = "-c";
    char *argv[] = {program, run, json, quiet, wall, degraded, end, shell, dash_c, text, NULL};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    snprintf(home, sizeof home, "HOME=%s", s->path);
    snprintf(state, sizeof state, "XDG_STATE_HOME=%s/state", s->path);
    snprintf(config, sizeof config, "XDG_CONFIG_HOME=%s/config", s->path);
    memcpy(text, script, sizeof script);
    /* The option once more where there is nothing to accept. */
    snprintf(degraded, sizeof degraded, allow_degraded ? "--allow-degraded=%s" : "--quiet", allow_degraded);
    int work = openat(s->fd, "work", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (null >= 0 && work >= 0 && fchdir(work) == 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 &&
        dup2(words, 2) == 2)
        execve("/proc/self/exe", argv, environment);
    dprintf(words, "cannot start: %s", strerror(errno));
    _exit(127);
}

/* The words of a failed cordon: one line of JSON. */
static cordon_status read_words(const char *text, int status, struct cordon_error *err)
{
    json_t *root = json_loads(text, 0, NULL);
    const json_t *error = json_object_get(root, "error");
    const char *step = json_string_value(json_object_get(error, "step"));
    const char *message = json_string_value(json_object_get(error, "message"));
    cordon_status result;
    if (step && message)
        result = error_set(err, CORDON_E_UNSUPPORTED,
                           (int)json_integer_value(json_object_get(error, "os_code")), step, "%s", message);
    else if (WIFSIGNALED(status))
        result = error_set(err, CORDON_E_SYSTEM, 0, STEP_TRIAL, "cordon run was killed by signal %d",
                           WTERMSIG(status));
    else
        result = error_set(err, CORDON_E_SYSTEM, 0, STEP_TRIAL,
                           "cordon run of a shell ended with status %d: %.400s", WEXITSTATUS(status), text);
    json_decref(root);
    return result;
}

static cordon_status run_cordon(const struct probe_scratch *s, const char *allow_degraded,
                                struct cordon_error *err)
{
    static char text[OUTPUT_MAX];
    char chunk[512];
    size_t len = 0;
    ssize_t got;
    int words[2], status = 0;
    if (pipe2(words, O_CLOEXEC) != 0)
        return error_set(err, CORDON_E_SYSTEM, errno, STEP_TRIAL, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        exec_cordon(s, allow_degraded, words[1]);
    int code = errno;
    close(words[1]);
    while (pid > 0) {
        got = read(words[0], chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        size_t fits = sizeof text - 1 - len < (size_t)got ? sizeof text - 1 - len : (size_t)got;
        memcpy(text + len, chunk, fits);
        len += fits;
    }
    text[len] = '\0';
    close(words[0]);
    if (pid < 0)
        return error_set(err, CORDON_E_SYSTEM, code, STEP_TRIAL, "cannot start a process: %s",
                         strerror(code));
    pid_t ended;
    while ((ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
        continue;
    if (ended < 0)
        return error_set(err, CORDON_E_SYSTEM, errno, STEP_TRIAL, "cannot wait for cordon: %s",
                         strerror(errno));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CORDON_OK : read_words(text, status, err);
}

/* What the shell really did, seen from outside: its own word counts for nothing. */
static cordon_status look(const struct probe_scratch *s, struct cordon_error *err)
{
    struct stat st;
    if (fstatat(s->fd, "outside", &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_size != 0)
        return error_set(
            err, CORDON_E_SYSTEM, 0, STEP_TRIAL,
            "a command inside wrote to a file outside its workspace: do not use cordon here, and "
            "please report it");
    if (fstatat(s->fd, "work/.git", &st, AT_SYMLINK_NOFOLLOW) == 0)
        return error_set(err, CORDON_E_SYSTEM, 0, STEP_TRIAL,
                         "a command inside made a .git, or its placeholder was left: do not use cordon here, "
                         "and please report it");
    if (fstatat(s->fd, "work/inside", &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_size == 0)
        return error_set(err, CORDON_E_SYSTEM, 0, STEP_TRIAL,
                         "a command inside could not write to its own workspace in %s", s->path);
    return CORDON_OK;
}

cordon_status probe_trial(const struct probe_scratch *s, const char *allow_degraded, struct cordon_error *err)
{
    cordon_status status = prepare(s, err);
    if (status == CORDON_OK)
        status = run_cordon(s, allow_degraded, err);
    return status == CORDON_OK ? look(s, err) : status;
}
