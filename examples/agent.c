/* agent.c - how a coding agent runs a model's shell command with libcordon.
 *
 * Build:   cc agent.c $(pkg-config --cflags --libs cordon) -o agent
 * Run:     agent 'make -j2 2>&1 | tail'
 *
 * It does what an agent's spawn call does (start a shell command, read what it
 * prints, stop it after a while, get its exit status), inside a boundary: the
 * command reads broadly, writes in the current directory and in a private /tmp
 * only, and has no network. docs/embedding.md explains each part.
 */
#include <cordon/cordon.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS 600

/* 1. Once, at the agent's start: what its commands may do. */
static struct cordon_box *prepare(struct cordon_error *err)
{
    struct cordon_policy *policy = NULL;
    struct cordon_box *box = NULL;
    if (cordon_policy_new(&policy, err) ||
        cordon_policy_load(policy, NULL, err) ||      /* what the user decided for every agent */
        cordon_policy_protect(policy, ".env", err) || /* beside .git and the like */
        cordon_policy_deny_read(policy, "~/.ssh", err) ||
        cordon_policy_set_limit(policy, CORDON_LIMIT_WALL_SECONDS, SECONDS, err) ||
        cordon_prepare(policy, &box, err))
        box = NULL;
    cordon_policy_free(policy);
    return box;
}

/* 2. For each command, where posix_spawn() was. */
static struct cordon_process *start(const struct cordon_box *box, const char *command,
                                    struct cordon_error *err)
{
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    struct cordon_spawn_options options;
    struct cordon_process *process = NULL;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.argv = argv;
    options.stdio[1].kind = CORDON_STDIO_PIPE; /* standard input stays /dev/null */
    options.stdio[2].kind = CORDON_STDIO_PIPE;
    options.changes = true;
    options.warden = getenv("AGENT_WARDEN"); /* NULL: the installed one */
    return cordon_spawn(box, &options, &process, err) == CORDON_OK ? process : NULL;
}

/* Copies what there is; false at the end of the pipe. */
static bool copy_some(int from, int to)
{
    char bytes[16384];
    ssize_t got = read(from, bytes, sizeof bytes);
    for (ssize_t done = 0; done < got;) {
        ssize_t put = write(to, bytes + done, (size_t)(got - done));
        if (put < 0 && errno != EINTR)
            return false;
        done += put > 0 ? put : 0;
    }
    return got > 0 || (got < 0 && errno == EINTR);
}

/* 3. What it prints, until both ends are closed: then nothing in it writes any more. */
static void relay_output(struct cordon_process *process)
{
    struct pollfd fds[2] = {{cordon_process_take_pipe(process, 1), POLLIN, 0},
                            {cordon_process_take_pipe(process, 2), POLLIN, 0}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        for (int i = 0; i < 2; i++) {
            if (fds[i].fd >= 0 && fds[i].revents && !copy_some(fds[i].fd, i + 1)) {
                close(fds[i].fd);
                fds[i].fd = -1; /* poll() leaves it out */
            }
        }
    }
}

/* 4. How it ended, and what it did. */
static int finish(struct cordon_process *process, struct cordon_error *err)
{
    struct cordon_outcome outcome;
    char *report = NULL;
    int status = 125;
    if (cordon_process_wait(process, &outcome, err) == CORDON_OK) {
        status = outcome.status;
        if (outcome.kind == CORDON_OUTCOME_TIMED_OUT)
            fprintf(stderr, "agent: stopped after %d seconds\n", SECONDS);
        if (getenv("AGENT_REPORT") && cordon_process_report_json(process, &report, err) == CORDON_OK)
            fputs(report, stdout); /* changed files, what was refused and what would allow it */
        cordon_text_free(report);
    } else {
        fprintf(stderr, "agent: %s\n", err->message);
    }
    cordon_process_close(process);
    return status;
}

int main(int argc, char **argv)
{
    struct cordon_error err;
    if (argc != 2) {
        fputs("usage: agent COMMAND\n", stderr);
        return 2;
    }
    struct cordon_box *box = prepare(&err);
    struct cordon_process *process = box ? start(box, argv[1], &err) : NULL;
    if (!process) {
        /* Nothing has run. `step` is stable: docs/errors.md has cause and remedy. */
        fprintf(stderr, "agent: %s (%s)\n", err.message, err.step);
        cordon_box_free(box);
        return 125;
    }
    relay_output(process);
    int status = finish(process, &err);
    cordon_box_free(box);
    return status;
}
