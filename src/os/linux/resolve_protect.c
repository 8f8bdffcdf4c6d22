/* resolve_protect.c - protected names and paths, also behind links and .git files. Part of resolve.c. */
#include "os/linux/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"
#include "os/linux/gitlink.h"
#include "os/linux/links.h"
#include "os/linux/repository.h"

struct way {
    struct resolver *resolver;
    const char *origin;
};

/* A circle of links is walked many times: one rule, and one descriptor, for each. */
static bool is_protected_already(const struct resolver *r, const char *path)
{
    const struct resolved *resolved = &r->out->resolved;
    for (size_t i = 0; i < resolved->count; i++)
        if (resolved->items[i].kind == RULE_PROTECT &&
            path_equal(resolver_paths, resolved->items[i].path, path))
            return true;
    return false;
}

static cordon_status protect_one_link(void *context, const char *link, const char *target,
                                      struct cordon_error *err)
{
    struct way *way = context;
    struct located l;
    (void)target;
    cordon_status status = locate(link, false, &l, err);
    if (status != CORDON_OK)
        return status;
    if (l.type == OBJECT_SYMLINK && !is_protected_already(way->resolver, l.path))
        status = resolver_add_rule(way->resolver, RULE_PROTECT, ROLE_PLAIN, &l, way->origin);
    located_release(&l);
    return status;
}

/* Links on the way to a protected thing are protected as well: in their place
 * the command could make a directory, and the thing in that. */
static cordon_status protect_way(struct resolver *r, const char *path, const char *origin)
{
    struct way way = {r, origin};
    return links_walk(path, protect_one_link, &way, NULL, r->err);
}

/* A protected link protects what it leads to as well, also what is not there
 * yet: otherwise making the target would make the protected thing. */
static cordon_status protect_link_target(struct resolver *r, const char *path, const char *origin, int depth)
{
    char target[LIMIT_PATH_BYTES + 1];
    ssize_t len = readlink(path, target, sizeof target);
    if (len < 0 || (size_t)len >= sizeof target || depth > 40)
        return error_set(r->err, CORDON_E_INVALID, len < 0 ? errno : ELOOP, "resolve.protect",
                         "%s (%s): cannot follow the link", path, origin);
    target[len] = '\0';
    char *text = target[0] == '/'
                     ? string_copy(target)
                     : string_format("%.*s/%s", (int)path_parent_length(PATH_POSIX, path), path, target);
    if (!text)
        return error_nomem(r->err, "resolve.protect");
    cordon_status status = protect_way(r, text, origin);
    if (status == CORDON_OK)
        status = resolver_protect_path(r, text, true, origin, depth + 1);
    free(text);
    return status;
}

/* An absent .git of a workspace inside another repository is not held: tools
 * would take the placeholder for the workspace's own repository and lose sight
 * of the one around it. The guard watches for it instead (guard.h). */
static bool is_only_watched(const struct resolver *r, const struct located *l)
{
    char parent[LIMIT_PATH_BYTES + 1];
    struct stat st;
    size_t len = strlen(l->path), cut = path_parent_length(PATH_POSIX, l->path);
    if (l->type != OBJECT_ABSENT || len > LIMIT_PATH_BYTES ||
        strcmp(path_basename(PATH_POSIX, l->path), ".git") != 0)
        return false;
    memcpy(parent, l->path, cut);
    parent[cut] = '\0';
    /* By identity: the workspace can have a second name, a bind mount. */
    return lstat(parent, &st) == 0 && (uint64_t)st.st_dev == r->workspace_dev &&
           (uint64_t)st.st_ino == r->workspace_ino && repository_above(r->out->resolved.workspace);
}

static cordon_status add_watched(struct resolver *r, const struct located *l, const char *origin)
{
    struct rule rule = {
        .kind = RULE_PROTECT, .path = l->path, .origin = origin, .type = OBJECT_ABSENT, .watched = true};
    return resolved_add(&r->out->resolved, &rule, r->err);
}

