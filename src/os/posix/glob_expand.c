/* glob_expand.c - see glob_expand.h. Called while a policy is resolved, as the user.
 *
 * A pattern is a row of components. A directory is looked at with the set of
 * components that its next name may have to match, so that every directory is
 * visited once however many `**` there are. No recursion, one descriptor at a
 * time: the tree may be as deep as paths go.
 */
#include "os/posix/glob_expand.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/limits.h"
#include "core/path.h"
#include "os/posix/closed_directory.h"

#define STEP "resolve.glob"
#define MAX_COMPONENTS 63 /* bits of a state set, less the one that means "matched" */

struct component {
    char *text; /* literal: without escapes */
    bool literal, any_depth;
};

/* A directory still to be looked at. Bit i of `states`: its entries' names are
 * held against component i. */
struct pending {
    char *path;
    uint64_t states;
    bool no_follow; /* found as a real directory: not to be left through a link put there since */
};

struct expansion {
    struct component components[MAX_COMPONENTS];
    size_t component_count;
    struct pending *pending;
    size_t pending_count, pending_cap;
    char **matches;
    size_t match_count, match_cap;
    size_t visited, max_visited, max_matches;
    const char *pattern;
    dev_t system_devices[2]; /* of /proc and /sys */
    size_t system_count;
};

static void expansion_release(struct expansion *x)
{
    for (size_t i = 0; i < x->component_count; i++)
        free(x->components[i].text);
    for (size_t i = 0; i < x->pending_count; i++)
        free(x->pending[i].path);
    for (size_t i = 0; i < x->match_count; i++)
        free(x->matches[i]);
    free(x->pending);
    free(x->matches);
}

/* ---- the pattern ---- */

static char *without_escapes(const char *text, size_t len)
{
    char *out = string_copy_n(text, len);
    size_t to = 0;
    for (size_t from = 0; out && from < len; from++) {
        if (text[from] == '\\' && from + 1 < len)
            from++;
        out[to++] = text[from];
    }
    if (out)
        out[to] = '\0';
    return out;
}

static cordon_status add_component(struct expansion *x, const char *text, size_t len,
                                   struct cordon_error *err)
{
    char *copy = string_copy_n(text, len);
    if (!copy)
        return error_nomem(err, STEP);
    bool any_depth = strcmp(copy, "**") == 0;
    if (any_depth && x->component_count > 0 && x->components[x->component_count - 1].any_depth) {
        free(copy); /* two in a row say what one says */
        return CORDON_OK;
    }
    if (x->component_count == MAX_COMPONENTS) {
        free(copy);
        return error_set(err, CORDON_E_LIMIT, 0, STEP,
                         "%s: at most %d components may follow the first wildcard", x->pattern,
                         MAX_COMPONENTS);
    }
    struct component *c = &x->components[x->component_count];
    c->any_depth = any_depth;
    c->literal = !any_depth && !glob_has_magic(copy);
    c->text = c->literal ? without_escapes(text, len) : copy;
    if (c->literal)
        free(copy);
    if (!c->text)
        return error_nomem(err, STEP);
    x->component_count++;
    return CORDON_OK;
}

/* Splits the pattern; the components before the first wildcard become *start. */
static cordon_status split(struct expansion *x, char **start, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    struct buf prefix = BUF_INIT;
    const char *at = x->pattern;
    if (at[0] != '/')
        return error_set(err, CORDON_E_INVALID, 0, STEP, "%s is no absolute pattern", at);
    bool magic = false;
    while (status == CORDON_OK && *at) {
        size_t len = strcspn(++at, "/");
        char *copy = string_copy_n(at, len);
        char *literal = copy ? without_escapes(at, len) : NULL;
        if (!copy || !literal) {
            status = error_nomem(err, STEP);
        } else if (len > 0) {
            magic = magic || glob_has_magic(copy);
            if (magic)
                status = add_component(x, at, len, err);
            else {
                buf_add_char(&prefix, '/');
                buf_add_string(&prefix, literal);
            }
        }
        free(copy);
        free(literal);
        at += len;
    }
    if (status == CORDON_OK && prefix.len == 0)
        buf_add_char(&prefix, '/');
    if (status == CORDON_OK) {
        *start = buf_take(&prefix);
        if (!*start)
            status = error_nomem(err, STEP);
    }
    buf_release(&prefix);
    return status;
}

