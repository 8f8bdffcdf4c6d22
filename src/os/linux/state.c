/* state.c - one state directory per workspace (see state.h, docs/state.md).
 *
 * Called by the launcher, as the user, before anything of the sandbox exists.
 * The command writes into tmp, vartmp, shm, cache and run-*; everything else
 * below the workspace's directory only cordon writes. A run that repeats finds
 * the marker `version` and makes nothing.
 */
#include "os/linux/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/path.h"
#include "core/utf.h"
#include "os/linux/beneath.h"
#include "os/linux/sys.h"
#include "os/posix/write_all.h"

#define STEP_OPEN "state.open"
#define STEP_WRITE "state.write"
#define LAYOUT_VERSION "1"
#define NAME_BYTES 40     /* of the workspace's name in its directory's name */
#define MAX_COLLISIONS 16 /* workspaces whose names and hashes agree */
#define TEMP_PREFIX ".new-"
#define RUN_PREFIX "run-"
#define TEMP_SECONDS 3600 /* an unfinished write that is older was abandoned */
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

/* Directories and links of a workspace's state, parents first. tmp, vartmp and
 * shm are sticky because tools check that /tmp is; the parent is 0700 anyway. */
static const struct skeleton_directory {
    const char *path;
    mode_t mode;
    bool written; /* by the command, which may have changed its mode */
} skeleton_directories[] = {
    {"tmp", 01777, true},     {"vartmp", 01777, true}, {"shm", 01777, true},
    {"cache", 0700, true},    {"dev", 0755, false},    {"dev/pts", 0755, false},
    {"dev/shm", 0755, false}, {"mask", 0700, false},   {"mask/dir", 0, false},
};

static const struct skeleton_file {
    const char *path;
    mode_t mode;
} skeleton_files[] = {
    {"dev/null", 0600},    {"dev/zero", 0600}, {"dev/full", 0600}, {"dev/random", 0600},
    {"dev/urandom", 0600}, {"dev/tty", 0600},  {"mask/file", 0},
};

