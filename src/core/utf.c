/* utf.c - UTF-8 checks and escapes (see utf.h). Pure. */
#include "core/utf.h"

#include <string.h>

/* RFC 3629, section 4, as a table: by lead byte, how long the sequence is and
 * which second bytes keep it from being overlong, a surrogate or too large. */
static const struct lead {
    unsigned char first, last;
    unsigned char length;
    unsigned char second_low, second_high;
} leads[] = {
    {0x00, 0x7f, 1, 0x00, 0x00}, {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

size_t utf_sequence(const char *bytes, size_t len)
{
    const unsigned char *s = (const unsigned char *)bytes;
    if (len == 0)
        return 0;
    const struct lead *lead = leads;
    while (s[0] > lead->last)
        if (++lead == leads + sizeof leads / sizeof leads[0])
            return 0;
    if (s[0] < lead->first || lead->length > len)
        return 0;
    if (lead->length > 1 && (s[1] < lead->second_low || s[1] > lead->second_high))
        return 0;
    for (size_t i = 2; i < lead->length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return lead->length;
}

unsigned utf_code_point(const char *sequence, size_t len)
{
    static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned c = (unsigned char)sequence[0] & lead_bits[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)sequence[i] & 0x3f);
    return c;
}

bool utf_is_control(const char *sequence, size_t len)
{
    static const struct {
        unsigned first, last;
    } ranges[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0x061c, 0x061c},
                  {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
    unsigned c = utf_code_point(sequence, len);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

bool utf_is_valid(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = utf_sequence(bytes + i, len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

static void escape_byte(struct buf *out, char byte)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char value = (unsigned char)byte;
    char text[4] = {'\\', 'x', digits[value >> 4], digits[value & 15]};
    buf_add(out, text, sizeof text);
}

static void escape(struct buf *out, const char *bytes, size_t len, bool controls)
{
    buf_add(out, "", 0);
    for (size_t i = 0; i < len;) {
        size_t n = utf_sequence(bytes + i, len - i);
        if (n == 0) {
            escape_byte(out, bytes[i]);
            n = 1;
        } else if (controls && utf_is_control(bytes + i, n)) {
            for (size_t k = 0; k < n; k++)
                escape_byte(out, bytes[i + k]);
        } else if (bytes[i] == '\\') {
            buf_add(out, "\\\\", 2);
        } else {
            buf_add(out, bytes + i, n);
        }
        i += n;
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

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool utf_unescape(struct buf *out, const char *text, size_t len)
{
    buf_add(out, "", 0);
    size_t start = out->len;
    for (size_t i = 0; i < len;) {
        if (text[i] != '\\') {
            buf_add_char(out, text[i++]);
        } else if (len - i >= 2 && text[i + 1] == '\\') {
            buf_add_char(out, '\\');
            i += 2;
        } else if (len - i >= 4 && text[i + 1] == 'x' && digit_value(text[i + 2]) >= 0 &&
                   digit_value(text[i + 3]) >= 0) {
            buf_add_char(out, (char)(digit_value(text[i + 2]) * 16 + digit_value(text[i + 3])));
            i += 4;
        } else {
            return false;
        }
    }
    if (buf_failed(out))
        return false;
    /* Two texts for the same bytes would let a name hide from a comparison of
     * texts: only the one that utf_escape writes is taken. */
    struct buf again = BUF_INIT;
    utf_escape(&again, out->data + start, out->len - start);
    bool same = !buf_failed(&again) && again.len == len && (len == 0 || memcmp(again.data, text, len) == 0);
    buf_release(&again);
    return same;
}
