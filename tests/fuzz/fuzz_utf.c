/* fuzz_utf.c - UTF-8, its escapes, and error messages that quote anything. */
#include <stdbool.h>
#include <string.h>

#include "core/error.h"
#include "core/utf.h"
#include "fuzz.h"

static bool has_control(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i], before = i ? (unsigned char)s[i - 1] : 0;
        if (c < 0x20 || c == 0x7f || (before == 0xc2 && c >= 0x80 && c < 0xa0))
            return true;
    }
    return false;
}

static void check_sequences(const char *s, size_t len)
{
    bool valid = true;
    for (size_t i = 0; i < len;) {
        size_t n = utf_sequence(s + i, len - i);
        FUZZ_CHECK(n <= 4 && n <= len - i);
        valid = valid && n > 0;
        if (n)
            FUZZ_CHECK(utf_is_valid(s + i, n));
        i += n ? n : 1;
    }
    FUZZ_CHECK(utf_is_valid(s, len) == valid);
}

static void check_escapes(const char *s, size_t len)
{
    struct buf text = BUF_INIT, back = BUF_INIT, shown = BUF_INIT;
    utf_escape(&text, s, len);
    FUZZ_CHECK(utf_is_valid(text.data, text.len));
    FUZZ_CHECK(utf_unescape(&back, text.data, text.len));
    FUZZ_CHECK(back.len == len && (len == 0 || memcmp(back.data, s, len) == 0));
    utf_escape_display(&shown, s, len);
    FUZZ_CHECK(utf_is_valid(shown.data, shown.len));
    FUZZ_CHECK(!has_control(shown.data, shown.len));
    FUZZ_CHECK(shown.len >= text.len);

    /* The other way: what is taken is exactly what would be written. */
    buf_reset(&back);
    if (utf_unescape(&back, s, len)) {
        buf_reset(&text);
        utf_escape(&text, back.data, back.len);
        FUZZ_CHECK(text.len == len && (len == 0 || memcmp(text.data, s, len) == 0));
    }
    buf_release(&text);
    buf_release(&back);
    buf_release(&shown);
}

static void check_message(const char *s, size_t len)
{
    char *quoted = string_copy_n(s, len);
    struct cordon_error err;
    FUZZ_CHECK(quoted);
    error_set(&err, CORDON_E_INVALID, 0, "fuzz.utf", "name %s", quoted);
    size_t end = strlen(err.message);
    FUZZ_CHECK(end < sizeof err.message);
    FUZZ_CHECK(utf_is_valid(err.message, end));
    FUZZ_CHECK(!has_control(err.message, end));
    free(quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *s = (const char *)data;
    check_sequences(s, size);
    check_escapes(s, size);
    check_message(s, size);
    return 0;
}
