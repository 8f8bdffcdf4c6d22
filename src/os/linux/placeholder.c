/* placeholder.c - see placeholder.h. Called by the launcher, as the user.
 *
 * Two locks: the registry's (registry.h) orders what the sandboxes of one
 * workspace make and remove; each directory's own (hold.h) tells who uses it,
 * also between workspaces and users.
 */
#include "os/linux/placeholder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/path.h"
#include "os/linux/beneath.h"
#include "os/linux/hold.h"
#include "os/linux/registry.h"

#define STEP "linux.placeholder"
#define FOREIGN_WAIT_MS 1000
#define FOREIGN_PASSES 8
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

void placeholders_init(struct placeholders *p)
{
    p->items = NULL;
    p->count = 0;
}

void placeholders_release(struct placeholders *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->items[i].path);
        if (p->items[i].fd >= 0)
            close(p->items[i].fd);
    }
    free(p->items);
    placeholders_init(p);
}

static const struct placeholder *find_item(const struct placeholders *p, const char *path)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i].path, path) == 0)
            return &p->items[i];
    return NULL;
}

/* Takes over `item` (path and fd). */
static bool append(struct placeholders *p, const struct placeholder *item)
{
    struct placeholder *items = realloc(p->items, (p->count + 1) * sizeof *items);
    if (!items)
        return false;
    p->items = items;
    p->items[p->count++] = *item;
    return true;
}

static const char *base_of(const char *path)
{
    return path_basename(PATH_POSIX, path);
}

static cordon_status failed(struct cordon_error *err, int code, const char *path)
{
    switch (code) {
    case EEXIST:
    case ENOTEMPTY:
    case ENOTDIR:
    case ELOOP:
    case ENOENT:
        return error_set(err, CORDON_E_CONFLICT, code, STEP,
                         "%s changed while the sandbox was being made: run it again", path);
    case EWOULDBLOCK:
        return error_set(
            err, CORDON_E_CONFLICT, code, STEP,
            "another process keeps the empty directory %s locked: end it, or remove the directory", path);
    case ENOSPC:
    case EDQUOT:
        return error_set(err, CORDON_E_SYSTEM, code, STEP, "cannot hold the name %s: %s; free some space",
                         path, strerror(code));
    case EMFILE:
    case ENFILE:
        return error_set(err, CORDON_E_SYSTEM, code, STEP,
                         "cannot hold the name %s: %s; raise the limit on open files", path, strerror(code));
    case ENOMEM:
        return error_nomem(err, STEP);
    default:
        return error_set(err, CORDON_E_SYSTEM, code, STEP,
                         "cannot hold the absent protected name %s with an empty directory: %s", path,
                         strerror(code));
    }
}

/* ---- removing ---- */

