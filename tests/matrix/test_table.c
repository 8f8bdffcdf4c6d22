/* test_table.c - the table reader: cells, empties, comments, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "table.h"

static int read_text(struct table *out, const char *text, size_t len, char *message, size_t size)
{
    char path[] = "table-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    int result = table_read(out, path, message, size);
    unlink(path);
    return result;
}

static void expect_refused(const char *text, size_t len, const char *part)
{
    struct table t;
    char message[256] = "";
    assert_int_equal(read_text(&t, text, len, message, sizeof message), -1);
    if (strstr(message, part) == NULL) {
        fail_msg("'%s' does not say '%s'", message, part);
    }
}

static void reads_cells(void **state)
{
    (void)state;
    static const char text[] = "# comment\n\nname\tprobe\tnote\na\twrite x\t-\n# more\nb\tread\n";
    struct table t;
    char message[256];
    assert_int_equal(read_text(&t, text, sizeof text - 1, message, sizeof message), 0);
    assert_int_equal(t.row_count, 2);
    assert_string_equal(table_cell(&t, 0, "name"), "a");
    assert_string_equal(table_cell(&t, 0, "probe"), "write x");
    assert_string_equal(table_cell(&t, 0, "note"), "");
    assert_string_equal(table_cell(&t, 1, "probe"), "read");
    assert_string_equal(table_cell(&t, 1, "note"), "");
    assert_string_equal(table_cell(&t, 1, "windows"), "");
    assert_int_equal(t.lines[1], 6);
    table_release(&t);
}

static void needs_no_final_newline(void **state)
{
    (void)state;
    struct table t;
    char message[256];
    assert_int_equal(read_text(&t, "name\nlast", 9, message, sizeof message), 0);
    assert_int_equal(t.row_count, 1);
    assert_string_equal(table_cell(&t, 0, "name"), "last");
    table_release(&t);
}

static void refuses(void **state)
{
    (void)state;
    expect_refused("", 0, "names the columns");
    expect_refused("# only\n", 7, "names the columns");
    expect_refused("name\tx\na\tb\tc\n", 13, ":2: more cells");
    expect_refused("name\na\nb\na\n", 11, ":4: the name 'a' is also on line 2");
    expect_refused("name\tx\n-\tb\n", 11, ":2: a row without a name");
    expect_refused("name\na\0b\n", 9, "cannot be read");
}

static void refuses_a_missing_file(void **state)
{
    (void)state;
    struct table t;
    char message[256];
    assert_int_equal(table_read(&t, "no/such/table.tsv", message, sizeof message), -1);
    assert_non_null(strstr(message, "no/such/table.tsv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_cells),
        cmocka_unit_test(needs_no_final_newline),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_a_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
