/* test_registry.c - the record of what cordon made: hostile names, damage, locks, rewriting. */
#include "placeholder_fixture.h"

static void remembers_hostile_names(void **state)
{
    struct fixture *f = *state;
    char longest[256];
    memset(longest, 'n', 255);
    longest[255] = '\0';
    const char *const names[] = {"new\nline", "back\\slash",  "\\n", "\\x0a",        "a\n\\n\n",
                                 "\xff\xfe",  " made 1 2 /x", "\n",  "sp ace/t\tab", longest};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct paths paths = below(f, names[i], NULL);
        crash_holding(f, &paths);
        assert_int_equal(placeholders_is_ours(&f->places, paths.items[0]), 1);
        collect(f);
        assert_false(is_there(paths.items[0]));
        assert_registry(&f->places, "");
        paths_release(&paths);
    }
    assert_workspace_empty(f);
}

static void skips_damaged_lines(void **state)
{
    struct fixture *f = *state;
    static const char *const damages[] = {
        "",
        "garbage\n",
        "made\n",
        "made 1 2\n",
        "made 1 /x\n",
        "made -1 2 /x\n",
        "made 1 99999999999999999999 /x\n",
        "made 0x1 2 /x\n",
        "made 1  2 /x\n",
        "pending relative\n",
        "pending \n",
        "pending /\n",
        "pending /x\\q\n",
        "pending /x\\\n",
        "pending /x\\x0\n",
        "\n\n\n",
        "\xff\xff\n",
        "made 1 2 /x", /* torn: the machine lost power */
        "pendi",
    };
    struct paths paths = below(f, ".codex", NULL);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct stat st;
        run(f, "mkdir .codex");
        assert_int_equal(lstat(paths.items[0], &st), 0);
        char *text = string_format("%s\nmade %llu %llu %s\n%s", damages[i], (unsigned long long)st.st_dev,
                                   (unsigned long long)st.st_ino, paths.items[0], damages[i]);
        write_registry(&f->places, text);
        free(text);
        collect(f);
        assert_workspace_empty(f);
        assert_registry(&f->places, "");
        /* A torn end must not swallow the next record. */
        write_registry(&f->places, damages[i]);
        crash_holding(f, &paths);
        collect(f);
        assert_workspace_empty(f);
        assert_registry(&f->places, "");
    }
    write_registry(&f->places, "");
    struct registry r;
    registry_init(&r);
    static const char nul[] = "pending /x\0y\npending /z\n";
    assert_int_equal(state_write(&f->places, REGISTRY_NAME, nul, sizeof nul - 1, NULL), CORDON_OK);
    assert_int_equal(registry_open(&r, f->places.workspace_fd, REGISTRY_LOOK, 0, NULL), CORDON_OK);
    assert_int_equal(r.count, 1);
    assert_string_equal(r.items[0].path, "/z");
    registry_release(&r);
    paths_release(&paths);
}

static void keeps_other_records_when_rewriting(void **state)
{
    struct fixture *f = *state;
    struct placeholders held, more;
    struct places second;
    struct paths one = below(f, "one", NULL), two = below(f, "two", NULL);
    placeholders_init(&held);
    placeholders_init(&more);
    must_make(&held, &f->places, &one);
    assert_true(open_places(f, f->workspace, &second));
    must_make(&more, &second, &two);
    char *want = string_format("made %llu %llu %s\n", (unsigned long long)more.items[0].dev,
                               (unsigned long long)more.items[0].ino, two.items[0]);
    placeholders_remove(&held, &f->places);
    assert_registry(&f->places, want);
    run(f, "test \"$(ls -A)\" = two");
    free(want);
    placeholders_remove(&more, &second);
    assert_workspace_empty(f);
    places_release(&second);
    paths_release(&one);
    paths_release(&two);
}

static void a_locked_registry_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct registry first, second;
    struct cordon_error err = {0};
    registry_init(&first);
    registry_init(&second);
    assert_int_equal(registry_open(&first, f->places.workspace_fd, REGISTRY_CREATE, 0, NULL), CORDON_OK);
    assert_int_equal(registry_open(&second, f->places.workspace_fd, REGISTRY_CREATE, 3, &err),
                     CORDON_E_CONFLICT);
    assert_non_null(strstr(err.message, "stopped"));
    registry_release(&first);
    assert_int_equal(registry_open(&second, f->places.workspace_fd, REGISTRY_CREATE, 0, NULL), CORDON_OK);
    registry_release(&second);
}

static void a_torn_end_swallows_nothing(void **state)
{
    struct fixture *f = *state;
    struct registry r;
    const struct registry_record record = {.path = (char *)"/after"};
    write_registry(&f->places, "pending /before\npendi");
    registry_init(&r);
    assert_int_equal(registry_open(&r, f->places.workspace_fd, REGISTRY_CREATE, 0, NULL), CORDON_OK);
    assert_true(r.damaged && r.torn);
    assert_int_equal(registry_record(&r, &record, 1, NULL), CORDON_OK);
    registry_release(&r);
    assert_int_equal(registry_open(&r, f->places.workspace_fd, REGISTRY_LOOK, 0, NULL), CORDON_OK);
    assert_non_null(registry_find(&r, "/before"));
    assert_non_null(registry_find(&r, "/after"));
    assert_int_equal(r.count, 2);
    registry_release(&r);
}

/* Each records its own path and takes it out again, by rewriting while others
 * wait for the lock of the file that is being replaced. */
static void rewriting_loses_no_record(void **state)
{
    struct fixture *f = *state;
    enum { PROCESSES = 4, ROUNDS = 300 };
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] != 0)
            continue;
        char *path = string_format("/path/%d", i);
        const struct registry_record record = {.path = path};
        for (int round = 0; round < ROUNDS; round++) {
            struct registry r;
            registry_init(&r);
            if (registry_open(&r, f->places.workspace_fd, REGISTRY_CREATE, 5000, NULL) != CORDON_OK ||
                registry_find(&r, path) || registry_record(&r, &record, 1, NULL) != CORDON_OK)
                _exit(1);
            registry_release(&r);
            if (registry_open(&r, f->places.workspace_fd, REGISTRY_CHANGE, 5000, NULL) != CORDON_OK)
                _exit(1);
            struct registry_record *found = registry_find(&r, path);
            if (!found)
                _exit(2);
            found->dropped = true;
            registry_save(&r);
            registry_release(&r);
        }
        _exit(0);
    }
    wait_for_all(children, PROCESSES);
    assert_registry(&f->places, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(remembers_hostile_names),
        TEST(skips_damaged_lines),
        TEST(keeps_other_records_when_rewriting),
        TEST(a_locked_registry_is_an_error),
        TEST(a_torn_end_swallows_nothing),
        TEST(rewriting_loses_no_record),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
