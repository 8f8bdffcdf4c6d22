/* json_build.c - see json_build.h. Pure but for jansson. */
#include "core/json_build.h"

#include <stdlib.h>
#include <string.h>

#include "core/utf.h"

void json_build_put(struct json_build *b, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        b->failed = true;
}

void json_build_push(struct json_build *b, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        b->failed = true;
}

json_t *json_build_text(const char *bytes)
{
    return bytes ? json_build_text_n(bytes, strlen(bytes)) : json_null();
}

json_t *json_build_text_n(const char *bytes, size_t len)
{
    struct buf text = BUF_INIT;
    utf_escape(&text, bytes, len);
    return json_build_words(&text);
}

json_t *json_build_words(struct buf *words)
{
    char *taken = buf_take(words);
    json_t *value = taken ? json_string(taken) : NULL;
    free(taken);
    return value;
}

json_t *json_build_number(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

cordon_status json_build_write(const struct json_build *b, json_t *root, size_t flags, struct buf *out,
                               const char *step, struct cordon_error *err)
{
    char *text = b->failed || !root ? NULL : json_dumps(root, flags);
    json_decref(root);
    if (text) {
        buf_add_string(out, text);
        buf_add_char(out, '\n');
    }
    free(text);
    return text && !buf_failed(out) ? CORDON_OK : error_nomem(err, step);
}