/* Only directories in it, or nothing: what fills it may be a placeholder too. */
static bool is_hollow(int fd)
{
    struct beneath_list list;
    struct beneath_entry entry;
    struct stat st;
    int got = -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return false;
    beneath_list_init(&list, fd);
    while ((got = beneath_list_next(&list, &entry)) > 0) {
        bool directory = entry.type == DT_DIR;
        if (entry.type == DT_UNKNOWN)
            directory = fstatat(fd, entry.name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
        if (!directory)
            return false;
    }
    return got == 0;
}

/* What is no longer empty is the user's now, unless what fills it may be a
 * placeholder that is still in use. */
static bool settle(struct registry_record *record, const struct hold *h)
{
    enum removal how = hold_remove(h, base_of(record->path));
    if (how == REMOVAL_DONE || (how == REMOVAL_NOT_EMPTY && !is_hollow(h->fd)))
        record->dropped = true;
    return how == REMOVAL_DONE;
}

static int longer_record_first(const void *a, const void *b)
{
    size_t x = strlen(((const struct registry_record *)a)->path);
    size_t y = strlen(((const struct registry_record *)b)->path);
    return (x < y) - (x > y);
}

static int longer_item_first(const void *a, const void *b)
{
    size_t x = strlen(((const struct placeholder *)a)->path);
    size_t y = strlen(((const struct placeholder *)b)->path);
    return (x < y) - (x > y);
}

/* True when it is gone now. */
static bool collect_record(struct registry_record *record)
{
    const char *base;
    struct stat st;
    bool removed = false;
    int parent = hold_open_parent(record->path, &base);
    int fd = parent < 0 ? -1 : beneath_open(parent, base, DIRECTORY_FLAGS);
    int code = errno;
    if (parent >= 0)
        close(parent);
    if (fd < 0) {
        record->dropped = code == ENOENT || code == ENOTDIR || code == ELOOP;
        return false;
    }
    /* Not the device: its number may differ after a reboot. A pending record
     * has neither: there an empty directory of this user has to do. */
    if (fstat(fd, &st) != 0 || (record->made ? (uint64_t)st.st_ino != record->ino : st.st_uid != geteuid()))
        record->dropped = true;
    else
        removed = settle(record, &(struct hold){fd, (uint64_t)st.st_dev, (uint64_t)st.st_ino});
    close(fd);
    return removed;
}

static cordon_status collect(int dir, unsigned wait_ms, bool *removed, struct cordon_error *err)
{
    struct registry r;
    registry_init(&r);
    cordon_status status = registry_open(&r, dir, REGISTRY_CHANGE, wait_ms, err);
    if (status == CORDON_OK && r.fd >= 0) {
        if (r.count > 0)
            qsort(r.items, r.count, sizeof *r.items, longer_record_first);
        for (size_t i = 0; i < r.count; i++)
            *removed = collect_record(&r.items[i]) || *removed;
        registry_save(&r);
    }
    registry_release(&r);
    return status;
}

cordon_status placeholders_collect(const struct places *places, struct cordon_error *err)
{
    bool removed = false;
    return collect(places->workspace_fd, REGISTRY_WAIT_MS, &removed, err);
}

/* An empty directory that this run used and did not find in its own registry
 * may be the placeholder of another workspace's run that ended meanwhile and
 * left it to us. */
static bool collect_others_once(const struct places *places)
{
    struct beneath_list list;
    struct beneath_entry entry;
    bool removed = false;
    int root = beneath_open_absolute(places->state_root, DIRECTORY_FLAGS);
    if (root < 0)
        return false;
    beneath_list_init(&list, root);
    while (beneath_list_next(&list, &entry) > 0) {
        int dir = beneath_open(root, entry.name, DIRECTORY_FLAGS);
        if (dir < 0)
            continue;
        collect(dir, FOREIGN_WAIT_MS, &removed, NULL);
        close(dir);
    }
    close(root);
    return removed;
}

static void collect_others(const struct places *places)
{
    /* What one registry holds may lie in what another holds: once more then. */
    for (int pass = 0; pass < FOREIGN_PASSES && collect_others_once(places); pass++)
        ;
}

void placeholders_remove(struct placeholders *p, const struct places *places)
{
    struct registry r;
    bool others = false;
    if (p->count == 0)
        return;
    registry_init(&r);
    /* Without the registry's lock the directories' own locks still keep this
     * safe; the records stay, and the next start drops them. */
    if (registry_open(&r, places->workspace_fd, REGISTRY_CHANGE, REGISTRY_WAIT_MS, NULL) != CORDON_OK)
        registry_open(&r, places->workspace_fd, REGISTRY_LOOK, 0, NULL);
    qsort(p->items, p->count, sizeof *p->items, longer_item_first);
    for (size_t i = 0; i < p->count; i++) {
        struct placeholder *item = &p->items[i];
        struct registry_record *record = registry_find(&r, item->path);
        if (record && record->made && record->dev == item->dev && record->ino == item->ino)
            settle(record, &(struct hold){item->fd, item->dev, item->ino});
        else if (beneath_is_empty(item->fd) == 1)
            others = true;
        close(item->fd);
        item->fd = -1;
    }
    registry_save(&r);
    registry_release(&r);
    placeholders_release(p);
    if (others)
        collect_others(places);
}

/* ---- making ---- */

/* Nothing in the directory but what is recorded too: docs/ that was made for
 * docs/secret. */
static bool holds_only_records(struct registry *r, const char *path, int fd)
{
    struct beneath_list list;
    struct beneath_entry entry;
    bool right = lseek(fd, 0, SEEK_SET) == 0;
    int got = 0;
    beneath_list_init(&list, fd);
    while (right && (got = beneath_list_next(&list, &entry)) > 0) {
        char *inner = string_format("%s/%s", path, entry.name);
        right = inner && registry_find(r, inner);
        free(inner);
    }
    return right && got == 0;
}

static bool matches(const struct registry_record *record, const struct stat *st)
{
    if (!record->made) /* its maker is at it, or died then */
        return st->st_uid == geteuid();
    return record->dev == (uint64_t)st->st_dev && record->ino == (uint64_t)st->st_ino;
}

int placeholders_is_ours(const struct places *places, const char *path)
{
    struct registry r;
    struct stat st;
    const char *base;
    bool ours = false;
    registry_init(&r);
    if (registry_open(&r, places->workspace_fd, REGISTRY_LOOK, 0, NULL) == CORDON_OK && r.count > 0) {
        const struct registry_record *record = registry_find(&r, path);
        int parent = record ? hold_open_parent(path, &base) : -1;
        int fd = parent >= 0 ? beneath_open(parent, base, DIRECTORY_FLAGS) : -1;
        ours = fd >= 0 && fstat(fd, &st) == 0 && matches(record, &st) && holds_only_records(&r, path, fd);
        if (fd >= 0)
            close(fd);
        if (parent >= 0)
            close(parent);
    }
    registry_release(&r);
    return ours;
}

/* One directory to hold. */
struct wanted {
    char *path;
    struct hold hold;
    bool existing; /* a parent that may be a placeholder: joined if so, else let alone */
    bool parent;   /* only on the way to a name: others may have filled it meanwhile */
    bool locked;
    bool recorded; /* as pending, by this call */
    bool made;     /* by this call */
};

struct making {
    struct wanted *items;
    size_t count, cap;
    struct registry registry;
    const struct placeholders *held; /* before this call */
    char *parent;                    /* the last one opened: names mostly share it */
    int parent_fd;
};

static void close_parent(struct making *m)
{
    free(m->parent);
    if (m->parent_fd >= 0)
        close(m->parent_fd);
    m->parent = NULL;
    m->parent_fd = -1;
}

/* O_PATH on the parent, borrowed until the next call. -1: errno. */
static int open_parent(struct making *m, const char *path, const char **base)
{
    size_t len = path_parent_length(PATH_POSIX, path);
    *base = base_of(path);
    if (m->parent && strlen(m->parent) == len && strncmp(m->parent, path, len) == 0)
        return m->parent_fd;
    int fd = hold_open_parent(path, base);
    char *copy = fd >= 0 ? string_copy_n(path, len) : NULL;
    if (fd >= 0 && !copy) {
        close(fd);
        errno = ENOMEM;
        return -1;
    }
    if (fd >= 0) {
        close_parent(m);
        m->parent = copy;
        m->parent_fd = fd;
    }
    return fd;
}

static struct wanted *find_wanted(const struct making *m, const char *path)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->items[i].path, path) == 0)
            return &m->items[i];
    return NULL;
}

