/* test_policy_schema.c - holds schema/policy-1.json and the parser together:
 * what the schema promises an editor, the parser does, and the other way round.
 * The schema is walked; a keyword that this test does not understand fails it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "core/limits.h"
#include "core/policy.h"
#include "core/policy_keys.h"

struct fixture {
    json_t *schema;
    struct policy defaults;
};

static int setup(void **state)
{
    static struct fixture f;
    json_error_t where;
    struct cordon_error err;
    f.schema = json_load_file(CORDON_SOURCE_DIR "/schema/policy-1.json", JSON_REJECT_DUPLICATES, &where);
    policy_init(&f.defaults);
    if (!f.schema || policy_merge(&f.defaults, NULL, NULL, &err) != CORDON_OK) {
        print_error("%d:%d: %s\n", where.line, where.column, where.text);
        return -1;
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    json_decref(f->schema);
    policy_release(&f->defaults);
    return 0;
}

/* The schema's node for "filesystem.write"; NULL when there is none. */
static json_t *node_of(const struct fixture *f, const char *path)
{
    char part[64];
    json_t *node = f->schema;
    while (node && *path) {
        size_t len = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)len, path);
        node = json_object_get(json_object_get(node, "properties"), part);
        path += len + (path[len] == '.');
    }
    return node;
}

/* Parses {"version": 1, SECTION: {NAME: value}}. Takes the reference of `value`. */
static cordon_status parse_with(const char *path, json_t *value, struct cordon_error *err)
{
    const char *dot = strchr(path, '.');
    json_t *root = json_pack("{s:i}", "version", 1), *at = root;
    if (dot) {
        char section[64];
        snprintf(section, sizeof section, "%.*s", (int)(dot - path), path);
        at = json_object();
        assert_int_equal(json_object_set_new(root, section, at), 0);
    }
    assert_int_equal(json_object_set_new(at, dot ? dot + 1 : path, value), 0);
    char *text = json_dumps(root, 0);
    struct policy p;
    policy_init(&p);
    cordon_status status = policy_parse(&p, text, strlen(text), "p.json", err);
    policy_release(&p);
    free(text);
    json_decref(root);
    return status;
}

static void expect_taken(const char *path, json_t *value)
{
    struct cordon_error err;
    if (parse_with(path, value, &err) != CORDON_OK)
        fail_msg("%s: the schema allows what the parser refuses: %s", path, err.message);
}

static void expect_refused(const char *path, const char *what, json_t *value)
{
    struct cordon_error err;
    if (parse_with(path, value, &err) == CORDON_OK)
        fail_msg("%s: the parser takes %s, which the schema does not allow", path, what);
    assert_string_equal(err.step, "policy.parse");
}

static const char *type_of(const json_t *node)
{
    const char *type = json_string_value(json_object_get(node, "type"));
    return type ? type : json_object_get(node, "const") ? "const" : "none";
}

/* -- the walk -------------------------------------------------------------- */

