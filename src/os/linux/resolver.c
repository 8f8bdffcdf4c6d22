/* resolver.c - see resolver.h: rules with their descriptors, policy values as paths. */
#include "os/linux/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *resolver_replaced_by(const struct resolver *r, const char *path)
{
    for (size_t i = 0; i < r->replaced_count; i++)
        if (path_is_within(resolver_paths, r->replaced[i], path))
            return r->replaced[i];
    return NULL;
}

cordon_status resolver_keep_pin(struct resolver *r, struct located *l)
{
    struct resolution *out = r->out;
    if (l->fd < 0)
        return CORDON_OK;
    if (out->pin_count == out->pin_cap) {
        size_t cap = out->pin_cap ? 2 * out->pin_cap : 32;
        int *pins = realloc(out->pins, cap * sizeof *pins);
        if (!pins)
            return error_nomem(r->err, "resolve.path");
        out->pins = pins;
        out->pin_cap = cap;
    }
    out->pins[out->pin_count++] = l->fd;
    l->fd = -1;
    return CORDON_OK;
}

cordon_status resolver_add_rule(struct resolver *r, enum rule_kind kind, enum rule_role role,
                                struct located *l, const char *origin)
{
    struct rule rule = {.kind = kind,
                        .role = role,
                        .path = l->path,
                        .origin = origin,
                        .type = l->type,
                        .dev = l->dev,
                        .ino = l->ino,
                        .nlink = l->nlink,
                        .absent_name = l->type == OBJECT_ABSENT};
    cordon_status status = resolved_add(&r->out->resolved, &rule, r->err);
    return status ? status : resolver_keep_pin(r, l);
}

/* Splits a policy value into the directory that its beginning stands for and the rest. */
static const char *base_of(const struct resolver *r, const struct policy_entry *entry, const char **rest)
{
    const char *value = entry->value, *home = r->places->home ? r->places->home : "/nonexistent";
    static const char workspace[] = "${workspace}", home_variable[] = "${home}";
    *rest = value;
    if (strncmp(value, workspace, sizeof workspace - 1) == 0) {
        *rest += sizeof workspace - 1;
        return r->out->resolved.workspace;
    }
    if (strncmp(value, home_variable, sizeof home_variable - 1) == 0) {
        *rest += sizeof home_variable - 1;
        return home;
    }
    if (value[0] == '~' && (value[1] == '/' || value[1] == '\0')) {
        *rest += 1;
        return home;
    }
    if (value[0] == '/')
        return "";
    return entry->base == BASE_CWD ? r->out->cwd : r->out->resolved.workspace;
}

/* Turns a policy value into an absolute path, links not yet resolved. */
char *resolver_absolute(const struct resolver *r, const struct policy_entry *entry)
{
    const char *rest, *base = base_of(r, entry, &rest);
    return string_format("%s%s%s", base, rest == entry->value && *base ? "/" : "", rest);
}

/* The same of a glob. The directory is taken as it is: a workspace may be called
 * `[id]`, and as a pattern that would match other directories than itself. */
char *resolver_absolute_pattern(const struct resolver *r, const struct policy_entry *entry)
{
    struct buf text = BUF_INIT;
    const char *rest, *base = base_of(r, entry, &rest);
    for (const char *c = base; *c; c++) {
        if (strchr("*?[]\\", *c))
            buf_add_char(&text, '\\');
        buf_add_char(&text, *c);
    }
    if (rest == entry->value && *base)
        buf_add_char(&text, '/');
    buf_add_string(&text, rest);
    if (!buf_failed(&text))
        return buf_take(&text);
    buf_release(&text);
    return NULL;
}

cordon_status resolver_locate_entry(struct resolver *r, const struct policy_entry *entry, bool follow,
                                    struct located *out)
{
    char *path = resolver_absolute(r, entry);
    if (!path)
        return error_nomem(r->err, "resolve.path");
    cordon_status status = locate(path, follow, out, r->err);
    if (status == CORDON_E_INVALID)
        status = error_set(r->err, status, errno, "resolve.path", "%s (%s): %s", entry->value, entry->origin,
                           r->err ? strerror(r->err->os_code) : "cannot be resolved");
    free(path);
    return status;
}