cordon_status resolver_protect_path(struct resolver *r, const char *path, bool even_absent,
                                    const char *origin, int depth)
{
    struct located l;
    cordon_status status = locate(path, false, &l, r->err);
    if (status != CORDON_OK)
        return status;
    if (l.type == OBJECT_ABSENT && !even_absent) {
        located_release(&l);
        return CORDON_OK;
    }
    struct gitlink link = {{NULL, NULL}};
    if (l.type == OBJECT_SYMLINK)
        status = protect_link_target(r, l.path, origin, depth);
    else if (l.type == OBJECT_FILE)
        status = gitlink_read(l.path, &link, r->err);
    for (size_t i = 0; i < 2 && status == CORDON_OK; i++)
        if (link.paths[i] && (status = protect_way(r, link.paths[i], origin)) == CORDON_OK)
            status = resolver_protect_path(r, link.paths[i], true, origin, depth + 1);
    gitlink_release(&link);
    if (status == CORDON_OK)
        status = is_only_watched(r, &l) ? add_watched(r, &l, origin)
                                        : resolver_add_rule(r, RULE_PROTECT, ROLE_PLAIN, &l, origin);
    located_release(&l);
    return status;
}

static cordon_status protect_name(struct resolver *r, const char *root, const char *name, bool even_absent,
                                  const char *origin)
{
    struct buf path = BUF_INIT;
    struct stat st;
    cordon_status status = CORDON_OK;
    path_join(PATH_POSIX, &path, root, name);
    if (buf_failed(&path))
        status = error_nomem(r->err, "resolve.protect");
    /* One look is enough where it is not there: four names times a thousand roots. */
    else if (even_absent || lstat(path.data, &st) == 0 || errno != ENOENT)
        status = resolver_protect_path(r, path.data, even_absent, origin, 0);
    buf_release(&path);
    return status;
}

/* A workspace that is a bare repository itself: git obeys what a .git would else
 * hold. `commondir`, which could name another place for it, is the guard's. */
static cordon_status protect_bare_repository(struct resolver *r)
{
    static const char *const names[] = {"config", "hooks"};
    static const char origin[] = "built in: the workspace is a bare repository";
    const char *workspace = r->out->resolved.workspace;
    cordon_status status = CORDON_OK;
    int dir = open(workspace, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool bare = dir >= 0 && repository_at(dir);
    if (dir >= 0)
        close(dir);
    for (size_t i = 0; bare && i < 2 && status == CORDON_OK; i++)
        status = protect_name(r, workspace, names[i], true, origin);
    if (bare && status == CORDON_OK)
        status = report_add_warning(r->report, r->err,
                                    "the workspace %s is a bare repository: its config and hooks are "
                                    "protected, what else is in it can be changed",
                                    workspace);
    return status;
}

/* `roots` rules exist already: names apply to them all. */
cordon_status resolver_add_protect(struct resolver *r, const struct policy_entry *entry, size_t roots)
{
    const struct resolved *resolved = &r->out->resolved;
    if (!path_is_bare_name(PATH_POSIX, entry->value)) {
        char *path = resolver_absolute(r, entry);
        if (!path)
            return error_nomem(r->err, "resolve.protect");
        cordon_status status = protect_way(r, path, entry->origin);
        if (status == CORDON_OK)
            status = resolver_protect_path(r, path, true, entry->origin, 0);
        free(path);
        return status;
    }
    cordon_status status = protect_name(r, resolved->workspace, entry->value, true, entry->origin);
    if (status == CORDON_OK && strcmp(entry->value, ".git") == 0)
        status = protect_bare_repository(r);
    for (size_t i = 0; i < roots && status == CORDON_OK; i++) {
        const struct rule *rule = &resolved->items[i];
        if (rule->kind != RULE_WRITE || rule->role == ROLE_TMP || rule->type != OBJECT_DIRECTORY ||
            path_equal(resolver_paths, rule->path, resolved->workspace))
            continue;
        /* The workspace by another name (a bind mount): its placeholder could be filled through it. */
        bool alias = rule->dev == r->workspace_dev && rule->ino == r->workspace_ino;
        char *root = string_copy(rule->path); /* adding rules moves the array */
        status = root ? protect_name(r, root, entry->value, alias, entry->origin)
                      : error_nomem(r->err, "resolve.protect");
        free(root);
    }
    return status;
}
