/* landlock_steps.c - see landlock_steps.h. Data only. */
#include "plan/landlock_steps.h"

const struct landlock_step landlock_steps[] = {
    {1, "5.13", "files", "write devices",
     "below the floor: every rename between directories would be refused"},
    {2, "5.19", "rename and link between directories", "write", "the floor"},
    {3, "6.2", "truncate", "write", "mount namespace"},
    {4, "6.7", "TCP ports", "network",
     "network namespace (cordon does not use it: a rule names single ports and would refuse the inner "
     "loopback too)"},
    {5, "6.10", "ioctl on devices", "devices terminal", "minimal `/dev`; seccomp for terminals"},
    {6, "6.12", "scopes: abstract unix sockets, signals", "unix-sockets outside-processes",
     "network namespace and seccomp; PID namespace"},
    {7, "6.15", "audit records", "", "none: for people only"},
    {9, "after 6.18", "pathname unix sockets", "unix-sockets", "seccomp and cordon's socket broker"},
    {10, "after 6.18", "UDP ports", "network", "network namespace"},
};
const size_t landlock_step_count = sizeof landlock_steps / sizeof *landlock_steps;
