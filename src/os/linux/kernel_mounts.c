/* kernel_mounts.c - see kernel_mounts.h. Runs as the user, outside; called by resolve.c.
 *
 * A root is taken with what is mounted in it. Root's command could change the
 * machine's settings through a procfs there, /proc/sys/kernel/core_pattern for
 * one, without any capability.
 */
#include "os/linux/kernel_mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "os/linux/mountinfo.h"

static const struct {
    const char *name; /* as in mountinfo */
    long magic;       /* linux/magic.h */
} kernel_types[] = {
    {"proc", 0x9fa0},         {"sysfs", 0x62656572},      {"cgroup", 0x27e0eb},
    {"cgroup2", 0x63677270},  {"debugfs", 0x64626720},    {"tracefs", 0x74726163},
    {"configfs", 0x62656570}, {"securityfs", 0x73636673}, {"selinuxfs", 0xf97cff8c},
    {"smackfs", 0x43415d53},  {"efivarfs", 0xde5e81e4},   {"pstore", 0x6165676c},
    {"bpf", 0xcafe4a11},      {"fusectl", 0x65735543},    {"binfmt_misc", 0x42494e4d},
    {"resctrl", 0x7655821},
};

#define TYPE_COUNT (sizeof kernel_types / sizeof *kernel_types)

bool kernel_mounts_holds(int fd)
{
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0)
        return false;
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if ((unsigned)fs.f_type == (unsigned)kernel_types[i].magic)
            return true;
    return false;
}

static bool is_kernel_type(const char *name)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (strcmp(kernel_types[i].name, name) == 0)
            return true;
    return false;
}

static bool is_in_root(const struct resolved *r, const char *path)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->items[i].kind == RULE_WRITE && !r->items[i].backing &&
            path_is_within(r->rules, r->items[i].path, path))
            return true;
    return false;
}

static cordon_status protect(struct resolved *r, const char *path, struct cordon_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return error_set(err, CORDON_E_SYSTEM, errno, "resolve.mounts",
                         "cannot look at %s, a mount in a root: %s", path, strerror(errno));
    struct rule rule = {.kind = RULE_PROTECT,
                        .path = path,
                        .origin = "built in: it steers the kernel, not files",
                        .type = S_ISDIR(st.st_mode) ? OBJECT_DIRECTORY : OBJECT_FILE,
                        .dev = st.st_dev,
                        .ino = st.st_ino,
                        .nlink = st.st_nlink};
    return resolved_add(r, &rule, err);
}

cordon_status kernel_mounts_protect(struct resolved *r, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file)
        return error_set(err, CORDON_E_SYSTEM, errno, "resolve.mounts",
                         "cannot read /proc/self/mountinfo: %s", strerror(errno));
    while (status == CORDON_OK && getline(&line, &size, file) > 0) {
        struct mountinfo mount;
        if (mountinfo_split(line, &mount) && is_kernel_type(mount.type) && is_in_root(r, mount.point))
            status = protect(r, mount.point, err);
    }
    free(line);
    fclose(file);
    return status;
}
