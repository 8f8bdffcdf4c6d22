/* json_schema.h - a small reader of JSON Schema for tests: does an output obey?
 *
 * It knows only the keywords that schema/report-1.json and schema/status-1.json
 * use and fails on any other, so that nothing in a schema is silently not
 * checked. Failures end the test.
 */
#ifndef CORDON_TEST_JSON_SCHEMA_H
#define CORDON_TEST_JSON_SCHEMA_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"

static inline json_t *load_schema(const char *name)
{
    json_error_t error;
    char *path = string_format("%s/schema/%s", CORDON_SOURCE_DIR, name);
    json_t *schema = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!schema)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    free(path);
    return schema;
}

static inline bool is_of_type(const json_t *value, const char *type)
{
    static const struct {
        const char *name;
        json_type type;
    } types[] = {{"object", JSON_OBJECT},   {"array", JSON_ARRAY}, {"string", JSON_STRING},
                 {"integer", JSON_INTEGER}, {"null", JSON_NULL},   {"boolean", JSON_TRUE},
                 {"boolean", JSON_FALSE}};
    bool known = false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, type) != 0)
            continue;
        known = true;
        if (json_typeof(value) == types[i].type)
            return true;
    }
    if (!known)
        fail_msg("the schema has an unknown type %s", type);
    return false;
}

static inline bool holds_one_of(const json_t *list, const json_t *value)
{
    size_t i;
    const json_t *item;
    json_array_foreach((json_t *)list, i, item)
    {
        if (json_equal(item, value))
            return true;
    }
    return false;
}

/* NULL when `value` obeys, else what is wrong; the caller frees. */
static inline char *violation(const json_t *schema, const json_t *value, const char *where);

static inline char *check_object(const json_t *schema, const json_t *value, const char *where)
{
    const json_t *properties = json_object_get(schema, "properties"), *item, *required;
    const char *key;
    size_t i;
    json_object_foreach((json_t *)value, key, item)
    {
        const json_t *property = json_object_get(properties, key);
        if (!property)
            return string_format("%s.%s is not in the schema", where, key);
        char *deeper = string_format("%s.%s", where, key), *wrong = violation(property, item, deeper);
        free(deeper);
        if (wrong)
            return wrong;
    }
    json_array_foreach(json_object_get(schema, "required"), i, required)
    {
        if (!json_object_get(value, json_string_value(required)))
            return string_format("%s.%s is missing", where, json_string_value(required));
    }
    return NULL;
}

static inline char *check_type(const json_t *types, const json_t *value, const char *where)
{
    size_t i;
    const json_t *type;
    if (json_is_string(types))
        return is_of_type(value, json_string_value(types))
                   ? NULL
                   : string_format("%s is no %s", where, json_string_value(types));
    json_array_foreach((json_t *)types, i, type)
    {
        if (is_of_type(value, json_string_value(type)))
            return NULL;
    }
    return string_format("%s has the wrong type", where);
}

static inline char *check_alternatives(const json_t *schemas, const json_t *value, const char *where)
{
    size_t i, fit = 0;
    const json_t *schema;
    char *last = NULL;
    json_array_foreach((json_t *)schemas, i, schema)
    {
        char *wrong = violation(schema, value, where);
        fit += !wrong;
        free(last);
        last = wrong;
    }
    free(last);
    return fit == 1 ? NULL : string_format("%s fits %zu alternatives", where, fit);
}

static inline char *check_items(const json_t *schema, const json_t *value, const char *where)
{
    size_t i;
    const json_t *item;
    json_array_foreach((json_t *)value, i, item)
    {
        char *deeper = string_format("%s[%zu]", where, i), *wrong = violation(schema, item, deeper);
        free(deeper);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static inline char *check_keyword(const char *keyword, const json_t *argument, const json_t *schema,
                                  const json_t *value, const char *where)
{
    static const char *const words[] = {"$schema",     "$id",      "title",
                                        "description", "required", "additionalProperties"};
    if (strcmp(keyword, "type") == 0)
        return check_type(argument, value, where);
    if (strcmp(keyword, "const") == 0)
        return json_equal(argument, value) ? NULL : string_format("%s is not the constant", where);
    if (strcmp(keyword, "enum") == 0)
        return holds_one_of(argument, value) ? NULL : string_format("%s is none of the words", where);
    if (strcmp(keyword, "oneOf") == 0)
        return check_alternatives(argument, value, where);
    if (strcmp(keyword, "properties") == 0)
        return json_is_object(value) ? check_object(schema, value, where) : NULL;
    if (strcmp(keyword, "items") == 0)
        return json_is_array(value) ? check_items(argument, value, where) : NULL;
    if (strcmp(keyword, "minimum") == 0)
        return json_is_integer(value) && json_integer_value(value) < json_integer_value(argument)
                   ? string_format("%s is too small", where)
                   : NULL;
    if (strcmp(keyword, "maximum") == 0)
        return json_is_integer(value) && json_integer_value(value) > json_integer_value(argument)
                   ? string_format("%s is too large", where)
                   : NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(keyword, words[i]) == 0)
            return NULL;
    fail_msg("the schema uses %s, which this test does not check", keyword);
    return NULL;
}

static inline char *violation(const json_t *schema, const json_t *value, const char *where)
{
    const char *keyword;
    const json_t *argument;
    json_object_foreach((json_t *)schema, keyword, argument)
    {
        char *wrong = check_keyword(keyword, argument, schema, value, where);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static inline json_t *parse_valid(const json_t *schema, const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!value)
        fail_msg("not JSON: %s in %s", error.text, text);
    char *wrong = violation(schema, value, "$");
    if (wrong)
        fail_msg("%s: %s", wrong, text);
    return value;
}

/* Every object of the schema is closed and requires all that it describes. */
static inline void check_strict(const json_t *schema, const char *where)
{
    const char *key;
    const json_t *item, *properties = json_object_get(schema, "properties");
    size_t i;
    if (properties) {
        if (!json_is_false(json_object_get(schema, "additionalProperties")))
            fail_msg("%s is open: additionalProperties is not false", where);
        json_object_foreach((json_t *)properties, key, item)
        {
            json_t *name = json_string(key);
            if (!holds_one_of(json_object_get(schema, "required"), name))
                fail_msg("%s.%s is not required", where, key);
            json_decref(name);
            check_strict(item, key);
        }
        assert_int_equal(json_array_size(json_object_get(schema, "required")), json_object_size(properties));
    }
    if (json_object_get(schema, "items"))
        check_strict(json_object_get(schema, "items"), where);
    json_array_foreach(json_object_get(schema, "oneOf"), i, item) check_strict(item, where);
}

#endif
