/* policy.c - cordon_policy_*: what the embedding program says, as layers of the
 * policy (core/policy.h). No side effects; the machine is looked at by
 * cordon_prepare().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lib.h"
#include "os/linux/policy_file.h"

extern char **environ;

#define STEP "policy.list"

static void names_release(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((char *)(uintptr_t)list->items[i]);
    free(list->items);
    *list = (struct name_list){NULL, 0};
}

static cordon_status names_add(struct name_list *list, const char *name, struct cordon_error *err)
{
    const char **items = realloc(list->items, (list->count + 2) * sizeof *items);
    if (!items)
        return error_nomem(err, STEP);
    list->items = items;
    items[list->count] = string_copy(name);
    if (!items[list->count])
        return error_nomem(err, STEP);
    items[++list->count] = NULL;
    return CORDON_OK;
}

cordon_status cordon_policy_new(struct cordon_policy **out, struct cordon_error *err)
{
    struct cordon_policy *policy = calloc(1, sizeof *policy);
    if (!policy)
        return error_nomem(err, STEP);
    policy_init(&policy->file);
    policy_init(&policy->options);
    *out = policy;
    return CORDON_OK;
}

void cordon_policy_free(struct cordon_policy *policy)
{
    if (!policy)
        return;
    policy_release(&policy->file);
    policy_release(&policy->options);
    free(policy->policy_file);
    free(policy->workspace);
    names_release(&policy->require);
    names_release(&policy->allow_degraded);
    free(policy);
}

static cordon_status names_copy(struct name_list *out, const struct name_list *from, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    for (size_t i = 0; i < from->count && status == CORDON_OK; i++)
        status = names_add(out, from->items[i], err);
    return status;
}

static cordon_status copy_optional(char **out, const char *text, struct cordon_error *err)
{
    *out = text ? string_copy(text) : NULL;
    return text && !*out ? error_nomem(err, STEP) : CORDON_OK;
}

cordon_status lib_policy_copy(struct cordon_policy **out, const struct cordon_policy *from,
                              struct cordon_error *err)
{
    struct cordon_policy *copy = NULL;
    cordon_status status = cordon_policy_new(&copy, err);
    if (status != CORDON_OK)
        return status;
    copy->has_file = from->has_file;
    if (policy_copy(&copy->file, &from->file, err) || policy_copy(&copy->options, &from->options, err) ||
        copy_optional(&copy->policy_file, from->policy_file, err) ||
        copy_optional(&copy->workspace, from->workspace, err) ||
        names_copy(&copy->require, &from->require, err) ||
        names_copy(&copy->allow_degraded, &from->allow_degraded, err)) {
        cordon_policy_free(copy);
        return err->status;
    }
    *out = copy;
    return CORDON_OK;
}

cordon_status lib_policy_effective(struct policy *out, const struct cordon_policy *policy,
                                   struct cordon_error *err)
{
    return policy_in_effect(out, policy->has_file ? &policy->file : NULL, &policy->options, err);
}

/* -- files ------------------------------------------------------------------ */

static cordon_status only_one(const struct cordon_policy *policy, struct cordon_error *err)
{
    return policy->has_file ? error_set(err, CORDON_E_INVALID, 0, "policy.read",
                                        "this policy has a file already; want one file for a policy")
                            : CORDON_OK;
}

/* Takes *layer. */
static void take_file(struct cordon_policy *policy, struct policy *layer)
{
    policy_release(&policy->file);
    policy->file = *layer;
    policy_init(layer);
    policy->has_file = true;
}

cordon_status cordon_policy_parse(struct cordon_policy *policy, const char *text, size_t length,
                                  const char *name, struct cordon_error *err)
{
    struct policy layer;
    struct cordon_error unwanted = {.status = CORDON_OK};
    err = err ? err : &unwanted;
    policy_init(&layer);
    cordon_status status = only_one(policy, err);
    if (status == CORDON_OK)
        status = policy_parse(&layer, text, length, name ? name : "policy", err);
    if (status == CORDON_OK)
        take_file(policy, &layer);
    policy_release(&layer);
    return status;
}

cordon_status cordon_policy_load(struct cordon_policy *policy, const char *path, struct cordon_error *err)
{
    struct policy layer;
    char *file = NULL;
    struct cordon_error unwanted = {.status = CORDON_OK};
    err = err ? err : &unwanted;
    policy_init(&layer);
    cordon_status status = only_one(policy, err);
    if (status == CORDON_OK)
        status = policy_file_load(path, environ, &layer, &file, err);
    if (status == CORDON_OK && file) {
        take_file(policy, &layer);
        policy->policy_file = file;
    }
    policy_release(&layer);
    return status;
}

