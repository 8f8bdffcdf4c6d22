/* policy_parse.c - a policy file's text into a layer: strict and capped. Pure
 * but for jansson.
 *
 * One table of keys drives the parser, and the schema test walks the same table
 * (policy_keys): a key cannot be in one and not in the other.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/policy.h"
#include "core/policy_keys.h"
#include "core/utf.h"

struct parser {
    struct policy *layer;
    const char *file;
    struct cordon_error *err;
};

static const struct policy_key keys[] = {
    {"version", KEY_VERSION, 0},
    {"profile", KEY_PROFILE, 0},
    {"filesystem.write", KEY_LIST, LIST_WRITE},
    {"filesystem.protect", KEY_LIST, LIST_PROTECT},
    {"filesystem.unprotect", KEY_LIST, LIST_UNPROTECT},
    {"filesystem.deny_read", KEY_LIST, LIST_DENY_READ},
    {"filesystem.read", KEY_LIST, LIST_READ},
    {"filesystem.cow", KEY_LIST, LIST_COW},
    {"filesystem.tmp", KEY_TMP, 0},
    {"network.mode", KEY_NET, 0},
    {"network.allow", KEY_LIST, LIST_NET_ALLOW},
    {"network.deny", KEY_LIST, LIST_NET_DENY},
    {"network.unix_sockets", KEY_LIST, LIST_UNIX_SOCKETS},
    {"environment.inherit", KEY_INHERIT, 0},
    {"environment.keep", KEY_LIST, LIST_ENV_KEEP},
    {"environment.remove", KEY_LIST, LIST_ENV_REMOVE},
    {"environment.set", KEY_ENV_SET, LIST_ENV_SET},
    {"limits.wall_seconds", KEY_LIMIT, LIMIT_WALL_SECONDS},
    {"limits.memory_bytes", KEY_LIMIT, LIMIT_MEMORY_BYTES},
    {"limits.processes", KEY_LIMIT, LIMIT_PROCESSES},
    {"limits.cpu_seconds", KEY_LIMIT, LIMIT_CPU_SECONDS},
    {"limits.file_bytes", KEY_LIMIT, LIMIT_FILE_BYTES},
    {NULL, KEY_VERSION, 0},
};

const struct policy_key *policy_keys(void)
{
    return keys;
}

static cordon_status wrong(const struct parser *p, const char *path, const char *format, const char *got)
{
    struct buf shown = BUF_INIT;
    utf_escape_display(&shown, got, strlen(got));
    cordon_status status =
        error_set(p->err, CORDON_E_INVALID, 0, "policy.parse", "%s: $.%s: %s%s%s%s", p->file, path, format,
                  *got ? " (got `" : "", *got && shown.data ? shown.data : "", *got ? "`)" : "");
    buf_release(&shown);
    return status;
}

static const char *kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a real number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

/* "FILE: $.PATH" for origins and for policy_add's messages. */
static char *origin_of(const struct parser *p, const char *path)
{
    return string_format("%s: $.%s", p->file, path);
}

static cordon_status set_origin(const struct parser *p, char **slot, const char *path)
{
    char *origin = origin_of(p, path);
    if (!origin)
        return error_nomem(p->err, "policy.parse");
    free(*slot);
    *slot = origin;
    return CORDON_OK;
}

/* -- values --------------------------------------------------------------- */

static cordon_status take_word(const struct parser *p, const struct policy_key *key, const json_t *value)
{
    const char *word = json_string_value(value);
    struct policy *layer = p->layer;
    if (!word)
        return wrong(p, key->path, "want a string", kind_of(value));
    if (key->kind == KEY_PROFILE)
        return policy_profile_parse(word, &layer->profile)
                   ? set_origin(p, &layer->profile_origin, key->path)
                   : wrong(p, key->path, "want read-only, workspace or open", word);
    if (key->kind == KEY_TMP)
        return policy_tmp_parse(word, &layer->tmp)
                   ? set_origin(p, &layer->tmp_origin, key->path)
                   : wrong(p, key->path, "want workspace, fresh or shared", word);
    return policy_net_parse(word, &layer->net) ? set_origin(p, &layer->net_origin, key->path)
                                               : wrong(p, key->path, "want off, on or filtered", word);
}

static bool valid_port(const char *text)
{
    unsigned value = 0;
    size_t digits = strspn(text, "0123456789");
    for (size_t i = 0; i < digits && i < 6; i++)
        value = 10 * value + (unsigned)(text[i] - '0');
    return digits > 0 && digits < 6 && !text[digits] && value > 0 && value < 65536;
}