/* One value of every JSON type; those of another type than the schema's must be refused. */
static void check_types(const char *path, const char *type)
{
    const struct {
        const char *type;
        json_t *value;
    } samples[] = {
        {"null", json_null()},     {"boolean", json_true()},    {"integer", json_integer(0)},
        {"number", json_real(.5)}, {"string", json_string("")}, {"array", json_array()},
        {"object", json_object()},
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        if (strcmp(samples[i].type, type) != 0)
            expect_refused(path, samples[i].type, samples[i].value);
        else
            json_decref(samples[i].value);
}

static void check_words(const char *path, const json_t *node)
{
    size_t index;
    json_t *word;
    assert_true(json_array_size(json_object_get(node, "enum")) > 0);
    json_array_foreach(json_object_get(node, "enum"), index, word)
    {
        char longer[64];
        expect_taken(path, json_incref(word));
        snprintf(longer, sizeof longer, "%sx", json_string_value(word));
        expect_refused(path, longer, json_string(longer));
    }
    expect_refused(path, "an empty word", json_string(""));
}

static void check_number(const char *path, const json_t *node)
{
    json_int_t least = json_integer_value(json_object_get(node, "minimum"));
    json_int_t most = json_integer_value(json_object_get(node, "maximum"));
    assert_true(json_is_integer(json_object_get(node, "minimum")) && most > least);
    expect_taken(path, json_integer(least));
    expect_taken(path, json_integer(most));
    expect_refused(path, "less than the minimum", json_integer(least - 1));
    expect_refused(path, "more than the maximum", json_integer(most + 1));
}

/* The one pattern that the schema uses, and what it means for every character. */
static const char name_pattern[] = "^[^= \\u0000-\\u001f\\u007f]+$";

static void check_names(const char *path, const json_t *node, bool as_keys)
{
    const char *pattern = json_string_value(json_object_get(node, "pattern"));
    assert_string_equal(pattern, name_pattern);
    for (int c = 1; c < 0x80; c++) {
        char name[] = {'A', (char)c, 'B', '\0'};
        json_t *value = as_keys ? json_pack("{s:s}", name, "") : json_pack("[s]", name);
        if (c > ' ' && c != '=' && c != 0x7f)
            expect_taken(path, value);
        else
            expect_refused(path, "a bad name", value);
    }
    if (as_keys)
        expect_refused(path, "an empty name", json_pack("{s:s}", "", ""));
}

static void check_list(const char *path, const json_t *node)
{
    size_t index;
    json_t *example, *items = json_object_get(node, "items");
    assert_string_equal(type_of(items), "string");
    assert_int_equal(json_integer_value(json_object_get(items, "minLength")), 1);
    assert_int_equal(json_integer_value(json_object_get(node, "maxItems")), LIMIT_LIST_ENTRIES);
    assert_true(json_array_size(json_object_get(node, "examples")) > 0);
    expect_taken(path, json_array());
    json_array_foreach(json_object_get(node, "examples"), index, example)
        expect_taken(path, json_incref(example));
    expect_refused(path, "an empty entry", json_pack("[s]", ""));
    expect_refused(path, "a number as an entry", json_pack("[i]", 1));
    expect_refused(path, "null as an entry", json_pack("[n]"));
    expect_refused(path, "an array as an entry", json_pack("[[s]]", "a"));
    if (json_object_get(items, "pattern"))
        check_names(path, items, false);
}

static void check_settings(const char *path, const json_t *node)
{
    size_t index;
    json_t *example;
    assert_string_equal(type_of(json_object_get(node, "additionalProperties")), "string");
    assert_int_equal(json_integer_value(json_object_get(node, "maxProperties")), LIMIT_LIST_ENTRIES);
    json_array_foreach(json_object_get(node, "examples"), index, example)
        expect_taken(path, json_incref(example));
    expect_taken(path, json_pack("{s:s}", "A", ""));
    expect_refused(path, "a number as a value", json_pack("{s:i}", "A", 1));
    expect_refused(path, "null as a value", json_pack("{s:n}", "A"));
    check_names(path, json_object_get(node, "propertyNames"), true);
}

static size_t check_leaf(const char *path, json_t *node)
{
    const char *type = type_of(node), *dot = strchr(path, '.');
    char section[64] = "";
    if (dot)
        snprintf(section, sizeof section, "%.*s", (int)(dot - path), path);
    if (!policy_key_find(section, dot ? dot + 1 : path))
        fail_msg("%s: not a key of the parser", path);
    if (strcmp(type, "const") == 0) {
        json_int_t value = json_integer_value(json_object_get(node, "const"));
        expect_taken(path, json_integer(value));
        expect_refused(path, "another version", json_integer(value + 1));
        check_types(path, "integer");
        expect_refused(path, "0", json_integer(0));
        return 1;
    }
    if (!json_object_get(node, "default"))
        fail_msg("%s: no default", path);
    expect_taken(path, json_incref(json_object_get(node, "default")));
    check_types(path, type);
    if (json_object_get(node, "enum"))
        check_words(path, node);
    else if (strcmp(type, "integer") == 0)
        check_number(path, node);
    else if (strcmp(type, "array") == 0)
        check_list(path, node);
    else if (strcmp(type, "object") == 0)
        check_settings(path, node);
    else if (strcmp(type, "boolean") == 0)
        expect_taken(path, json_true());
    else
        fail_msg("%s: type %s is not checked here", path, type);
    return 1;
}

/* A keyword may be left out of a schema unseen; one that is there is checked. */
static void check_keywords(const char *path, json_t *node)
{
    static const char *const known[] = {
        "$schema",  "$id",        "title",   "description",   "type",          "additionalProperties",
        "required", "properties", "const",   "enum",          "default",       "examples",
        "items",    "minLength",  "pattern", "propertyNames", "maxProperties", "maxItems",
        "minimum",  "maximum",
    };
    const char *keyword;
    json_t *value;
    json_object_foreach(node, keyword, value)
    {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known && !found; i++)
            found = strcmp(known[i], keyword) == 0;
        if (!found)
            fail_msg("%s: the keyword %s is not checked here", path, keyword);
    }
    if (!json_string_length(json_object_get(node, "description")))
        fail_msg("%s: editors show the description, and there is none", path);
}

