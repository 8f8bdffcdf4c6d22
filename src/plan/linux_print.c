/* linux_print.c - a Linux plan for people and as JSON (`cordon plan`). Pure.
 *
 * JSON first; both forms say the same things in the same order: the policy with
 * where each entry came from, the rules as resolved, then what the kernel is told.
 */
#include <string.h>

#include "core/json_build.h"
#include "core/utf.h"
#include "plan/linux_plain.h"
#include "plan/linux_plan.h"

static const char *const mount_names[] = {"capture", "seal", "attach", "pin", "protect", "proc", "devpts"};
static const char *const type_names[] = {"absent", "directory", "file", "symlink", "device", "other"};

static void add_escaped(struct buf *out, const char *text)
{
    utf_escape_display(out, text, strlen(text));
}

/* Where an entry came from: a file's name may hold anything. */
static void end_with_origin(struct buf *out, const char *origin)
{
    buf_add_string(out, "  (");
    add_escaped(out, origin);
    buf_add_string(out, ")\n");
}

/* -- text ----------------------------------------------------------------- */

static void text_policy(const struct policy *policy, struct buf *out)
{
    buf_add_format(out, "Policy\n  profile %s", policy_profile_name(policy->profile));
    end_with_origin(out, policy->profile_origin);
    buf_add_format(out, "  network %s", policy_net_name(policy->net));
    end_with_origin(out, policy->net_origin);
    buf_add_format(out, "  tmp %s", policy_tmp_name(policy->tmp));
    end_with_origin(out, policy->tmp_origin);
    for (int id = 0; id < LIST_COUNT_; id++) {
        const struct policy_list *list = &policy->lists[id];
        for (size_t i = 0; i < list->count; i++) {
            buf_add_format(out, "  %-24s ", policy_list_key((enum policy_list_id)id));
            if (id == LIST_ENV_SET)
                add_escaped(out, "(value not shown) "),
                    utf_escape_display(out, list->items[i].value, strcspn(list->items[i].value, "="));
            else
                add_escaped(out, list->items[i].value);
            end_with_origin(out, list->items[i].origin);
        }
    }
    for (int id = 0; id < LIMIT_COUNT_; id++)
        if (policy->limits[id].value) {
            buf_add_format(out, "  limit %-18s %llu", policy_limit_name((enum policy_limit)id),
                           (unsigned long long)policy->limits[id].value);
            end_with_origin(out, policy->limits[id].origin);
        }
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
        buf_add_format(out, "  [%s%s%s]", type_names[rule->type],
                       rule->watched ? ", watched by the guard" : "",
                       rule->redundant ? ", adds nothing" : "");
        end_with_origin(out, rule->origin);
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
            end_with_origin(out, op->origin);
        else
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
    if (plan->plain)
        buf_add_string(out, "\nNamespaces\n  none: Landlock and seccomp alone\n");
    else
        buf_add_format(out, "\nNamespaces\n  user mount pid ipc uts cgroup%s\n",
                       plan->own_netns ? " network (only lo)" : "; the host's network");
    for (size_t i = 0; i < plan->uid_count; i++)
        buf_add_format(out, "  uid %u\n", plan->uid_map[i]);
    for (size_t i = 0; i < plan->gid_count; i++)
        buf_add_format(out, "  gid %u\n", plan->gid_map[i]);
    buf_add_format(out, "\nProcess\n  directory ");
    add_escaped(out, plan->cwd);
    buf_add_format(out, "\n  capabilities 0x%llx%s; no_new_privs\n", (unsigned long long)plan->keep_caps,
                   plan->plain ? "" : ", bounding set the same");
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
    if (view->plan->plain) {
        buf_add_format(out, "\nsecond filter, in place of namespaces (%zu instructions)\n",
                       view->plan->plain_filter.count);
        linux_plain_describe(view->policy->net == NET_ON, out);
    }
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

static json_t *sourced_json(struct json_build *b, json_t *value, const char *origin)
{
    json_t *out = json_object();
    json_build_put(b, out, "value", value);
    json_build_put(b, out, "origin", json_build_text(origin));
    return out;
}

static json_t *policy_json(struct json_build *b, const struct policy *policy)
{
    json_t *out = json_object();
    json_build_put(
        b, out, "profile",
        sourced_json(b, json_string(policy_profile_name(policy->profile)), policy->profile_origin));
    json_build_put(b, out, "network.mode",
                   sourced_json(b, json_string(policy_net_name(policy->net)), policy->net_origin));
    json_build_put(b, out, "filesystem.tmp",
                   sourced_json(b, json_string(policy_tmp_name(policy->tmp)), policy->tmp_origin));
    json_build_put(b, out, "environment.inherit",
                   sourced_json(b, json_boolean(policy->env_inherit), policy->env_inherit_origin));
    for (int id = 0; id < LIST_COUNT_; id++) {
        const struct policy_list *list = &policy->lists[id];
        json_t *entries = json_array();
        for (size_t i = 0; i < list->count; i++) {
            const char *value = list->items[i].value;
            size_t shown = id == LIST_ENV_SET ? strcspn(value, "=") : strlen(value); /* no secrets */
            json_build_push(b, entries,
                            sourced_json(b, json_build_text_n(value, shown), list->items[i].origin));
        }
        json_build_put(b, out, policy_list_key((enum policy_list_id)id), entries);
    }
    for (int id = 0; id < LIMIT_COUNT_; id++)
        json_build_put(
            b, out, policy_limit_key((enum policy_limit)id),
            sourced_json(b, json_build_number(policy->limits[id].value), policy->limits[id].origin));
    return out;
}

static json_t *rules_json(struct json_build *b, const struct resolved *resolved)
{
    json_t *out = json_array();
    for (size_t i = 0; i < resolved->count; i++) {
        const struct rule *rule = &resolved->items[i];
        json_t *entry = json_object();
        json_build_put(b, entry, "kind", json_string(rule_kind_name(rule->kind)));
        json_build_put(b, entry, "path", json_build_text(rule->path));
        json_build_put(b, entry, "backing", json_build_text(rule->backing));
        json_build_put(b, entry, "type", json_string(type_names[rule->type]));
        json_build_put(b, entry, "watched", json_boolean(rule->watched));
        json_build_put(b, entry, "redundant", json_boolean(rule->redundant));
        json_build_put(b, entry, "origin", json_build_text(rule->origin));
        json_build_push(b, out, entry);
    }
    return out;
}

static json_t *mounts_json(struct json_build *b, const struct linux_plan *plan)
{
    json_t *out = json_array();
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_op *op = &plan->mounts[i];
        json_t *entry = json_object();
        json_build_put(b, entry, "operation", json_string(mount_names[op->kind]));
        json_build_put(b, entry, "source", json_build_text(op->source));
        json_build_put(b, entry, "target", json_build_text(op->target));
        json_build_put(b, entry, "slot", op->slot >= 0 ? json_integer(op->slot) : json_null());
        json_build_put(b, entry, "read_only",
                       json_boolean(op->read_only || op->kind == MOUNT_PROTECT || op->kind == MOUNT_SEAL));
        json_build_put(b, entry, "why", json_string(op->why));
        json_build_put(b, entry, "origin", json_build_text(op->origin));
        json_build_push(b, out, entry);
    }
    return out;
}