/* host, *.host, host:port, [v6], [v6]:port, v4. */
static bool valid_host(const char *text)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    if (*text == '[') {
        size_t len = strspn(text + 1, "0123456789abcdefABCDEF:.");
        const char *end = text + 1 + len;
        return len >= 2 && *end == ']' && (!end[1] || (end[1] == ':' && valid_port(end + 2)));
    }
    if (text[0] == '*' && text[1] == '.')
        text += 2;
    size_t len = strspn(text, name);
    return len > 0 && len < 254 && text[0] != '.' && text[0] != '-' &&
           (!text[len] || (text[len] == ':' && valid_port(text + len + 1)));
}

static cordon_status take_entry(const struct parser *p, const struct policy_key *key, size_t index,
                                const json_t *value)
{
    enum policy_list_id list = (enum policy_list_id)key->id;
    const char *text = json_string_value(value);
    char *path = string_format("%s[%zu]", key->path, index);
    char *origin = path ? origin_of(p, path) : NULL;
    cordon_status status = CORDON_OK;
    if (!origin)
        status = error_nomem(p->err, "policy.parse");
    else if (!text)
        status = wrong(p, path, "want a string", kind_of(value));
    else if (!*text)
        status = wrong(p, path, "an empty string names nothing; remove it", "");
    else if ((list == LIST_NET_ALLOW || list == LIST_NET_DENY) && !valid_host(text))
        status = wrong(p, path, "want host, *.host, host:port, an address or [v6]:port", text);
    else if ((status = policy_add(p->layer, list, text, origin, BASE_WORKSPACE, p->err)) ==
                 CORDON_E_INVALID &&
             p->err)
        status = error_set(p->err, status, 0, "policy.parse", "%s", p->err->message);
    free(path);
    free(origin);
    return status;
}

