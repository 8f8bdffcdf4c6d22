/* resolve.c - see resolve.h. Runs as the user, outside; called by run, plan, explain.
 *
 * Order: the replaced directories first (what lies in one needs a rule to stay
 * visible), then roots, protected entries (names apply to roots), deny_read,
 * cordon's own places; decide()'s sorting makes the order harmless.
 */
#include "os/linux/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/linux/kernel_mounts.h"
#include "os/linux/links.h"
#include "os/linux/resolver.h"

void resolution_init(struct resolution *r)
{
    memset(r, 0, sizeof *r);
    resolved_init(&r->resolved);
}

void resolution_release(struct resolution *r)
{
    resolved_release(&r->resolved);
    for (size_t i = 0; i < r->pin_count; i++)
        close(r->pins[i]);
    for (size_t i = 0; i < r->device_count; i++)
        free(r->devices[i]);
    free(r->devices);
    free(r->pins);
    free(r->cwd);
    resolution_init(r);
}

/* A name as given, made absolute, walked for planted links. */
static cordon_status check_links(struct resolver *r, const char *path, const char *what, const char *origin)
{
    char *full = path[0] == '/' ? string_copy(path) : string_format("%s/%s", r->out->cwd, path);
    cordon_status status = full ? links_check(&r->out->resolved, r->places, full, what, origin, NULL, r->err)
                                : error_nomem(r->err, "resolve.link");
    free(full);
    return status;
}

static cordon_status add_own_places(struct resolver *r)
{
    char *backing = state_path(r->places, "cache");
    struct rule state = {.kind = RULE_DENY_READ,
                         .role = ROLE_STATE,
                         .path = r->places->state_root,
                         .origin = "built in: cordon's state",
                         .type = OBJECT_DIRECTORY};
    struct rule cache = {.kind = RULE_WRITE,
                         .role = ROLE_CACHE,
                         .path = r->places->cache_view,
                         .backing = backing,
                         .origin = "built in: private cache",
                         .type = OBJECT_DIRECTORY};
    cordon_status status = backing ? CORDON_OK : error_nomem(r->err, "resolve.state");
    if (status == CORDON_OK)
        status = resolved_add(&r->out->resolved, &state, r->err);
    if (status == CORDON_OK)
        status = resolved_add(&r->out->resolved, &cache, r->err);
    free(backing);
    if (status == CORDON_OK && r->places->config_root)
        status =
            resolver_protect_path(r, r->places->config_root, true, "built in: cordon's configuration", 0);
    return status;
}

/* -- the whole ------------------------------------------------------------ */

cordon_status resolve_workspace(const char *given, char **path, struct cordon_error *err)
{
    struct located l;
    cordon_status status = locate(given ? given : ".", true, &l, err);
    if (status == CORDON_OK && l.type != OBJECT_DIRECTORY) {
        status = error_set(err, CORDON_E_INVALID, 0, "resolve.workspace",
                           "workspace %s: %s; give a directory with -C", given ? given : ".",
                           l.type == OBJECT_ABSENT ? "no such directory" : "not a directory");
        located_release(&l);
        return status;
    }
    if (status != CORDON_OK)
        return error_set(err, status, err ? err->os_code : 0, "resolve.workspace",
                         "workspace %s: %s; give a directory with -C", given ? given : ".",
                         err ? strerror(err->os_code) : "cannot be resolved");
    *path = l.path;
    l.path = NULL;
    located_release(&l);
    return CORDON_OK;
}

static cordon_status locate_base(struct resolver *r)
{
    struct located l;
    cordon_status status = CORDON_OK;
    r->out->resolved.workspace = string_copy(r->input->workspace_path);
    /* Without -C the working directory is the workspace, and is already known. */
    if (r->input->workspace || r->input->directory)
        status = resolve_workspace(r->input->directory, &r->out->cwd, r->err);
    else
        r->out->cwd = string_copy(r->input->workspace_path);
    if (status != CORDON_OK && r->input->directory)
        return error_set(r->err, status, r->err ? r->err->os_code : 0, "resolve.directory",
                         "%s: no directory that the command could start in", r->input->directory);
    if (status == CORDON_OK && (!r->out->resolved.workspace || !r->out->cwd))
        status = error_nomem(r->err, "resolve.workspace");
    if (status == CORDON_OK)
        status = locate(r->out->resolved.workspace, true, &l, r->err);
    if (status != CORDON_OK)
        return status;
    r->out->owner_uid = l.uid;
    r->out->owner_gid = l.gid;
    r->workspace_dev = l.dev;
    r->workspace_ino = l.ino;
    status = resolver_refuse_dangerous(r, &l, "workspace");
    if (status == CORDON_OK)
        status = resolver_keep_pin(r, &l);
    located_release(&l);
    return status;
}

