/* error.h - the one error object.
 *
 * Role: every function that can fail returns a cordon_status and, as its last
 * parameter, fills a caller-owned struct cordon_error. The struct has a fixed
 * size and no pointers, so a child can send it through a pipe as bytes.
 * `step` is a stable identifier, listed in docs/errors.md with cause and
 * remedy; tests assert it. Outputs are untouched on failure.
 *
 * Thread-safety: no state; each object belongs to its caller.
 */
#ifndef CORDON_CORE_ERROR_H
#define CORDON_CORE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#include "cordon/cordon.h" /* cordon_status and struct cordon_error are public */

#if defined(__GNUC__)
#define CORDON_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define CORDON_PRINTF(fmt, args)
#endif

/* Fills *err (which may be NULL) and returns `status`, so that callers write
 * `return error_set(...)`. Control characters in the formatted message are
 * replaced by `?`: a hostile name cannot start a second line. `step` and the
 * arguments may point into *err: that is how a caller adds words to it. */
cordon_status error_set(struct cordon_error *err, cordon_status status, int os_code, const char *step,
                        const char *format, ...) CORDON_PRINTF(5, 6);

/* The commonest failure. */
cordon_status error_nomem(struct cordon_error *err, const char *step);

void error_clear(struct cordon_error *err);

#ifdef __clang_analyzer__
/* It looks at one file at a time and would take every failure for a possible CORDON_OK. */
#define error_set(err, status, ...) (error_set(err, status, __VA_ARGS__), (status))
#define error_nomem(err, step) (error_nomem(err, step), CORDON_E_NOMEM)
#endif

#endif
