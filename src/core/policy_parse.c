/* policy_parse.c - a policy file's text into a layer: strict and capped. Pure
 * but for jansson.
 *
 * The table of keys (policy_keys.c) drives it. What is wrong with the text has a
 * line and column in the message, what is wrong with a value a JSON path.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/policy.h"
#include "core/policy_keys.h"
#include "core/utf.h"

#define STEP "policy.parse"

struct parser {
    struct policy *layer;
    const char *file;  /* for origins */
    const char *shown; /* for messages: a long path must not push out what would be right */
    struct cordon_error *err;
};

/* What was found instead, in words. */
static void describe(char *out, size_t size, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        snprintf(out, size, "an object");
        return;
    case JSON_ARRAY:
        snprintf(out, size, "an array");
        return;
    case JSON_STRING:
        snprintf(out, size, "\"%.100s%s", json_string_value(value),
                 json_string_length(value) > 100 ? "..." : "\"");
        return;
    case JSON_INTEGER:
        snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return;
    case JSON_REAL:
        snprintf(out, size, "the real number %g", json_real_value(value));
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        snprintf(out, size, json_is_true(value) ? "true" : "false");
        return;
    case JSON_NULL:
        break;
    }
    snprintf(out, size, "null");
}

static cordon_status wrong(const struct parser *p, const char *path, const char *want, const json_t *got)
{
    char found[128];
    describe(found, sizeof found, got);
    return error_set(p->err, CORDON_E_INVALID, 0, STEP, "%s: %.200s: want %s, not %s", p->shown, path, want,
                     found);
}

/* The path of a key: $.limits.processes, or $.limits["max processes"]. */
static char *join_key(const char *parent, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    bool is_plain = *name && !name[strspn(name, plain)];
    return string_format(is_plain ? "%s.%s" : "%s[\"%s\"]", parent, name);
}

static cordon_status set_origin(const struct parser *p, char **slot, const char *path)
{
    char *origin = string_format("%s: %s", p->file, path);
    if (!origin)
        return error_nomem(p->err, STEP);
    free(*slot);
    *slot = origin;
    return CORDON_OK;
}

/* -- values: each takes the path of what it reads -------------------------- */

static cordon_status take_version(const struct parser *p, const char *path, const json_t *value)
{
    if (!value)
        return error_set(p->err, CORDON_E_INVALID, 0, STEP, "%s: %s: missing; want \"version\": 1", p->shown,
                         path);
    if (!json_is_integer(value) || json_integer_value(value) != 1)
        return wrong(p, path, "1, the one version that this cordon knows", value);
    return CORDON_OK;
}

static cordon_status take_word(const struct parser *p, const struct policy_key *key, const char *path,
                               const json_t *value)
{
    const char *word = json_is_string(value) ? json_string_value(value) : "";
    struct policy *layer = p->layer;
    if (key->kind == KEY_PROFILE)
        return policy_profile_parse(word, &layer->profile)
                   ? set_origin(p, &layer->profile_origin, path)
                   : wrong(p, path, "\"read-only\", \"workspace\" or \"open\"", value);
    if (key->kind == KEY_TMP)
        return policy_tmp_parse(word, &layer->tmp)
                   ? set_origin(p, &layer->tmp_origin, path)
                   : wrong(p, path, "\"workspace\", \"fresh\" or \"shared\"", value);
    return policy_net_parse(word, &layer->net) ? set_origin(p, &layer->net_origin, path)
                                               : wrong(p, path, "\"off\", \"on\" or \"filtered\"", value);
}

/* `text`: the entry as it stands in the list. */
static cordon_status add_entry(const struct parser *p, enum policy_list_id list, const char *path,
                               const char *text)
{
    char *where = string_format("%s: %.200s", p->shown, path);
    char *origin = string_format("%s: %s", p->file, path);
    cordon_status status = where && origin ? CORDON_OK : error_nomem(p->err, STEP);
    if (status == CORDON_OK)
        status = policy_check_entry(list, text, STEP, where, p->err);
    if (status == CORDON_OK && p->layer->lists[list].count >= LIMIT_LIST_ENTRIES)
        status = error_set(p->err, CORDON_E_LIMIT, 0, STEP, "%s: want at most %d entries", where,
                           LIMIT_LIST_ENTRIES);
    if (status == CORDON_OK && policy_add(p->layer, list, text, origin, BASE_WORKSPACE, p->err) != CORDON_OK)
        status = error_nomem(p->err, STEP); /* all else was checked */
    free(where);
    free(origin);
    return status;
}

