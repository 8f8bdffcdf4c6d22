/* utf.c - UTF-8 checks and the lossless escape (see utf.h). Pure. */
#include "core/utf.h"

static bool continues(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* RFC 3629's table of well-formed sequences. */
size_t utf_sequence(const char *bytes, size_t len)
{
    const unsigned char *s = (const unsigned char *)bytes;
    if (len == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        return len >= 2 && continues(s[1]) ? 2 : 0;
    if (s[0] >= 0xe0 && s[0] <= 0xef) {
        if (len < 3 || !continues(s[1]) || !continues(s[2]))
            return 0;
        if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
            return 0;
        return 3;
    }
    if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        if (len < 4 || !continues(s[1]) || !continues(s[2]) || !continues(s[3]))
            return 0;
        if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
            return 0;
        return 4;
    }
    return 0;
}

bool utf_is_valid(const char *bytes, size_t len)
{
    while (len > 0) {
        size_t n = utf_sequence(bytes, len);
        if (n == 0)
            return false;
        bytes += n;
        len -= n;
    }
    return true;
}

static void add_hex(struct buf *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf_add_format(out, "\\x%02x", (unsigned)(unsigned char)bytes[i]);
}

static bool is_control(const char *bytes, size_t n)
{
    unsigned char c = (unsigned char)bytes[0];
    return (n == 1 && (c < 0x20 || c == 0x7f)) || (n == 2 && c == 0xc2 && (unsigned char)bytes[1] < 0xa0);
}

static void escape(struct buf *out, const char *bytes, size_t len, bool controls)
{
    while (len > 0) {
        size_t n = utf_sequence(bytes, len);
        if (n == 0 || (controls && is_control(bytes, n)))
            add_hex(out, bytes, n ? n : 1);
        else if (*bytes == '\\')
            buf_add_string(out, "\\\\");
        else
            buf_add(out, bytes, n);
        bytes += n ? n : 1;
        len -= n ? n : 1;
    }
}

void utf_escape(struct buf *out, const char *bytes, size_t len)
{
    escape(out, bytes, len, false);
}

void utf_escape_display(struct buf *out, const char *bytes, size_t len)
{
    escape(out, bytes, len, true);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool utf_unescape(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        if (text[i] != '\\') {
            buf_add_char(out, text[i++]);
        } else if (i + 1 < len && text[i + 1] == '\\') {
            buf_add_char(out, '\\');
            i += 2;
        } else if (i + 3 < len && text[i + 1] == 'x' && hex_value(text[i + 2]) >= 0 &&
                   hex_value(text[i + 3]) >= 0) {
            buf_add_char(out, (char)(16 * hex_value(text[i + 2]) + hex_value(text[i + 3])));
            i += 4;
        } else {
            return false;
        }
    }
    return true;
}
