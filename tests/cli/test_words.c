/* test_words.c - the option table, the parser, the help and the manual page
 * name the same options, with the same letters and arguments, and none more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

#define LINES_MAX 1024
#define ENTRY_MAX 160 /* "-w --write PATH" */

/* Lines of a text, borrowed from it. */
struct lines {
    char *text;
    char *items[LINES_MAX];
    size_t count;
};

static const struct {
    const char *name;
    enum command_id id;
} commands[] = {{"run", COMMAND_RUN},     {"shell", COMMAND_SHELL},   {"explain", COMMAND_EXPLAIN},
                {"plan", COMMAND_PLAN},   {"doctor", COMMAND_DOCTOR}, {"report", COMMAND_REPORT},
                {"setup", COMMAND_SETUP}, {"help", COMMAND_HELP}};

static void cut(struct lines *lines, char *text)
{
    lines->text = text;
    lines->count = 0;
    while (*text) {
        assert_true(lines->count < LINES_MAX);
        lines->items[lines->count++] = text;
        text += strcspn(text, "\n");
        if (*text)
            *text++ = '\0';
    }
}

static void capture_table(struct lines *lines)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    options_print_table(to);
    fclose(to);
    cut(lines, text);
}

static void capture_help(struct lines *lines, enum command_id command)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    options_print_help(to, command);
    fclose(to);
    cut(lines, text);
}

static void read_manual(struct lines *lines)
{
    char *text = calloc(1, 1 << 16);
    FILE *from = fopen(CORDON_SOURCE_DIR "/man/cordon.1", "r");
    assert_non_null(text);
    assert_non_null(from);
    assert_true(fread(text, 1, (1 << 16) - 1, from) < (1 << 16) - 1);
    fclose(from);
    cut(lines, text);
}

/* A line of the table without its command; NULL when it is another command's. */
static const char *entry_of(const char *line, const char *command)
{
    size_t len = strcspn(line, " ");
    if (command && (strlen(command) != len || strncmp(line, command, len) != 0))
        return NULL;
    return line + len + 1;
}

static bool in_table(const struct lines *table, const char *command, const char *entry)
{
    for (size_t i = 0; i < table->count; i++) {
        const char *known = entry_of(table->items[i], command);
        if (known && strcmp(known, entry) == 0)
            return true;
    }
    return false;
}

static bool listed(char found[][ENTRY_MAX], size_t count, const char *entry)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(found[i], entry) == 0)
            return true;
    return false;
}

/* `  -w, --write PATH   help` to `-w --write PATH`; false: another kind of line. */
static bool help_entry(const char *line, char out[ENTRY_MAX])
{
    const char *name = line + 6;
    if (strncmp(line, "  -", 3) == 0 && strncmp(line + 4, ", --", 4) == 0)
        snprintf(out, ENTRY_MAX, "-%c ", line[3]);
    else if (strncmp(line, "      --", 8) == 0)
        out[0] = '\0';
    else
        return false;
    const char *end = strstr(name, "  ");
    size_t len = end ? (size_t)(end - name) : strlen(name), used = strlen(out);
    assert_true(used + len < ENTRY_MAX);
    memcpy(out + used, name, len);
    out[used + len] = '\0';
    return true;
}

static void help_is_the_table(void **state)
{
    (void)state;
    struct lines table;
    capture_table(&table);
    for (size_t c = 0; c < sizeof commands / sizeof *commands; c++) {
        struct lines help;
        char found[64][ENTRY_MAX];
        size_t count = 0;
        capture_help(&help, commands[c].id);
        for (size_t i = 0; i < help.count; i++) {
            assert_true(count < 64);
            if (!help_entry(help.items[i], found[count]))
                continue;
            if (!in_table(&table, commands[c].name, found[count]))
                fail_msg("help of %s has `%s`, the table has not", commands[c].name, found[count]);
            count++;
        }
        for (size_t i = 0; i < table.count; i++) {
            const char *entry = entry_of(table.items[i], commands[c].name);
            if (entry && !listed(found, count, entry))
                fail_msg("help of %s lacks `%s`", commands[c].name, entry);
        }
        free(help.text);
    }
    free(table.text);
}

static void help_fits_a_terminal(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof commands / sizeof *commands; c++) {
        struct lines help;
        capture_help(&help, commands[c].id);
        assert_true(help.count >= 10);
        for (size_t i = 0; i < help.count; i++) {
            size_t len = strlen(help.items[i]);
            if (len > 100)
                fail_msg("more than 100 columns: %s", help.items[i]);
            assert_true(len == 0 || help.items[i][len - 1] != ' ');
            assert_null(strchr(help.items[i], '\t'));
        }
        free(help.text);
    }
}

