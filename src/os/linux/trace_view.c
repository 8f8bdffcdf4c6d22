/* trace_view.c - see trace_view.h. Runs as the user, outside, in the supervising process.
 *
 * Every look goes by the sandbox's root and follows no link, so that it is one
 * system call in the usual case and never more than the command could do itself.
 * Links are resolved here, by text: the kernel would resolve /proc/self and the
 * links below /proc for cordon, not for the caller.
 */
#include "os/linux/locate.h"
#include "os/linux/trace_view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/path.h"
#include "os/linux/sys.h"
#include "plan/trace_calls.h"

#define MAX_LINKS 40 /* as the kernel */
#define MAX_TRIES 32
#define MAX_SLOW_BYTES 65536
#define TRACE_IN_ROOT 0x10ull /* RESOLVE_IN_ROOT */
#define TRACE_CACHED 0x20ull  /* RESOLVE_CACHED: Linux 5.12 */

void trace_view_init(struct trace_view *view)
{
    *view = (struct trace_view){.root = -1};
}

void trace_view_release(struct trace_view *view)
{
    if (view->root >= 0)
        close(view->root);
    free(view->slow.points);
    trace_view_init(view);
}

/* ---- file systems that could hold cordon up */

/* Of a line of mountinfo; the mount point's octal escapes are undone in place. */
static bool parse_mount(char *line, char **point, char **type)
{
    char *at = line;
    for (int field = 0; field < 4 && at; field++) { /* id, parent, device, root */
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    char *dash = at ? strstr(at, " - ") : NULL;
    if (!dash)
        return false;
    *point = at;
    *type = dash + 3;
    (*type)[strcspn(*type, " \n")] = '\0';
    at[strcspn(at, " ")] = '\0';
    char *to = at;
    for (const char *from = at; *from; to++) {
        if (from[0] == '\\' && from[1] && from[2] && from[3]) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return true;
}

static bool is_slow(const char *type)
{
    static const char *const types[] = {"nfs",  "nfs4", "cifs",  "smb3",  "smbfs",  "9p",
                                        "ceph", "afs",  "ncpfs", "coda",  "autofs", "fuseblk",
                                        "fuse", "gfs2", "ocfs2", "lustre"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return strncmp(type, "fuse.", 5) == 0;
}

static void read_slow(struct trace_slow *slow, pid_t pid)
{
    char name[40], *line = NULL, *point, *type;
    size_t size = 0;
    snprintf(name, sizeof name, "/proc/%d/mountinfo", (int)pid);
    FILE *file = fopen(name, "re");
    slow->all = !file;
    while (file && getline(&line, &size, file) > 0) {
        if (!parse_mount(line, &point, &type) || !is_slow(type))
            continue;
        size_t len = strlen(point) + 1;
        char *grown = slow->bytes + len > MAX_SLOW_BYTES ? NULL : realloc(slow->points, slow->bytes + len);
        if (!grown) {
            slow->all = true;
            break;
        }
        memcpy(grown + slow->bytes, point, len);
        slow->points = grown;
        slow->bytes += len;
    }
    free(line);
    if (file)
        fclose(file);
}

bool trace_view_is_slow(const struct trace_view *view, const char *path)
{
    const struct trace_slow *slow = &view->slow;
    static const struct path_rules posix = {PATH_POSIX, false};
    for (size_t at = 0; at < slow->bytes; at += strlen(slow->points + at) + 1)
        if (path_is_within(posix, slow->points + at, path))
            return true;
    return slow->all;
}

bool trace_view_open(struct trace_view *view, pid_t pid)
{
    char name[40];
    if (view->root >= 0)
        return true;
    snprintf(name, sizeof name, "/proc/%d/root", (int)pid);
    view->root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (view->root < 0)
        return false;
    read_slow(&view->slow, pid);
    return true;
}

/* ---- where a path starts */

static bool is_deleted(const char *path)
{
    static const char suffix[] = " (deleted)";
    size_t len = strlen(path);
    return len >= sizeof suffix - 1 && strcmp(path + len - (sizeof suffix - 1), suffix) == 0;
}

bool trace_view_start(pid_t pid, int dir, char out[LIMIT_PATH_BYTES])
{
    char name[48];
    if (dir == TRACE_CWD)
        snprintf(name, sizeof name, "/proc/%d/cwd", (int)pid);
    else
        snprintf(name, sizeof name, "/proc/%d/fd/%d", (int)pid, dir);
    ssize_t len = readlink(name, out, LIMIT_PATH_BYTES - 1);
    if (len <= 0 || len >= LIMIT_PATH_BYTES - 1 || out[0] != '/')
        return false;
    out[len] = '\0';
    return !is_deleted(out);
}

/* ---- what is there */

void trace_view_normalize(const char *text, char out[LIMIT_PATH_BYTES])
{
    size_t len = 0;
    for (const char *at = text; *at;) {
        at += strspn(at, "/");
        size_t part = strcspn(at, "/");
        if (part == 2 && at[0] == '.' && at[1] == '.') {
            while (len > 0 && out[--len] != '/')
                continue;
        } else if (part > 0 && !(part == 1 && at[0] == '.')) {
            out[len++] = '/';
            memcpy(out + len, at, part);
            len += part;
        }
        at += part;
    }
    if (len == 0)
        out[len++] = '/';
    out[len] = '\0';
}

static int look(const struct trace_view *view, const char *text, const char *normal)
{
    uint64_t resolve = TRACE_IN_ROOT | SYS_RESOLVE_NO_SYMLINKS;
    if (trace_view_is_slow(view, normal))
        resolve |= TRACE_CACHED;
    int fd = -1;
    /* With `..` on the way the kernel gives up when anything at all is renamed meanwhile. */
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        fd = sys_openat2(view->root, text, O_PATH | O_NOFOLLOW | O_CLOEXEC, resolve);
        if (fd >= 0 || errno != EAGAIN || resolve & TRACE_CACHED)
            break;
    }
    return fd;
}

/* The same for the first `len` bytes of `text`. */
static int look_at_start(const struct trace_view *view, const char *text, size_t len)
{
    char start[LIMIT_PATH_BYTES], normal[LIMIT_PATH_BYTES];
    memcpy(start, text, len);
    start[len] = '\0';
    trace_view_normalize(start, normal);
    return look(view, start, normal);
}

/* /proc/self and /proc/thread-self are links that depend on who asks. */
static ssize_t read_self(pid_t pid, const char *text, size_t len, char *out, size_t size)
{
    static const char self[] = "/proc/self", thread[] = "/proc/thread-self";
    bool is_thread = len == sizeof thread - 1 && memcmp(text, thread, len) == 0;
    if (!is_thread && !(len == sizeof self - 1 && memcmp(text, self, len) == 0))
        return -1;
    char name[40], status[2048];
    snprintf(name, sizeof name, "/proc/%d/status", (int)pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, status, sizeof status - 1);
    if (fd >= 0)
        close(fd);
    if (got <= 0)
        return -1;
    status[got] = '\0';
    /* The last of a line's numbers is that of the innermost namespace. */
    long numbers[2];
    static const char *const keys[2] = {"\nNStgid:", "\nNSpid:"};
    for (size_t i = 0; i < 2; i++) {
        const char *at = strstr(status, keys[i]);
        if (!at)
            return -1;
        at += strlen(keys[i]);
        const char *end = at + strcspn(at, "\n");
        while (end > at && end[-1] >= '0' && end[-1] <= '9')
            end--;
        numbers[i] = strtol(end, NULL, 10);
    }
    return is_thread ? snprintf(out, size, "%ld/task/%ld", numbers[0], numbers[1])
                     : snprintf(out, size, "%ld", numbers[0]);
}

static bool is_descriptor_link(const char *text, size_t len)
{
    size_t name = len;
    while (name > 0 && text[name - 1] >= '0' && text[name - 1] <= '9')
        name--;
    return len >= 6 && memcmp(text, "/proc/", 6) == 0 && name < len && name >= 4 &&
           memcmp(text + name - 4, "/fd/", 4) == 0;
}

enum expansion { EXPANDED, EXPANDED_NOTHING, EXPANDED_NAMELESS, EXPANSION_FAILED };

/* Replaces the link that the first `len` bytes of `text` name by what it says. */
static enum expansion expand(pid_t pid, char text[LIMIT_PATH_BYTES], size_t len, int link)
{
    char target[LIMIT_PATH_BYTES], rest[LIMIT_PATH_BYTES];
    ssize_t got = readlinkat(link, "", target, sizeof target - 1);
    if (got < 0)
        got = read_self(pid, text, len, target, sizeof target);
    if (got <= 0 || (size_t)got >= sizeof target - 1)
        return EXPANSION_FAILED;
    target[got] = '\0';
    /* A descriptor opened anew: of the standard ones the caller of cordon decides. */
    if (is_descriptor_link(text, len) &&
        (target[0] != '/' || is_deleted(target) || (text[len - 2] == '/' && text[len - 1] <= '2')))
        return EXPANDED_NAMELESS;
    size_t base = 0;
    if (target[0] != '/')
        for (base = len; base > 0 && text[base - 1] != '/'; base--)
            continue;
    size_t tail = strlen(text + len);
    if (base + (size_t)got + tail >= LIMIT_PATH_BYTES)
        return EXPANSION_FAILED;
    memcpy(rest, text + len, tail + 1);
    memcpy(text + base, target, (size_t)got);
    memcpy(text + base + got, rest, tail + 1);
    return EXPANDED;
}

/* Finds the first link on the way and resolves it. */
static enum expansion resolve_first(const struct trace_view *view, pid_t pid, char text[LIMIT_PATH_BYTES])
{
    for (size_t len = 1; text[len - 1];) {
        while (text[len] == '/')
            len++;
        len += strcspn(text + len, "/");
        int fd = look_at_start(view, text, len);
        struct stat st;
        if (fd < 0)
            return EXPANDED_NOTHING;
        enum expansion done = EXPANDED_NOTHING;
        if (fstat(fd, &st) == 0 && S_ISLNK(st.st_mode))
            done = expand(pid, text, len, fd);
        close(fd);
        if (done != EXPANDED_NOTHING || text[len] == '\0')
            return done;
    }
    return EXPANDED_NOTHING;
}

bool trace_view_is_plain(const struct trace_view *view, const char *text, size_t len)
{
    struct stat st;
    int fd = look_at_start(view, text, len);
    bool plain = fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    if (fd >= 0)
        close(fd);
    return plain;
}

bool trace_view_has_directory(const struct trace_view *view, const char *path)
{
    int fd = look_at_start(view, path, path_parent_length(PATH_POSIX, path));
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

enum trace_found trace_view_find(const struct trace_view *view, pid_t pid, const char *path, bool follow,
                                 struct trace_object *out)
{
    char text[LIMIT_PATH_BYTES];
    memcpy(text, path, strlen(path) + 1);
    for (int links = 0; links <= MAX_LINKS; links++) {
        struct stat st;
        trace_view_normalize(text, out->path);
        int fd = look(view, text, out->path);
        if (fd >= 0) {
            bool known = fstat(fd, &st) == 0;
            bool goes_on = known && follow && S_ISLNK(st.st_mode);
            size_t len = strlen(text);
            while (len > 1 && text[len - 1] == '/')
                len--;
            text[len] = '\0';
            enum expansion done = goes_on ? expand(pid, text, len, fd) : EXPANDED_NOTHING;
            close(fd);
            if (!known || done == EXPANSION_FAILED)
                return TRACE_UNKNOWABLE;
            if (done == EXPANDED_NAMELESS)
                return TRACE_NAMELESS;
            if (done == EXPANDED)
                continue;
            out->type = locate_type(st.st_mode);
            return TRACE_FOUND;
        }
        switch (errno) {
        case ENOENT:
            out->type = OBJECT_ABSENT;
            return TRACE_FOUND;
        case EACCES:
            return TRACE_HIDDEN;
        case ELOOP:
            break;
        default:
            return TRACE_UNKNOWABLE;
        }
        switch (resolve_first(view, pid, text)) {
        case EXPANDED:
            break;
        case EXPANDED_NAMELESS:
            return TRACE_NAMELESS;
        default:
            return TRACE_UNKNOWABLE;
        }
    }
    return TRACE_UNKNOWABLE;
}
