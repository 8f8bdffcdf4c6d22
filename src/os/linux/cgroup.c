/* cgroup.c - see cgroup.h. Runs outside, before the command's tree is cloned and after its end.
 *
 * The kernel's rules decide where the new group may be. A group with processes
 * cannot give controllers to its children, so it is no child of ours but a
 * sibling, of us or of an ancestor: below the nearest directory that hands the
 * controllers down. And who moves a process must be able to write cgroup.procs
 * of the common ancestor, which is that same directory.
 */
#include "os/linux/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "os/linux/mountinfo.h"

#define STEP_MEMORY "linux.limit.memory"
#define STEP_PROCESSES "linux.limit.processes"

#define REMOVE_TRIES 20
#define REMOVE_PAUSE_NS 10000000L

/* ---- where ---- */

/* Opens ROOT/path for reading; NULL: out of memory or not there. */
static FILE *open_text(const char *root, const char *path)
{
    char *full = string_format("%s%s", root, path);
    FILE *file = full ? fopen(full, "re") : NULL;
    free(full);
    return file;
}

/* Our own group, as cgroup v2 names it; the caller frees. */
static char *own_group(const char *root)
{
    char *line = NULL, *group = NULL;
    size_t cap = 0;
    FILE *file = open_text(root, "/proc/self/cgroup");
    while (file && !group && getline(&line, &cap, file) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::/", 4) == 0)
            group = string_copy(line + 3);
    }
    if (file)
        fclose(file);
    free(line);
    /* Outside the cgroup namespace's root: there is no way to it. */
    if (group && strncmp(group, "/..", 3) == 0) {
        free(group);
        group = NULL;
    }
    return group;
}

/* The path of `group` below what a mount shows, "" for its top; NULL: it does not show it. */
static const char *below(const char *mounted, const char *group)
{
    size_t len = strcmp(mounted, "/") == 0 ? 0 : strlen(mounted);
    if (strncmp(mounted, group, len) != 0 || (group[len] != '/' && group[len] != '\0'))
        return NULL;
    return strcmp(group + len, "/") == 0 ? "" : group + len;
}

/* Is `word` in DIRECTORY/file, a row of words? */
static bool has_word(const char *directory, const char *file, const char *word)
{
    char text[512], *rest = NULL;
    FILE *stream = open_text(directory, file);
    if (!stream)
        return false;
    size_t len = fread(text, 1, sizeof text - 1, stream);
    fclose(stream);
    text[len] = '\0';
    for (char *at = strtok_r(text, " \n", &rest); at; at = strtok_r(NULL, " \n", &rest)) {
        if (strcmp(at, word) == 0)
            return true;
    }
    return false;
}

static bool may(const char *directory, const char *file, int mode)
{
    char *path = string_format("%s%s", directory, file);
    bool yes = path && faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
    free(path);
    return yes;
}

/* Whole processes can be in children of a "domain" only; there are also "domain
 * threaded" and "domain invalid". The root has no type. */
static bool is_domain(const char *directory)
{
    static const char file[] = "/cgroup.type";
    return !may(directory, file, F_OK) ||
           (has_word(directory, file, "domain") && !has_word(directory, file, "threaded") &&
            !has_word(directory, file, "invalid"));
}

static bool is_fit(const char *directory, bool memory, bool processes)
{
    return (!memory || has_word(directory, "/cgroup.subtree_control", "memory")) &&
           (!processes || has_word(directory, "/cgroup.subtree_control", "pids")) && is_domain(directory) &&
           may(directory, "", W_OK | X_OK) && may(directory, "/cgroup.procs", W_OK);
}

/* From our own group up to the mount point. Cuts `path` to the directory found. */
static bool climb(char *path, size_t top, bool memory, bool processes)
{
    for (;;) {
        if (is_fit(path, memory, processes))
            return true;
        if (strlen(path) <= top)
            return false;
        *strrchr(path, '/') = '\0';
    }
}

