/* resolve.c - see resolve.h. Runs as the user, outside; called by run, plan, explain.
 *
 * Order: the replaced directories first (what lies in one needs a rule to stay
 * visible), then roots, protected entries (names apply to roots), deny_read,
 * cordon's own places; decide()'s sorting makes the order harmless.
 */
#include "os/linux/resolve.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/limits.h"
#include "os/linux/gitlink.h"
#include "os/linux/kernel_mounts.h"
#include "os/linux/links.h"
#include "os/linux/locate.h"
#include "os/linux/sys.h"
#include "os/posix/closed_directory.h"
#include "os/posix/glob_expand.h"

static const struct path_rules posix_rules = {PATH_POSIX, false};

struct resolver {
    struct resolution *out;
    const struct resolve_input *input;
    struct places *places;
    struct report *report;
    struct cordon_error *err;
    char *replaced[4]; /* resolved paths of directories that the command sees a private version of */
    size_t replaced_count;
};

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

static const char *replaced_by(const struct resolver *r, const char *path)
{
    for (size_t i = 0; i < r->replaced_count; i++)
        if (path_is_within(posix_rules, r->replaced[i], path))
            return r->replaced[i];
    return NULL;
}

static cordon_status keep_pin(struct resolver *r, struct located *l)
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

/* Adds a rule for a located object and keeps its descriptor. */
static cordon_status add_rule(struct resolver *r, enum rule_kind kind, enum rule_role role, struct located *l,
                              const char *origin)
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
    return status ? status : keep_pin(r, l);
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
static char *absolute(const struct resolver *r, const struct policy_entry *entry)
{
    const char *rest, *base = base_of(r, entry, &rest);
    return string_format("%s%s%s", base, rest == entry->value && *base ? "/" : "", rest);
}

/* The same of a glob. The directory is taken as it is: a workspace may be called
 * `[id]`, and as a pattern that would match other directories than itself. */
static char *absolute_pattern(const struct resolver *r, const struct policy_entry *entry)
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