static cordon_status want(struct making *m, const char *path, size_t len, bool existing,
                          struct cordon_error *err)
{
    bool parent = path[len] != '\0';
    char *copy = string_copy_n(path, len);
    struct wanted *known = copy ? find_wanted(m, copy) : NULL;
    if (known)
        known->parent = known->parent && parent;
    if (known || (copy && find_item(m->held, copy))) {
        free(copy);
        return CORDON_OK;
    }
    if (copy && m->count == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 8;
        struct wanted *items = realloc(m->items, cap * sizeof *items);
        if (items) {
            m->items = items;
            m->cap = cap;
        }
    }
    if (!copy || m->count == m->cap) {
        free(copy);
        return error_nomem(err, STEP);
    }
    m->items[m->count++] =
        (struct wanted){.path = copy, .hold = {.fd = -1}, .existing = existing, .parent = parent};
    return CORDON_OK;
}

/* Wants `path`, its missing parents, and those of its parents that are
 * placeholders too, outermost first. */
static cordon_status want_chain(struct making *m, const char *path, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    size_t len = strlen(path), cut = len;
    if (path[0] != '/' || len < 2)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "\"%s\" is no absolute path", path);
    for (;;) { /* up to the outermost component that is missing */
        const char *base;
        char *prefix = string_copy_n(path, cut);
        int parent = prefix ? open_parent(m, prefix, &base) : -1;
        int code = prefix ? errno : ENOMEM;
        size_t up = prefix ? path_parent_length(PATH_POSIX, prefix) : 0;
        free(prefix);
        if (parent >= 0)
            break;
        if (code != ENOENT || up <= 1)
            return failed(err, code, path);
        cut = up;
    }
    for (size_t at = 1; status == CORDON_OK && at <= len; at++) {
        if (path[at] != '/' && path[at] != '\0')
            continue;
        if (at >= cut || m->registry.count > 0)
            status = want(m, path, at, at < cut, err);
    }
    return status;
}

