/* guard_held.c - see guard_held.h. Runs as the user, outside, while the command runs and after. */
#include "os/linux/guard_held.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"
#include "os/linux/beneath.h"

#define STEP "linux.guard"

void guard_held_init(struct guard_held *h)
{
    memset(h, 0, sizeof *h);
    h->top = -1;
}

void guard_held_release(struct guard_held *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->entries[i].pinned);
    free(h->entries);
    free(h->by_watch);
    guard_held_init(h);
}

/* The name by which it is opened: one that still leads there when the workspace was moved. */
static int anchor(const struct guard_held *h, const char *path, const char **name)
{
    const char *workspace = h->resolved->workspace;
    bool inside = h->top >= 0 && path_is_below(h->resolved->rules, workspace, path);
    *name = inside ? path + strlen(workspace) + (workspace[1] != '\0') : path;
    return inside ? h->top : AT_FDCWD;
}

/* Without following any link: 0, or -1 with errno. */
static int look(const struct guard_held *h, const char *path, struct stat *st)
{
    const char *name;
    int dir = anchor(h, path, &name);
    if (dir != AT_FDCWD && !strchr(name, '/')) /* most are right there: one call for three */
        return fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW);
    int fd = dir == AT_FDCWD ? beneath_open_absolute(name, O_PATH | O_NOFOLLOW)
                             : beneath_open(dir, name, O_PATH | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    int result = fstat(fd, st);
    close(fd);
    return result;
}

static cordon_status add(struct guard_held *h, struct guard_entry entry, struct cordon_error *err)
{
    if (h->count == h->cap) {
        size_t cap = h->cap ? 2 * h->cap : 8;
        struct guard_entry *entries = realloc(h->entries, cap * sizeof *entries);
        if (!entries) {
            free(entry.pinned);
            return error_nomem(err, STEP);
        }
        h->entries = entries;
        h->cap = cap;
    }
    entry.watch = -1;
    h->entries[h->count++] = entry;
    return CORDON_OK;
}

/* Rules come sorted, so a directory that is pinned already is one of the last. */
static bool is_known(const struct guard_held *h, const char *path)
{
    size_t pin = h->last_pin;
    for (int n = 0; pin && n < 64; n++, pin = h->entries[pin - 1].pin_before)
        if (path_equal(h->resolved->rules, h->entries[pin - 1].path, path))
            return true;
    return false;
}

/* The same directories that the planner pins: those between a rule and the root that it lies in. */
static cordon_status add_pins(struct guard_held *h, const struct rule *rule, struct cordon_error *err)
{
    const struct resolved *r = h->resolved;
    size_t len = strlen(rule->path);
    cordon_status status = CORDON_OK;
    while (status == CORDON_OK) {
        struct guard_entry entry = {.hidden = false};
        struct stat st;
        char *path = string_copy_n(rule->path, len);
        size_t parent = path ? path_parent_length(r->rules.style, path) : len;
        if (!path)
            return error_nomem(err, STEP);
        path[parent < len ? parent : len] = '\0';
        const struct rule *above = parent < len ? resolved_find(r, path) : NULL;
        if (!above || above->kind != RULE_WRITE || path_equal(r->rules, above->path, path) ||
            is_known(h, path)) {
            free(path);
            return CORDON_OK;
        }
        len = parent;
        if (look(h, path, &st) != 0) { /* closed, or gone: the mounts will tell */
            free(path);
            return CORDON_OK;
        }
        entry.path = entry.pinned = path;
        entry.pin_before = h->last_pin;
        entry.dev = st.st_dev;
        entry.ino = st.st_ino;
        status = add(h, entry, err);
        if (status == CORDON_OK)
            h->last_pin = h->count;
    }
    return status;
}

cordon_status guard_held_begin(struct guard_held *h, const struct resolved *resolved, int top,
                               struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    h->resolved = resolved;
    h->top = top;
    for (size_t i = 0; i < resolved->count && status == CORDON_OK; i++) {
        const struct rule *rule = &resolved->items[i];
        if (rule->redundant || (rule->kind != RULE_PROTECT && rule->kind != RULE_DENY_READ))
            continue;
        const struct rule *above = resolved_enclosing(resolved, rule->path);
        bool in_root = above && above->kind == RULE_WRITE;
        if (rule->kind == RULE_PROTECT && !in_root)
            continue; /* no mount of its own holds it */
        if (rule->ino)
            status = add(h,
                         (struct guard_entry){.path = rule->path,
                                              .dev = rule->dev,
                                              .ino = rule->ino,
                                              .hidden = rule->kind == RULE_DENY_READ},
                         err);
        if (status == CORDON_OK && in_root && (rule->ino || rule->watched))
            status = add_pins(h, rule, err);
    }
    return status;
}