/* -- scalars ---------------------------------------------------------------- */

static cordon_status set_origin(char **slot, const char *origin, struct cordon_error *err)
{
    char *copy = string_copy(origin);
    if (!copy)
        return error_nomem(err, STEP);
    free(*slot);
    *slot = copy;
    return CORDON_OK;
}

static cordon_status no_such(const char *function, const char *wants, struct cordon_error *err)
{
    return error_set(err, CORDON_E_INVALID, 0, STEP, "%s: want %s", function, wants);
}

cordon_status cordon_policy_set_profile(struct cordon_policy *policy, enum cordon_profile profile,
                                        struct cordon_error *err)
{
    static const enum policy_profile profiles[] = {
        [CORDON_PROFILE_READ_ONLY] = PROFILE_READ_ONLY,
        [CORDON_PROFILE_WORKSPACE] = PROFILE_WORKSPACE,
        [CORDON_PROFILE_OPEN] = PROFILE_OPEN,
    };
    if ((unsigned)profile >= sizeof profiles / sizeof *profiles)
        return no_such(__func__, "a CORDON_PROFILE_ value", err);
    cordon_status status = set_origin(&policy->options.profile_origin, __func__, err);
    if (status == CORDON_OK)
        policy->options.profile = profiles[profile];
    return status;
}

cordon_status cordon_policy_set_network(struct cordon_policy *policy, enum cordon_network network,
                                        struct cordon_error *err)
{
    if (network != CORDON_NETWORK_OFF && network != CORDON_NETWORK_ON)
        return no_such(__func__, "CORDON_NETWORK_OFF or CORDON_NETWORK_ON", err);
    cordon_status status = set_origin(&policy->options.net_origin, __func__, err);
    if (status == CORDON_OK)
        policy->options.net = network == CORDON_NETWORK_ON ? NET_ON : NET_OFF;
    return status;
}

cordon_status cordon_policy_set_tmp(struct cordon_policy *policy, enum cordon_tmp tmp,
                                    struct cordon_error *err)
{
    static const enum policy_tmp kinds[] = {
        [CORDON_TMP_FRESH] = TMP_FRESH,
        [CORDON_TMP_WORKSPACE] = TMP_WORKSPACE,
        [CORDON_TMP_SHARED] = TMP_SHARED,
    };
    if ((unsigned)tmp >= sizeof kinds / sizeof *kinds)
        return no_such(__func__, "a CORDON_TMP_ value", err);
    cordon_status status = set_origin(&policy->options.tmp_origin, __func__, err);
    if (status == CORDON_OK)
        policy->options.tmp = kinds[tmp];
    return status;
}

cordon_status cordon_policy_set_limit(struct cordon_policy *policy, enum cordon_limit limit, uint64_t value,
                                      struct cordon_error *err)
{
    static const enum policy_limit limits[] = {
        [CORDON_LIMIT_WALL_SECONDS] = LIMIT_WALL_SECONDS, [CORDON_LIMIT_MEMORY_BYTES] = LIMIT_MEMORY_BYTES,
        [CORDON_LIMIT_PROCESSES] = LIMIT_PROCESSES,       [CORDON_LIMIT_CPU_SECONDS] = LIMIT_CPU_SECONDS,
        [CORDON_LIMIT_FILE_BYTES] = LIMIT_FILE_BYTES,
    };
    if ((unsigned)limit >= sizeof limits / sizeof *limits)
        return no_such(__func__, "a CORDON_LIMIT_ value", err);
    uint64_t most = policy_limit_max(limits[limit]);
    if (value > most)
        return error_set(err, CORDON_E_INVALID, 0, "policy.limit", "%s: %s: want at most %llu", __func__,
                         policy_limit_name(limits[limit]), (unsigned long long)most);
    struct policy_number *number = &policy->options.limits[limits[limit]];
    cordon_status status = set_origin(&number->origin, __func__, err);
    if (status == CORDON_OK)
        number->value = value;
    return status;
}

/* -- lists ------------------------------------------------------------------ */

/* From the current directory, once: a program with threads may be elsewhere when
 * the path is looked at. In a pattern the directory's own characters are escaped. */
static cordon_status make_absolute(const char *path, bool pattern, char **out, struct cordon_error *err)
{
    struct buf text = BUF_INIT;
    bool as_it_is = path[0] == '/' || path[0] == '\0' || strncmp(path, "${", 2) == 0 ||
                    (path[0] == '~' && (path[1] == '/' || path[1] == '\0'));
    if (!as_it_is) {
        char *here = getcwd(NULL, 0);
        if (!here)
            return error_set(err, CORDON_E_SYSTEM, errno, "resolve.path", "%s: no current directory: %s",
                             path, strerror(errno));
        for (const char *c = here; *c; c++) {
            if (pattern && strchr("*?[]\\", *c))
                buf_add_char(&text, '\\');
            buf_add_char(&text, *c);
        }
        buf_add_char(&text, '/');
        free(here);
    }
    buf_add_string(&text, path);
    *out = buf_take(&text);
    return *out ? CORDON_OK : error_nomem(err, STEP);
}

