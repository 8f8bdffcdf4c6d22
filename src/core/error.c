/* error.c - fills the one error object (see error.h). Pure. */
#include "core/error.h"

#include <stdio.h>
#include <string.h>

cordon_status error_set(struct cordon_error *err, cordon_status status, int os_code, const char *step,
                        const char *format, ...)
{
    if (!err)
        return status;
    /* The arguments may point into *err: format into a copy. */
    struct cordon_error made;
    va_list args;
    memset(&made, 0, sizeof made);
    made.status = status;
    made.os_code = os_code;
    snprintf(made.step, sizeof made.step, "%s", step);
    va_start(args, format);
    vsnprintf(made.message, sizeof made.message, format, args);
    va_end(args);
    for (char *c = made.message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    *err = made;
    return status;
}

cordon_status error_nomem(struct cordon_error *err, const char *step)
{
    return error_set(err, CORDON_E_NOMEM, 0, step, "out of memory");
}

void error_clear(struct cordon_error *err)
{
    memset(err, 0, sizeof *err);
}