static cordon_status take_list(const struct parser *p, const struct policy_key *key, const json_t *value)
{
    size_t index;
    json_t *entry;
    if (!json_is_array(value))
        return wrong(p, key->path, "want an array of strings", kind_of(value));
    json_array_foreach(value, index, entry)
    {
        cordon_status status = take_entry(p, key, index, entry);
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

static cordon_status take_environment(const struct parser *p, const struct policy_key *key, json_t *value)
{
    const char *name;
    json_t *entry;
    if (!json_is_object(value))
        return wrong(p, key->path, "want an object of strings", kind_of(value));
    json_object_foreach(value, name, entry)
    {
        const char *text = json_string_value(entry);
        if (!text)
            return wrong(p, key->path, "want strings as values", kind_of(entry));
        if (!*name || strchr(name, '='))
            return wrong(p, key->path, "an environment name cannot be empty or hold `=`", name);
        for (const char *c = name; *c; c++)
            if ((unsigned char)*c <= 0x20 || *c == 0x7f)
                return wrong(p, key->path, "an environment name cannot hold spaces or control characters",
                             name);
        char *setting = string_format("%s=%s", name, text), *origin = origin_of(p, key->path);
        cordon_status status =
            setting && origin ? policy_add(p->layer, LIST_ENV_SET, setting, origin, BASE_WORKSPACE, p->err)
                              : error_nomem(p->err, "policy.parse");
        free(setting);
        free(origin);
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

static cordon_status take_limit(const struct parser *p, const struct policy_key *key, const json_t *value)
{
    struct policy_number *number = &p->layer->limits[key->id];
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wrong(p, key->path, "want a whole number, 0 for no limit",
                     json_is_integer(value) ? "a negative number" : kind_of(value));
    number->value = (uint64_t)json_integer_value(value);
    return set_origin(p, &number->origin, key->path);
}

static cordon_status take_value(const struct parser *p, const struct policy_key *key, json_t *value)
{
    switch (key->kind) {
    case KEY_VERSION:
        return json_is_integer(value) && json_integer_value(value) == 1
                   ? CORDON_OK
                   : wrong(p, key->path, "want the number 1", kind_of(value));
    case KEY_PROFILE:
    case KEY_TMP:
    case KEY_NET:
        return take_word(p, key, value);
    case KEY_INHERIT:
        if (!json_is_boolean(value))
            return wrong(p, key->path, "want true or false", kind_of(value));
        p->layer->env_inherit = json_is_true(value);
        return set_origin(p, &p->layer->env_inherit_origin, key->path);
    case KEY_LIST:
        return take_list(p, key, value);
    case KEY_ENV_SET:
        return take_environment(p, key, value);
    case KEY_LIMIT:
        break;
    }
    return take_limit(p, key, value);
}

/* -- keys ----------------------------------------------------------------- */

/* How alike two words are: insertions, deletions and changes, capped. */
static size_t distance(const char *a, const char *b)
{
    size_t row[40], len = strlen(b);
    if (len >= 39 || strlen(a) >= 39)
        return 99;
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[len];
}

/* Is `path` a key, or a section of keys ("filesystem")? */
static const struct policy_key *find_key(const char *path, bool *section)
{
    size_t len = strlen(path);
    *section = false;
    for (const struct policy_key *key = keys; key->path; key++) {
        if (strcmp(key->path, path) == 0)
            return key;
        if (strncmp(key->path, path, len) == 0 && key->path[len] == '.')
            *section = true;
    }
    return NULL;
}

static cordon_status unknown_key(const struct parser *p, const char *path)
{
    const char *best = NULL;
    size_t least = 4;
    struct buf words = BUF_INIT;
    for (const struct policy_key *key = keys; key->path; key++) {
        char section[40];
        size_t len = strcspn(key->path, ".");
        memcpy(section, key->path, len);
        section[len] = '\0';
        size_t whole = distance(path, key->path), part = strchr(path, '.') ? 99 : distance(path, section);
        if (whole < least || part < least) {
            least = whole < part ? whole : part;
            best = key->path;
            buf_reset(&words);
            buf_add_format(&words, "unknown key; did you mean `%s`?", whole <= part ? best : section);
        }
    }
    cordon_status status = wrong(
        p, path, best && words.data ? words.data : "unknown key; docs/policy.md lists the known ones", "");
    buf_release(&words);
    return status;
}

static cordon_status take_object(const struct parser *p, const char *prefix, json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        bool section;
        char *path = string_format("%s%s%s", prefix, *prefix ? "." : "", name);
        if (!path)
            return error_nomem(p->err, "policy.parse");
        const struct policy_key *key = strchr(name, '.') ? NULL : find_key(path, &section);
        cordon_status status;
        if (key)
            status = take_value(p, key, value);
        else if (strchr(name, '.') || !section || *prefix)
            status = unknown_key(p, path);
        else if (!json_is_object(value))
            status = wrong(p, path, "want an object", kind_of(value));
        else
            status = take_object(p, path, value);
        free(path);
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

/* -- text ----------------------------------------------------------------- */

/* jansson recurses as deep as the text nests: count first, minding strings. */
static cordon_status check_depth(const struct parser *p, const char *text, size_t len)
{
    bool in_string = false;
    unsigned depth = 0;
    for (size_t i = 0; i < len; i++) {
        if (in_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_string = !in_string;
        else if (!in_string && (text[i] == '{' || text[i] == '[') && ++depth > LIMIT_POLICY_DEPTH)
            return error_set(p->err, CORDON_E_LIMIT, 0, "policy.parse",
                             "%s: nested deeper than %d; a policy needs 3", p->file, LIMIT_POLICY_DEPTH);
        else if (!in_string && (text[i] == '}' || text[i] == ']') && depth > 0)
            depth--;
    }
    return CORDON_OK;
}

cordon_status policy_parse(struct policy *layer, const char *text, size_t len, const char *file,
                           struct cordon_error *err)
{
    struct policy parsed;
    struct parser p = {&parsed, file, err};
    json_error_t where;
    if (len > LIMIT_POLICY_BYTES)
        return error_set(err, CORDON_E_LIMIT, 0, "policy.parse", "%s: larger than %u bytes", file,
                         LIMIT_POLICY_BYTES);
    cordon_status status = check_depth(&p, text, len);
    if (status != CORDON_OK)
        return status;
    policy_init(&parsed);
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    if (!root && json_error_code(&where) == json_error_out_of_memory)
        status = error_nomem(err, "policy.parse");
    else if (!root)
        status = error_set(err, CORDON_E_INVALID, 0, "policy.parse",
                           "%s:%d:%d: %s; want one JSON object, as docs/policy.md shows", file, where.line,
                           where.column, where.text);
    else if (!json_is_object(root))
        status = error_set(err, CORDON_E_INVALID, 0, "policy.parse", "%s: $: want an object (got %s)", file,
                           kind_of(root));
    else if (!json_object_get(root, "version"))
        status = error_set(err, CORDON_E_INVALID, 0, "policy.parse",
                           "%s: $.version: missing; want \"version\": 1", file);
    else
        status = take_object(&p, "", root);
    json_decref(root);
    if (status != CORDON_OK) {
        policy_release(&parsed);
        return status;
    }
    policy_release(layer);
    *layer = parsed;
    return CORDON_OK;
}
