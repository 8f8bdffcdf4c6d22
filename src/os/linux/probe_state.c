/* probe_state.c - see probe_state.h. Called by `cordon doctor`, as the user.
 *
 * What crashed runs left is told from what runs now by its lock, which is tried
 * for a moment as the start of any run tries it.
 */
#include "os/linux/probe_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/buf.h"
#include "os/linux/beneath.h"
#include "os/linux/registry.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define RUN_PREFIX "run-"

/* linux/magic.h, and what it lacks. */
static const struct {
    unsigned long magic;
    const char *name;
} file_systems[] = {
    {0xef53, "ext4"},         {0x58465342, "xfs"},  {0x9123683e, "btrfs"}, {0x01021994, "tmpfs"},
    {0x794c7630, "overlay"},  {0x6969, "NFS"},      {0x65735546, "FUSE"},  {0x2fc12fc1, "ZFS"},
    {0x01021997, "9p"},       {0xff534d42, "CIFS"}, {0xfe534d42, "SMB"},   {0xf2f52010, "f2fs"},
    {0xca451a4e, "bcachefs"}, {0x4d44, "FAT"},      {0x2011bab0, "exFAT"}, {0xf15f, "eCryptfs"},
};

static const char *file_system_of(const char *path)
{
    struct statfs st;
    if (statfs(path, &st) != 0)
        return "an unknown file system";
    for (size_t i = 0; i < sizeof file_systems / sizeof *file_systems; i++)
        if (file_systems[i].magic == ((unsigned long)st.f_type & 0xffffffff))
            return file_systems[i].name;
    return "another file system";
}

/* Nobody locks the directory that `fd` is open on. */
static bool is_free(int fd)
{
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static bool is_left_over(const struct registry_record *record)
{
    struct stat st;
    int fd = beneath_open_absolute(record->path, DIRECTORY_FLAGS);
    bool left = fd >= 0 && fstat(fd, &st) == 0 && beneath_is_empty(fd) == 1 &&
                (record->made ? (uint64_t)st.st_ino == record->ino : st.st_uid == geteuid()) && is_free(fd);
    if (fd >= 0)
        close(fd);
    return left;
}

static void count_temporaries(int dir, struct probe_state *s)
{
    struct beneath_list list;
    struct beneath_entry entry;
    beneath_list_init(&list, dir);
    while (beneath_list_next(&list, &entry) > 0) {
        if (strncmp(entry.name, RUN_PREFIX, sizeof RUN_PREFIX - 1) != 0)
            continue;
        int fd = openat(dir, entry.name, DIRECTORY_FLAGS);
        s->temporaries += is_free(fd);
        if (fd >= 0)
            close(fd);
    }
}

static void count_quarantined(int dir, struct probe_state *s)
{
    struct beneath_list list;
    struct beneath_entry entry;
    int quarantine = openat(dir, "quarantine", DIRECTORY_FLAGS);
    if (quarantine < 0)
        return;
    beneath_list_init(&list, quarantine);
    while (beneath_list_next(&list, &entry) > 0)
        s->quarantined++;
    close(quarantine);
}

static void look_at_workspace(int dir, struct probe_state *s)
{
    struct registry registry;
    struct cordon_error ignored;
    if (faccessat(dir, "workspace", F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    s->workspaces++;
    count_temporaries(dir, s);
    count_quarantined(dir, s);
    registry_init(&registry);
    if (registry_open(&registry, dir, REGISTRY_LOOK, 0, &ignored) == CORDON_OK)
        for (size_t i = 0; i < registry.count; i++)
            s->placeholders += is_left_over(&registry.items[i]);
    registry_release(&registry);
}

static void look_at_workspaces(int root, struct probe_state *s)
{
    struct beneath_list list;
    struct beneath_entry entry;
    beneath_list_init(&list, root);
    while (beneath_list_next(&list, &entry) > 0) {
        int dir = openat(root, entry.name, DIRECTORY_FLAGS);
        if (dir < 0)
            continue;
        look_at_workspace(dir, s);
        close(dir);
    }
}

bool probe_state_look(const char *state_root, struct probe_state *out)
{
    struct stat st;
    struct probe_state s = {.existing = string_copy(state_root)};
    if (!s.existing)
        return false;
    int root = open(state_root, DIRECTORY_FLAGS);
    s.exists = root >= 0 || errno != ENOENT;
    if (root >= 0 && fstat(root, &st) == 0) {
        s.ours = st.st_uid == geteuid() && !(st.st_mode & 022);
        look_at_workspaces(root, &s);
    }
    if (root >= 0)
        close(root);
    for (char *slash; s.existing[1] && stat(s.existing, &st) != 0 && (slash = strrchr(s.existing, '/'));)
        slash[slash == s.existing] = '\0';
    s.file_system = file_system_of(s.existing);
    *out = s;
    return true;
}

void probe_state_release(struct probe_state *s)
{
    free(s->existing);
    memset(s, 0, sizeof *s);
}