/* The directory to make the group in; the caller frees. NULL: there is none. */
static char *find_parent(const char *root, bool memory, bool processes)
{
    char *group = own_group(root), *line = NULL, *found = NULL;
    size_t cap = 0;
    FILE *file = group ? open_text(root, "/proc/self/mountinfo") : NULL;
    while (file && !found && getline(&line, &cap, file) >= 0) {
        struct mountinfo mount;
        bool fits = mountinfo_split(line, &mount) && strcmp(mount.type, "cgroup2") == 0;
        const char *rest = fits ? below(mount.root, group) : NULL;
        if (!rest)
            continue;
        char *path = string_format("%s%s%s", root, mount.point, rest);
        if (path && climb(path, strlen(root) + strlen(mount.point), memory, processes))
            found = path;
        else
            free(path);
    }
    if (file)
        fclose(file);
    free(line);
    free(group);
    return found;
}

bool cgroup_available(const char *root, bool memory, bool processes)
{
    char *parent = find_parent(root, memory, processes);
    bool available = parent != NULL;
    free(parent);
    return available;
}

/* ---- making it ---- */

static cordon_status unavailable(const char *root, bool memory, struct cordon_error *err)
{
    /* With both wanted, the message names the one that is missing by itself. */
    if (memory && !cgroup_available(root, true, false))
        return error_set(
            err, CORDON_E_UNSUPPORTED, 0, STEP_MEMORY,
            "no cgroup v2 with the memory controller is delegated to this user; run under "
            "`systemd-run --user --scope`, or drop the limit with --allow-degraded limit-memory");
    return error_set(err, CORDON_E_UNSUPPORTED, 0, STEP_PROCESSES,
                     "no cgroup v2 with the pids controller is delegated to this user; run under "
                     "`systemd-run --user --scope`, or drop the limit with --allow-degraded limit-processes");
}

/* O_CREAT does nothing in a cgroup file system, which lets no file be made; a
 * tree of plain files (tests) has none yet. */
static int put(const struct cgroup *c, const char *file, uint64_t value)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%" PRIu64, value), error = 0;
    int fd = openat(c->dir_fd, file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno;
    ssize_t written = write(fd, text, (size_t)len);
    if (written != len)
        error = written < 0 ? errno : EIO;
    close(fd);
    return error;
}

static cordon_status set(const struct cgroup *c, const char *step, const char *file, uint64_t value,
                         struct cordon_error *err)
{
    int error = put(c, file, value);
    if (error)
        return error_set(err, CORDON_E_SYSTEM, error, step, "cannot set %s/%s: %s", c->path, file,
                         strerror(error));
    return CORDON_OK;
}

/* Is there any swap? /proc/swaps has one line of headings. */
static bool has_swap(const char *root)
{
    int lines = 0, byte;
    FILE *file = open_text(root, "/proc/swaps");
    if (!file)
        return false;
    while ((byte = getc(file)) != EOF)
        lines += byte == '\n';
    fclose(file);
    return lines > 1;
}

/* A limit that pushes its excess to the swap space would be none. */
static cordon_status limit_memory(const struct cgroup *c, const char *root, uint64_t bytes,
                                  struct cordon_error *err)
{
    cordon_status status = set(c, STEP_MEMORY, "memory.max", bytes, err);
    if (status == CORDON_OK)
        status = set(c, STEP_MEMORY, "memory.oom.group", 1, err);
    if (status != CORDON_OK)
        return status;
    int error = put(c, "memory.swap.max", 0);
    if (error && (faccessat(c->dir_fd, "memory.swap.max", F_OK, 0) == 0 || has_swap(root)))
        return error_set(
            err, CORDON_E_UNSUPPORTED, error, STEP_MEMORY,
            "this kernel does not count swapped memory (memory.swap.max: %s), so the limit would "
            "not hold; remove swapaccount=0 from the kernel's command line, or drop the limit with "
            "--allow-degraded limit-memory",
            strerror(error));
    return CORDON_OK;
}