/* Returns the number of keys below. */
static size_t walk(const char *path, json_t *node)
{
    const char *name;
    json_t *child, *properties = json_object_get(node, "properties");
    size_t count = 0;
    check_keywords(path, node);
    if (!properties)
        return check_leaf(path, node);
    assert_string_equal(type_of(node), "object");
    assert_true(json_is_false(json_object_get(node, "additionalProperties")));
    if (*path) {
        assert_true(policy_key_is_section(path));
        check_types(path, "object");
        expect_taken(path, json_object());
        expect_refused(path, "an unknown key", json_pack("{s:i}", "unknown", 1));
    } else {
        expect_refused("unknown", "an unknown key", json_integer(1));
    }
    json_object_foreach(properties, name, child)
    {
        char *child_path = string_format("%s%s%s", path, *path ? "." : "", name);
        count += walk(child_path, child);
        free(child_path);
    }
    return count;
}

static void the_parser_does_what_the_schema_says(void **state)
{
    struct fixture *f = *state;
    size_t keys = 0;
    for (const struct policy_key *key = policy_keys(); key->path; key++, keys++)
        if (!node_of(f, key->path))
            fail_msg("%s: a key of the parser that the schema does not have", key->path);
    assert_int_equal(walk("", f->schema), keys);
}

static void only_the_version_is_required(void **state)
{
    struct fixture *f = *state;
    struct policy p;
    json_t *required = json_object_get(f->schema, "required");
    assert_int_equal(json_array_size(required), 1);
    assert_string_equal(json_string_value(json_array_get(required, 0)), "version");
    policy_init(&p);
    assert_int_equal(policy_parse(&p, "{\"version\":1}", 13, "p", NULL), CORDON_OK);
    assert_int_equal(policy_parse(&p, "{}", 2, "p", NULL), CORDON_E_INVALID);
    policy_release(&p);
}

/* -- words and defaults ---------------------------------------------------- */

static void expect_word(const struct fixture *f, const char *path, int i, const char *word)
{
    json_t *words = json_object_get(node_of(f, path), "enum");
    assert_int_equal(json_array_size(words), 3);
    assert_string_equal(json_string_value(json_array_get(words, (size_t)i)), word);
}

static void the_words_are_the_same(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        expect_word(f, "profile", i, policy_profile_name((enum policy_profile)i));
        expect_word(f, "filesystem.tmp", i, policy_tmp_name((enum policy_tmp)i));
        expect_word(f, "network.mode", i, policy_net_name((enum policy_net)i));
    }
}

/* What policy_merge(NULL, NULL) says for a key, as JSON. */
static json_t *default_of(const struct policy *p, const struct policy_key *key)
{
    json_t *list;
    switch (key->kind) {
    case KEY_PROFILE:
        return json_string(policy_profile_name(p->profile));
    case KEY_TMP:
        return json_string(policy_tmp_name(p->tmp));
    case KEY_NET:
        return json_string(policy_net_name(p->net));
    case KEY_INHERIT:
        return json_boolean(p->env_inherit);
    case KEY_LIST:
        list = json_array();
        for (size_t i = 0; i < p->lists[key->id].count; i++)
            json_array_append_new(list, json_string(p->lists[key->id].items[i].value));
        return list;
    case KEY_ENV_SET:
        assert_int_equal(p->lists[LIST_ENV_SET].count, 0);
        return json_object();
    case KEY_LIMIT:
        return json_integer((json_int_t)p->limits[key->id].value);
    case KEY_VERSION:
        break;
    }
    return NULL;
}

static void the_defaults_are_the_same(void **state)
{
    struct fixture *f = *state;
    for (const struct policy_key *key = policy_keys(); key->path; key++) {
        json_t *expected = default_of(&f->defaults, key);
        if (key->kind != KEY_VERSION &&
            !json_equal(expected, json_object_get(node_of(f, key->path), "default")))
            fail_msg("%s: another default than the schema's", key->path);
        json_decref(expected);
    }
}

/* policy_keys() and the names that cordon plan prints. */
static void the_table_names_every_list_and_limit(void **state)
{
    (void)state;
    bool lists[LIST_COUNT_] = {false}, limits[LIMIT_COUNT_] = {false};
    for (const struct policy_key *key = policy_keys(); key->path; key++) {
        if (key->kind == KEY_LIST || key->kind == KEY_ENV_SET) {
            assert_string_equal(key->path, policy_list_key((enum policy_list_id)key->id));
            assert_false(lists[key->id]);
            lists[key->id] = true;
        } else if (key->kind == KEY_LIMIT) {
            assert_memory_equal(key->path, "limits.", 7);
            assert_string_equal(key->path + 7, policy_limit_key((enum policy_limit)key->id));
            assert_false(limits[key->id]);
            limits[key->id] = true;
        }
    }
    for (size_t i = 0; i < LIST_COUNT_; i++)
        assert_true(lists[i]);
    for (size_t i = 0; i < LIMIT_COUNT_; i++)
        assert_true(limits[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parser_does_what_the_schema_says),
        cmocka_unit_test(only_the_version_is_required),
        cmocka_unit_test(the_words_are_the_same),
        cmocka_unit_test(the_defaults_are_the_same),
        cmocka_unit_test(the_table_names_every_list_and_limit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
