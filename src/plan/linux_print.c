/* linux_print.c - a Linux plan for people and as JSON (`cordon plan`). Pure.
 *
 * JSON first; both forms say the same things in the same order: the policy with
 * where each entry came from, the rules as resolved, then what the kernel is told.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf.h"
#include "plan/linux_plan.h"

static const char *const mount_names[] = {"capture", "seal", "attach", "pin", "protect", "proc", "devpts"};
static const char *const type_names[] = {"absent", "directory", "file", "symlink", "device", "other"};

static void add_escaped(struct buf *out, const char *text)
{
    utf_escape_display(out, text, strlen(text));
}

/* -- text ----------------------------------------------------------------- */

static void text_policy(const struct policy *policy, struct buf *out)
{
    buf_add_format(out, "Policy\n  profile %s  (%s)\n  network %s  (%s)\n  tmp %s  (%s)\n",
                   policy_profile_name(policy->profile), policy->profile_origin, policy_net_name(policy->net),
                   policy->net_origin, policy_tmp_name(policy->tmp), policy->tmp_origin);
    for (int id = 0; id < LIST_COUNT_; id++) {
        const struct policy_list *list = &policy->lists[id];
        for (size_t i = 0; i < list->count; i++) {
            buf_add_format(out, "  %-24s ", policy_list_key((enum policy_list_id)id));
            if (id == LIST_ENV_SET)
                add_escaped(out, "(value not shown) "),
                    utf_escape_display(out, list->items[i].value, strcspn(list->items[i].value, "="));
            else
                add_escaped(out, list->items[i].value);
            buf_add_format(out, "  (%s)\n", list->items[i].origin);
        }
    }
    for (int id = 0; id < LIMIT_COUNT_; id++)
        if (policy->limits[id].value)
            buf_add_format(out, "  limit %-18s %llu  (%s)\n", policy_limit_name((enum policy_limit)id),
                           (unsigned long long)policy->limits[id].value, policy->limits[id].origin);
}

static void text_rules(const struct resolved *resolved, struct buf *out)
{
    buf_add_string(out, "\nRules (the longest path decides)\n");
    for (size_t i = 0; i < resolved->count; i++) {
        const struct rule *rule = &resolved->items[i];
        buf_add_format(out, "  %-9s ", rule_kind_name(rule->kind));
        add_escaped(out, rule->path);
        if (rule->backing) {
            buf_add_string(out, " -> ");
            add_escaped(out, rule->backing);
        }
        buf_add_format(out, "  [%s%s]  (%s)\n", type_names[rule->type],
                       rule->redundant ? ", adds nothing" : "", rule->origin);
    }
}

static void text_mounts(const struct linux_plan *plan, struct buf *out)
{
    buf_add_string(out, "\nMounts, in this order\n");
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_op *op = &plan->mounts[i];
        buf_add_format(out, "  %-8s ", mount_names[op->kind]);
        if (op->source)
            add_escaped(out, op->source);
        else
            add_escaped(out, op->target ? op->target : "/");
        if (op->slot >= 0)
            buf_add_format(out, " #%d", op->slot);
        buf_add_format(out, "%s%s  %s", op->read_only ? " read-only" : "",
                       op->no_devices ? " nosuid,nodev" : "", op->why);
        if (op->origin)
            buf_add_format(out, "  (%s)", op->origin);
        buf_add_char(out, '\n');
    }
}

static void text_landlock(const struct linux_plan *plan, struct buf *out)
{
    buf_add_string(out, "\nLandlock\n  handled ");
    landlock_access_text(plan->ruleset.handled_fs, out);
    buf_add_format(out, "\n  scoped %s\n",
                   plan->ruleset.scoped ? "abstract unix sockets, signals" : "nothing (ABI below 6)");
    for (size_t i = 0; i < plan->rule_count; i++) {
        buf_add_string(out, "  allow ");
        add_escaped(out, plan->rules[i].path);
        buf_add_string(out, "  ");
        landlock_access_text(plan->rules[i].access & plan->ruleset.handled_fs, out);
        buf_add_format(out, "  %s\n", plan->rules[i].why);
    }
}

