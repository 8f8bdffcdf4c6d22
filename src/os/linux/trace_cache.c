/* trace_cache.c - see trace_cache.h. Each entry has one place, by its hash: what
 * is put there goes in place of what was. */
#include "os/linux/trace_cache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void trace_cache_init(struct trace_cache *c)
{
    memset(c, 0, sizeof *c);
}

void trace_cache_release(struct trace_cache *c)
{
    for (size_t i = 0; i < TRACE_CACHE_ENTRIES; i++) {
        free(c->cwd[i].text);
        free(c->open[i].text);
    }
    trace_cache_init(c);
}

static void forget(struct trace_cache *c)
{
    for (size_t i = 0; i < TRACE_CACHE_ENTRIES; i++)
        c->cwd[i].len = c->open[i].len = 0;
}

/* Also once more when the next call is asked about: what was learnt between the
 * answer and the call itself is as old as what was learnt before. */
void trace_cache_note(struct trace_cache *c, enum trace_effect effect)
{
    if (c->stale || effect != TRACE_NO_EFFECT)
        forget(c);
    c->stale = effect != TRACE_NO_EFFECT;
}

static void put(struct trace_cache_text *entry, pid_t thread, const char *text, size_t len)
{
    if (len + 1 > entry->cap) {
        char *grown = realloc(entry->text, len + 1);
        if (!grown)
            return; /* it is looked at again */
        entry->text = grown;
        entry->cap = len + 1;
    }
    memcpy(entry->text, text, len);
    entry->text[len] = '\0';
    entry->len = len;
    entry->thread = thread;
}

const char *trace_cache_cwd(const struct trace_cache *c, pid_t thread)
{
    const struct trace_cache_text *entry = &c->cwd[(unsigned)thread % TRACE_CACHE_ENTRIES];
    return entry->len > 0 && entry->thread == thread ? entry->text : NULL;
}

void trace_cache_put_cwd(struct trace_cache *c, pid_t thread, const char *text)
{
    put(&c->cwd[(unsigned)thread % TRACE_CACHE_ENTRIES], thread, text, strlen(text));
}

static size_t place_of(const char *text, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    return (size_t)(hash >> 32) % TRACE_CACHE_ENTRIES;
}

bool trace_cache_is_open(const struct trace_cache *c, const char *text, size_t len)
{
    const struct trace_cache_text *entry = &c->open[place_of(text, len)];
    return len > 0 && entry->len == len && memcmp(entry->text, text, len) == 0;
}

void trace_cache_put_open(struct trace_cache *c, const char *text, size_t len)
{
    put(&c->open[place_of(text, len)], 0, text, len);
}
