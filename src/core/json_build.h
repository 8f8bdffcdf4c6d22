/* json_build.h - JSON out of what cordon knows: any bytes as text, one check for memory.
 *
 * jansson's setters and appenders refuse a NULL value, so one flag collects
 * every failed allocation on the way; json_build_write() is where it counts.
 */
#ifndef CORDON_CORE_JSON_BUILD_H
#define CORDON_CORE_JSON_BUILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"

struct json_build {
    bool failed;
};

/* Both take `value`; NULL counts as a failed allocation. */
void json_build_put(struct json_build *b, json_t *object, const char *key, json_t *value);
void json_build_push(struct json_build *b, json_t *array, json_t *value);

/* Any bytes, escaped as utf_escape does; NULL becomes null. */
json_t *json_build_text(const char *bytes);
json_t *json_build_text_n(const char *bytes, size_t len);

/* Words that are UTF-8 already; takes what is in `words`. NULL: out of memory. */
json_t *json_build_words(struct buf *words);

/* More than JSON's numbers hold in practice becomes the greatest that they do. */
json_t *json_build_number(uint64_t value);

/* Takes `root`; the text (jansson's flags) and a newline go to *out. */
cordon_status json_build_write(const struct json_build *b, json_t *root, size_t flags, struct buf *out,
                               const char *step, struct cordon_error *err);

#endif