/* "Never a file that the command could write", nor through a link that it could have made. */
static cordon_status check_policy_file(struct resolver *r)
{
    struct located l;
    const char *file = r->input->policy_file;
    if (!file)
        return CORDON_OK;
    cordon_status status = locate(file, true, &l, r->err);
    if (status != CORDON_OK)
        return status;
    if (decide(&r->out->resolved, l.path, OP_WRITE).allowed)
        status = error_set(
            r->err, CORDON_E_INVALID, 0, "resolve.policy-file",
            "policy file %s lies where the command could rewrite it; move it out of the writable roots or "
            "protect it (-p %s)",
            file, file);
    located_release(&l);
    return status ? status : check_links(r, file, "policy file", "option --policy");
}

/* A rule of exactly this path: what was located has the name that was given, so
 * no link lay on the way. */
static bool is_resolved(const struct resolver *r, const char *path)
{
    const struct rule *rule = resolved_at(&r->out->resolved, path);
    return rule && rule->ino != 0 && rule->type != OBJECT_SYMLINK;
}

/* What an earlier run's command may have planted must not become this run's root. */
static cordon_status check_root_links(struct resolver *r)
{
    static const struct {
        enum policy_list_id list;
        const char *what;
    } lists[] = {
        {LIST_WRITE, "writable root"}, {LIST_READ, "visible path"}, {LIST_UNIX_SOCKETS, "unix socket"}};
    cordon_status status = r->input->workspace
                               ? check_links(r, r->input->workspace, "workspace", "option --workspace")
                               : CORDON_OK;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const struct policy_list *list = &r->input->policy->lists[lists[i].list];
        for (size_t j = 0; j < list->count && status == CORDON_OK; j++) {
            const struct policy_entry *entry = &list->items[j];
            if (strcmp(entry->value, "${tmp}") == 0 || strcmp(entry->value, "${workspace}") == 0)
                continue;
            char *path = resolver_absolute(r, entry);
            if (!path)
                status = error_nomem(r->err, "resolve.link");
            else if (!is_resolved(r, path)) /* a thousand roots are usually named as they are */
                status = check_links(r, path, lists[i].what, entry->origin);
            free(path);
        }
    }
    return status;
}

static cordon_status add_rules(struct resolver *r)
{
    const struct policy *policy = r->input->policy;
    const struct policy_list *write = &policy->lists[LIST_WRITE], *protect = &policy->lists[LIST_PROTECT],
                             *deny = &policy->lists[LIST_DENY_READ];
    cordon_status status = resolver_add_tmp(r, policy->tmp_origin ? policy->tmp_origin : "default");
    for (size_t i = 0; i < write->count && status == CORDON_OK; i++)
        status = resolver_add_write(r, &write->items[i]);
    size_t roots = r->out->resolved.count;
    for (size_t i = 0; i < protect->count && status == CORDON_OK; i++)
        status = resolver_add_protect(r, &protect->items[i], roots);
    for (size_t i = 0; i < deny->count && status == CORDON_OK; i++)
        status = resolver_add_deny_read(r, &deny->items[i]);
    if (status == CORDON_OK)
        status = resolver_add_visible(r);
    if (status == CORDON_OK)
        status = resolver_add_sockets(r);
    return status ? status : add_own_places(r);
}

cordon_status resolve_policy(struct resolution *out, const struct resolve_input *input, struct places *places,
                             struct report *report, struct cordon_error *err)
{
    struct resolver r = {.out = out, .input = input, .places = places, .report = report, .err = err};
    out->resolved.rules = resolver_paths;
    out->resolved.net = input->policy->net;
    cordon_status status = locate_base(&r);
    if (status == CORDON_OK)
        status = add_rules(&r);
    /* For others than root the permissions of those files do. */
    if (status == CORDON_OK && geteuid() == 0)
        status = kernel_mounts_protect(&out->resolved, err);
    if (status == CORDON_OK)
        status = resolved_finish(&out->resolved, err);
    if (status == CORDON_OK)
        status = check_root_links(&r);
    if (status == CORDON_OK)
        status = check_policy_file(&r);
    for (size_t i = 0; i < r.replaced_count; i++)
        free(r.replaced[i]);
    return status;
}

cordon_status resolve_question(const char *path, char **out, struct cordon_error *err)
{
    struct located l;
    cordon_status status = locate(path, true, &l, err);
    if (status != CORDON_OK)
        return status;
    *out = l.path;
    l.path = NULL;
    located_release(&l);
    return CORDON_OK;
}
