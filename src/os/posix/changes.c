/* changes.c - the walk of changes.h. Runs outside the sandbox, as the user.
 *
 * Depth first with one open directory a level, each opened by its name in its
 * parent's descriptor: no path is resolved twice, so a directory that is
 * exchanged for a link meanwhile cannot lead the walk elsewhere.
 */
#include "os/posix/changes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"
#include "core/path.h"
#include "os/linux/sys.h"

#define STEP "changes.walk"

/* File systems without files of the user's, and without an end. */
static const char *const always_skipped[] = {"/proc", "/sys"};

struct frame {
    DIR *stream; /* kept open for its descriptor */
    uint32_t entry;
    uint32_t next;      /* child to look at */
    size_t path_length; /* of this directory in walk.path */
};

struct walk {
    struct changes *out;
    const char *const *skip;
    size_t skip_count;
    struct frame frames[CHANGES_MAX_DEPTH + 1];
    size_t depth;
    struct buf path;     /* of the directory being read */
    struct buf listing;  /* its names, NUL-terminated */
    const char **sorted; /* the same, sorted */
    size_t sorted_cap;
};

static const struct path_rules rules = {PATH_POSIX, false};

void changes_init(struct changes *c)
{
    memset(c, 0, sizeof *c);
    c->max_entries = LIMIT_WALK_ENTRIES;
}

void changes_release(struct changes *c)
{
    free(c->items);
    free(c->unread_path);
    free(c->deep_path);
    buf_release(&c->names);
    changes_init(c);
}

void changes_path(const struct changes *c, uint32_t index, struct buf *out)
{
    uint32_t chain[CHANGES_MAX_DEPTH + 2];
    size_t depth = 0;
    for (; index != CHANGES_NONE; index = c->items[index].parent)
        chain[depth++] = index;
    while (depth-- > 0) {
        /* cppcheck-suppress uninitvar ; the first loop filled chain[0] to chain[depth - 1] */
        const char *name = c->names.data + c->items[chain[depth]].name;
        if (c->items[chain[depth]].parent != CHANGES_NONE && (!out->len || out->data[out->len - 1] != '/'))
            buf_add_char(out, '/');
        buf_add_string(out, name);
    }
}

/* -- entries -------------------------------------------------------------- */

static int64_t nanoseconds(struct sys_statx_time t)
{
    return (int64_t)((uint64_t)t.seconds * 1000000000u + t.nanoseconds);
}

/* lstat() with the time of birth; an empty name means `at` itself. */
static bool look(int at, const char *name, struct sys_statx *st)
{
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);
    return sys_statx(at, name, flags, SYS_STATX_BASIC_STATS | SYS_STATX_BTIME, st) == 0;
}

static void fill(struct change_entry *e, const struct sys_statx *st)
{
    e->dev = (uint64_t)st->dev_major << 32 | st->dev_minor;
    e->ino = st->ino;
    e->size = S_ISREG(st->mode) || S_ISLNK(st->mode) ? st->size : 0;
    e->mtime = nanoseconds(st->mtime);
    e->ctime = nanoseconds(st->ctime);
    e->btime = st->mask & SYS_STATX_BTIME ? nanoseconds(st->btime) : 0;
    e->mode = st->mode;
    e->nlink = st->nlink;
    e->uid = st->uid;
    e->gid = st->gid;
}

/* False: no room, c->full is set or memory ran out. */
static bool append(struct changes *c, const char *name, uint32_t parent, const struct sys_statx *st,
                   bool *nomem)
{
    size_t len = strlen(name) + 1;
    if (c->count >= c->max_entries || len >= LIMIT_BUF_BYTES - c->names.len) {
        c->full = true;
        return false;
    }
    if (c->count == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 256;
        struct change_entry *items = realloc(c->items, cap * sizeof *items);
        if (!items) {
            *nomem = true;
            return false;
        }
        c->items = items;
        c->cap = cap;
    }
    struct change_entry *e = &c->items[c->count];
    memset(e, 0, sizeof *e);
    e->name = (uint32_t)c->names.len;
    e->parent = parent;
    fill(e, st);
    buf_add(&c->names, name, len);
    if (buf_failed(&c->names)) {
        *nomem = true;
        return false;
    }
    c->count++;
    return true;
}

static void note(struct changes *c, uint32_t entry, size_t *count, char **first)
{
    struct buf path = BUF_INIT;
    c->items[entry].unread = 1;
    if ((*count)++ || *first)
        return;
    changes_path(c, entry, &path);
    *first = buf_take(&path); /* without memory the warning has no example */
}

static void note_unread(struct changes *c, uint32_t entry)
{
    note(c, entry, &c->unread_count, &c->unread_path);
}

/* -- one directory -------------------------------------------------------- */