/* A cordon that was killed leaves its group behind, empty since its tree died
 * with it. One that holds processes cannot be removed; one that is about to is
 * told by its maker's being alive. */
static void remove_stale(const char *parent)
{
    static const char prefix[] = "cordon-";
    DIR *stream = opendir(parent);
    const struct dirent *entry;
    while (stream && (entry = readdir(stream)) != NULL) {
        char *end;
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) != 0)
            continue;
        long maker = strtol(entry->d_name + sizeof prefix - 1, &end, 10);
        if (*end == '-' && maker > 0 && maker <= INT_MAX && kill((pid_t)maker, 0) != 0 && errno == ESRCH)
            unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR);
    }
    if (stream)
        closedir(stream);
}

cordon_status cgroup_create(const char *root, uint64_t memory_bytes, uint64_t processes, struct cgroup *out,
                            struct cordon_error *err)
{
    const char *step = memory_bytes ? STEP_MEMORY : STEP_PROCESSES;
    struct cgroup made = {.dir_fd = -1, .path = NULL};
    uint32_t random = 0;
    cordon_status status = CORDON_OK;
    char *parent = find_parent(root, memory_bytes != 0, processes != 0);
    if (!parent)
        return unavailable(root, memory_bytes != 0, err);
    remove_stale(parent);
    if (getrandom(&random, sizeof random, 0) != sizeof random) {
        status = error_set(err, CORDON_E_SYSTEM, errno, step, "getrandom: %s", strerror(errno));
        goto out;
    }
    made.path = string_format("%s/cordon-%ld-%08" PRIx32, parent, (long)getpid(), random);
    if (!made.path) {
        status = error_nomem(err, step);
        goto out;
    }
    if (mkdir(made.path, 0755) != 0) {
        status =
            error_set(err, CORDON_E_SYSTEM, errno, step, "cannot make %s: %s", made.path, strerror(errno));
        free(made.path);
        made.path = NULL;
        goto out;
    }
    made.dir_fd = open(made.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (made.dir_fd < 0) {
        status =
            error_set(err, CORDON_E_SYSTEM, errno, step, "cannot open %s: %s", made.path, strerror(errno));
        goto out;
    }
    if (memory_bytes)
        status = limit_memory(&made, root, memory_bytes, err);
    if (status == CORDON_OK && processes)
        status = set(&made, STEP_PROCESSES, "pids.max", processes, err);
out:
    free(parent);
    if (status == CORDON_OK)
        *out = made;
    else
        cgroup_remove(&made);
    return status;
}

/* ---- afterwards ---- */

/* Is the number behind `key` in this file of lines "key number" more than 0? */
static bool counted(const struct cgroup *c, const char *file, const char *key)
{
    char line[64];
    size_t len = strlen(key);
    bool yes = false;
    int fd = openat(c->dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    FILE *stream = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!stream) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    while (!yes && fgets(line, sizeof line, stream))
        yes = strncmp(line, key, len) == 0 && line[len] == ' ' && strtoull(line + len, NULL, 10) > 0;
    fclose(stream);
    return yes;
}

void cgroup_read_events(const struct cgroup *c, struct cgroup_events *out)
{
    out->oom = counted(c, "memory.events", "oom_kill");
    out->pids_max = counted(c, "pids.events", "max");
}

void cgroup_remove(struct cgroup *c)
{
    static const struct timespec pause = {0, REMOVE_PAUSE_NS};
    if (c->dir_fd >= 0)
        close(c->dir_fd);
    /* A process that was waited for leaves its group a moment later. */
    for (int i = 0; c->path && i < REMOVE_TRIES && rmdir(c->path) != 0 && errno == EBUSY; i++)
        nanosleep(&pause, NULL);
    free(c->path);
    c->dir_fd = -1;
    c->path = NULL;
}
