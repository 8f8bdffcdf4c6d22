/* policy.c - policies as lists and scalars with origins, and how layers merge.
 * Pure. Called by the parsers (policy_parse.c, policy_words.c) and the programs.
 */
#include "core/policy.h"

#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

/* Why it matters that these are here and nowhere else: the schema's defaults,
 * the documentation and `cordon plan` are compared with them by tests. */
static const char *const default_protect[] = {".git", ".codex", ".agents", ".cordon", NULL};
static const char *const default_remove[] = {"*_TOKEN",     "*_SECRET*", "*_API_KEY",
                                             "*_PASSWORD",  "AWS_*",     "SSH_AUTH_SOCK",
                                             "DOCKER_HOST", "DBUS_*",    NULL};

void policy_init(struct policy *p)
{
    memset(p, 0, sizeof *p);
}

void policy_release(struct policy *p)
{
    free(p->profile_origin);
    free(p->tmp_origin);
    free(p->net_origin);
    free(p->env_inherit_origin);
    for (size_t id = 0; id < LIST_COUNT_; id++) {
        for (size_t i = 0; i < p->lists[id].count; i++) {
            free(p->lists[id].items[i].value);
            free(p->lists[id].items[i].origin);
        }
        free(p->lists[id].items);
    }
    for (size_t id = 0; id < LIMIT_COUNT_; id++)
        free(p->limits[id].origin);
    policy_init(p);
}

cordon_status policy_check_variables(const char *value, const char *step, const char *where,
                                     struct cordon_error *err)
{
    static const char *const known[] = {"${workspace}", "${tmp}", "${home}"};
    const char *start = strstr(value, "${");
    if (!start)
        return CORDON_OK;
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(known[i]);
        if (strncmp(value, known[i], len) != 0)
            continue;
        bool whole = value[len] == '\0', prefix = value[len] == '/' || value[len] == '\\';
        if ((whole || (prefix && i != 1)) && !strstr(value + len, "${"))
            return CORDON_OK;
    }
    return error_set(
        err, CORDON_E_INVALID, 0, step,
        "%s: `%s`: only ${workspace}, ${home} (alone or before a /) and ${tmp} (alone) can begin a value",
        where, value);
}

/* Which lists hold paths, where variables mean something. */
static bool is_path_list(enum policy_list_id list)
{
    return list <= LIST_COW || list == LIST_UNIX_SOCKETS;
}

static cordon_status list_push(struct policy_list *list, const char *value, const char *origin,
                               enum policy_base base, struct cordon_error *err)
{
    if (list->count >= LIMIT_LIST_ENTRIES)
        return error_set(err, CORDON_E_LIMIT, 0, "policy.list", "%s: more than %d entries in one list",
                         origin, LIMIT_LIST_ENTRIES);
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 8;
        struct policy_entry *items = realloc(list->items, cap * sizeof *items);
        if (!items)
            return error_nomem(err, "policy.list");
        list->items = items;
        list->cap = cap;
    }
    struct policy_entry entry = {string_copy(value), string_copy(origin), base};
    if (!entry.value || !entry.origin) {
        free(entry.value);
        free(entry.origin);
        return error_nomem(err, "policy.list");
    }
    list->items[list->count++] = entry;
    return CORDON_OK;
}

cordon_status policy_add(struct policy *p, enum policy_list_id list, const char *value, const char *origin,
                         enum policy_base base, struct cordon_error *err)
{
    if (!*value)
        return error_set(err, CORDON_E_INVALID, 0, "policy.list", "%s: an empty value; name something",
                         origin);
    if (strlen(value) > LIMIT_STRING_BYTES)
        return error_set(err, CORDON_E_LIMIT, 0, "policy.list", "%s: longer than %d bytes", origin,
                         LIMIT_STRING_BYTES);
    if (is_path_list(list)) {
        cordon_status status = policy_check_variables(value, "policy.list", origin, err);
        if (status != CORDON_OK)
            return status;
    }
    if ((list == LIST_PROTECT || list == LIST_UNPROTECT) &&
        (strcmp(value, ".") == 0 || strcmp(value, "..") == 0))
        return error_set(err, CORDON_E_INVALID, 0, "policy.list",
                         "%s: `%s` is no name; want one such as .git, or a path", origin, value);
    return list_push(&p->lists[list], value, origin, base, err);
}

/* -- merging -------------------------------------------------------------- */

/* Replaces the string at *slot; false: out of memory. */
static bool set_origin(char **slot, const char *origin)
{
    char *copy = string_copy(origin);
    if (!copy)
        return false;
    free(*slot);
    *slot = copy;
    return true;
}