static void text_process(const struct linux_view *view, struct buf *out)
{
    const struct linux_plan *plan = view->plan;
    buf_add_format(out, "\nNamespaces\n  user mount pid ipc uts cgroup%s\n",
                   plan->own_netns ? " network (only lo)" : "; the host's network");
    for (size_t i = 0; i < plan->uid_count; i++)
        buf_add_format(out, "  uid %u\n", plan->uid_map[i]);
    for (size_t i = 0; i < plan->gid_count; i++)
        buf_add_format(out, "  gid %u\n", plan->gid_map[i]);
    buf_add_format(out, "\nProcess\n  directory ");
    add_escaped(out, plan->cwd);
    buf_add_format(out, "\n  capabilities 0x%llx, bounding set the same; no_new_privs\n",
                   (unsigned long long)plan->keep_caps);
    if (plan->wall_seconds)
        buf_add_format(out, "  wall %llu s\n", (unsigned long long)plan->wall_seconds);
    if (plan->cpu_seconds)
        buf_add_format(out, "  cpu %llu s\n", (unsigned long long)plan->cpu_seconds);
    if (plan->file_bytes)
        buf_add_format(out, "  RLIMIT_FSIZE %llu\n", (unsigned long long)plan->file_bytes);
    if (plan->processes_rlimit)
        buf_add_format(out, "  RLIMIT_NPROC %llu\n", (unsigned long long)plan->processes_rlimit + 1);
    if (plan->cgroup_memory || plan->cgroup_processes)
        buf_add_format(out, "  cgroup memory.max %llu pids.max %llu (0: none)\n",
                       (unsigned long long)plan->cgroup_memory,
                       (unsigned long long)plan->cgroup_processes + (plan->cgroup_processes > 0));
    buf_add_string(out, "\nEnvironment (names)\n  kept or set:");
    for (char *const *item = view->environment; item && *item; item++) {
        buf_add_char(out, ' ');
        utf_escape_display(out, *item, strcspn(*item, "="));
    }
    buf_add_string(out, "\n  removed:");
    for (char *const *item = view->removed; item && *item; item++) {
        buf_add_char(out, ' ');
        add_escaped(out, *item);
    }
    buf_add_string(out, "\n");
}

cordon_status linux_plan_text(const struct linux_view *view, struct buf *out, struct cordon_error *err)
{
    buf_add_string(out, "Workspace ");
    add_escaped(out, view->resolved->workspace);
    buf_add_string(out, "\n\n");
    text_policy(view->policy, out);
    text_rules(view->resolved, out);
    text_process(view, out);
    text_mounts(view->plan, out);
    text_landlock(view->plan, out);
    buf_add_format(out, "\nseccomp (%zu instructions)\n", view->plan->filter.count);
    seccomp_describe(&view->plan->filter_options, out);
    buf_add_string(out, "\nFacets\n");
    for (size_t i = 0; i < view->facet_count; i++)
        buf_add_format(out, "  %-18s %s%s\n", view->facets[i].name,
                       view->facets[i].state == FACET_ENFORCED ? ""
                       : view->facets[i].state == FACET_LIMIT  ? "limit: "
                                                               : "not on this machine: ",
                       view->facets[i].mechanism);
    return buf_failed(out) ? error_nomem(err, "linux.plan.print") : CORDON_OK;
}

/* -- JSON ----------------------------------------------------------------- */

/* jansson's setters take NULL as a failure, so one check at the end suffices. */
struct json_state {
    bool failed;
};

static void put(struct json_state *state, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        state->failed = true;
}

static void push(struct json_state *state, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        state->failed = true;
}

static json_t *path_json(const char *path)
{
    struct buf text = BUF_INIT;
    utf_escape(&text, path, strlen(path));
    char *taken = buf_take(&text);
    json_t *value = taken ? json_string(taken) : NULL;
    free(taken);
    return value;
}

