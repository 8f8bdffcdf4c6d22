/* path_name.c - would the volume take this name for a protected one? (see
 * path.h). Pure. Called by what watches for protected names to appear and by
 * planners of volumes that fold names.
 *
 * A wrong yes refuses a name that nobody uses; a wrong no opens `.git`. So where
 * file systems differ, the answer is the union of what they take.
 */
#include "core/path.h"

#include <string.h>

#include "core/fold.h"
#include "core/utf.h"

#define SHORT_BASE 6   /* characters of a name that its 8.3 form keeps at most */
#define SHORT_STEM 8   /* the 8 of 8.3 */
#define SHORT_SUFFIX 3 /* the 3 of 8.3 */

/* -- folding --------------------------------------------------------------- */

/* HFS+ leaves these out when it compares names: ".g\u200cit" opens .git. */
static bool is_ignorable(unsigned c)
{
    return (c >= 0x200c && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x206a && c <= 0x206f) ||
           c == 0xfeff;
}

/* The next character of s[*i..len) as a volume that ignores case sees it. Its
 * bytes when it is none; the end is -1. */
static long next_folded(enum path_style style, const char *s, size_t len, size_t *i)
{
    while (*i < len) {
        size_t n = utf_sequence(s + *i, len - *i);
        if (n == 0 || n == 4)
            return 0x200000 + (unsigned char)s[(*i)++];
        unsigned c = utf_code_point(s + *i, n);
        *i += n;
        if (style == PATH_POSIX && is_ignorable(c))
            continue;
        if (c == 0x17f) /* full folding: long s, and the Kelvin sign */
            return 's';
        if (c == 0x212a)
            return 'k';
        return (long)fold_code_point(FOLD_WIDE, c);
    }
    return -1;
}

static bool equal(struct path_rules rules, const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (!rules.fold_case)
        return a_len == b_len && memcmp(a, b, a_len) == 0;
    for (size_t i = 0, k = 0;;) {
        long x = next_folded(rules.style, a, a_len, &i), y = next_folded(rules.style, b, b_len, &k);
        if (x != y)
            return false;
        if (x < 0)
            return true;
    }
}

/* -- 8.3 names ------------------------------------------------------------- */

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 0x20) : c;
}

/* What a short name keeps of s[0..len): no spaces, no periods, `_` for what DOS
 * did not allow. A byte that is not ASCII becomes '\0', any character: what it
 * turns into depends on the machine's code page. */
static size_t short_letters(const char *s, size_t len, char *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < len && n < max; i++) {
        if (s[i] == ' ' || s[i] == '.')
            continue;
        if ((unsigned char)s[i] >= 0x80)
            out[n++] = '\0';
        else
            out[n++] = strchr("+,;=[]", s[i]) ? '_' : upper(s[i]);
    }
    return n;
}

/* From the first wild character on, anything. */
static bool letters_match(const char *letters, size_t count, const char *s, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (letters[i] == '\0')
            return true;
        if (i >= len || upper(s[i]) != letters[i])
            return false;
    }
    return len == count;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (upper(c) >= 'A' && upper(c) <= 'F');
}

/* A name that is an 8.3 name already gets no other. */
static bool gets_short_name(const char *name, size_t len)
{
    const char *dot = memchr(name, '.', len);
    size_t stem = dot ? (size_t)(dot - name) : len;
    if (stem == 0 || stem > SHORT_STEM || (dot && len - stem - 1 > SHORT_SUFFIX))
        return true;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] >= 0x80 || strchr(" +,;=[]", name[i]) ||
            (name[i] == '.' && name + i != dot))
            return true;
    return false;
}

/* `BASE~N.EXT`, or after four such names `BAxxxx~N.EXT` with a checksum. */
static bool is_short_form(const char *name, size_t name_len, const char *candidate, size_t len)
{
    const char *tilde = memchr(candidate, '~', len);
    if (!tilde || !gets_short_name(name, name_len))
        return false;
    size_t base = (size_t)(tilde - candidate), digits = 0;
    const char *at = tilde + 1, *end = candidate + len;
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
        digits++;
    }
    if (base == 0 || digits == 0 || base + 1 + digits > SHORT_STEM || (at < end && *at != '.'))
        return false;

    /* The last period starts the extension, unless nothing but periods is before it. */
    size_t stem = name_len;
    while (stem > 0 && name[stem - 1] != '.')
        stem--;
    size_t suffix_at = stem;
    while (stem > 0 && (name[stem - 1] == '.' || name[stem - 1] == ' '))
        stem--;
    if (stem == 0)
        suffix_at = stem = name_len;
    char letters[SHORT_BASE], suffix[SHORT_SUFFIX];
    size_t count = short_letters(name, stem, letters,
                                 SHORT_STEM - 1 - digits < SHORT_BASE ? SHORT_STEM - 1 - digits : SHORT_BASE);
    size_t suffix_count = short_letters(name + suffix_at, name_len - suffix_at, suffix, SHORT_SUFFIX);
    if (at < end)
        at++;
    if (!letters_match(suffix, suffix_count, at, (size_t)(end - at)))
        return false;
    if (letters_match(letters, count, candidate, base))
        return true;
    if (base < 5) /* at least one letter and four digits */
        return false;
    for (size_t i = base - 4; i < base; i++)
        if (!is_hex(candidate[i]))
            return false;
    return letters_match(letters, count < base - 4 ? count : base - 4, candidate, base - 4);
}

/* -- the question ---------------------------------------------------------- */

/* What Win32 and NTFS make of a name: `.git:s`, `.git::$DATA`, `.git. .` are .git. */
static size_t windows_length(const char *s, size_t len)
{
    const char *colon = memchr(s, ':', len);
    if (colon)
        len = (size_t)(colon - s);
    while (len > 0 && (s[len - 1] == '.' || s[len - 1] == ' '))
        len--;
    return len;
}

bool path_name_matches(struct path_rules rules, const char *name, const char *candidate)
{
    size_t name_len = strlen(name), len = strlen(candidate);
    while (len > 0 && path_is_separator(rules.style, candidate[len - 1]))
        len--;
    if (rules.style == PATH_POSIX)
        return equal(rules, name, name_len, candidate, len);
    name_len = windows_length(name, name_len);
    len = windows_length(candidate, len);
    if (len == 0 || name_len == 0)
        return false;
    return equal(rules, name, name_len, candidate, len) || is_short_form(name, name_len, candidate, len);
}