/* `**` also stands for no component at all. */
static uint64_t closure(const struct expansion *x, uint64_t states)
{
    for (size_t i = 0; i < x->component_count; i++)
        if ((states >> i & 1) && x->components[i].any_depth)
            states |= (uint64_t)1 << (i + 1);
    return states;
}

static bool is_accepting(const struct expansion *x, uint64_t states)
{
    return states >> x->component_count & 1;
}

static bool matches_component(const struct component *c, const char *name)
{
    return c->literal ? strcmp(c->text, name) == 0 : glob_match_name(c->text, name, false);
}

/* The components that may follow after `name`. `through` gets those reached by
 * a component that follows links. */
static uint64_t advance(const struct expansion *x, uint64_t states, const char *name, uint64_t *through)
{
    uint64_t stay = 0;
    *through = 0;
    for (size_t i = 0; i < x->component_count; i++) {
        if (!(states >> i & 1))
            continue;
        if (x->components[i].any_depth)
            stay |= (uint64_t)1 << i;
        else if (matches_component(&x->components[i], name))
            *through |= (uint64_t)1 << (i + 1);
    }
    *through = closure(x, *through);
    return closure(x, stay | *through);
}

/* ---- results and work ---- */

static cordon_status add_match(struct expansion *x, const char *path, struct cordon_error *err)
{
    if (x->match_count >= x->max_matches)
        return error_set(err, CORDON_E_LIMIT, 0, STEP,
                         "%s matches more than %zu names: deny a directory above them instead", x->pattern,
                         x->max_matches);
    if (x->match_count == x->match_cap) {
        size_t cap = x->match_cap ? 2 * x->match_cap : 32;
        char **matches = realloc(x->matches, cap * sizeof *matches);
        if (!matches)
            return error_nomem(err, STEP);
        x->matches = matches;
        x->match_cap = cap;
    }
    char *copy = string_copy(path);
    if (!copy)
        return error_nomem(err, STEP);
    x->matches[x->match_count++] = copy;
    return CORDON_OK;
}

static cordon_status add_pending(struct expansion *x, const char *path, uint64_t states, bool no_follow,
                                 struct cordon_error *err)
{
    if (x->pending_count == x->pending_cap) {
        size_t cap = x->pending_cap ? 2 * x->pending_cap : 64;
        struct pending *pending = realloc(x->pending, cap * sizeof *pending);
        if (!pending)
            return error_nomem(err, STEP);
        x->pending = pending;
        x->pending_cap = cap;
    }
    char *copy = string_copy(path);
    if (!copy)
        return error_nomem(err, STEP);
    x->pending[x->pending_count++] = (struct pending){copy, states, no_follow};
    return CORDON_OK;
}

static cordon_status count_visit(struct expansion *x, struct cordon_error *err)
{
    if (x->visited++ < x->max_visited)
        return CORDON_OK;
    return error_set(err, CORDON_E_LIMIT, 0, STEP,
                     "%s makes cordon look at more than %zu names: begin it with a longer directory",
                     x->pattern, x->max_visited);
}

/* What hides from this user, or went away, or has a longer name than any file,
 * is not there. What hides from cordon for want of something must not count as
 * absent. */
static bool is_absence(int code, const char *path)
{
    return code == ENOENT || code == ENOTDIR || code == EACCES || code == EPERM || code == ELOOP ||
           (code == ENAMETOOLONG && strlen(path) < LIMIT_PATH_BYTES);
}

/* A directory that cannot be looked into may hold matches, and where it is the
 * user's own the command could open it up: then all of it counts as a match. */
