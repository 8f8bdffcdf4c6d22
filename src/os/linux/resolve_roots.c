/* resolve_roots.c - what may be written: the temporary directories and the roots. Part of resolve.c. */
#include "os/linux/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/linux/kernel_mounts.h"
/* -- replaced directories ------------------------------------------------- */

cordon_status resolver_add_tmp(struct resolver *r, const char *origin)
{
    static const char *const views[] = {"/tmp", "/var/tmp", "/dev/shm"}, *const names[] = {"tmp", "vartmp",
                                                                                           "shm"};
    for (size_t i = 0; i < 3; i++) {
        struct located l;
        cordon_status status = locate(views[i], true, &l, r->err);
        if (status != CORDON_OK)
            return status;
        if (l.type != OBJECT_DIRECTORY || (r->replaced_count && resolver_replaced_by(r, l.path))) {
            located_release(&l); /* /var/tmp is a link to /tmp on some hosts */
            continue;
        }
        if (r->input->policy->tmp == TMP_SHARED) {
            status = resolver_add_rule(r, RULE_WRITE, ROLE_PLAIN, &l, origin);
            located_release(&l);
            if (status != CORDON_OK)
                return status;
            continue;
        }
        char *backing = state_path(r->places, names[i]);
        struct rule rule = {.kind = RULE_WRITE,
                            .role = ROLE_TMP,
                            .path = l.path,
                            .backing = backing,
                            .origin = origin,
                            .type = OBJECT_DIRECTORY};
        status =
            backing ? resolved_add(&r->out->resolved, &rule, r->err) : error_nomem(r->err, "resolve.tmp");
        if (status == CORDON_OK) {
            r->replaced[r->replaced_count++] = l.path;
            l.path = NULL;
        }
        free(backing);
        located_release(&l);
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

/* -- writable roots ------------------------------------------------------- */

/* How often the policy's write list and the workspace name this path. */
static size_t times_named(struct resolver *r, const char *path, bool *by_option)
{
    const struct policy_list *list = &r->input->policy->lists[LIST_WRITE];
    size_t count = path_equal(resolver_paths, r->out->resolved.workspace, path);
    for (size_t i = 0; i < list->count; i++) {
        struct located l;
        struct cordon_error ignored;
        char *text =
            strcmp(list->items[i].value, "${tmp}") == 0 || strcmp(list->items[i].value, "${workspace}") == 0
                ? NULL
                : resolver_absolute(r, &list->items[i]);
        if (!text)
            continue;
        if (locate(text, true, &l, &ignored) == CORDON_OK) {
            if (path_equal(resolver_paths, l.path, path)) {
                count++;
                *by_option = *by_option || list->items[i].base == BASE_CWD;
            }
            located_release(&l);
        }
        free(text);
    }
    return count;
}

cordon_status resolver_refuse_dangerous(struct resolver *r, const struct located *l, const char *origin)
{
    const char *path = l->path;
    if (kernel_mounts_holds(l->fd) || path_is_within(resolver_paths, "/proc", path) ||
        path_is_within(resolver_paths, "/sys", path))
        return error_set(r->err, CORDON_E_INVALID, 0, "resolve.root",
                         "%s (%s) cannot be a writable root: it steers the kernel, not files", path, origin);
    const char *what = NULL;
    if (path_is_root(PATH_POSIX, path))
        what = "the whole file system";
    else if (r->places->home && path_is_within(resolver_paths, path, r->places->home))
        what = path_equal(resolver_paths, path, r->places->home) ? "the home directory"
                                                                 : "a parent of the home directory";
    bool by_option = false;
    if (!what || (times_named(r, path, &by_option) >= 2 && by_option))
        return CORDON_OK;
    return error_set(r->err, CORDON_E_INVALID, 0, "resolve.root",
                     "%s (%s) is %s: everything in it would be writable; choose a directory below it, or "
                     "name it once more with "
                     "-w %s if you mean it",
                     path, origin, what, path);
}

static cordon_status add_device(struct resolver *r, const char *path)
{
    struct resolution *out = r->out;
    char **devices = realloc(out->devices, (out->device_count + 2) * sizeof *devices);
    if (!devices)
        return error_nomem(r->err, "resolve.path");
    out->devices = devices;
    devices[out->device_count] = string_copy(path + strlen("/dev/"));
    if (!devices[out->device_count])
        return error_nomem(r->err, "resolve.path");
    devices[++out->device_count] = NULL;
    return CORDON_OK;
}

static cordon_status check_dev(struct resolver *r, const struct located *l, const char *origin)
{
    if (!path_is_within(resolver_paths, "/dev", l->path) ||
        path_is_within(resolver_paths, "/dev/shm", l->path))
        return CORDON_OK;
    if (l->type != OBJECT_DEVICE)
        return error_set(r->err, CORDON_E_INVALID, 0, "resolve.root",
                         "%s (%s): below /dev only single devices can be opened up", l->path, origin);
    return add_device(r, l->path);
}

cordon_status resolver_add_write(struct resolver *r, const struct policy_entry *entry)
{
    struct located l;
    if (strcmp(entry->value, "${tmp}") == 0)
        return CORDON_OK; /* resolver_add_tmp() came first */
    cordon_status status = resolver_locate_entry(r, entry, true, &l);
    if (status != CORDON_OK)
        return status;
    if (l.type == OBJECT_ABSENT)
        status = error_set(r->err, CORDON_E_INVALID, ENOENT, "resolve.root",
                           "%s (%s): no such file or directory; a writable root must exist", l.path,
                           entry->origin);
    if (status == CORDON_OK)
        status = resolver_refuse_dangerous(r, &l, entry->origin);
    if (status == CORDON_OK)
        status = check_dev(r, &l, entry->origin);
    if (status == CORDON_OK)
        status = resolver_add_rule(r, RULE_WRITE, resolver_replaced_by(r, l.path) ? ROLE_VISIBLE : ROLE_PLAIN,
                                   &l, entry->origin);
    located_release(&l);
    return status;
}