static json_t *policy_json(struct json_state *state, const struct policy *policy)
{
    json_t *out = json_object();
    put(state, out, "profile",
        json_pack("{s:s, s:s}", "value", policy_profile_name(policy->profile), "origin",
                  policy->profile_origin));
    put(state, out, "network.mode",
        json_pack("{s:s, s:s}", "value", policy_net_name(policy->net), "origin", policy->net_origin));
    put(state, out, "filesystem.tmp",
        json_pack("{s:s, s:s}", "value", policy_tmp_name(policy->tmp), "origin", policy->tmp_origin));
    put(state, out, "environment.inherit",
        json_pack("{s:b, s:s}", "value", policy->env_inherit, "origin", policy->env_inherit_origin));
    for (int id = 0; id < LIST_COUNT_; id++) {
        const struct policy_list *list = &policy->lists[id];
        json_t *entries = json_array();
        for (size_t i = 0; i < list->count; i++) {
            json_t *entry = json_object();
            char *value = id == LIST_ENV_SET
                              ? string_copy_n(list->items[i].value, strcspn(list->items[i].value, "="))
                              : string_copy(list->items[i].value);
            put(state, entry, "value", value ? path_json(value) : NULL);
            put(state, entry, "origin", path_json(list->items[i].origin));
            push(state, entries, entry);
            free(value);
        }
        put(state, out, policy_list_key((enum policy_list_id)id), entries);
    }
    for (int id = 0; id < LIMIT_COUNT_; id++)
        put(state, out, policy_limit_key((enum policy_limit)id),
            json_pack("{s:I, s:s?}", "value", (json_int_t)policy->limits[id].value, "origin",
                      policy->limits[id].origin));
    return out;
}

static json_t *rules_json(struct json_state *state, const struct resolved *resolved)
{
    json_t *out = json_array();
    for (size_t i = 0; i < resolved->count; i++) {
        const struct rule *rule = &resolved->items[i];
        json_t *entry = json_object();
        put(state, entry, "kind", json_string(rule_kind_name(rule->kind)));
        put(state, entry, "path", path_json(rule->path));
        put(state, entry, "backing", rule->backing ? path_json(rule->backing) : json_null());
        put(state, entry, "type", json_string(type_names[rule->type]));
        put(state, entry, "redundant", json_boolean(rule->redundant));
        put(state, entry, "origin", path_json(rule->origin));
        push(state, out, entry);
    }
    return out;
}

static json_t *mounts_json(struct json_state *state, const struct linux_plan *plan)
{
    json_t *out = json_array();
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_op *op = &plan->mounts[i];
        json_t *entry = json_object();
        put(state, entry, "operation", json_string(mount_names[op->kind]));
        put(state, entry, "source", op->source ? path_json(op->source) : json_null());
        put(state, entry, "target", op->target ? path_json(op->target) : json_null());
        put(state, entry, "slot", op->slot >= 0 ? json_integer(op->slot) : json_null());
        put(state, entry, "read_only",
            json_boolean(op->read_only || op->kind == MOUNT_PROTECT || op->kind == MOUNT_SEAL));
        put(state, entry, "why", json_string(op->why));
        put(state, entry, "origin", op->origin ? path_json(op->origin) : json_null());
        push(state, out, entry);
    }
    return out;
}

static json_t *access_json(uint64_t access)
{
    struct buf text = BUF_INIT;
    landlock_access_text(access, &text);
    char *taken = buf_take(&text);
    json_t *value = json_string(taken ? taken : "");
    free(taken);
    return value;
}

static json_t *landlock_json(struct json_state *state, const struct linux_plan *plan)
{
    json_t *out = json_object(), *rules = json_array();
    for (size_t i = 0; i < plan->rule_count; i++) {
        json_t *entry = json_object();
        put(state, entry, "path", path_json(plan->rules[i].path));
        put(state, entry, "access", access_json(plan->rules[i].access & plan->ruleset.handled_fs));
        put(state, entry, "why", json_string(plan->rules[i].why));
        push(state, rules, entry);
    }
    put(state, out, "handled", access_json(plan->ruleset.handled_fs));
    put(state, out, "scoped", json_boolean(plan->ruleset.scoped != 0));
    put(state, out, "rules", rules);
    return out;
}

