/* buf.h - a growable byte buffer with a sticky failure.
 *
 * Appending never reports an error by itself: the first failed allocation (or
 * the cap LIMIT_BUF_BYTES) marks the buffer failed, later appends do nothing,
 * and the one check is buf_failed() (or buf_take() returning NULL) at the end.
 * data is always NUL-terminated after the first append; len excludes the NUL.
 *
 * Ownership: the caller owns the struct; buf_release() frees the bytes and
 * tolerates a zeroed or already released buffer. Thread-safety: none needed.
 */
#ifndef CORDON_CORE_BUF_H
#define CORDON_CORE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

struct buf {
    char *data;
    size_t len;
    size_t cap;
    bool failed;
};

#define BUF_INIT                                                                                             \
    {                                                                                                        \
        NULL, 0, 0, false                                                                                    \
    }

void buf_init(struct buf *b);
void buf_release(struct buf *b);
void buf_reset(struct buf *b); /* length 0, memory kept, failure kept */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_string(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_add_format(struct buf *b, const char *format, ...) CORDON_PRINTF(2, 3);
void buf_add_vformat(struct buf *b, const char *format, va_list args) CORDON_PRINTF(2, 0);
void buf_truncate(struct buf *b, size_t len);
bool buf_failed(const struct buf *b);

/* Hands the bytes over as a NUL-terminated string that the caller frees and
 * leaves *b empty; NULL when the buffer had failed (and then it is released). */
char *buf_take(struct buf *b);

/* strdup without POSIX; NULL when out of memory. The caller frees. */
char *string_copy(const char *s);
char *string_copy_n(const char *s, size_t len);
char *string_format(const char *format, ...) CORDON_PRINTF(1, 2);

#endif
