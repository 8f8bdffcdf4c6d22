/* resolve_read.c - what cannot be read, and what stays visible all the same. Part of resolve.c. */
#include "os/linux/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/posix/closed_directory.h"
#include "os/posix/glob_expand.h"

/* -- deny_read ------------------------------------------------------------ */

static cordon_status deny_located(struct resolver *r, struct located *l, const struct policy_entry *entry)
{
    if (l->type == OBJECT_FILE && l->nlink > 1) {
        cordon_status status = report_add_warning(
            r->report, r->err, "deny_read %s (%s): the file has %llu names; the others stay readable",
            l->path, entry->origin, (unsigned long long)l->nlink);
        if (status != CORDON_OK)
            return status;
    }
    return resolver_add_rule(r, RULE_DENY_READ, ROLE_PLAIN, l, entry->origin);
}

/* What the user cannot reach, neither can the command; unless a directory on the
 * way is the user's own: its owner can open it up again. That one is hidden then. */
static cordon_status deny_unreachable(struct resolver *r, const char *path, const struct policy_entry *entry)
{
    struct located l;
    char *closed = NULL;
    cordon_status status = closed_directory_find(path, &closed, r->err);
    if (status != CORDON_OK || !closed)
        return status;
    status = locate(closed, true, &l, r->err);
    if (status == CORDON_OK) {
        status = report_add_warning(r->report, r->err,
                                    "deny_read %s (%s): %s cannot be searched now, so all of it is hidden",
                                    path, entry->origin, l.path);
        if (status == CORDON_OK)
            status = deny_located(r, &l, entry);
        located_release(&l);
    }
    free(closed);
    return status;
}

static cordon_status deny_path(struct resolver *r, const char *path, const struct policy_entry *entry)
{
    struct located l;
    cordon_status status = locate(path, true, &l, r->err);
    if (status != CORDON_OK && r->err && r->err->os_code == EACCES)
        return deny_unreachable(r, path, entry);
    if (status != CORDON_OK)
        return status;
    if (l.type == OBJECT_ABSENT)
        status = report_add_warning(r->report, r->err,
                                    "deny_read %s (%s): not there now; it would be readable if it appeared",
                                    path, entry->origin);
    else if (path_is_root(PATH_POSIX, l.path))
        status = error_set(r->err, CORDON_E_INVALID, 0, "resolve.deny-read",
                           "deny_read / (%s): nothing could run then", entry->origin);
    else if (!resolver_replaced_by(r, l.path) ||
             !path_equal(resolver_paths, resolver_replaced_by(r, l.path), l.path))
        status =
            deny_located(r, &l, entry); /* not a replaced directory itself: the host's is hidden already */
    located_release(&l);
    return status;
}

cordon_status resolver_add_deny_read(struct resolver *r, const struct policy_entry *entry)
{
    char **paths = NULL;
    size_t count = 0;
    struct buf pattern = BUF_INIT;
    bool magic = glob_has_magic(entry->value);
    char *text = magic ? resolver_absolute_pattern(r, entry) : resolver_absolute(r, entry);
    cordon_status status = text ? CORDON_OK : error_nomem(r->err, "resolve.deny-read");
    if (status == CORDON_OK && !magic) {
        status = deny_path(r, text, entry);
        goto out;
    }
    if (status == CORDON_OK)
        status = path_normalize(PATH_POSIX, "/", text, &pattern, r->err);
    if (status == CORDON_OK)
        status = glob_expand(pattern.data, &paths, &count, r->err);
    for (size_t i = 0; i < count; i++) {
        if (status == CORDON_OK)
            status = deny_path(r, paths[i], entry);
        free(paths[i]);
    }
    if (status == CORDON_OK)
        status = report_add_warning(
            r->report, r->err,
            "deny_read %s (%s): hides the %llu paths that matched at the start; later ones stay readable",
            entry->value, entry->origin, (unsigned long long)count);
out:
    free(paths);
    free(text);
    buf_release(&pattern);
    return status;
}

/* -- what stays visible ------------------------------------------------- */

cordon_status resolver_keep_visible(struct resolver *r, const char *path, const char *origin, bool must_exist)
{
    struct located l;
    cordon_status status = locate(path, true, &l, r->err);
    if (status != CORDON_OK)
        return must_exist ? status : CORDON_OK;
    if (l.type == OBJECT_ABSENT && must_exist)
        status = error_set(r->err, CORDON_E_INVALID, ENOENT, "resolve.read",
                           "%s (%s): no such file or directory", path, origin);
    else if (l.type != OBJECT_ABSENT && resolver_replaced_by(r, l.path) &&
             !path_equal(resolver_paths, resolver_replaced_by(r, l.path), l.path))
        status = resolver_add_rule(r, RULE_READ, ROLE_VISIBLE, &l, origin);
    located_release(&l);
    return status;
}

cordon_status resolver_add_visible(struct resolver *r)
{
    const struct policy_list *list = &r->input->policy->lists[LIST_READ];
    cordon_status status = resolver_keep_visible(r, r->out->resolved.workspace, "workspace", true);
    if (status == CORDON_OK)
        status = resolver_keep_visible(r, r->out->cwd, "current directory", true);
    if (status == CORDON_OK && r->input->program && strchr(r->input->program, '/'))
        status = resolver_keep_visible(r, r->input->program, "the command", false);
    for (size_t i = 0; i < list->count && status == CORDON_OK; i++) {
        char *path = resolver_absolute(r, &list->items[i]);
        size_t before = r->out->resolved.count;
        status = path ? resolver_keep_visible(r, path, list->items[i].origin, true)
                      : error_nomem(r->err, "resolve.read");
        if (status == CORDON_OK && r->out->resolved.count == before)
            status = report_add_warning(
                r->report, r->err,
                "read %s (%s): changes nothing, for it does not lie in a replaced directory", path,
                list->items[i].origin);
        free(path);
    }
    return status;
}