static json_t *ids_json(struct json_state *state, const uint32_t *ids, size_t count)
{
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        push(state, out, json_integer(ids[i]));
    return out;
}

static json_t *names_json(struct json_state *state, char *const *items)
{
    json_t *out = json_array();
    for (; items && *items; items++) {
        char *name = string_copy_n(*items, strcspn(*items, "="));
        push(state, out, name ? path_json(name) : NULL);
        free(name);
    }
    return out;
}

static json_t *process_json(struct json_state *state, const struct linux_view *view)
{
    const struct linux_plan *plan = view->plan;
    json_t *out = json_object();
    put(state, out, "directory", path_json(plan->cwd));
    put(state, out, "uids", ids_json(state, plan->uid_map, plan->uid_count));
    put(state, out, "gids", ids_json(state, plan->gid_map, plan->gid_count));
    put(state, out, "capabilities", json_integer((json_int_t)plan->keep_caps));
    put(state, out, "own_network", json_boolean(plan->own_netns));
    put(state, out, "wall_seconds", json_integer((json_int_t)plan->wall_seconds));
    put(state, out, "cpu_seconds", json_integer((json_int_t)plan->cpu_seconds));
    put(state, out, "file_bytes", json_integer((json_int_t)plan->file_bytes));
    put(state, out, "processes_rlimit", json_integer((json_int_t)plan->processes_rlimit));
    put(state, out, "cgroup_memory", json_integer((json_int_t)plan->cgroup_memory));
    put(state, out, "cgroup_processes", json_integer((json_int_t)plan->cgroup_processes));
    put(state, out, "environment", names_json(state, view->environment));
    put(state, out, "environment_removed", names_json(state, view->removed));
    return out;
}

static json_t *facets_json(struct json_state *state, const struct linux_view *view)
{
    static const char *const states[] = {"enforced", "limit", "unavailable"};
    json_t *out = json_array();
    for (size_t i = 0; i < view->facet_count; i++)
        push(state, out,
             json_pack("{s:s, s:s, s:s}", "facet", view->facets[i].name, "state",
                       states[view->facets[i].state], "mechanism", view->facets[i].mechanism));
    return out;
}

static json_t *seccomp_json(const struct linux_plan *plan)
{
    struct buf text = BUF_INIT;
    seccomp_describe(&plan->filter_options, &text);
    char *taken = buf_take(&text);
    json_t *out = json_pack("{s:I, s:s?}", "instructions", (json_int_t)plan->filter.count, "rules", taken);
    free(taken);
    return out;
}

cordon_status linux_plan_json(const struct linux_view *view, struct buf *out, struct cordon_error *err)
{
    struct json_state state = {false};
    json_t *all = json_object();
    put(&state, all, "version", json_integer(1));
    put(&state, all, "target", json_string("linux"));
    put(&state, all, "workspace", path_json(view->resolved->workspace));
    put(&state, all, "policy", policy_json(&state, view->policy));
    put(&state, all, "rules", rules_json(&state, view->resolved));
    put(&state, all, "process", process_json(&state, view));
    put(&state, all, "mounts", mounts_json(&state, view->plan));
    put(&state, all, "landlock", landlock_json(&state, view->plan));
    put(&state, all, "seccomp", seccomp_json(view->plan));
    put(&state, all, "facets", facets_json(&state, view));
    char *text = state.failed ? NULL : json_dumps(all, JSON_INDENT(2));
    json_decref(all);
    if (text) {
        buf_add_string(out, text);
        buf_add_char(out, '\n');
    }
    bool failed = !text || buf_failed(out);
    free(text);
    return failed ? error_nomem(err, "linux.plan.print") : CORDON_OK;
}
