/* test_landlock_steps.c - the table of Landlock's ABIs and docs/platforms.md say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/policy.h"
#include "plan/landlock_steps.h"

static char *read_document(void)
{
    char *text = calloc(1, 1 << 18);
    FILE *from = fopen(CORDON_SOURCE_DIR "/docs/platforms.md", "r");
    assert_non_null(text);
    assert_non_null(from);
    assert_true(fread(text, 1, (1 << 18) - 1, from) < (1 << 18) - 1);
    fclose(from);
    return text;
}

static void every_row_is_in_the_document(void **state)
{
    (void)state;
    char *document = read_document();
    size_t rows = 0;
    for (size_t i = 0; i < landlock_step_count; i++) {
        const struct landlock_step *step = &landlock_steps[i];
        char *row = string_format("\n| %d | %s | %s | %s |\n", step->abi, step->linux_version, step->adds,
                                  step->carried_by);
        assert_non_null(row);
        if (!strstr(document, row))
            fail_msg("docs/platforms.md lacks%s", row);
        free(row);
    }
    for (const char *at = strstr(document, "| ABI |"); at && at[0] == '|'; at = strchr(at, '\n') + 1)
        rows++;
    assert_int_equal(rows, landlock_step_count + 2); /* the heading and its rule */
    free(document);
}

static void rows_are_ordered_and_name_facets(void **state)
{
    (void)state;
    for (size_t i = 0; i < landlock_step_count; i++) {
        assert_true(i == 0 || landlock_steps[i].abi > landlock_steps[i - 1].abi);
        for (const char *name = landlock_steps[i].facets; *name;) {
            size_t len = strcspn(name, " ");
            char *word = string_copy_n(name, len);
            assert_non_null(word);
            assert_true(policy_is_facet(word));
            free(word);
            name += len + (name[len] == ' ');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_in_the_document),
        cmocka_unit_test(rows_are_ordered_and_name_facets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