static bool is_skipped(const struct walk *w, const char *path)
{
    for (size_t i = 0; i < sizeof always_skipped / sizeof *always_skipped; i++)
        if (path_equal(rules, always_skipped[i], path))
            return true;
    for (size_t i = 0; i < w->skip_count; i++)
        if (path_equal(rules, w->skip[i], path))
            return true;
    return false;
}

static bool is_parent(const char *directory, const char *path)
{
    size_t len = path_parent_length(PATH_POSIX, path);
    return len == strlen(directory) && len < strlen(path) && memcmp(directory, path, len) == 0;
}

/* Does anything that is skipped lie directly in this directory? Asked once a
 * directory, so that a name in one where nothing does costs nothing. */
static bool holds_skipped(const struct walk *w, const char *directory)
{
    for (size_t i = 0; i < sizeof always_skipped / sizeof *always_skipped; i++)
        if (is_parent(directory, always_skipped[i]))
            return true;
    for (size_t i = 0; i < w->skip_count; i++)
        if (is_parent(directory, w->skip[i]))
            return true;
    return false;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All names of the stream into w->sorted; *whole is false when reading failed on the way. */
static cordon_status list(struct walk *w, DIR *stream, size_t *count, bool *whole, struct cordon_error *err)
{
    const struct dirent *entry;
    size_t names = 0, room = w->out->max_entries - w->out->count;
    buf_reset(&w->listing);
    *whole = false;
    for (;;) {
        errno = 0;
        entry = readdir(stream);
        if (!entry || names > room) /* one more than fits: append() will notice */
            break;
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        buf_add(&w->listing, name, strlen(name) + 1);
        if (buf_failed(&w->listing))
            return error_nomem(err, STEP);
        names++;
    }
    *whole = !entry && errno == 0;
    if (names > w->sorted_cap) {
        const char **sorted = realloc(w->sorted, names * sizeof *sorted);
        if (!sorted)
            return error_nomem(err, STEP);
        w->sorted = sorted;
        w->sorted_cap = names;
    }
    const char *at = w->listing.data;
    for (size_t i = 0; i < names; i++, at += strlen(at) + 1)
        w->sorted[i] = at;
    if (names)
        qsort(w->sorted, names, sizeof *w->sorted, by_bytes);
    *count = names;
    return CORDON_OK;
}

/* Appends what the directory w->path holds. */
static cordon_status read_children(struct walk *w, DIR *stream, uint32_t self, struct cordon_error *err)
{
    struct changes *c = w->out;
    size_t count = 0, path_length = w->path.len;
    bool whole, nomem = false, check = holds_skipped(w, w->path.data);
    cordon_status status = list(w, stream, &count, &whole, err);
    if (status != CORDON_OK)
        return status;
    c->items[self].first = (uint32_t)c->count;
    for (size_t i = 0; i < count; i++) {
        struct sys_statx st;
        if (check) {
            if (path_length > 1)
                buf_add_char(&w->path, '/');
            buf_add_string(&w->path, w->sorted[i]);
            bool skipped = buf_failed(&w->path) || is_skipped(w, w->path.data);
            buf_truncate(&w->path, path_length);
            if (skipped)
                continue;
        }
        if (!look(dirfd(stream), w->sorted[i], &st)) {
            if (errno != ENOENT) /* gone since it was listed: not there */
                whole = false;
            continue;
        }
        if (!append(c, w->sorted[i], self, &st, &nomem)) {
            if (nomem)
                return error_nomem(err, STEP);
            c->items[self].unread = 1;
            break;
        }
    }
    c->items[self].count = (uint32_t)(c->count - c->items[self].first);
    if (!whole && !c->full)
        note_unread(c, self);
    return CORDON_OK;
}

/* -- the tree ------------------------------------------------------------- */

/* Opens the directory items[entry], called `name` in `at`, reads it and makes
 * it the current one. One that cannot be read is noted and stays closed. */
static cordon_status enter(struct walk *w, int at, const char *name, uint32_t entry, struct cordon_error *err)
{
    struct changes *c = w->out;
    size_t path_length = w->path.len, name_length = strlen(name);
    if (w->depth > CHANGES_MAX_DEPTH - 1 || path_length + name_length >= LIMIT_PATH_BYTES) {
        note(c, entry, &c->deep_count, &c->deep_path);
        return CORDON_OK;
    }
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    struct sys_statx st;
    if (!stream || !look(fd, "", &st)) {
        note_unread(c, entry);
        if (stream)
            closedir(stream);
        else if (fd >= 0)
            close(fd);
        return CORDON_OK;
    }
    fill(&c->items[entry], &st); /* of what is read now, should it have been exchanged since */
    if (path_length > 1)
        buf_add_char(&w->path, '/');
    buf_add(&w->path, name, name_length);
    if (buf_failed(&w->path)) {
        closedir(stream);
        return error_nomem(err, STEP);
    }
    w->frames[w->depth++] =
        (struct frame){.stream = stream, .entry = entry, .next = 0, .path_length = path_length};
    return read_children(w, stream, entry, err);
}

static void leave(struct walk *w)
{
    struct frame *frame = &w->frames[--w->depth];
    closedir(frame->stream);
    buf_truncate(&w->path, frame->path_length);
}

static cordon_status walk_root(struct walk *w, uint32_t root, struct cordon_error *err)
{
    struct changes *c = w->out;
    buf_truncate(&w->path, 0);
    if (!S_ISDIR(c->items[root].mode))
        return CORDON_OK;
    cordon_status status = enter(w, AT_FDCWD, c->names.data + c->items[root].name, root, err);
    while (status == CORDON_OK && w->depth > 0) {
        struct frame *frame = &w->frames[w->depth - 1];
        const struct change_entry *self = &c->items[frame->entry];
        if (frame->next >= self->count) {
            leave(w);
            continue;
        }
        uint32_t child = self->first + frame->next++;
        if (!S_ISDIR(c->items[child].mode))
            continue;
        if (c->full)
            c->items[child].unread = 1;
        else
            status = enter(w, dirfd(frame->stream), c->names.data + c->items[child].name, child, err);
    }
    return status;
}

/* -- the roots ------------------------------------------------------------ */

static int by_path(const void *a, const void *b)
{
    return path_compare(rules, *(const char *const *)a, *(const char *const *)b);
}

/* Is `path` reached from `root` without passing something that is skipped? */
static bool is_covered(const struct walk *w, const char *root, const char *path)
{
    if (!path_is_within(rules, root, path))
        return false;
    for (size_t i = 0; i < w->skip_count; i++)
        if (path_is_below(rules, root, w->skip[i]) && path_is_within(rules, w->skip[i], path))
            return false;
    return true;
}

static cordon_status add_roots(struct walk *w, const char *const *roots, size_t count,
                               struct cordon_error *err)
{
    struct changes *c = w->out;
    cordon_status status = CORDON_OK;
    const char **sorted = malloc((2 * count + 1) * sizeof *sorted);
    if (!sorted)
        return error_nomem(err, STEP);
    const char **kept = sorted + count;
    for (size_t i = 0; i < count; i++)
        sorted[i] = roots[i];
    qsort(sorted, count, sizeof *sorted, by_path);
    /* Sorted, what may cover a root comes before it; `kept` is a stack of those
     * roots that the present one lies in. */
    size_t depth = 0;
    for (size_t i = 0; i < count && status == CORDON_OK; i++) {
        struct sys_statx st;
        bool nomem = false, covered = false;
        while (depth > 0 && !path_is_within(rules, kept[depth - 1], sorted[i]))
            depth--;
        for (size_t k = 0; k < depth; k++)
            covered = covered || is_covered(w, kept[k], sorted[i]);
        if (covered || is_skipped(w, sorted[i]))
            continue;
        kept[depth++] = sorted[i];
        if (!look(AT_FDCWD, sorted[i], &st))
            continue; /* absent, or not for us to see: the same after the run, or a change */
        if (!append(c, sorted[i], CHANGES_NONE, &st, &nomem) && nomem)
            status = error_nomem(err, STEP);
    }
    c->root_count = c->count;
    free(sorted);
    return status;
}

cordon_status changes_snapshot_within(const char *const *roots, size_t root_count, const char *const *skip,
                                      size_t skip_count, size_t max_entries, struct changes *out,
                                      struct cordon_error *err)
{
    struct changes made;
    struct walk *w = malloc(sizeof *w);
    changes_init(out);
    if (!w)
        return error_nomem(err, STEP);
    changes_init(&made);
    made.max_entries = max_entries;
    w->out = &made;
    w->skip = skip;
    w->skip_count = skip_count;
    w->depth = 0;
    w->sorted = NULL;
    w->sorted_cap = 0;
    buf_init(&w->path);
    buf_init(&w->listing);
    buf_add_string(&w->path, "");

    cordon_status status = add_roots(w, roots, root_count, err);
    for (uint32_t i = 0; i < made.root_count && status == CORDON_OK; i++)
        status = walk_root(w, i, err);
    while (w->depth > 0)
        leave(w);
    buf_release(&w->path);
    buf_release(&w->listing);
    free(w->sorted);
    free(w);
    if (status == CORDON_OK)
        *out = made;
    else
        changes_release(&made);
    return status;
}

cordon_status changes_snapshot(const char *const *roots, size_t root_count, const char *const *skip,
                               size_t skip_count, struct changes *out, struct cordon_error *err)
{
    return changes_snapshot_within(roots, root_count, skip, skip_count, LIMIT_WALK_ENTRIES, out, err);
}
