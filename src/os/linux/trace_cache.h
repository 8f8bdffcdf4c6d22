/* trace_cache.h - what the trace has seen a moment ago, so that a run of calls in
 * one directory costs it one look. Bounded; in the supervising process.
 *
 * Both kinds hold until a process of the sandbox makes a call that could change
 * them: those calls are traced too (enum trace_effect), and empty the cache.
 */
#ifndef CORDON_LINUX_TRACE_CACHE_H
#define CORDON_LINUX_TRACE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "plan/trace_calls.h"

#define TRACE_CACHE_ENTRIES 64

struct trace_cache_text {
    pid_t thread; /* of a working directory; 0: nothing */
    size_t len, cap;
    char *text;
};

struct trace_cache {
    struct trace_cache_text cwd[TRACE_CACHE_ENTRIES];
    struct trace_cache_text open[TRACE_CACHE_ENTRIES];
    bool stale; /* the call that changes something is made after its answer */
};

void trace_cache_init(struct trace_cache *c);
void trace_cache_release(struct trace_cache *c);

/* Before a call of this effect is answered. */
void trace_cache_note(struct trace_cache *c, enum trace_effect effect);

/* The working directory of a thread; NULL: not known. */
const char *trace_cache_cwd(const struct trace_cache *c, pid_t thread);
void trace_cache_put_cwd(struct trace_cache *c, pid_t thread, const char *text);

/* Directories, as they were written, without a link on the way, where everything
 * is allowed: no rule lies in them. */
bool trace_cache_is_open(const struct trace_cache *c, const char *text, size_t len);
void trace_cache_put_open(struct trace_cache *c, const char *text, size_t len);

#endif
