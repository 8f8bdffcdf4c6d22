/* fail_alloc.h - fails each allocation of the code under test in turn.
 *
 * For tests named test_*_alloc.c: CMake links them with --wrap, so that malloc,
 * calloc, realloc and free of the code under test come here (not those of
 * shared libraries). What a run allocates and does not free is counted, so that
 * a leak shows in every build.
 */
#ifndef CORDON_TEST_FAIL_ALLOC_H
#define CORDON_TEST_FAIL_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static struct {
    size_t countdown; /* the allocation that fails; 0: none */
    bool and_all_after;
    bool failed;
    long live; /* blocks */
} fail_alloc;

static bool fail_now(void)
{
    if (fail_alloc.failed && fail_alloc.and_all_after)
        return true;
    if (fail_alloc.countdown == 0 || --fail_alloc.countdown > 0)
        return false;
    fail_alloc.failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    void *block = fail_now() ? NULL : __real_malloc(size);
    fail_alloc.live += block != NULL;
    return block;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *block = fail_now() ? NULL : __real_calloc(count, size);
    fail_alloc.live += block != NULL;
    return block;
}

void *__wrap_realloc(void *block, size_t size)
{
    void *moved = fail_now() ? NULL : __real_realloc(block, size);
    fail_alloc.live += moved && !block;
    return moved;
}

void __wrap_free(void *block)
{
    fail_alloc.live -= block != NULL;
    __real_free(block);
}

/* Runs `run` with the first, the second, ... allocation failing, each alone and
 * with all that follow, until none failed. It asserts by itself, and asks
 * fail_alloc.failed what to expect. Returns how many failed; *leaked counts the
 * blocks that were not freed. */
static size_t fail_each(void (*run)(void *data), void *data, long *leaked)
{
    size_t failures = 0;
    *leaked = 0;
    for (int all = 0; all < 2; all++) {
        for (size_t at = 1;; at++) {
            long before = fail_alloc.live;
            fail_alloc.countdown = at;
            fail_alloc.and_all_after = all;
            fail_alloc.failed = false;
            run(data);
            bool failed = fail_alloc.failed;
            fail_alloc.countdown = 0;
            fail_alloc.failed = false;
            *leaked += fail_alloc.live - before;
            if (!failed)
                break;
            failures++;
        }
    }
    return failures;
}

#endif
