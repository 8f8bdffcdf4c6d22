/* init.h - the sandbox's pid 1. */
#ifndef CORDON_LINUX_INIT_H
#define CORDON_LINUX_INIT_H

#include <signal.h>

#include "os/linux/mounts.h"
#include "plan/linux_plan.h"

/* Prepared by the launcher; init has a copy-on-write view of it. */
struct init_context {
    const struct linux_plan *plan;
    struct mounts_scratch scratch;
    char *const *candidates; /* full paths to try for the command, in order; NULL-terminated */
    char *const *argv;
    char **script_argv; /* "/bin/sh", a free place, argv[1]...: for a script without #! */
    char *const *environment;
    int channel; /* init's end */
    int ruleset_fd;
    int terminal;    /* descriptor of the controlling terminal; -1: none */
    bool foreground; /* make the command's group the foreground one at start */
    sigset_t mask;   /* the command's signal mask */
    uint64_t nofile_soft, nofile_hard;
    const int
        *pins; /* the launcher's descriptors on what it checked: closed here, 1000 roots must not need 2000 */
    size_t pin_count;
};

/* Never returns. */
_Noreturn void init_main(struct init_context *context);

#endif
