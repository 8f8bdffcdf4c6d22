/* error.c - filling the error object (see error.h). Pure; no state.
 *
 * Messages quote names that a hostile command chose, and they end in a
 * terminal, in a log of one line a message, and in JSON. So what is stored is
 * one line of well-formed UTF-8 without control characters, whatever came in.
 */
#include "core/error.h"

#include <stdio.h>
#include <string.h>

#include "core/utf.h"

static const char cut_mark[] = "...";

static void make_printable(char *message)
{
    size_t len = strlen(message);
    for (size_t i = 0; i < len;) {
        size_t n = utf_sequence(message + i, len - i);
        if (n == 0 || utf_is_control(message + i, n)) {
            n = n ? n : 1;
            memset(message + i, '?', n);
        }
        i += n;
    }
}

/* Ends a message that did not fit with a mark, not within a character. */
static void mark_cut(char message[CORDON_MESSAGE_MAX])
{
    size_t end = CORDON_MESSAGE_MAX - sizeof cut_mark;
    for (int back = 0; back < 3 && ((unsigned char)message[end] & 0xc0) == 0x80; back++)
        end--;
    memcpy(message + end, cut_mark, sizeof cut_mark);
}

cordon_status(error_set)(struct cordon_error *err, cordon_status status, int os_code, const char *step,
                         const char *format, ...)
{
    if (!err)
        return status;
    /* Built aside: step and arguments may point into *err, when a caller adds
     * words to an error that it passes on. */
    struct cordon_error made;
    memset(&made, 0, sizeof made); /* it travels as bytes: no stack content in the gaps */
    made.status = status;
    made.os_code = os_code;
    snprintf(made.step, sizeof made.step, "%s", step);

    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(made.message, sizeof made.message, format, args);
    va_end(args);
    if (wanted < 0)
        snprintf(made.message, sizeof made.message, "the message could not be formatted");
    else if ((size_t)wanted >= sizeof made.message)
        mark_cut(made.message);
    make_printable(made.message);
    *err = made;
    return status;
}

cordon_status(error_nomem)(struct cordon_error *err, const char *step)
{
    return error_set(err, CORDON_E_NOMEM, 0, step, "out of memory");
}

void error_clear(struct cordon_error *err)
{
    if (err)
        memset(err, 0, sizeof *err);
}