static cordon_status add_closed(struct expansion *x, const char *directory, const char *name,
                                struct cordon_error *err)
{
    struct stat st;
    char *closed = NULL;
    cordon_status status = CORDON_OK;
    if (name)
        status = closed_directory_find(name, &closed, err);
    else if (stat(directory, &st) != 0)
        status = closed_directory_find(directory, &closed, err);
    else if (st.st_uid == geteuid())
        status = add_match(x, directory, err);
    if (status == CORDON_OK && closed)
        status = add_match(x, closed, err);
    free(closed);
    return status;
}

static cordon_status look_failed(const struct expansion *x, int code, const char *path,
                                 struct cordon_error *err)
{
    if (code == ENAMETOOLONG)
        return error_set(err, CORDON_E_LIMIT, code, STEP,
                         "%s would have to look below a path longer than %d bytes: %.200s...", x->pattern,
                         LIMIT_PATH_BYTES, path);
    if (code == ENOMEM)
        return error_nomem(err, STEP);
    return error_set(err, CORDON_E_SYSTEM, code, STEP, "cannot look at %s for %s: %s", path, x->pattern,
                     strerror(code));
}

/* ---- the walk ---- */

static void find_system_devices(struct expansion *x)
{
    static const char *const names[] = {"/proc", "/sys"};
    struct stat root, st;
    if (stat("/", &root) != 0)
        return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (lstat(names[i], &st) == 0 && S_ISDIR(st.st_mode) && st.st_dev != root.st_dev)
            x->system_devices[x->system_count++] = st.st_dev;
}

/* /proc and /sys, wherever they are mounted, hold no files of the user's, and
 * have no end. */
static bool is_system_directory(const struct expansion *x, const char *path)
{
    struct stat st;
    if (strcmp(path, "/proc") == 0 || strcmp(path, "/sys") == 0)
        return true;
    if (x->system_count == 0 || stat(path, &st) != 0)
        return false;
    for (size_t i = 0; i < x->system_count; i++)
        if (st.st_dev == x->system_devices[i])
            return true;
    return false;
}

/* One name in the directory work->path; *path has room for the whole. */
static cordon_status visit(struct expansion *x, const struct pending *work, const char *name,
                           unsigned char type, struct buf *path, struct cordon_error *err)
{
    struct stat st;
    uint64_t through;
    cordon_status status = count_visit(x, err);
    if (status != CORDON_OK)
        return status;
    uint64_t next = advance(x, work->states, name, &through);
    if (next == 0)
        return CORDON_OK;
    buf_reset(path);
    path_join(PATH_POSIX, path, work->path, name);
    if (buf_failed(path))
        return error_nomem(err, STEP);
    if (path->len >= LIMIT_PATH_BYTES)
        return look_failed(x, ENAMETOOLONG, path->data, err);
    if (type == DT_UNKNOWN) {
        if (lstat(path->data, &st) != 0) {
            if (errno == EACCES)
                return add_closed(x, work->path, path->data, err);
            return is_absence(errno, path->data) ? CORDON_OK : look_failed(x, errno, path->data, err);
        }
        type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISLNK(st.st_mode) ? DT_LNK : DT_REG;
    }
    /* A match hides all below it. */
    if (is_accepting(x, next))
        return add_match(x, path->data, err);
    if (type != DT_DIR)
        next = type == DT_LNK ? through : 0;
    return next ? add_pending(x, path->data, next, type == DT_DIR, err) : CORDON_OK;
}

/* Names that need no listing: a directory may be searchable and not readable. */
static cordon_status visit_literals(struct expansion *x, const struct pending *work, struct buf *path,
                                    struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    for (size_t i = 0; status == CORDON_OK && i < x->component_count; i++) {
        const struct component *c = &x->components[i];
        bool again = false;
        if (!(work->states >> i & 1) || !c->literal)
            continue;
        for (size_t j = 0; j < i; j++) /* the same name twice: one visit handles all states */
            again = again || ((work->states >> j & 1) && x->components[j].literal &&
                              strcmp(x->components[j].text, c->text) == 0);
        if (!again)
            status = visit(x, work, c->text, DT_UNKNOWN, path, err);
    }
    return status;
}