static json_t *access_json(uint64_t access)
{
    struct buf text = BUF_INIT;
    landlock_access_text(access, &text);
    return json_build_words(&text);
}

static json_t *landlock_json(struct json_build *b, const struct linux_plan *plan)
{
    json_t *out = json_object(), *rules = json_array();
    for (size_t i = 0; i < plan->rule_count; i++) {
        json_t *entry = json_object();
        json_build_put(b, entry, "path", json_build_text(plan->rules[i].path));
        json_build_put(b, entry, "access", access_json(plan->rules[i].access & plan->ruleset.handled_fs));
        json_build_put(b, entry, "why", json_string(plan->rules[i].why));
        json_build_push(b, rules, entry);
    }
    json_build_put(b, out, "handled", access_json(plan->ruleset.handled_fs));
    json_build_put(b, out, "scoped", json_boolean(plan->ruleset.scoped != 0));
    json_build_put(b, out, "rules", rules);
    return out;
}

static json_t *ids_json(struct json_build *b, const uint32_t *ids, size_t count)
{
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        json_build_push(b, out, json_integer(ids[i]));
    return out;
}

static json_t *names_json(struct json_build *b, char *const *items)
{
    json_t *out = json_array();
    for (; items && *items; items++)
        json_build_push(b, out, json_build_text_n(*items, strcspn(*items, "=")));
    return out;
}

