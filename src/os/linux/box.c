/* box.c - see box.h. Runs as the user, outside. */
#include "os/linux/box.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "os/linux/beneath.h"
#include "os/linux/broker.h"
#include "os/linux/cgroup.h"
#include "os/linux/landlock_apply.h"
#include "os/linux/plain.h"
#include "os/linux/registry.h"
#include "os/linux/sys.h"
#include "plan/cache_env.h"
#include "plan/linux_plain.h"

void box_init(struct box *b)
{
    memset(b, 0, sizeof *b);
    places_init(&b->places);
    resolution_init(&b->resolution);
    placeholders_init(&b->placeholders);
    linux_plan_init(&b->plan);
    env_list_init(&b->environment);
    report_init(&b->report);
}

void box_release(struct box *b)
{
    if (b->places.workspace_fd >= 0) {
        placeholders_remove(&b->placeholders, &b->places);
        state_close(&b->places);
    }
    placeholders_release(&b->placeholders);
    for (size_t i = 0; i < sizeof b->paths / sizeof *b->paths; i++)
        free(b->paths[i]);
    report_release(&b->report);
    env_list_release(&b->environment);
    linux_plan_release(&b->plan);
    resolution_release(&b->resolution);
    places_release(&b->places);
    box_init(b);
}

static bool listed(const char *const *list, const char *name)
{
    for (; list && *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

/* Mount points inside replaced directories, and device files in the skeleton. */
static cordon_status make_mountpoints(struct box *b, struct cordon_error *err)
{
    const struct resolved *resolved = &b->resolution.resolved;
    cordon_status status = CORDON_OK;
    for (size_t i = 0; i < resolved->count && status == CORDON_OK; i++) {
        const struct rule *rule = &resolved->items[i];
        const struct rule *above = resolved_enclosing(resolved, rule->path);
        if (rule->redundant || !above || above->role != ROLE_TMP || rule->absent_name)
            continue;
        const char *name = strrchr(above->backing, '/') + 1;
        const char *relative = rule->path + strlen(above->path) + 1;
        status = state_mountpoint(&b->places, name, relative, rule->type == OBJECT_DIRECTORY, err);
    }
    for (size_t i = 0; i < b->resolution.device_count && status == CORDON_OK; i++)
        status = state_mountpoint(&b->places, "dev", b->resolution.devices[i], false, err);
    return status;
}

/* A mask over a directory that has visible parts below it has holes for them.
 * Without effects only what run would refuse is refused. */
static cordon_status make_holes(struct box *b, struct rule *mask, size_t first, bool effects,
                                struct cordon_error *err)
{
    const struct resolved *resolved = &b->resolution.resolved;
    cordon_status status = CORDON_OK;
    for (size_t i = first; i < resolved->count && status == CORDON_OK; i++) {
        const struct rule *hole = &resolved->items[i];
        char *backing = NULL;
        if (!path_is_below(resolved->rules, mask->path, hole->path))
            break;
        if ((hole->kind != RULE_WRITE && hole->kind != RULE_READ) || hole->redundant ||
            resolved_enclosing(resolved, hole->path) != mask)
            continue;
        if (hole->type != OBJECT_DIRECTORY)
            return error_set(
                err, CORDON_E_INVALID, 0, "resolve.deny-read",
                "%s (%s) is a file inside %s, which deny_read hides (%s): open up its directory instead",
                hole->path, hole->origin, mask->path, mask->origin);
        if (!effects)
            continue;
        status = state_mask_with_hole(&b->places, mask->role == ROLE_STATE ? "state" : mask->path,
                                      hole->path + strlen(mask->path) + 1, &backing, err);
        if (status == CORDON_OK) {
            free((char *)mask->backing);
            mask->backing = backing;
        }
    }
    return status;
}

static cordon_status make_masks(struct box *b, bool effects, struct cordon_error *err)
{
    struct resolved *resolved = &b->resolution.resolved;
    cordon_status status = CORDON_OK;
    for (size_t i = 0; i < resolved->count && status == CORDON_OK; i++)
        if (resolved->items[i].kind == RULE_DENY_READ && resolved->items[i].type == OBJECT_DIRECTORY &&
            !resolved->items[i].redundant)
            status = make_holes(b, &resolved->items[i], i + 1, effects, err);
    return status;
}

/* Another user's or workspace's sandbox may hold an empty directory as its
 * placeholder: locked by us too, it stays until we are done. */
static cordon_status join_empty(struct box *b, const struct rule *rule, struct cordon_error *err)
{
    if (rule->type != OBJECT_DIRECTORY || rule->absent_name || rule->nlink > 2)
        return CORDON_OK;
    /* A placeholder is empty, and readable for everybody. */
    int fd = beneath_open_absolute(rule->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    bool other = fd < 0 ? errno == EACCES : beneath_is_empty(fd) == 0;
    if (fd >= 0)
        close(fd);
    if (other)
        return CORDON_OK;
    cordon_status status = placeholders_join(&b->placeholders, rule->path, err);
    if (status != CORDON_OK)
        return status;
    const struct placeholder *held = &b->placeholders.items[b->placeholders.count - 1];
    for (size_t i = 0; i < b->placeholders.count; i++)
        if (strcmp(b->placeholders.items[i].path, rule->path) == 0)
            held = &b->placeholders.items[i];
    /* Between the look and the lock its maker may have removed it, and another have made one. */
    return held->dev == rule->dev && held->ino == rule->ino
               ? CORDON_OK
               : error_set(err, CORDON_E_CONFLICT, 0, "linux.placeholder",
                           "%s was replaced while the sandbox was being made; run it again", rule->path);
}

/* The placeholders to make or join, and the rules' identities from them. */
static cordon_status make_placeholders(struct box *b, struct cordon_error *err)
{
    struct resolved *resolved = &b->resolution.resolved;
    const char **paths = calloc(resolved->count + 1, sizeof *paths);
    size_t count = 0;
    cordon_status status = CORDON_OK;
    if (!paths)
        return error_nomem(err, "linux.placeholder");
    bool any = faccessat(b->places.workspace_fd, REGISTRY_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    for (size_t i = 0; i < resolved->count; i++) {
        const struct rule *rule = &resolved->items[i];
        if (rule->kind != RULE_PROTECT || rule->redundant)
            continue;
        if (rule->absent_name || (any && rule->type == OBJECT_DIRECTORY && rule->nlink <= 2 &&
                                  placeholders_is_ours(&b->places, rule->path)))
            paths[count++] = rule->path;
    }
    if (count)
        status = placeholders_make(&b->placeholders, &b->places, paths, count, err);
    for (size_t i = 0; i < resolved->count && status == CORDON_OK; i++) {
        struct rule *rule = &resolved->items[i];
        if (rule->kind != RULE_PROTECT || rule->redundant)
            continue;
        for (size_t j = 0; j < b->placeholders.count; j++) {
            if (strcmp(b->placeholders.items[j].path, rule->path) != 0)
                continue;
            rule->absent_name = true;
            rule->type = OBJECT_DIRECTORY;
            rule->dev = b->placeholders.items[j].dev;
            rule->ino = b->placeholders.items[j].ino;
        }
        status = join_empty(b, rule, err);
    }
    free(paths);
    return status;
}

/* By the machine's own word: no platform conditional, and a wrong guess would
 * make every system call fail at once, not leave one unguarded. */
static enum seccomp_arch native_arch(void)
{
    struct utsname name;
    return uname(&name) == 0 && strcmp(name.machine, "aarch64") == 0 ? SECCOMP_ARCH_AARCH64
                                                                     : SECCOMP_ARCH_X86_64;
}

/* Looked for only where a limit is asked for or required. One group must have
 * both controllers; where none has, memory goes first: processes have an rlimit. */
static void probe_cgroups(struct linux_facts *facts, const struct box_request *request)
{
    const struct policy_number *limits = request->policy->limits;
    bool memory = limits[LIMIT_MEMORY_BYTES].value || listed(request->require, "limit-memory");
    bool processes = limits[LIMIT_PROCESSES].value || listed(request->require, "limit-processes");
    if (memory && processes && cgroup_available("", true, true)) {
        facts->cgroup_memory = facts->cgroup_processes = true;
        return;
    }
    facts->cgroup_memory = memory && cgroup_available("", true, false);
    facts->cgroup_processes = processes && !facts->cgroup_memory && cgroup_available("", false, true);
}

static cordon_status probe_facts(struct box *b, const struct box_request *request, struct cordon_error *err)
{
    static const char *const names[] = {"mask/dir", "mask/file", "dev"};
    struct linux_facts *facts = &b->facts;
    for (size_t i = 0; i < 3; i++) {
        b->paths[i] = state_path(&b->places, names[i]);
        if (!b->paths[i])
            return error_nomem(err, "state.open");
    }
    *facts = (struct linux_facts){.uid = geteuid(),
                                  .gid = getegid(),
                                  .owner_uid = b->resolution.owner_uid,
                                  .owner_gid = b->resolution.owner_gid,
                                  .landlock_abi = landlock_abi(),
                                  .arch = native_arch(),
                                  .plain = request->plain,
                                  .broker = !request->plain && broker_possible(),
                                  .trace = request->trace,
                                  .cwd = b->resolution.cwd,
                                  .mask_dir = b->paths[0],
                                  .mask_file = b->paths[1],
                                  .dev = b->paths[2]};
    probe_cgroups(facts, request);
    return CORDON_OK;
}

/* --allow-degraded of a limit drops the limit where it cannot be had. */
static cordon_status drop_limits(struct box *b, const struct box_request *request, struct cordon_error *err)
{
    static const struct {
        const char *facet;
        enum policy_limit limit;
    } limits[] = {{"limit-memory", LIMIT_MEMORY_BYTES}, {"limit-processes", LIMIT_PROCESSES}};
    for (size_t i = 0; i < 2; i++) {
        struct policy_number *number = &request->policy->limits[limits[i].limit];
        bool possible = limits[i].limit == LIMIT_MEMORY_BYTES
                            ? b->facts.cgroup_memory
                            : b->facts.cgroup_processes || (b->facts.uid != 0 && !b->facts.plain);
        if (!number->value || possible || !listed(request->allow_degraded, limits[i].facet))
            continue;
        number->value = 0;
        cordon_status status = report_add_degraded(&b->report, limits[i].facet, err);
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

/* A facet of another system cannot be required here: it would be promised and not kept. */
static cordon_status check_required(const struct box *b, const struct box_request *request,
                                    struct cordon_error *err)
{
    for (const char *const *name = request->require; name && *name; name++) {
        const struct facet *f = NULL;
        for (size_t i = 0; i < b->facet_count && !f; i++)
            if (strcmp(b->facets[i].name, *name) == 0)
                f = &b->facets[i];
        if (!f)
            return error_set(err, CORDON_E_UNSUPPORTED, 0, "facet.require",
                             "--require %s: a facet of Windows, Linux has nothing of the kind", *name);
        if (f->state == FACET_LIMIT)
            return error_set(err, CORDON_E_UNSUPPORTED, 0, "facet.require",
                             "--require %s: a documented limit here: %s", f->name, f->mechanism);
        if (f->state == FACET_UNAVAILABLE)
            return error_set(err, CORDON_E_UNSUPPORTED, 0, "facet.require",
                             "--require %s: this machine cannot enforce it (%s); remedy: %s", f->name,
                             f->mechanism, f->remedy);
    }
    return CORDON_OK;
}

/* Whether a limit can be had is judged by the plan, and only when one is asked for. */
static bool is_missing(const struct facet *f)
{
    return f->state == FACET_UNAVAILABLE && strncmp(f->name, "limit-", 6) != 0;
}

/* Fails closed: what was promised and cannot be had, unless it was accepted by
 * name. One message with all that is missing, for one decision. */
static cordon_status check_missing(const struct box *b, const struct box_request *request,
                                   struct cordon_error *err)
{
    const struct facet *first = NULL;
    struct buf names = BUF_INIT;
    cordon_status status = CORDON_OK;
    for (size_t i = 0; i < b->facet_count; i++) {
        const struct facet *f = &b->facets[i];
        if (!is_missing(f) || listed(request->allow_degraded, f->name))
            continue;
        first = first ? first : f;
        buf_add_format(&names, "%s%s", names.len ? "," : "", f->name);
    }
    if (first)
        status = buf_failed(&names)
                     ? error_nomem(err, "facet.unavailable")
                     : error_set(err, CORDON_E_UNSUPPORTED, 0, "facet.unavailable",
                                 "this machine cannot enforce `%s` (%s); remedy: %s; or accept it by "
                                 "--allow-degraded %s",
                                 first->name, first->mechanism, first->remedy, names.data);
    buf_release(&names);
    return status;
}

/* What the policy opens up must not silently stay closed. */
static cordon_status check_sockets(const struct box *b, struct cordon_error *err)
{
    const struct resolved *resolved = &b->resolution.resolved;
    if (b->facts.broker || resolved->socket_count == 0)
        return CORDON_OK;
    return error_set(
        err, CORDON_E_UNSUPPORTED, 0, "linux.broker",
        "unix socket %s (%s) cannot be opened up: this machine does not let cordon look into the "
        "command's processes (no user namespace, a container's seccomp profile, or "
        "kernel.yama.ptrace_scope = 3)",
        resolved->sockets[0].path, resolved->sockets[0].origin);
}

static cordon_status check_facets(struct box *b, const struct box_request *request, struct cordon_error *err)
{
    cordon_status status = check_required(b, request, err);
    if (status == CORDON_OK)
        status = check_missing(b, request, err);
    for (size_t i = 0; i < b->facet_count && status == CORDON_OK; i++) {
        const struct facet *f = &b->facets[i];
        status = report_add_layer(&b->report, f->name, f->mechanism, f->state == FACET_ENFORCED, err);
        if (status == CORDON_OK && is_missing(f))
            status = report_add_degraded(&b->report, f->name, err);
    }
    return status;
}

static cordon_status build_environment(struct box *b, const struct box_request *request,
                                       struct cordon_error *err)
{
    char **extra = NULL;
    /* Without mounts the private directories are seen where they are. */
    char *cache = b->facts.plain ? state_path(&b->places, "cache") : string_copy(b->places.cache_view);
    char *tmp = b->facts.plain ? state_path(&b->places, "tmp") : string_copy("/tmp");
    cordon_status status =
        cache && tmp ? cache_env_make(cache, request->policy->tmp != TMP_SHARED ? tmp : NULL, &extra, err)
                     : error_nomem(err, "env.build");
    free(cache);
    free(tmp);
    if (status == CORDON_OK)
        status = env_build(&b->environment, request->policy,
                           request->inherited ? request->inherited : request->environment, extra, 0, err);
    cache_env_free(extra);
    return status;
}

/* Old hard links inside a root lead to the same object outside: no scheme that
 * goes by paths can tell them apart. Here only for roots that are files. */
static cordon_status warn_hard_links(struct box *b, struct cordon_error *err)
{
    const struct resolved *resolved = &b->resolution.resolved;
    for (size_t i = 0; i < resolved->count; i++) {
        const struct rule *rule = &resolved->items[i];
        if (rule->kind == RULE_WRITE && rule->type == OBJECT_FILE && rule->nlink > 1) {
            cordon_status status = report_add_warning(
                &b->report, err, "writable file %s has %llu names: writing to it changes them all",
                rule->path, (unsigned long long)rule->nlink);
            if (status != CORDON_OK)
                return status;
        }
    }
    return CORDON_OK;
}

static cordon_status make_effects(struct box *b, struct cordon_error *err)
{
    cordon_status status = make_placeholders(b, err);
    return status ? status : make_mountpoints(b, err);
}

static cordon_status prepare(struct box *b, const struct box_request *request, struct cordon_error *err)
{
    struct resolve_input input = {.policy = request->policy,
                                  .workspace = request->workspace,
                                  .directory = request->directory,
                                  .program = request->program,
                                  .policy_file = request->policy_file};
    char *workspace = NULL;
    cordon_status status = places_find(&b->places, request->environment, err);
    if (status == CORDON_OK)
        status = resolve_workspace(request->workspace, &workspace, err);
    if (status == CORDON_OK)
        status = request->effects ? state_open(&b->places, workspace, request->policy->tmp, err)
                                  : state_name(&b->places, workspace, request->policy->tmp, err);
    if (status == CORDON_OK && request->effects)
        status = placeholders_collect(&b->places, err);
    if (status == CORDON_OK)
        input.workspace_path = workspace;
    if (status == CORDON_OK)
        status = resolve_policy(&b->resolution, &input, &b->places, &b->report, err);
    if (status == CORDON_OK)
        status = probe_facts(b, request, err);
    if (status == CORDON_OK)
        status = check_sockets(b, err);
    if (status == CORDON_OK)
        status = drop_limits(b, request, err);
    if (status == CORDON_OK && request->plain)
        status = plain_check_places(&b->places, &b->resolution.resolved, err);
    if (status == CORDON_OK && request->plain)
        status = linux_plain_rules(&b->resolution.resolved, err);
    if (status == CORDON_OK && request->effects && !request->plain)
        status = make_effects(b, err);
    if (status == CORDON_OK && !request->plain)
        status = make_masks(b, request->effects, err);
    if (status == CORDON_OK)
        status = linux_plan_make(&b->plan, request->policy, &b->resolution.resolved, &b->facts, err);
    if (status == CORDON_OK) {
        b->facet_count = linux_facets(&b->plan, &b->facts, request->policy, b->facets);
        status = check_facets(b, request, err);
    }
    if (status == CORDON_OK)
        status = build_environment(b, request, err);
    if (status == CORDON_OK)
        status = warn_hard_links(b, err);
    if (status == CORDON_OK)
        b->supervision = (struct supervision){.resolved = &b->resolution.resolved,
                                              .sockets = b->resolution.resolved.sockets,
                                              .socket_count = b->resolution.resolved.socket_count,
                                              .state = b->places.workspace,
                                              .network_on = request->policy->net == NET_ON,
                                              .broker = b->facts.broker,
                                              .trace = b->facts.trace,
                                              .guards = !b->facts.plain};
    if (status == CORDON_OK && b->facts.broker)
        b->report.observed = b->facts.trace ? OBSERVED_ALL : OBSERVED_SOCKETS;
    if (status == CORDON_OK) {
        b->report.workspace = workspace;
        workspace = NULL;
    }
    free(workspace);
    return status;
}

cordon_status box_prepare(struct box *b, const struct box_request *request, struct cordon_error *err)
{
    /* Another sandbox on the workspace may end between our look and our act. */
    for (int tries = 0;; tries++) {
        cordon_status status = prepare(b, request, err);
        if (status != CORDON_E_CONFLICT || !request->effects || tries == 3)
            return status;
        box_release(b);
    }
}