static cordon_status visit_all(struct expansion *x, const struct pending *work, struct buf *path,
                               struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    int fd = open(work->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (work->no_follow ? O_NOFOLLOW : 0));
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    if (!stream) {
        int code = errno;
        if (fd >= 0)
            close(fd);
        if (code == EACCES && (status = add_closed(x, work->path, NULL, err)) != CORDON_OK)
            return status;
        return is_absence(code, work->path) ? visit_literals(x, work, path, err)
                                            : look_failed(x, code, work->path, err);
    }
    while (status == CORDON_OK) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry) {
            if (errno != 0 && !is_absence(errno, work->path))
                status = look_failed(x, errno, work->path, err);
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = visit(x, work, entry->d_name, entry->d_type, path, err);
    }
    closedir(stream);
    return status;
}

static cordon_status look_into(struct expansion *x, struct pending *work, struct cordon_error *err)
{
    struct buf path = BUF_INIT;
    bool any_depth = false, listing = false;
    for (size_t i = 0; i < x->component_count; i++)
        any_depth = any_depth || ((work->states >> i & 1) && x->components[i].any_depth);
    if (any_depth && is_system_directory(x, work->path))
        for (size_t i = 0; i < x->component_count; i++)
            if (x->components[i].any_depth)
                work->states &= ~((uint64_t)1 << i);
    for (size_t i = 0; i < x->component_count; i++)
        listing = listing || ((work->states >> i & 1) && !x->components[i].literal);
    cordon_status status = listing ? visit_all(x, work, &path, err) : visit_literals(x, work, &path, err);
    buf_release(&path);
    return status;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void drop_repeated(struct expansion *x)
{
    size_t kept = 0;
    for (size_t i = 0; i < x->match_count; i++) {
        if (kept && strcmp(x->matches[kept - 1], x->matches[i]) == 0)
            free(x->matches[i]);
        else
            x->matches[kept++] = x->matches[i];
    }
    x->match_count = kept;
}

cordon_status glob_expand_within(const char *pattern, size_t max_matches, size_t max_visited, char ***paths,
                                 size_t *count, struct cordon_error *err)
{
    struct expansion x = {.pattern = pattern, .max_matches = max_matches, .max_visited = max_visited};
    struct stat st;
    char *start = NULL;
    uint64_t states;
    cordon_status status = split(&x, &start, err);
    if (status != CORDON_OK)
        goto out;
    find_system_devices(&x);
    states = closure(&x, 1);
    if (!is_accepting(&x, states))
        status = add_pending(&x, start, states, false, err);
    else if (lstat(start, &st) == 0)
        status = add_match(&x, start, err);
    else if (errno == EACCES)
        status = add_closed(&x, start, start, err);
    else if (!is_absence(errno, start))
        status = look_failed(&x, errno, start, err);
    while (status == CORDON_OK && x.pending_count > 0) {
        struct pending work = x.pending[--x.pending_count];
        status = look_into(&x, &work, err);
        free(work.path);
    }
    if (status != CORDON_OK)
        goto out;
    if (x.match_count > 1)
        qsort(x.matches, x.match_count, sizeof *x.matches, compare);
    drop_repeated(&x); /* a closed directory is met once for every name looked for in it */
    *paths = x.matches;
    *count = x.match_count;
    x.matches = NULL;
    x.match_count = 0;
out:
    free(start);
    expansion_release(&x);
    return status;
}

cordon_status glob_expand(const char *pattern, char ***paths, size_t *count, struct cordon_error *err)
{
    return glob_expand_within(pattern, LIMIT_GLOB_MATCHES, LIMIT_GLOB_VISITED, paths, count, err);
}