static cordon_status locate_entry(struct resolver *r, const struct policy_entry *entry, bool follow,
                                  struct located *out)
{
    char *path = absolute(r, entry);
    if (!path)
        return error_nomem(r->err, "resolve.path");
    cordon_status status = locate(path, follow, out, r->err);
    if (status == CORDON_E_INVALID)
        status = error_set(r->err, status, errno, "resolve.path", "%s (%s): %s", entry->value, entry->origin,
                           r->err ? strerror(r->err->os_code) : "cannot be resolved");
    free(path);
    return status;
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

/* -- replaced directories ------------------------------------------------- */

static cordon_status add_tmp(struct resolver *r, const char *origin)
{
    static const char *const views[] = {"/tmp", "/var/tmp", "/dev/shm"}, *const names[] = {"tmp", "vartmp",
                                                                                           "shm"};
    for (size_t i = 0; i < 3; i++) {
        struct located l;
        cordon_status status = locate(views[i], true, &l, r->err);
        if (status != CORDON_OK)
            return status;
        if (l.type != OBJECT_DIRECTORY || (r->replaced_count && replaced_by(r, l.path))) {
            located_release(&l); /* /var/tmp is a link to /tmp on some hosts */
            continue;
        }
        if (r->input->policy->tmp == TMP_SHARED) {
            status = add_rule(r, RULE_WRITE, ROLE_PLAIN, &l, origin);
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
    size_t count = path_equal(posix_rules, r->out->resolved.workspace, path);
    for (size_t i = 0; i < list->count; i++) {
        struct located l;
        struct cordon_error ignored;
        char *text =
            strcmp(list->items[i].value, "${tmp}") == 0 || strcmp(list->items[i].value, "${workspace}") == 0
                ? NULL
                : absolute(r, &list->items[i]);
        if (!text)
            continue;
        if (locate(text, true, &l, &ignored) == CORDON_OK) {
            if (path_equal(posix_rules, l.path, path)) {
                count++;
                *by_option = *by_option || list->items[i].base == BASE_CWD;
            }
            located_release(&l);
        }
        free(text);
    }
    return count;
}

static cordon_status refuse_dangerous(struct resolver *r, const struct located *l, const char *origin)
{
    const char *path = l->path;
    if (kernel_mounts_holds(l->fd) || path_is_within(posix_rules, "/proc", path) ||
        path_is_within(posix_rules, "/sys", path))
        return error_set(r->err, CORDON_E_INVALID, 0, "resolve.root",
                         "%s (%s) cannot be a writable root: it steers the kernel, not files", path, origin);
    const char *what = NULL;
    if (path_is_root(PATH_POSIX, path))
        what = "the whole file system";
    else if (r->places->home && path_is_within(posix_rules, path, r->places->home))
        what = path_equal(posix_rules, path, r->places->home) ? "the home directory"
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
    if (!path_is_within(posix_rules, "/dev", l->path) || path_is_within(posix_rules, "/dev/shm", l->path))
        return CORDON_OK;
    if (l->type != OBJECT_DEVICE)
        return error_set(r->err, CORDON_E_INVALID, 0, "resolve.root",
                         "%s (%s): below /dev only single devices can be opened up", l->path, origin);
    return add_device(r, l->path);
}

static cordon_status add_write(struct resolver *r, const struct policy_entry *entry)
{
    struct located l;
    if (strcmp(entry->value, "${tmp}") == 0)
        return CORDON_OK; /* add_tmp() came first */
    cordon_status status = locate_entry(r, entry, true, &l);
    if (status != CORDON_OK)
        return status;
    if (l.type == OBJECT_ABSENT)
        status = error_set(r->err, CORDON_E_INVALID, ENOENT, "resolve.root",
                           "%s (%s): no such file or directory; a writable root must exist", l.path,
                           entry->origin);
    if (status == CORDON_OK)
        status = refuse_dangerous(r, &l, entry->origin);
    if (status == CORDON_OK)
        status = check_dev(r, &l, entry->origin);
    if (status == CORDON_OK)
        status =
            add_rule(r, RULE_WRITE, replaced_by(r, l.path) ? ROLE_VISIBLE : ROLE_PLAIN, &l, entry->origin);
    located_release(&l);
    return status;
}

/* -- protected entries ---------------------------------------------------- */

static cordon_status protect_path(struct resolver *r, const char *path, bool even_absent, const char *origin,
                                  int depth);

/* A protected link protects what it leads to as well, also what is not there
 * yet: otherwise making the target would make the protected thing. */
static cordon_status protect_link_target(struct resolver *r, const char *path, const char *origin, int depth)
{
    char target[LIMIT_PATH_BYTES + 1];
    ssize_t len = readlink(path, target, sizeof target);
    if (len < 0 || (size_t)len >= sizeof target || depth > 40)
        return error_set(r->err, CORDON_E_INVALID, len < 0 ? errno : ELOOP, "resolve.protect",
                         "%s (%s): cannot follow the link", path, origin);
    target[len] = '\0';
    char *text = target[0] == '/'
                     ? string_copy(target)
                     : string_format("%.*s/%s", (int)path_parent_length(PATH_POSIX, path), path, target);
    if (!text)
        return error_nomem(r->err, "resolve.protect");
    cordon_status status = protect_path(r, text, true, origin, depth + 1);
    free(text);
    return status;
}

static cordon_status protect_path(struct resolver *r, const char *path, bool even_absent, const char *origin,
                                  int depth)
{
    struct located l;
    cordon_status status = locate(path, false, &l, r->err);
    if (status != CORDON_OK)
        return status;
    if (l.type == OBJECT_ABSENT && !even_absent) {
        located_release(&l);
        return CORDON_OK;
    }
    struct gitlink link = {{NULL, NULL}};
    if (l.type == OBJECT_SYMLINK)
        status = protect_link_target(r, l.path, origin, depth);
    else if (l.type == OBJECT_FILE)
        status = gitlink_read(l.path, &link, r->err);
    for (size_t i = 0; i < 2 && status == CORDON_OK; i++)
        if (link.paths[i])
            status = protect_path(r, link.paths[i], true, origin, depth + 1);
    gitlink_release(&link);
    if (status == CORDON_OK)
        status = add_rule(r, RULE_PROTECT, ROLE_PLAIN, &l, origin);
    located_release(&l);
    return status;
}

static cordon_status protect_name(struct resolver *r, const char *root, const char *name, bool even_absent,
                                  const char *origin)
{
    struct buf path = BUF_INIT;
    path_join(PATH_POSIX, &path, root, name);
    cordon_status status = buf_failed(&path) ? error_nomem(r->err, "resolve.protect")
                                             : protect_path(r, path.data, even_absent, origin, 0);
    buf_release(&path);
    return status;
}

/* `roots` rules exist already: names apply to them all. */
static cordon_status add_protect(struct resolver *r, const struct policy_entry *entry, size_t roots)
{
    const struct resolved *resolved = &r->out->resolved;
    if (!path_is_bare_name(PATH_POSIX, entry->value)) {
        char *path = absolute(r, entry);
        if (!path)
            return error_nomem(r->err, "resolve.protect");
        cordon_status status = protect_path(r, path, true, entry->origin, 0);
        free(path);
        return status;
    }
    cordon_status status = protect_name(r, resolved->workspace, entry->value, true, entry->origin);
    for (size_t i = 0; i < roots && status == CORDON_OK; i++) {
        const struct rule *rule = &resolved->items[i];
        if (rule->kind != RULE_WRITE || rule->role == ROLE_TMP || rule->type != OBJECT_DIRECTORY ||
            path_equal(posix_rules, rule->path, resolved->workspace))
            continue;
        char *root = string_copy(rule->path); /* adding rules moves the array */
        status = root ? protect_name(r, root, entry->value, false, entry->origin)
                      : error_nomem(r->err, "resolve.protect");
        free(root);
    }
    return status;
}

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
    return add_rule(r, RULE_DENY_READ, ROLE_PLAIN, l, entry->origin);
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
    else if (!replaced_by(r, l.path) || !path_equal(posix_rules, replaced_by(r, l.path), l.path))
        status =
            deny_located(r, &l, entry); /* not a replaced directory itself: the host's is hidden already */
    located_release(&l);
    return status;
}

static cordon_status add_deny_read(struct resolver *r, const struct policy_entry *entry)
{
    char **paths = NULL;
    size_t count = 0;
    struct buf pattern = BUF_INIT;
    bool magic = glob_has_magic(entry->value);
    char *text = magic ? absolute_pattern(r, entry) : absolute(r, entry);
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

/* -- what stays visible, and cordon's own places -------------------------- */

static cordon_status keep_visible(struct resolver *r, const char *path, const char *origin, bool must_exist)
{
    struct located l;
    cordon_status status = locate(path, true, &l, r->err);
    if (status != CORDON_OK)
        return must_exist ? status : CORDON_OK;
    if (l.type == OBJECT_ABSENT && must_exist)
        status = error_set(r->err, CORDON_E_INVALID, ENOENT, "resolve.read",
                           "%s (%s): no such file or directory", path, origin);
    else if (l.type != OBJECT_ABSENT && replaced_by(r, l.path) &&
             !path_equal(posix_rules, replaced_by(r, l.path), l.path))
        status = add_rule(r, RULE_READ, ROLE_VISIBLE, &l, origin);
    located_release(&l);
    return status;
}

static cordon_status add_visible(struct resolver *r)
{
    const struct policy_list *list = &r->input->policy->lists[LIST_READ];
    cordon_status status = keep_visible(r, r->out->resolved.workspace, "workspace", true);
    if (status == CORDON_OK)
        status = keep_visible(r, r->out->cwd, "current directory", true);
    if (status == CORDON_OK && r->input->program && strchr(r->input->program, '/'))
        status = keep_visible(r, r->input->program, "the command", false);
    for (size_t i = 0; i < list->count && status == CORDON_OK; i++) {
        char *path = absolute(r, &list->items[i]);
        status =
            path ? keep_visible(r, path, list->items[i].origin, true) : error_nomem(r->err, "resolve.read");
        free(path);
    }
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
        status = protect_path(r, r->places->config_root, true, "built in: cordon's configuration", 0);
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
    cordon_status status = resolve_workspace(NULL, &r->out->cwd, r->err);
    if (status == CORDON_OK)
        status = resolve_workspace(r->input->workspace, &r->out->resolved.workspace, r->err);
    if (status == CORDON_OK)
        status = locate(r->out->resolved.workspace, true, &l, r->err);
    if (status != CORDON_OK)
        return status;
    r->out->owner_uid = l.uid;
    r->out->owner_gid = l.gid;
    status = refuse_dangerous(r, &l, "workspace");
    if (status == CORDON_OK)
        status = keep_pin(r, &l);
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

/* What an earlier run's command may have planted must not become this run's root. */
static cordon_status check_root_links(struct resolver *r)
{
    static const struct {
        enum policy_list_id list;
        const char *what;
    } lists[] = {{LIST_WRITE, "writable root"}, {LIST_READ, "visible path"}};
    cordon_status status = r->input->workspace
                               ? check_links(r, r->input->workspace, "workspace", "option --workspace")
                               : CORDON_OK;
    for (size_t i = 0; i < 2; i++) {
        const struct policy_list *list = &r->input->policy->lists[lists[i].list];
        for (size_t j = 0; j < list->count && status == CORDON_OK; j++) {
            const struct policy_entry *entry = &list->items[j];
            if (strcmp(entry->value, "${tmp}") == 0 || strcmp(entry->value, "${workspace}") == 0)
                continue;
            char *path = absolute(r, entry);
            status = path ? check_links(r, path, lists[i].what, entry->origin)
                          : error_nomem(r->err, "resolve.link");
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
    cordon_status status = add_tmp(r, policy->tmp_origin ? policy->tmp_origin : "default");
    for (size_t i = 0; i < write->count && status == CORDON_OK; i++)
        status = add_write(r, &write->items[i]);
    size_t roots = r->out->resolved.count;
    for (size_t i = 0; i < protect->count && status == CORDON_OK; i++)
        status = add_protect(r, &protect->items[i], roots);
    for (size_t i = 0; i < deny->count && status == CORDON_OK; i++)
        status = add_deny_read(r, &deny->items[i]);
    if (status == CORDON_OK)
        status = add_visible(r);
    return status ? status : add_own_places(r);
}

cordon_status resolve_policy(struct resolution *out, const struct resolve_input *input, struct places *places,
                             struct report *report, struct cordon_error *err)
{
    struct resolver r = {.out = out, .input = input, .places = places, .report = report, .err = err};
    out->resolved.rules = posix_rules;
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