bool guard_held_look_some(struct guard_held *h, size_t most)
{
    bool kept = true;
    for (size_t n = 0; n < most && n < h->count; n++) {
        struct guard_entry *entry = &h->entries[h->cursor];
        struct stat st;
        h->cursor = h->cursor + 1 < h->count ? h->cursor + 1 : 0;
        if (look(h, entry->path, &st) != 0)
            /* What cannot be looked at is not known to be dropped. */
            entry->dropped = entry->dropped || errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
        else if ((uint64_t)st.st_ino != entry->ino || (uint64_t)st.st_dev != entry->dev)
            entry->dropped = true;
        kept = kept && !entry->dropped;
    }
    return kept;
}

/* -- by events -------------------------------------------------------------- */

static int compare_entries(const void *a, const void *b)
{
    const struct guard_entry *x = *(struct guard_entry *const *)a, *y = *(struct guard_entry *const *)b;
    if (x->watch != y->watch)
        return x->watch < y->watch ? -1 : 1;
    return strcmp(path_basename(PATH_POSIX, x->path), path_basename(PATH_POSIX, y->path));
}

static int watch_directory_of(const struct guard_held *h, const char *path, int inotify, uint32_t mask)
{
    const char *name;
    char proc[40];
    int dir = anchor(h, path, &name), fd = dir;
    size_t len = strchr(name, '/') ? path_parent_length(PATH_POSIX, path) : 0;
    if (dir == AT_FDCWD || len) {
        char *parent = dir == AT_FDCWD ? string_copy_n(path, len)
                                       : string_copy_n(name, (size_t)(strrchr(name, '/') - name));
        if (!parent) {
            errno = ENOMEM;
            return -1;
        }
        fd = dir == AT_FDCWD ? beneath_open_absolute(parent, O_PATH | O_DIRECTORY)
                             : beneath_open(dir, parent, O_PATH | O_DIRECTORY);
        free(parent);
    }
    if (fd < 0)
        return -1;
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    int watch = inotify_add_watch(inotify, proc, mask);
    int code = errno;
    if (fd != dir)
        close(fd);
    errno = code;
    return watch;
}

static bool share_directory(const char *a, const char *b)
{
    size_t len = path_parent_length(PATH_POSIX, a);
    return len == path_parent_length(PATH_POSIX, b) && memcmp(a, b, len) == 0;
}

bool guard_held_watch(struct guard_held *h, int inotify, uint32_t mask)
{
    int code = 0;
    h->by_watch = calloc(h->count ? h->count : 1, sizeof *h->by_watch);
    if (!h->by_watch)
        return false;
    for (size_t i = 0; i < h->count; i++) {
        struct guard_entry *entry = &h->entries[i];
        if (i > 0 && entry[-1].watch >= 0 && share_directory(entry[-1].path, entry->path))
            entry->watch = entry[-1].watch;
        else if (code == 0 || code == EACCES) /* no more watches is the same for all that follow */
            entry->watch = watch_directory_of(h, entry->path, inotify, mask);
        if (entry->watch < 0 && code == 0)
            code = errno;
        h->by_watch[i] = entry;
    }
    if (h->count)
        qsort(h->by_watch, h->count, sizeof(struct guard_entry *), compare_entries);
    errno = code;
    return code == 0;
}

bool guard_held_event(struct guard_held *h, int watch, uint32_t mask, const char *name)
{
    size_t low = 0, high = h->by_watch ? h->count : 0;
    bool kept = true;
    if (mask & IN_CREATE)
        return true;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct guard_entry *entry = h->by_watch[middle];
        bool before = entry->watch != watch ? entry->watch < watch
                                            : strcmp(path_basename(PATH_POSIX, entry->path), name) < 0;
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    for (; h->by_watch && low < h->count && h->by_watch[low]->watch == watch &&
           strcmp(path_basename(PATH_POSIX, h->by_watch[low]->path), name) == 0;
         low++) {
        h->by_watch[low]->dropped = true;
        kept = false;
    }
    return kept;
}