static const struct skeleton_link {
    const char *path, *target;
} skeleton_links[] = {
    {"dev/ptmx", "pts/ptmx"},          {"dev/fd", "/proc/self/fd"},       {"dev/stdin", "/proc/self/fd/0"},
    {"dev/stdout", "/proc/self/fd/1"}, {"dev/stderr", "/proc/self/fd/2"},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What one listing of the workspace's directory tells. */
struct scan {
    bool dev, mask, version;
};

/* `name` may be NULL. */
static cordon_status open_failed(struct cordon_error *err, int code, const char *what, const char *directory,
                                 const char *name)
{
    const char *remedy = "set XDG_STATE_HOME to a directory of yours that can be written";
    if (code == ENOSPC || code == EDQUOT)
        remedy = "free some space, or set XDG_STATE_HOME to a directory on another file system";
    else if (code == EMFILE || code == ENFILE)
        remedy = "close some files, or raise the limit on open files";
    else if (code == ELOOP || code == ENOTDIR)
        remedy = "something else has taken its place: remove it, or set XDG_STATE_HOME";
    return error_set(err, CORDON_E_SYSTEM, code, STEP_OPEN, "cannot %s %s%s%s: %s; %s", what, directory,
                     name ? "/" : "", name ? name : "", strerror(code), remedy);
}

/* ---- the state root ---- */

/* Makes the missing components of the state root. What root makes in another
 * user's home would lock that user out of his own state: refused. */
static cordon_status make_root(const char *root, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    char *copy = string_copy(root), *save = NULL;
    int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool made = false;

    if (!copy || dir < 0) {
        status = copy ? open_failed(err, errno, "open", "/", NULL) : error_nomem(err, STEP_OPEN);
        goto out;
    }
    for (char *name = strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
        int next = beneath_open(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
        if (next < 0 && errno == ENOENT) {
            struct stat st;
            if (!made && fstat(dir, &st) == 0 && st.st_uid != geteuid() && st.st_uid != 0) {
                status = error_set(err, CORDON_E_INVALID, 0, STEP_OPEN,
                                   "%s would be made in a directory of another user (uid %lu): set HOME or "
                                   "XDG_STATE_HOME to a directory of yours",
                                   root, (unsigned long)st.st_uid);
                goto out;
            }
            made = true;
            if (mkdirat(dir, name, 0700) != 0 && errno != EEXIST) {
                status = open_failed(err, errno, "make", root, NULL);
                goto out;
            }
            next = beneath_open(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
        }
        if (next < 0) {
            status = open_failed(err, errno, "open", root, NULL);
            goto out;
        }
        close(dir);
        dir = next;
    }
out:
    free(copy);
    if (dir >= 0)
        close(dir);
    return status;
}

static cordon_status open_root(const char *root, int *out, struct cordon_error *err)
{
    struct stat st;
    int fd = beneath_open_absolute(root, DIRECTORY_FLAGS);
    if (fd < 0 && errno == ENOENT) {
        cordon_status status = make_root(root, err);
        if (status != CORDON_OK)
            return status;
        fd = beneath_open_absolute(root, DIRECTORY_FLAGS);
    }
    if (fd < 0)
        return open_failed(err, errno, "open", root, NULL);
    if (fstat(fd, &st) != 0) {
        cordon_status status = open_failed(err, errno, "stat", root, NULL);
        close(fd);
        return status;
    }
    if (st.st_uid != geteuid() || (st.st_mode & 022)) {
        close(fd);
        return error_set(err, CORDON_E_INVALID, 0, STEP_OPEN,
                         "%s must belong to uid %lu and be writable by nobody else (it belongs to uid %lu, "
                         "mode %04o): correct that with chown and chmod, or set XDG_STATE_HOME",
                         root, (unsigned long)geteuid(), (unsigned long)st.st_uid,
                         (unsigned)(st.st_mode & 07777));
    }
    *out = fd;
    return CORDON_OK;
}

/* ---- small files ---- */

/* 1: the file holds exactly these bytes; 0: other bytes; -1: errno. */
static int file_equals(int dir, const char *name, const char *bytes, size_t len)
{
    char chunk[4096];
    size_t at = 0;
    ssize_t got;
    int fd = beneath_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -1;
    while ((got = read(fd, chunk, sizeof chunk)) > 0) {
        if ((size_t)got > len - at || memcmp(chunk, bytes + at, (size_t)got) != 0)
            break;
        at += (size_t)got;
        if (at == len && (size_t)got < sizeof chunk) { /* a short read of a regular file is its end */
            got = 0;
            break;
        }
    }
    int code = errno;
    close(fd);
    errno = code;
    return got < 0 ? -1 : got == 0 && at == len;
}

/* Writes a temporary file; its name goes to `temp`. 0, or -1 with errno and nothing left. */
static int write_temporary(int dir, const char *bytes, size_t len, char *temp, size_t size)
{
    beneath_random_name(temp, size, TEMP_PREFIX);
    int fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (write_all(fd, bytes, len) != 0)
        goto failed;
    if (close(fd) == 0) /* some file systems tell only here that the disk is full */
        return 0;
    fd = -1;
failed:;
    int code = errno;
    if (fd >= 0)
        close(fd);
    unlinkat(dir, temp, 0);
    errno = code;
    return -1;
}

static int write_file(int dir, const char *name, const char *bytes, size_t len)
{
    char temp[64];
    for (int tries = 0;; tries++) {
        if (write_temporary(dir, bytes, len, temp, sizeof temp) != 0)
            return -1;
        if (renameat(dir, temp, dir, name) == 0)
            return 0;
        int code = errno;
        unlinkat(dir, temp, 0);
        errno = code;
        if (code != ENOENT || tries == 3) /* ENOENT: collected as abandoned (the clock jumped) */
            return -1;
    }
}

/* Like write_file, but never replaces: -1 with EEXIST. */
static int claim_file(int dir, const char *name, const char *bytes, size_t len)
{
    char temp[64];
    if (write_temporary(dir, bytes, len, temp, sizeof temp) != 0)
        return -1;
    int result = linkat(dir, temp, dir, name, 0);
    if (result != 0 && errno != EEXIST) /* a file system without hard links */
        result = sys_renameat2(dir, temp, dir, name, SYS_RENAME_NOREPLACE);
    int code = errno;
    unlinkat(dir, temp, 0);
    errno = code;
    return result;
}

/* ---- the workspace's directory ---- */

static void directory_name(const char *workspace, unsigned attempt, char *out, size_t size)
{
    const char *base = path_basename(PATH_POSIX, workspace);
    char name[NAME_BYTES + 1];
    size_t len = 0;
    for (; len < NAME_BYTES && base[len]; len++) {
        char c = base[len];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                     (len > 0 && (c == '.' || c == '-')); /* no hidden name, no seeming option */
        name[len] = plain ? c : '_';
    }
    name[len] = '\0';
    snprintf(out, size, "%s-%016llx", len ? name : "root", (unsigned long long)beneath_hash(workspace));
    if (attempt > 1)
        snprintf(out + strlen(out), size - strlen(out), "-%u", attempt);
}

static cordon_status ensure_directory(int dir, const char *where, const char *path, mode_t mode,
                                      struct cordon_error *err)
{
    struct stat st;
    bool made = mkdirat(dir, path, 0700) == 0;
    if (!made && errno != EEXIST)
        return open_failed(err, errno, "make the directory", where, path);
    if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return open_failed(err, errno, "stat", where, path);
    if (!S_ISDIR(st.st_mode))
        return open_failed(err, ENOTDIR, "use", where, path);
    /* fchmodat follows links, but nobody else writes here and this is none. */
    if ((st.st_mode & 07777) != mode && fchmodat(dir, path, mode, 0) != 0)
        return open_failed(err, errno, "set the mode of", where, path);
    return CORDON_OK;
}

static cordon_status make_skeleton(int dir, const char *where, struct cordon_error *err)
{
    for (size_t i = 0; i < COUNT(skeleton_directories); i++) {
        cordon_status status =
            ensure_directory(dir, where, skeleton_directories[i].path, skeleton_directories[i].mode, err);
        if (status != CORDON_OK)
            return status;
    }
    for (size_t i = 0; i < COUNT(skeleton_files); i++) {
        const struct skeleton_file *file = &skeleton_files[i];
        if (mknodat(dir, file->path, S_IFREG | file->mode, 0) != 0 && errno != EEXIST)
            return open_failed(err, errno, "make the file", where, file->path);
    }
    for (size_t i = 0; i < COUNT(skeleton_links); i++) {
        const struct skeleton_link *link = &skeleton_links[i];
        if (symlinkat(link->target, dir, link->path) != 0 && errno != EEXIST)
            return open_failed(err, errno, "make the link", where, link->path);
    }
    return CORDON_OK;
}

/* Claims the directory for the workspace and makes what is missing. *taken:
 * it belongs to another workspace. */
static cordon_status complete(int dir, const char *where, const char *owner, size_t owner_len,
                              const char *marker, bool *taken, struct cordon_error *err)
{
    struct stat st;
    *taken = false;
    if (claim_file(dir, "workspace", owner, owner_len) != 0) {
        if (errno != EEXIST)
            return open_failed(err, errno, "write in", where, NULL);
        int same = file_equals(dir, "workspace", owner, owner_len);
        /* A machine that lost power leaves an empty file: nobody's. */
        if (same == 0 && fstatat(dir, "workspace", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == 0)
            same = write_file(dir, "workspace", owner, owner_len) == 0 ? 1 : -1;
        if (same < 0)
            return open_failed(err, errno, "read", where, "workspace");
        *taken = same == 0;
        if (*taken)
            return CORDON_OK;
    }
    cordon_status status = make_skeleton(dir, where, err);
    if (status == CORDON_OK && write_file(dir, "version", marker, strlen(marker)) != 0)
        status = open_failed(err, errno, "write in", where, NULL);
    return status;
}

/* Removes a crashed run's directory: nobody holds its lock. */
static void collect_run(int dir, const char *name)
{
    int fd = beneath_open(dir, name, DIRECTORY_FLAGS);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        beneath_remove(dir, name);
    close(fd);
}

static void collect_temporary(int dir, const char *name)
{
    struct stat st;
    time_t now = time(NULL);
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && now - st.st_mtime > TEMP_SECONDS)
        unlinkat(dir, name, 0);
}

/* One listing: what is there, and what crashed runs left. */
static void scan_directory(int dir, struct scan *out)
{
    struct beneath_list list;
    struct beneath_entry entry;
    memset(out, 0, sizeof *out);
    beneath_list_init(&list, dir);
    while (beneath_list_next(&list, &entry) > 0) {
        if (strcmp(entry.name, "dev") == 0)
            out->dev = true;
        else if (strcmp(entry.name, "mask") == 0)
            out->mask = true;
        else if (strcmp(entry.name, "version") == 0)
            out->version = true;
        else if (strncmp(entry.name, RUN_PREFIX, strlen(RUN_PREFIX)) == 0)
            collect_run(dir, entry.name);
        else if (strncmp(entry.name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0)
            collect_temporary(dir, entry.name);
    }
}

/* The command can chmod its own /tmp, and a user may delete the directories:
 * neither may break the next run. */
static bool written_directories_are_right(int dir)
{
    struct stat st;
    for (size_t i = 0; i < COUNT(skeleton_directories); i++) {
        const struct skeleton_directory *d = &skeleton_directories[i];
        if (d->written && (fstatat(dir, d->path, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode) ||
                           (st.st_mode & 07777) != d->mode))
            return false;
    }
    return true;
}

static cordon_status open_workspace(int root, const char *where, const char *workspace, int *out, bool *taken,
                                    struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    struct scan scan;
    struct buf owner = BUF_INIT, marker = BUF_INIT;
    const char *name = path_basename(PATH_POSIX, where);
    int dir = beneath_open(root, name, DIRECTORY_FLAGS);
    if (dir < 0 && errno == ENOENT) {
        if (mkdirat(root, name, 0700) != 0 && errno != EEXIST)
            return open_failed(err, errno, "make the directory", where, NULL);
        dir = beneath_open(root, name, DIRECTORY_FLAGS);
    }
    if (dir < 0)
        return open_failed(err, errno, "open", where, NULL);

    *taken = false;
    utf_escape_display(&owner, workspace, strlen(workspace));
    buf_add_char(&owner, '\n');
    buf_add_string(&marker, LAYOUT_VERSION " ");
    buf_add(&marker, owner.data, owner.len);
    if (buf_failed(&owner) || buf_failed(&marker)) {
        status = error_nomem(err, STEP_OPEN);
        goto out;
    }
    scan_directory(dir, &scan);
    if (!scan.dev || !scan.mask || !scan.version || !written_directories_are_right(dir) ||
        file_equals(dir, "version", marker.data, marker.len) != 1)
        status = complete(dir, where, owner.data, owner.len, marker.data, taken, err);
out:
    buf_release(&owner);
    buf_release(&marker);
    if (status != CORDON_OK || *taken)
        close(dir);
    else
        *out = dir;
    return status;
}

/* ---- one run ---- */

/* Makes and locks this run's directory. Another start may take the new name for
 * a crashed run's before it is locked, and remove it: then once more. */
static cordon_status make_run(int dir, const char *where, char **name_out, int *fd_out,
                              struct cordon_error *err)
{
    static const char *const names[] = {"tmp", "vartmp", "shm"};
    char name[64], path[80];
    for (int tries = 0; tries < 100; tries++) {
        struct stat here, there;
        beneath_random_name(name, sizeof name, RUN_PREFIX);
        if (mkdirat(dir, name, 0700) != 0) {
            if (errno == EEXIST)
                continue;
            return open_failed(err, errno, "make the directory", where, name);
        }
        int fd = beneath_open(dir, name, DIRECTORY_FLAGS);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0) {
            int code = errno;
            unlinkat(dir, name, AT_REMOVEDIR);
            return open_failed(err, code, "open", where, name);
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &here) != 0 ||
            fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) != 0 || here.st_ino != there.st_ino) {
            close(fd);
            continue;
        }
        cordon_status status = CORDON_OK;
        for (size_t i = 0; status == CORDON_OK && i < COUNT(names); i++) {
            snprintf(path, sizeof path, "%s/%s", name, names[i]);
            status = ensure_directory(dir, where, path, 01777, err);
        }
        char *copy = status == CORDON_OK ? string_copy(name) : NULL;
        if (status == CORDON_OK && !copy)
            status = error_nomem(err, STEP_OPEN);
        if (status != CORDON_OK) {
            beneath_remove(dir, name);
            close(fd);
            return status;
        }
        *name_out = copy;
        *fd_out = fd;
        return CORDON_OK;
    }
    return open_failed(err, EAGAIN, "lock", where, name);
}

cordon_status state_open(struct places *p, const char *workspace, enum policy_tmp tmp,
                         struct cordon_error *err)
{
    cordon_status status;
    char name[NAME_BYTES + 32];
    char *path = NULL, *run_name = NULL;
    int root = -1, dir = -1, run_fd = -1;
    bool taken = true;

    if (p->workspace_fd >= 0)
        return CORDON_OK;
    status = open_root(p->state_root, &root, err);
    for (unsigned attempt = 1; status == CORDON_OK && taken && attempt <= MAX_COLLISIONS; attempt++) {
        directory_name(workspace, attempt, name, sizeof name);
        free(path);
        path = string_format("%s/%s", p->state_root, name);
        status =
            path ? open_workspace(root, path, workspace, &dir, &taken, err) : error_nomem(err, STEP_OPEN);
    }
    if (status != CORDON_OK)
        goto out;
    if (taken) {
        status =
            error_set(err, CORDON_E_CONFLICT, 0, STEP_OPEN,
                      "%s and its siblings belong to other workspaces: remove those that are gone", path);
        goto out;
    }
    if (tmp == TMP_FRESH) {
        status = make_run(dir, path, &run_name, &run_fd, err);
        if (status != CORDON_OK)
            goto out;
    }
    free(p->workspace);
    free(p->run_name);
    p->workspace = path;
    p->workspace_fd = dir;
    p->fresh = tmp == TMP_FRESH;
    p->run_name = run_name;
    p->run_fd = run_fd;
    path = run_name = NULL;
    dir = run_fd = -1;
out:
    free(path);
    free(run_name);
    if (root >= 0)
        close(root);
    if (dir >= 0)
        close(dir);
    if (run_fd >= 0)
        close(run_fd);
    return status;
}

cordon_status state_name(struct places *p, const char *workspace, enum policy_tmp tmp,
                         struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    struct buf owner = BUF_INIT;
    char name[NAME_BYTES + 32];
    char *path = NULL, *run_name = tmp == TMP_FRESH ? string_copy(RUN_PREFIX "new") : NULL;
    bool taken = true;

    utf_escape_display(&owner, workspace, strlen(workspace));
    buf_add_char(&owner, '\n');
    if (buf_failed(&owner) || (tmp == TMP_FRESH && !run_name)) {
        status = error_nomem(err, STEP_OPEN);
        goto out;
    }
    for (unsigned attempt = 1; taken && attempt <= MAX_COLLISIONS; attempt++) {
        directory_name(workspace, attempt, name, sizeof name);
        free(path);
        path = string_format("%s/%s", p->state_root, name);
        if (!path) {
            status = error_nomem(err, STEP_OPEN);
            goto out;
        }
        int dir = beneath_open_absolute(path, DIRECTORY_FLAGS);
        taken = dir >= 0 && file_equals(dir, "workspace", owner.data, owner.len) == 0;
        if (dir >= 0)
            close(dir);
    }
    free(p->workspace);
    free(p->run_name);
    p->workspace = path;
    p->run_name = run_name;
    p->fresh = tmp == TMP_FRESH;
    path = run_name = NULL;
out:
    buf_release(&owner);
    free(path);
    free(run_name);
    return status;
}

bool state_knows(const struct places *p, const char *workspace)
{
    struct buf owner = BUF_INIT;
    char name[NAME_BYTES + 32];
    bool known = false, there = true;
    utf_escape_display(&owner, workspace, strlen(workspace));
    buf_add_char(&owner, '\n');
    for (unsigned attempt = 1; there && !known && !buf_failed(&owner) && attempt <= MAX_COLLISIONS;
         attempt++) {
        directory_name(workspace, attempt, name, sizeof name);
        char *path = string_format("%s/%s", p->state_root, name);
        int dir = path ? beneath_open_absolute(path, DIRECTORY_FLAGS) : -1;
        there = dir >= 0;
        known = there && file_equals(dir, "workspace", owner.data, owner.len) == 1;
        if (dir >= 0)
            close(dir);
        free(path);
    }
    buf_release(&owner);
    return known;
}

cordon_status state_write(const struct places *p, const char *name, const char *bytes, size_t len,
                          struct cordon_error *err)
{
    if (write_file(p->workspace_fd, name, bytes, len) == 0)
        return CORDON_OK;
    return error_set(err, CORDON_E_SYSTEM, errno, STEP_WRITE, "cannot write %s/%s: %s", p->workspace, name,
                     strerror(errno));
}

void state_close(struct places *p)
{
    if (p->run_name && p->workspace_fd >= 0)
        beneath_remove(p->workspace_fd, p->run_name);
    free(p->run_name);
    p->run_name = NULL;
    if (p->run_fd >= 0)
        close(p->run_fd); /* after the removal: a start meanwhile need not do it too */
    p->run_fd = -1;
}
