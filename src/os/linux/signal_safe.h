/* signal_safe.h - building an error without stdio, for the child between clone
 * and exec: no allocation, no locale, no locks.
 */
#ifndef CORDON_LINUX_SIGNAL_SAFE_H
#define CORDON_LINUX_SIGNAL_SAFE_H

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/error.h"

/* "PREFIX SUBJECT: errno N" ; the parent turns os_code into words. */
static inline cordon_status safe_error(struct cordon_error *err, cordon_status status, const char *step,
                                       const char *what, const char *subject)
{
    int code = errno;
    memset(err, 0, sizeof *err);
    err->status = status;
    err->os_code = code;
    strncpy(err->step, step, sizeof err->step - 1);
    size_t len = 0;
    const char *parts[] = {what, subject ? " " : "", subject ? subject : ""};
    for (size_t i = 0; i < 3; i++)
        for (const char *c = parts[i]; *c && len + 1 < sizeof err->message; c++)
            err->message[len++] = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
    err->message[len] = '\0';
    return status;
}

#endif
