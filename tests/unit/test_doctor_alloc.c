/* test_doctor_alloc.c - doctor's words without memory: every allocation fails
 * once, jansson's too; each time there is a clean error and no leak.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "fail_alloc.h"
#include "plan/doctor.h"

static void *json_malloc(size_t size)
{
    return malloc(size);
}

static void json_free(void *block)
{
    free(block);
}

static int setup(void **state)
{
    (void)state;
    json_set_alloc_funcs(json_malloc, json_free);
    return 0;
}

static cordon_status build(struct doctor *d, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    d->version = "0";
    d->facets[0] = (struct facet){"write", "mounts", FACET_ENFORCED, NULL};
    d->facets[1] = (struct facet){"unix-dgram", "refused", FACET_LIMIT, NULL};
    d->facet_count = 2;
    for (int i = 0; i < 3 && status == CORDON_OK; i++)
        status = doctor_add_finding(d, "state", i != 1, "a\xff text", i ? "a remedy" : NULL, err);
    doctor_judge(d);
    return status;
}

typedef cordon_status printer(const struct doctor *d, struct buf *out, struct cordon_error *err);

static void run(void *data)
{
    printer *const *print = data;
    struct doctor d;
    struct buf text = BUF_INIT;
    struct cordon_error err = {.status = CORDON_OK};
    doctor_init(&d);
    cordon_status status = build(&d, &err);
    if (status == CORDON_OK)
        status = (*print)(&d, &text, &err);
    if (!fail_alloc.failed) {
        assert_int_equal(status, CORDON_OK);
        assert_true(text.len > 500);
    } else if (status != CORDON_OK) {
        assert_int_equal(status, CORDON_E_NOMEM);
        assert_string_equal(err.step, "doctor.print");
    }
    buf_release(&text);
    doctor_release(&d);
}

static void every_allocation_fails_once(void **state)
{
    static printer *const printers[] = {doctor_text, doctor_json};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        long leaked;
        printer *print = printers[i];
        assert_true(fail_each(run, &print, &leaked) > 4);
        assert_int_equal(leaked, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(every_allocation_fails_once, setup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