static json_t *process_json(struct json_build *b, const struct linux_view *view)
{
    const struct linux_plan *plan = view->plan;
    json_t *out = json_object();
    json_build_put(b, out, "directory", json_build_text(plan->cwd));
    json_build_put(b, out, "uids", ids_json(b, plan->uid_map, plan->uid_count));
    json_build_put(b, out, "gids", ids_json(b, plan->gid_map, plan->gid_count));
    json_build_put(b, out, "capabilities", json_build_number(plan->keep_caps));
    json_build_put(b, out, "namespaces", json_boolean(!plan->plain));
    json_build_put(b, out, "own_network", json_boolean(plan->own_netns));
    json_build_put(b, out, "wall_seconds", json_build_number(plan->wall_seconds));
    json_build_put(b, out, "cpu_seconds", json_build_number(plan->cpu_seconds));
    json_build_put(b, out, "file_bytes", json_build_number(plan->file_bytes));
    json_build_put(b, out, "processes_rlimit", json_build_number(plan->processes_rlimit));
    json_build_put(b, out, "cgroup_memory", json_build_number(plan->cgroup_memory));
    json_build_put(b, out, "cgroup_processes", json_build_number(plan->cgroup_processes));
    json_build_put(b, out, "environment", names_json(b, view->environment));
    json_build_put(b, out, "environment_removed", names_json(b, view->removed));
    return out;
}

static json_t *facets_json(struct json_build *b, const struct linux_view *view)
{
    static const char *const states[] = {"enforced", "limit", "unavailable"};
    json_t *out = json_array();
    for (size_t i = 0; i < view->facet_count; i++)
        json_build_push(b, out,
                        json_pack("{s:s, s:s, s:s}", "facet", view->facets[i].name, "state",
                                  states[view->facets[i].state], "mechanism", view->facets[i].mechanism));
    return out;
}

static json_t *seccomp_json(struct json_build *b, const struct linux_plan *plan, const struct policy *policy)
{
    struct buf text = BUF_INIT;
    json_t *out = json_object();
    seccomp_describe(&plan->filter_options, &text);
    if (plan->plain)
        linux_plain_describe(policy->net == NET_ON, &text);
    json_build_put(b, out, "instructions", json_build_number(plan->filter.count));
    json_build_put(b, out, "rules", json_build_words(&text));
    return out;
}

cordon_status linux_plan_json(const struct linux_view *view, struct buf *out, struct cordon_error *err)
{
    struct json_build b = {false};
    json_t *all = json_object();
    json_build_put(&b, all, "version", json_integer(1));
    json_build_put(&b, all, "target", json_string("linux"));
    json_build_put(&b, all, "workspace", json_build_text(view->resolved->workspace));
    json_build_put(&b, all, "policy", policy_json(&b, view->policy));
    json_build_put(&b, all, "rules", rules_json(&b, view->resolved));
    json_build_put(&b, all, "process", process_json(&b, view));
    json_build_put(&b, all, "mounts", mounts_json(&b, view->plan));
    json_build_put(&b, all, "landlock", landlock_json(&b, view->plan));
    json_build_put(&b, all, "seccomp", seccomp_json(&b, view->plan, view->policy));
    json_build_put(&b, all, "facets", facets_json(&b, view));
    return json_build_write(&b, all, JSON_INDENT(2), out, "linux.plan.print", err);
}
