/* fold.c - simple case folding (see fold.h). Pure. */
#include "core/fold.h"

unsigned fold_code_point(enum fold fold, unsigned c)
{
    if (fold == FOLD_NONE)
        return c;
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 0x20 : c;
    if (fold != FOLD_WIDE)
        return c;
    if (c >= 0xc0 && c <= 0xde && c != 0xd7) /* Latin-1; U+00D7 is the multiplication sign */
        return c + 0x20;
    if (c == 0x178)
        return 0xff;
    if (c >= 0x391 && c <= 0x3ab && c != 0x3a2) /* Greek; U+03A2 is not assigned */
        return c + 0x20;
    if (c == 0x3c2) /* final sigma has the same capital */
        return 0x3c3;
    if (c == 0x386)
        return 0x3ac;
    if (c >= 0x388 && c <= 0x38a)
        return c + 0x25;
    if (c == 0x38c)
        return 0x3cc;
    if (c == 0x38e || c == 0x38f)
        return c + 0x3f;
    if (c >= 0x410 && c <= 0x42f) /* Cyrillic */
        return c + 0x20;
    if (c >= 0x400 && c <= 0x40f)
        return c + 0x50;
    return c;
}

static bool is_lead(unsigned char c)
{
    return c >= 0xc2 && c <= 0xdf;
}

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

static unsigned fold_pair(enum fold fold, unsigned char lead, unsigned char next)
{
    return fold_code_point(fold, (unsigned)(lead & 0x1f) << 6 | (next & 0x3f));
}

/* No lead byte is a continuation, so which byte pairs with which is decided by
 * the neighbours alone, also in bytes that are not well-formed UTF-8. */
unsigned char fold_byte(enum fold fold, const char *s, size_t i)
{
    unsigned char c = (unsigned char)s[i];
    if (c < 0x80)
        return (unsigned char)fold_code_point(fold, c);
    if (fold != FOLD_WIDE)
        return c;
    if (is_lead(c) && is_continuation((unsigned char)s[i + 1]))
        return (unsigned char)(0xc0 | fold_pair(fold, c, (unsigned char)s[i + 1]) >> 6);
    if (i > 0 && is_continuation(c) && is_lead((unsigned char)s[i - 1]))
        return (unsigned char)(0x80 | (fold_pair(fold, (unsigned char)s[i - 1], c) & 0x3f));
    return c;
}

bool fold_equal(enum fold fold, const char *a, const char *b)
{
    size_t i = 0;
    while (a[i] && b[i] && fold_byte(fold, a, i) == fold_byte(fold, b, i))
        i++;
    return !a[i] && !b[i];
}
