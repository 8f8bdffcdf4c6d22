/* fixture.h - what the library's tests share. They use the public API only, as
 * an embedding program would; the current directory is theirs (run.sh).
 */
#ifndef CORDON_TEST_LIB_FIXTURE_H
#define CORDON_TEST_LIB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cordon/cordon.h"

/* Where run.sh put cordon-warden. */
static inline const char *warden_path(void)
{
    const char *path = getenv("CORDON_TEST_WARDEN");
    return path ? path : "cordon-warden";
}

static inline void succeeds(cordon_status status, const struct cordon_error *err)
{
    if (status != CORDON_OK)
        fail_msg("%s: %s", err->step, err->message);
}

static inline void fails_with(cordon_status status, const struct cordon_error *err, const char *step)
{
    assert_int_not_equal(status, CORDON_OK);
    assert_int_equal(err->status, status);
    if (strcmp(err->step, step) != 0)
        fail_msg("step %s and not %s: %s", err->step, step, err->message);
    assert_true(err->message[0]);
}

/* The default policy with `ws` as its workspace. */
static inline struct cordon_policy *default_policy(void)
{
    struct cordon_policy *policy = NULL;
    struct cordon_error err;
    succeeds(cordon_policy_new(&policy, &err), &err);
    succeeds(cordon_policy_set_workspace(policy, "ws", &err), &err);
    return policy;
}

static inline struct cordon_box *box_of(struct cordon_policy *policy)
{
    struct cordon_box *box = NULL;
    struct cordon_error err;
    succeeds(cordon_prepare(policy, &box, &err), &err);
    cordon_policy_free(policy);
    return box;
}

static inline struct cordon_spawn_options shell_options(const char *const argv[])
{
    struct cordon_spawn_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.argv = argv;
    options.directory = "ws";
    options.warden = warden_path();
    options.stdio[2].kind = CORDON_STDIO_INHERIT;
    return options;
}

/* `script` by /bin/sh, standard output through a pipe. */
static inline struct cordon_process *start_script(const struct cordon_box *box, const char *script)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    struct cordon_error err;
    options.stdio[1].kind = CORDON_STDIO_PIPE;
    succeeds(cordon_spawn(box, &options, &process, &err), &err);
    return process;
}

/* Everything until the end of the pipe; the caller frees. */
static inline char *read_to_end(int fd)
{
    size_t len = 0, cap = 1 << 16;
    char *text = malloc(cap);
    assert_non_null(text);
    for (;;) {
        ssize_t got = read(fd, text + len, cap - len - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len += (size_t)got;
        assert_true(len < cap - 1);
    }
    text[len] = '\0';
    return text;
}

/* Runs the script to its end; its output, and how it ended. The caller frees. */
static inline char *run_script(const struct cordon_box *box, const char *script,
                               struct cordon_outcome *outcome)
{
    struct cordon_error err;
    struct cordon_outcome ignored;
    struct cordon_process *process = start_script(box, script);
    int fd = cordon_process_take_pipe(process, 1);
    char *text = read_to_end(fd);
    close(fd);
    succeeds(cordon_process_wait(process, outcome ? outcome : &ignored, &err), &err);
    cordon_process_close(process);
    return text;
}

static inline void expect_output(const struct cordon_box *box, const char *script, const char *wanted)
{
    char *text = run_script(box, script, NULL);
    assert_string_equal(text, wanted);
    free(text);
}

/* Is a process there, and no zombie that its new parent has not looked at yet? */
static inline bool is_alive(long pid)
{
    char path[40], line[512] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    char *read = fgets(line, sizeof line, file);
    fclose(file);
    char *state = read ? strrchr(line, ')') : NULL;
    return state && state[2] != 'Z' && state[2] != 'X';
}

/* For what the kernel or another process does in its own time: up to ten seconds. */
static inline bool becomes_dead(long pid)
{
    const struct timespec pause = {0, 10000000};
    for (int i = 0; i < 1000 && is_alive(pid); i++)
        nanosleep(&pause, NULL);
    return !is_alive(pid);
}

/* Parent of a process. */
static inline long parent_of(long pid)
{
    char path[40], line[512] = "";
    long parent = -1;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    char *state = strrchr(line, ')');
    assert_non_null(state);
    parent = strtol(state + 4, NULL, 10);
    return parent;
}

/* The warden of a running process: parent of init, the parent of the command. */
static inline long warden_of(const struct cordon_process *process)
{
    return parent_of(parent_of(cordon_process_pid(process)));
}

static inline int count_descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

#endif
