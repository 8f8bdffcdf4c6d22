/* utf.h - UTF-8 checks and the lossless escape for paths in JSON and messages. */
#ifndef CORDON_CORE_UTF_H
#define CORDON_CORE_UTF_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

/* True when the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF). An embedded NUL is valid UTF-8. */
bool utf_is_valid(const char *bytes, size_t len);

/* Length in bytes of the well-formed sequence at the start, 0 when there is none. */
size_t utf_sequence(const char *bytes, size_t len);

/* The code point of a well-formed sequence, `len` bytes as utf_sequence says. */
unsigned utf_code_point(const char *sequence, size_t len);

/* Does this well-formed sequence steer a terminal instead of being shown? C0, DEL
 * and C1 (U+0080..U+009F) do, and the marks of direction and separators of lines
 * (U+200E, U+202E, U+2028 ...), with which a name can make a line read as another. */
bool utf_is_control(const char *sequence, size_t len);

/* Appends the bytes so that the result is valid UTF-8 and can be turned back:
 * a backslash becomes `\\`, a byte that is not part of well-formed UTF-8
 * becomes `\xHH`. Everything else is kept, also newlines (JSON escapes them). */
void utf_escape(struct buf *out, const char *bytes, size_t len);

/* The way back; false (and *out unspecified) when `text` is no output of utf_escape. */
bool utf_unescape(struct buf *out, const char *text, size_t len);

/* For messages and terminals: like utf_escape, but what utf_is_control finds
 * becomes `\xHH` too, byte by byte. */
void utf_escape_display(struct buf *out, const char *bytes, size_t len);

#endif
