/* spawn.h - starts one program, collects what it says, and sees what it leaves. */
#ifndef CORDON_MATRIX_SPAWN_H
#define CORDON_MATRIX_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spawn {
    char *const *argv;
    char *const *environment;
    const char *cwd;
    int stdin_fd;    /* -1: /dev/null */
    int extra_fd;    /* becomes descriptor 3, without close-on-exec; -1: none */
    bool own_stdin;  /* a pipe that the caller holds: spawned.in */
    bool terminal;   /* standard input is a terminal, and the controlling one */
    bool isolated;   /* in namespaces of its own, with every right there: for controls */
    pid_t companion; /* joins the process group; 0: none */
};

struct spawned {
    pid_t pid;
    int in, out, err;
    int terminal; /* the master's end */
};

struct outcome {
    int status; /* of waitpid */
    bool timed_out;
    char out[4096], err[4096];
};

int spawn_start(const struct spawn *how, struct spawned *out);
/* Reads until the first newline of standard output: "READY". */
bool spawn_await_line(struct spawned *s, const char *line);
/* Collects both outputs until the program has ended (60 seconds at most, then
 * it is killed), closes everything. */
void spawn_finish(struct spawned *s, struct outcome *out);

/* The caller must be a subreaper: every orphan of a program comes to it. Waits
 * a moment for children other than `known` to end, kills the rest; how many
 * had to be killed. */
size_t spawn_sweep(const pid_t *known, size_t known_count);

/* How many mounts at or below `path` does this mount namespace have? */
size_t spawn_mounts_below(const char *path);

#endif
