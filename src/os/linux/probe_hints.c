/* probe_hints.c - settings that may explain a refusal (see probe.h). Reads only; decides nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/linux/mountinfo.h"
#include "os/linux/probe.h"

/* The number in a file of one; `absent` where it is not to be had. */
static long long read_number(const char *path, long long absent)
{
    char text[32];
    FILE *file = fopen(path, "re");
    long long number = absent;
    if (file && fgets(text, sizeof text, file)) {
        char *end;
        long long value = strtoll(text, &end, 10);
        if (end != text)
            number = value;
    }
    if (file)
        fclose(file);
    return number;
}

static bool read_filtered(void)
{
    static const char key[] = "Seccomp:";
    char line[256];
    bool filtered = false;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, sizeof key - 1) == 0)
            filtered = strtol(line + sizeof key - 1, NULL, 10) == 2;
    if (file)
        fclose(file);
    return filtered;
}

/* The root of a chroot is no mount of its own, so mountinfo lists none at `/`. */
static bool read_chrooted(void)
{
    char *line = NULL;
    size_t cap = 0;
    bool any = false, root = false;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    while (file && getline(&line, &cap, file) >= 0) {
        struct mountinfo mount;
        if (!mountinfo_split(line, &mount))
            continue;
        any = true;
        root = root || strcmp(mount.point, "/") == 0;
    }
    if (file)
        fclose(file);
    free(line);
    return any && !root;
}

static void read_modules(struct doctor_hints *hints)
{
    char list[256], *rest = NULL;
    FILE *file = fopen("/sys/kernel/security/lsm", "re");
    hints->lsm_known = file && fgets(list, sizeof list, file);
    if (file)
        fclose(file);
    if (!hints->lsm_known)
        return;
    for (char *name = strtok_r(list, ",\n", &rest); name; name = strtok_r(NULL, ",\n", &rest))
        hints->lsm_has_landlock = hints->lsm_has_landlock || strcmp(name, "landlock") == 0;
}

void probe_hints(struct doctor_hints *hints)
{
    hints->max_user_namespaces = read_number("/proc/sys/user/max_user_namespaces", -1);
    hints->userns_clone_off = read_number("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0;
    hints->apparmor_restricts = read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) != 0;
    hints->yama = (int)read_number("/proc/sys/kernel/yama/ptrace_scope", -1);
    hints->filtered = read_filtered();
    hints->chrooted = read_chrooted();
    read_modules(hints);
}