/* Joins what is recorded and still there as recorded. */
static cordon_status join_recorded(struct making *m, struct wanted *w, struct cordon_error *err)
{
    const char *base;
    struct stat st;
    const struct registry_record *record = registry_find(&m->registry, w->path);
    if (!record || !record->made)
        return CORDON_OK;
    int parent = open_parent(m, w->path, &base);
    if (parent < 0)
        return errno == ENOENT ? CORDON_OK : failed(err, errno, w->path);
    if (fstatat(parent, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && matches(record, &st)) {
        if (hold_lock(&w->hold, parent, base) == 0)
            w->locked = true;
        else if (errno != ENOENT)
            return failed(err, errno, w->path);
    }
    if (w->locked && (w->hold.dev != record->dev || w->hold.ino != record->ino)) { /* replaced just now */
        close(w->hold.fd);
        w->hold.fd = -1;
        w->locked = false;
    }
    if (w->locked && !w->existing && !holds_only_records(&m->registry, w->path, w->hold.fd))
        return failed(err, ENOTEMPTY, w->path);
    return CORDON_OK;
}

static cordon_status make_wanted(struct making *m, struct wanted *w, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    const char *base;
    int parent = open_parent(m, w->path, &base);
    if (parent < 0)
        return failed(err, errno, w->path);
    if (hold_make(&w->hold, parent, base, w->parent, &w->made) == 0)
        w->locked = true;
    else
        status = failed(err, errno, w->path);
    return status;
}

/* Before anything is made. */
static cordon_status record_pending(struct making *m, struct cordon_error *err)
{
    struct registry_record *records = calloc(m->count + 1, sizeof *records);
    size_t count = 0;
    if (!records)
        return error_nomem(err, STEP);
    for (size_t i = 0; i < m->count; i++) {
        struct wanted *w = &m->items[i];
        const struct registry_record *known = registry_find(&m->registry, w->path);
        if (w->locked || w->existing || (known && !known->made))
            continue;
        w->recorded = true;
        records[count++] = (struct registry_record){.path = w->path};
    }
    cordon_status status = registry_record(&m->registry, records, count, err);
    free(records);
    return status;
}

/* Once the inodes are known. */
static cordon_status record_made(struct making *m, struct cordon_error *err)
{
    struct registry_record *records = calloc(m->count + 1, sizeof *records);
    size_t count = 0;
    if (!records)
        return error_nomem(err, STEP);
    for (size_t i = 0; i < m->count; i++) {
        const struct wanted *w = &m->items[i];
        if (w->made)
            records[count++] = (struct registry_record){
                .path = w->path, .made = true, .dev = w->hold.dev, .ino = w->hold.ino};
    }
    cordon_status status = registry_record(&m->registry, records, count, err);
    free(records);
    return status;
}

/* Takes back what this call did, innermost first. */
static void undo(struct making *m)
{
    close_parent(m); /* removing needs a descriptor, and there may be none left */
    for (size_t i = m->count; i-- > 0;) {
        struct wanted *w = &m->items[i];
        struct registry_record *record = registry_find(&m->registry, w->path);
        if (w->made && record)
            settle(record, &w->hold);
        if (w->locked) {
            close(w->hold.fd);
            w->hold.fd = -1;
        }
    }
}

/* A pending record of this call whose directory it did not make names nothing of
 * ours. One that was there stays: its maker died, and others use what he made. */
static void drop_pending(struct making *m)
{
    for (size_t i = 0; i < m->count; i++) {
        struct registry_record *record = registry_find(&m->registry, m->items[i].path);
        if (record && !record->made && m->items[i].recorded && !m->items[i].made)
            record->dropped = true;
    }
}

cordon_status placeholders_make(struct placeholders *out, const struct places *places,
                                const char *const *paths, size_t count, struct cordon_error *err)
{
    struct making m = {.held = out, .parent_fd = -1};
    struct placeholder *items = NULL;
    cordon_status status;

    if (count == 0)
        return CORDON_OK;
    registry_init(&m.registry);
    status = registry_open(&m.registry, places->workspace_fd, REGISTRY_CREATE, REGISTRY_WAIT_MS, err);
    for (size_t i = 0; status == CORDON_OK && i < count; i++)
        status = want_chain(&m, paths[i], err);
    if (status != CORDON_OK)
        goto out;
    items = realloc(out->items, (out->count + m.count + 1) * sizeof *items);
    if (!items) {
        status = error_nomem(err, STEP);
        goto out;
    }
    out->items = items;
    for (size_t i = 0; status == CORDON_OK && i < m.count; i++)
        status = join_recorded(&m, &m.items[i], err);
    if (status == CORDON_OK)
        status = record_pending(&m, err);
    for (size_t i = 0; status == CORDON_OK && i < m.count; i++)
        if (!m.items[i].locked && !m.items[i].existing)
            status = make_wanted(&m, &m.items[i], err);
    if (status == CORDON_OK)
        status = record_made(&m, err);
    if (status != CORDON_OK)
        undo(&m);
    drop_pending(&m);
    for (size_t i = 0; status == CORDON_OK && i < m.count; i++)
        if (m.items[i].locked) {
            const struct wanted *w = &m.items[i];
            items[out->count++] = (struct placeholder){w->path, w->hold.fd, w->hold.dev, w->hold.ino};
            m.items[i].path = NULL;
        }
out:
    registry_save(&m.registry); /* after a success nothing is dropped, as a rule: then it writes nothing */
    registry_release(&m.registry);
    for (size_t i = 0; i < m.count; i++)
        free(m.items[i].path);
    free(m.items);
    close_parent(&m);
    return status;
}

cordon_status placeholders_join(struct placeholders *out, const char *path, struct cordon_error *err)
{
    struct hold hold = {.fd = -1};
    const char *base;
    if (find_item(out, path))
        return CORDON_OK;
    int parent = hold_open_parent(path, &base);
    if (parent < 0)
        return failed(err, errno, path);
    int result = hold_lock(&hold, parent, base);
    int code = errno;
    close(parent);
    if (result != 0)
        return failed(err, code, path);
    struct placeholder item = {string_copy(path), hold.fd, hold.dev, hold.ino};
    if (!item.path || !append(out, &item)) {
        free(item.path);
        close(item.fd);
        return error_nomem(err, STEP);
    }
    return CORDON_OK;
}