static cordon_status add_defaults(struct policy *out, const struct policy *options, const struct policy *file,
                                  struct cordon_error *err)
{
    const struct policy *chosen = options && options->profile_origin ? options
                                  : file && file->profile_origin     ? file
                                                                     : NULL;
    char origin[64] = "default (profile ";
    cordon_status status = CORDON_OK;
    out->profile = chosen ? chosen->profile : PROFILE_WORKSPACE;
    out->tmp = TMP_WORKSPACE;
    out->net = out->profile == PROFILE_OPEN ? NET_ON : NET_OFF;
    out->env_inherit = true;
    size_t len = strlen(origin);
    for (const char *c = policy_profile_name(out->profile); *c; c++)
        origin[len++] = *c;
    origin[len++] = ')';
    origin[len] = '\0';
    if (!set_origin(&out->profile_origin, chosen ? chosen->profile_origin : origin) ||
        !set_origin(&out->tmp_origin, origin) || !set_origin(&out->net_origin, origin) ||
        !set_origin(&out->env_inherit_origin, origin))
        return error_nomem(err, "policy.merge");
    if (out->profile != PROFILE_READ_ONLY)
        status = list_push(&out->lists[LIST_WRITE], "${workspace}", origin, BASE_WORKSPACE, err);
    if (status == CORDON_OK)
        status = list_push(&out->lists[LIST_WRITE], "${tmp}", origin, BASE_WORKSPACE, err);
    for (size_t i = 0; default_protect[i] && status == CORDON_OK; i++)
        status = list_push(&out->lists[LIST_PROTECT], default_protect[i], origin, BASE_WORKSPACE, err);
    for (size_t i = 0; default_remove[i] && status == CORDON_OK; i++)
        status = list_push(&out->lists[LIST_ENV_REMOVE], default_remove[i], origin, BASE_WORKSPACE, err);
    return status;
}

static void list_drop(struct policy_list *list, size_t at)
{
    free(list->items[at].value);
    free(list->items[at].origin);
    memmove(&list->items[at], &list->items[at + 1], (list->count - at - 1) * sizeof *list->items);
    list->count--;
}

/* A later layer's KEY=VALUE replaces an earlier one's. */
static void drop_same_key(struct policy_list *list, const char *setting)
{
    size_t key = strcspn(setting, "=") + 1;
    for (size_t i = 0; i < list->count;)
        if (strncmp(list->items[i].value, setting, key) == 0)
            list_drop(list, i);
        else
            i++;
}

static cordon_status add_layer(struct policy *out, const struct policy *layer, struct cordon_error *err)
{
    bool copied = true;
    if (layer->tmp_origin) {
        out->tmp = layer->tmp;
        copied = copied && set_origin(&out->tmp_origin, layer->tmp_origin);
    }
    if (layer->net_origin) {
        out->net = layer->net;
        copied = copied && set_origin(&out->net_origin, layer->net_origin);
    }
    if (layer->env_inherit_origin) {
        out->env_inherit = layer->env_inherit;
        copied = copied && set_origin(&out->env_inherit_origin, layer->env_inherit_origin);
    }
    for (size_t id = 0; id < LIMIT_COUNT_; id++) {
        if (!layer->limits[id].origin)
            continue;
        out->limits[id].value = layer->limits[id].value;
        copied = copied && set_origin(&out->limits[id].origin, layer->limits[id].origin);
    }
    if (!copied)
        return error_nomem(err, "policy.merge");
    for (size_t id = 0; id < LIST_COUNT_; id++) {
        for (size_t i = 0; i < layer->lists[id].count; i++) {
            const struct policy_entry *entry = &layer->lists[id].items[i];
            if (id == LIST_ENV_SET)
                drop_same_key(&out->lists[id], entry->value);
            cordon_status status = list_push(&out->lists[id], entry->value, entry->origin, entry->base, err);
            if (status != CORDON_OK)
                return status;
        }
    }
    return CORDON_OK;
}

static cordon_status unprotect(struct policy *out, struct cordon_error *err)
{
    struct policy_list *protect = &out->lists[LIST_PROTECT];
    for (size_t i = 0; i < out->lists[LIST_UNPROTECT].count; i++) {
        const struct policy_entry *entry = &out->lists[LIST_UNPROTECT].items[i];
        bool found = false;
        for (size_t j = 0; j < protect->count;) {
            if (strcmp(protect->items[j].value, entry->value) == 0) {
                found = true;
                list_drop(protect, j);
            } else {
                j++;
            }
        }
        for (size_t j = 0; j < i && !found; j++) /* named twice: already gone */
            found = strcmp(out->lists[LIST_UNPROTECT].items[j].value, entry->value) == 0;
        if (found)
            continue;
        struct buf names = BUF_INIT;
        for (size_t j = 0; j < protect->count; j++)
            buf_add_format(&names, "%s%s", j ? ", " : "", protect->items[j].value);
        error_set(err, CORDON_E_INVALID, 0, "policy.unprotect",
                  "unprotect %s (%s): not protected; protected are: %s", entry->value, entry->origin,
                  names.data && names.len ? names.data : "none");
        buf_release(&names);
        return CORDON_E_INVALID;
    }
    return CORDON_OK;
}

cordon_status policy_merge(struct policy *out, const struct policy *file, const struct policy *options,
                           struct cordon_error *err)
{
    struct policy merged;
    policy_init(&merged);
    cordon_status status = add_defaults(&merged, options, file, err);
    if (status == CORDON_OK && file)
        status = add_layer(&merged, file, err);
    if (status == CORDON_OK && options)
        status = add_layer(&merged, options, err);
    if (status == CORDON_OK)
        status = unprotect(&merged, err);
    if (status != CORDON_OK) {
        policy_release(&merged);
        return status;
    }
    policy_release(out);
    *out = merged;
    return CORDON_OK;
}
