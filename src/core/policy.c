/* policy.c - policies as lists and scalars with origins, and how layers merge.
 * Pure. Called by the parsers (policy_parse.c, policy_words.c) and the programs.
 */
#include "core/policy.h"

#include <stdio.h>
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

/* -- one entry ------------------------------------------------------------ */

/* A value that is quoted in a message is cut here, so that what would be right still fits behind it. */
#define SHOWN 100

/* Which lists hold paths, where variables mean something. */
static bool is_path_list(enum policy_list_id list)
{
    return list <= LIST_COW || list == LIST_UNIX_SOCKETS;
}

/* ${tmp} stands for several directories: there is no one path below it. */
static bool has_good_variables(const char *value)
{
    static const char *const known[] = {"${tmp}", "${workspace}", "${home}"};
    if (!strstr(value, "${"))
        return true;
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(known[i]);
        if (strncmp(value, known[i], len) == 0)
            return !value[len] || (i > 0 && value[len] == '/' && !strstr(value + len, "${"));
    }
    return false;
}

/* `.`, `..` and the like: they name a place, and protecting the place would be protecting all of it. */
static bool is_only_dots(const char *value)
{
    if (*value == '/')
        return false;
    while (*value) {
        size_t len = strcspn(value, "/");
        if (len > 2 || strspn(value, ".") < len)
            return false;
        value += len + strspn(value + len, "/");
    }
    return true;
}

static bool is_variable_name(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] <= 0x20 || name[i] == 0x7f)
            return false;
    return len > 0;
}

/* NULL: good. */
static const char *find_fault(enum policy_list_id list, const char *value)
{
    if (!*value)
        return "an empty string names nothing; remove it";
    if (is_path_list(list) && !has_good_variables(value))
        return "want ${workspace} or ${home}, alone or before a /, or ${tmp} alone, and only at the start";
    switch (list) {
    case LIST_PROTECT:
    case LIST_UNPROTECT:
        return is_only_dots(value) ? "want a name such as .git, or a path to something" : NULL;
    case LIST_NET_ALLOW:
    case LIST_NET_DENY:
        return policy_is_host(value) ? NULL
                                     : "want host, *.host, an IPv4 address or [an IPv6 address], each alone "
                                       "or with :port; international names in their xn-- form";
    case LIST_ENV_KEEP:
    case LIST_ENV_REMOVE:
        return is_variable_name(value, strlen(value)) && !strchr(value, '=')
                   ? NULL
                   : "want a variable's name or a pattern, without `=`, spaces and control characters";
    case LIST_ENV_SET:
        return strchr(value, '=') && is_variable_name(value, strcspn(value, "="))
                   ? NULL
                   : "want a name without spaces and control characters, as in NAME=VALUE";
    default:
        return NULL;
    }
}

cordon_status policy_check_entry(enum policy_list_id list, const char *value, const char *step,
                                 const char *where, struct cordon_error *err)
{
    const char *fault = find_fault(list, value);
    /* A value of `set` may be a secret: its name says enough. */
    size_t shown = list == LIST_ENV_SET ? strcspn(value, "=") : strlen(value);
    if (shown > SHOWN)
        shown = SHOWN;
    if (fault)
        return error_set(err, CORDON_E_INVALID, 0, step, "%s: `%.*s`: %s", where, (int)shown, value, fault);
    if (strlen(value) > LIMIT_STRING_BYTES)
        return error_set(err, CORDON_E_LIMIT, 0, step, "%s: `%.*s...`: want at most %d bytes", where,
                         (int)shown, value, LIMIT_STRING_BYTES);
    return CORDON_OK;
}