/* `.It Fl w Ar PATH , Fl -write Ar PATH` to `-w --write PATH`; false: not an option's. */
static bool manual_entry(const char *line, char out[ENTRY_MAX])
{
    char letter = '\0', name[64] = "", argument[64] = "", other[64] = "";
    char copy[256], *rest, *word;
    if (strncmp(line, ".It Fl ", 7) != 0)
        return false;
    assert_true(strlen(line) < sizeof copy);
    memcpy(copy, line + 4, strlen(line + 4) + 1);
    char *kind = NULL;
    for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (strcmp(word, "Fl") == 0 || strcmp(word, "Ar") == 0 || strcmp(word, ",") == 0) {
            kind = word;
            continue;
        }
        assert_non_null(kind);
        assert_true(strlen(word) < sizeof name - 2);
        if (strcmp(kind, "Fl") == 0 && word[0] == '-')
            snprintf(name, sizeof name, "-%s", word);
        else if (strcmp(kind, "Fl") == 0 && !word[1])
            letter = word[0];
        else if (strcmp(kind, "Ar") == 0)
            snprintf(name[0] ? argument : other, sizeof argument, " %s", word);
        else
            fail_msg("not understood: %s", line);
    }
    if (letter)
        assert_string_equal(argument, other);
    if (letter)
        snprintf(out, ENTRY_MAX, "-%c %s%s", letter, name, argument);
    else
        snprintf(out, ENTRY_MAX, "%s%s", name, argument);
    return true;
}

static void manual_is_the_table(void **state)
{
    (void)state;
    struct lines table, manual;
    char found[64][ENTRY_MAX];
    size_t count = 0;
    capture_table(&table);
    read_manual(&manual);
    for (size_t i = 0; i < manual.count; i++) {
        assert_true(count < 64);
        if (!manual_entry(manual.items[i], found[count]))
            continue;
        if (listed(found, count, found[count]))
            fail_msg("the manual describes `%s` twice", found[count]);
        if (!in_table(&table, NULL, found[count]))
            fail_msg("the manual describes `%s`, the table has not", found[count]);
        count++;
    }
    for (size_t i = 0; i < table.count; i++)
        if (!listed(found, count, entry_of(table.items[i], NULL)))
            fail_msg("the manual lacks `%s`", entry_of(table.items[i], NULL));
    free(manual.text);
    free(table.text);
}

/* Every option named in the manual's text exists, `Fl -` (the end of options) aside. */
static void manual_names_only_options(void **state)
{
    (void)state;
    struct lines table, manual;
    capture_table(&table);
    read_manual(&manual);
    for (size_t i = 0; i < manual.count; i++) {
        const char *line = manual.items[i];
        for (const char *at = line; line[0] == '.' && line[1] != '\\' && (at = strstr(at, "Fl -")) != NULL;) {
            char name[64];
            at += 4;
            size_t len = strcspn(at, " ");
            assert_true(len < sizeof name - 4);
            snprintf(name, sizeof name, " --%.*s", (int)len, at);
            bool known = len == 0;
            for (size_t j = 0; j < table.count && !known; j++) {
                const char *hit = strstr(table.items[j], name);
                known = hit && (hit[strlen(name)] == '\0' || hit[strlen(name)] == ' ');
            }
            if (!known)
                fail_msg("the manual mentions%s: %s", name, line);
        }
    }
    free(manual.text);
    free(table.text);
}

static void manual_describes_every_command(void **state)
{
    static const char *const wanted[] = {
        ".It Cm setup",    ".It Cm run", ".It Cm shell",    ".It Cm explain", ".It Cm plan", ".It Cm doctor",
        ".It Cm help",     ".It 123",    ".It 124",         ".It 125",        ".It 126",     ".It 127",
        ".Sh EXIT STATUS", ".Sh FILES",  ".Sh ENVIRONMENT", ".Sh EXAMPLES"};
    (void)state;
    struct lines manual;
    read_manual(&manual);
    for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
        bool found = false;
        for (size_t i = 0; i < manual.count; i++)
            found = found || strcmp(manual.items[i], wanted[w]) == 0;
        if (!found)
            fail_msg("the manual lacks `%s`", wanted[w]);
    }
    free(manual.text);
}

/* Every form of the table's options is one that the parser knows, in its command. */
static void parser_knows_the_table(void **state)
{
    (void)state;
    struct lines table;
    capture_table(&table);
    assert_true(table.count > 50);
    for (size_t i = 0; i < table.count; i++) {
        char line[128], *rest;
        assert_true(strlen(table.items[i]) < sizeof line);
        memcpy(line, table.items[i], strlen(table.items[i]) + 1);
        char *command = strtok_r(line, " ", &rest);
        for (char *word = strtok_r(NULL, " ", &rest); word && *word == '-';
             word = strtok_r(NULL, " ", &rest)) {
            char program[] = "cordon";
            char *argv[] = {program, command, word, NULL};
            struct options options;
            struct cordon_error err = {0};
            if (options_parse(3, argv, &options, &err) != CORDON_OK)
                assert_non_null(strstr(err.message, " needs "));
            options_release(&options);
        }
    }
    free(table.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_is_the_table),
        cmocka_unit_test(help_fits_a_terminal),
        cmocka_unit_test(manual_is_the_table),
        cmocka_unit_test(manual_names_only_options),
        cmocka_unit_test(manual_describes_every_command),
        cmocka_unit_test(parser_knows_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