static cordon_status add(struct cordon_policy *policy, enum policy_list_id list, const char *value,
                         const char *function, struct cordon_error *err)
{
    return value ? policy_add(&policy->options, list, value, function, BASE_CWD, err)
                 : no_such(function, "a string", err);
}

static cordon_status add_path(struct cordon_policy *policy, enum policy_list_id list, const char *path,
                              const char *function, struct cordon_error *err)
{
    char *absolute = NULL;
    if (!path)
        return no_such(function, "a path", err);
    cordon_status status = make_absolute(path, list == LIST_DENY_READ, &absolute, err);
    if (status == CORDON_OK)
        status = add(policy, list, absolute, function, err);
    free(absolute);
    return status;
}

cordon_status cordon_policy_set_workspace(struct cordon_policy *policy, const char *directory,
                                          struct cordon_error *err)
{
    char *absolute = NULL;
    if (!directory || !*directory)
        return no_such(__func__, "a directory", err);
    cordon_status status = make_absolute(directory, false, &absolute, err);
    if (status == CORDON_OK) {
        free(policy->workspace);
        policy->workspace = absolute;
    }
    return status;
}

cordon_status cordon_policy_allow_write(struct cordon_policy *policy, const char *path,
                                        struct cordon_error *err)
{
    return add_path(policy, LIST_WRITE, path, __func__, err);
}

cordon_status cordon_policy_protect(struct cordon_policy *policy, const char *name_or_path,
                                    struct cordon_error *err)
{
    return name_or_path && strchr(name_or_path, '/')
               ? add_path(policy, LIST_PROTECT, name_or_path, __func__, err)
               : add(policy, LIST_PROTECT, name_or_path, __func__, err);
}

cordon_status cordon_policy_unprotect(struct cordon_policy *policy, const char *name,
                                      struct cordon_error *err)
{
    return add(policy, LIST_UNPROTECT, name, __func__, err);
}

cordon_status cordon_policy_deny_read(struct cordon_policy *policy, const char *path_or_glob,
                                      struct cordon_error *err)
{
    return add_path(policy, LIST_DENY_READ, path_or_glob, __func__, err);
}

cordon_status cordon_policy_allow_read(struct cordon_policy *policy, const char *path,
                                       struct cordon_error *err)
{
    return add_path(policy, LIST_READ, path, __func__, err);
}

cordon_status cordon_policy_allow_socket(struct cordon_policy *policy, const char *path,
                                         struct cordon_error *err)
{
    return add_path(policy, LIST_UNIX_SOCKETS, path, __func__, err);
}

/* -- environment and facets ------------------------------------------------- */

cordon_status cordon_policy_keep_env(struct cordon_policy *policy, const char *pattern,
                                     struct cordon_error *err)
{
    return add(policy, LIST_ENV_KEEP, pattern, __func__, err);
}

cordon_status cordon_policy_remove_env(struct cordon_policy *policy, const char *pattern,
                                       struct cordon_error *err)
{
    return add(policy, LIST_ENV_REMOVE, pattern, __func__, err);
}

cordon_status cordon_policy_set_env(struct cordon_policy *policy, const char *name, const char *value,
                                    struct cordon_error *err)
{
    if (!name || !value || strchr(name, '='))
        return no_such(__func__, "a name without `=`, and a value", err);
    char *setting = string_format("%s=%s", name, value);
    cordon_status status =
        setting ? add(policy, LIST_ENV_SET, setting, __func__, err) : error_nomem(err, STEP);
    free(setting);
    return status;
}

static cordon_status add_facet(struct name_list *list, const char *facet, const char *function,
                               struct cordon_error *err)
{
    return facet && policy_is_facet(facet) ? names_add(list, facet, err)
                                           : error_set(err, CORDON_E_INVALID, 0, "policy.facet",
                                                       "%s: `%s` is no facet; docs/platforms.md lists them",
                                                       function, facet ? facet : "(null)");
}

cordon_status cordon_policy_require(struct cordon_policy *policy, const char *facet, struct cordon_error *err)
{
    return add_facet(&policy->require, facet, __func__, err);
}

cordon_status cordon_policy_allow_degraded(struct cordon_policy *policy, const char *facet,
                                           struct cordon_error *err)
{
    return add_facet(&policy->allow_degraded, facet, __func__, err);
}