static cordon_status list_push(struct policy_list *list, const char *value, const char *origin,
                               enum policy_base base, struct cordon_error *err)
{
    if (list->count >= LIMIT_LIST_ENTRIES)
        return error_set(err, CORDON_E_LIMIT, 0, "policy.list",
                         "%s: more than %d entries in one list; name directories instead of their files",
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
    cordon_status status = policy_check_entry(list, value, "policy.list", origin, err);
    return status == CORDON_OK ? list_push(&p->lists[list], value, origin, base, err) : status;
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

cordon_status policy_copy(struct policy *out, const struct policy *from, struct cordon_error *err)
{
    struct policy copy;
    policy_init(&copy);
    copy.profile = from->profile;
    copy.tmp = from->tmp;
    copy.net = from->net;
    copy.env_inherit = from->env_inherit;
    bool copied =
        (!from->profile_origin || set_origin(&copy.profile_origin, from->profile_origin)) &&
        (!from->tmp_origin || set_origin(&copy.tmp_origin, from->tmp_origin)) &&
        (!from->net_origin || set_origin(&copy.net_origin, from->net_origin)) &&
        (!from->env_inherit_origin || set_origin(&copy.env_inherit_origin, from->env_inherit_origin));
    for (size_t id = 0; id < LIMIT_COUNT_ && copied; id++) {
        copy.limits[id].value = from->limits[id].value;
        copied = !from->limits[id].origin || set_origin(&copy.limits[id].origin, from->limits[id].origin);
    }
    cordon_status status = copied ? CORDON_OK : error_nomem(err, "policy.merge");
    for (size_t id = 0; id < LIST_COUNT_; id++)
        for (size_t i = 0; i < from->lists[id].count && status == CORDON_OK; i++) {
            const struct policy_entry *entry = &from->lists[id].items[i];
            status = list_push(&copy.lists[id], entry->value, entry->origin, entry->base, err);
        }
    if (status != CORDON_OK) {
        policy_release(&copy);
        return status;
    }
    policy_release(out);
    *out = copy;
    return CORDON_OK;
}

static cordon_status add_defaults(struct policy *out, const struct policy *options, const struct policy *file,
                                  struct cordon_error *err)
{
    const struct policy *chosen = options && options->profile_origin ? options
                                  : file && file->profile_origin     ? file
                                                                     : NULL;
    char origin[64];
    cordon_status status = CORDON_OK;
    out->profile = chosen ? chosen->profile : PROFILE_WORKSPACE;
    out->tmp = TMP_WORKSPACE;
    out->net = out->profile == PROFILE_OPEN ? NET_ON : NET_OFF;
    out->env_inherit = true;
    snprintf(origin, sizeof origin, "default (profile %s)", policy_profile_name(out->profile));
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

static cordon_status not_protected(const struct policy_list *protect, const struct policy_entry *entry,
                                   struct cordon_error *err)
{
    struct buf names = BUF_INIT;
    for (size_t i = 0; i < protect->count; i++)
        buf_add_format(&names, "%s%s", i ? ", " : "", protect->items[i].value);
    cordon_status status = buf_failed(&names)
                               ? error_nomem(err, "policy.unprotect")
                               : error_set(err, CORDON_E_INVALID, 0, "policy.unprotect",
                                           "%s: `%.*s` is not protected; protected are: %s", entry->origin,
                                           SHOWN, entry->value, names.len ? names.data : "none");
    buf_release(&names);
    return status;
}

/* An option's --protect holds against a file's `unprotect`: each layer takes
 * away only what it and earlier layers put there. `first`: the first entry of
 * this layer. */
static cordon_status unprotect(struct policy *out, size_t first, struct cordon_error *err)
{
    struct policy_list *protect = &out->lists[LIST_PROTECT];
    const struct policy_list *names = &out->lists[LIST_UNPROTECT];
    for (size_t i = first; i < names->count; i++) {
        const struct policy_entry *entry = &names->items[i];
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
            found = strcmp(names->items[j].value, entry->value) == 0;
        if (!found)
            return not_protected(protect, entry, err);
    }
    return CORDON_OK;
}

static cordon_status add_layer(struct policy *out, const struct policy *layer, struct cordon_error *err)
{
    size_t unprotected = out->lists[LIST_UNPROTECT].count;
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
    return unprotect(out, unprotected, err);
}

/* Who names hosts on the command line wants them reached, and nothing else. In
 * a file, where a mode stands beside the list, `allow` by itself does nothing. */
static cordon_status imply_filtered(struct policy *out, const struct policy *options,
                                    struct cordon_error *err)
{
    const struct policy_list *allow = &options->lists[LIST_NET_ALLOW];
    if (options->net_origin || allow->count == 0)
        return CORDON_OK;
    if (!set_origin(&out->net_origin, allow->items[0].origin))
        return error_nomem(err, "policy.merge");
    out->net = NET_FILTERED;
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
    if (status == CORDON_OK && options)
        status = imply_filtered(&merged, options, err);
    if (status != CORDON_OK) {
        policy_release(&merged);
        return status;
    }
    policy_release(out);
    *out = merged;
    return CORDON_OK;
}