static cordon_status take_list(const struct parser *p, const struct policy_key *key, const char *path,
                               const json_t *value)
{
    size_t index;
    json_t *entry;
    if (!json_is_array(value))
        return wrong(p, path, "an array of strings", value);
    json_array_foreach(value, index, entry)
    {
        char *entry_path = string_format("%s[%zu]", path, index);
        cordon_status status;
        if (!entry_path)
            status = error_nomem(p->err, STEP);
        else if (!json_is_string(entry))
            status = wrong(p, entry_path, "a string", entry);
        else
            status = add_entry(p, (enum policy_list_id)key->id, entry_path, json_string_value(entry));
        free(entry_path);
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

static cordon_status take_setting(const struct parser *p, const char *path, const char *name,
                                  const json_t *value)
{
    if (!json_is_string(value))
        return wrong(p, path, "a string", value);
    if (strchr(name, '='))
        return error_set(p->err, CORDON_E_INVALID, 0, STEP, "%s: %.200s: want a name without `=`", p->shown,
                         path);
    char *setting = string_format("%s=%s", name, json_string_value(value));
    cordon_status status = setting ? add_entry(p, LIST_ENV_SET, path, setting) : error_nomem(p->err, STEP);
    free(setting);
    return status;
}

static cordon_status take_environment(const struct parser *p, const char *path, json_t *value)
{
    const char *name;
    json_t *entry;
    if (!json_is_object(value))
        return wrong(p, path, "an object of strings", value);
    json_object_foreach(value, name, entry)
    {
        char *entry_path = join_key(path, name);
        cordon_status status =
            entry_path ? take_setting(p, entry_path, name, entry) : error_nomem(p->err, STEP);
        free(entry_path);
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

static cordon_status take_limit(const struct parser *p, const struct policy_key *key, const char *path,
                                const json_t *value)
{
    struct policy_number *number = &p->layer->limits[key->id];
    uint64_t most = policy_limit_max((enum policy_limit)key->id);
    json_int_t given = json_is_integer(value) ? json_integer_value(value) : -1;
    char want[80];
    if (given < 0 || (uint64_t)given > most) {
        snprintf(want, sizeof want, "a whole number from 0 (no limit) to %llu", (unsigned long long)most);
        return wrong(p, path, want, value);
    }
    number->value = (uint64_t)given;
    return set_origin(p, &number->origin, path);
}

static cordon_status take_value(const struct parser *p, const struct policy_key *key, const char *path,
                                json_t *value)
{
    switch (key->kind) {
    case KEY_VERSION:
        return take_version(p, path, value);
    case KEY_PROFILE:
    case KEY_TMP:
    case KEY_NET:
        return take_word(p, key, path, value);
    case KEY_INHERIT:
        if (!json_is_boolean(value))
            return wrong(p, path, "true or false", value);
        p->layer->env_inherit = json_is_true(value);
        return set_origin(p, &p->layer->env_inherit_origin, path);
    case KEY_LIST:
        return take_list(p, key, path, value);
    case KEY_ENV_SET:
        return take_environment(p, path, value);
    case KEY_LIMIT:
        break;
    }
    return take_limit(p, key, path, value);
}

/* -- keys ----------------------------------------------------------------- */

static cordon_status unknown_key(const struct parser *p, const char *path, const char *section,
                                 const char *name)
{
    struct buf hint = BUF_INIT;
    policy_key_suggest(&hint, section, name);
    cordon_status status = buf_failed(&hint)
                               ? error_nomem(p->err, STEP)
                               : error_set(p->err, CORDON_E_INVALID, 0, STEP, "%s: %.200s: unknown key; %s",
                                           p->shown, path, hint.data);
    buf_release(&hint);
    return status;
}

static cordon_status take_section(const struct parser *p, const char *section, const char *path,
                                  json_t *object)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return wrong(p, path, "an object", object);
    json_object_foreach(object, name, value)
    {
        const struct policy_key *key = policy_key_find(section, name);
        char *key_path = join_key(path, name);
        cordon_status status;
        if (!key_path)
            status = error_nomem(p->err, STEP);
        else if (key)
            status = take_value(p, key, key_path, value);
        else if (!*section && policy_key_is_section(name))
            status = take_section(p, name, key_path, value);
        else
            status = unknown_key(p, key_path, section, name);
        free(key_path);
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

/* The version first: a file of a later version has keys that mean nothing here. */
static cordon_status take_root(const struct parser *p, json_t *root)
{
    if (!json_is_object(root))
        return wrong(p, "$", "an object", root);
    cordon_status status = take_version(p, "$.version", json_object_get(root, "version"));
    return status == CORDON_OK ? take_section(p, "", "$", root) : status;
}

/* -- text ----------------------------------------------------------------- */

struct position {
    int line, column; /* from 1, in characters */
};

static cordon_status fail_at(const struct parser *p, cordon_status status, struct position at,
                             const char *what)
{
    return error_set(p->err, status, 0, STEP, "%s:%d:%d: %s", p->shown, at.line, at.column, what);
}

/* What jansson would say less well, or too late: it recurses as deep as the
 * text nests, so the depth is counted here, minding strings, before it sees
 * the text. */
static cordon_status check_text(const struct parser *p, const char *text, size_t len)
{
    static const char too_deep[] = "nested too deep; a policy needs two levels of objects and one array";
    struct position at = {1, 1};
    bool in_string = false, escaped = false;
    unsigned depth = 0;
    if (len > LIMIT_POLICY_BYTES)
        return error_set(p->err, CORDON_E_LIMIT, 0, STEP, "%s: larger than a policy can be, %u bytes",
                         p->shown, LIMIT_POLICY_BYTES);
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return fail_at(p, CORDON_E_INVALID, at, "a byte order mark; save the file as UTF-8 without it");
    for (size_t i = 0; i < len;) {
        size_t n = utf_sequence(text + i, len - i);
        if (n == 0)
            return fail_at(p, CORDON_E_INVALID, at, "a byte that is not UTF-8; save the file as UTF-8");
        char c = text[i];
        if (c == '\0')
            return fail_at(p, CORDON_E_INVALID, at, "a NUL byte; remove it");
        if (escaped)
            escaped = false;
        else if (in_string && c == '\\')
            escaped = true;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '[') && ++depth > LIMIT_POLICY_DEPTH)
            return fail_at(p, CORDON_E_LIMIT, at, too_deep);
        else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
        at.column++;
        if (c == '\n')
            at = (struct position){at.line + 1, 1};
        i += n;
    }
    return CORDON_OK;
}

static const char *syntax_hint(enum json_error_code code)
{
    switch (code) {
    case json_error_duplicate_key:
        return "give every key once";
    case json_error_premature_end_of_input:
        return "close every bracket and quote";
    case json_error_end_of_input_expected:
        return "a policy is one object; remove what follows it";
    case json_error_numeric_overflow:
        return "want a smaller number";
    default:
        return "want JSON: double quotes, no comments, no comma before a closing bracket";
    }
}

static cordon_status load_failed(const struct parser *p, const json_error_t *where)
{
    enum json_error_code code = json_error_code(where);
    /* Where an allocation fails, jansson says so or says nothing. */
    if (code == json_error_out_of_memory || !where->text[0])
        return error_nomem(p->err, STEP);
    struct position at = {where->line > 0 ? where->line : 1, where->column > 0 ? where->column : 1};
    if (code == json_error_null_character || code == json_error_null_byte_in_key)
        return fail_at(p, CORDON_E_INVALID, at, "an escaped NUL; no name holds one, remove it");
    return error_set(p->err, CORDON_E_INVALID, 0, STEP, "%s:%d:%d: %s; %s", p->shown, at.line, at.column,
                     where->text, syntax_hint(code));
}

/* The end of a long path: the file's name is there. */
static char *shorten(const char *file)
{
    const size_t most = 200;
    size_t len = strlen(file);
    return len <= most ? string_copy(file) : string_format("...%s", file + len - most);
}

cordon_status policy_parse(struct policy *layer, const char *text, size_t len, const char *file,
                           struct cordon_error *err)
{
    struct policy parsed;
    char *shown = shorten(file);
    struct parser p = {&parsed, file, shown, err};
    json_error_t where;
    json_t *root = NULL;
    policy_init(&parsed);
    cordon_status status = shown ? check_text(&p, text, len) : error_nomem(err, STEP);
    if (status != CORDON_OK)
        goto out;
    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    status = root ? take_root(&p, root) : load_failed(&p, &where);
    if (status != CORDON_OK)
        goto out;
    policy_release(layer);
    *layer = parsed;
    policy_init(&parsed);
out:
    json_decref(root);
    policy_release(&parsed);
    free(shown);
    return status;
}
