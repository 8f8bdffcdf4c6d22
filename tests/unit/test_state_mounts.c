/* test_state_mounts.c - mount points and masks below what a command may have written into. */
#include "state_fixture.h"

/* ---- mount points ---- */

static void makes_mount_points(void **state)
{
    struct fixture *f = *state;
    static const enum policy_tmp kinds[] = {TMP_WORKSPACE, TMP_FRESH};
    for (size_t i = 0; i < 2; i++) {
        struct places p;
        open_state(f, &p, kinds[i]);
        for (int twice = 0; twice < 2; twice++) {
            assert_int_equal(state_mountpoint(&p, "tmp", "a/b", true, NULL), CORDON_OK);
            assert_int_equal(state_mountpoint(&p, "vartmp", "a/f", false, NULL), CORDON_OK);
            assert_int_equal(state_mountpoint(&p, "dev", "dri/card0", false, NULL), CORDON_OK);
        }
        char *tmp = state_path(&p, "tmp"), *vartmp = state_path(&p, "vartmp");
        char *directory = string_format("%s/a/b", tmp), *file = string_format("%s/a/f", vartmp);
        assert_true(S_ISDIR(mode_of(directory)));
        assert_true(S_ISREG(mode_of(file)));
        assert_true(S_ISREG(mode_below(&p, "dev/dri/card0")));
        free(tmp);
        free(vartmp);
        free(directory);
        free(file);
        state_close(&p);
        places_release(&p);
    }
}

static void mount_points_follow_nothing_planted(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *plant, *relative;
        bool directory;
    } cases[] = {
        {"ln -s ../../../../.. tmp/a", "a/made", true},
        {"mkdir -p tmp/b && ln -s \"$PWD/../../../..\" tmp/b/c", "b/c/made", true},
        {"ln -s /proc/self/root tmp/d", "d/made", true},
        {"ln -s \"$PWD/../../../../victim\" tmp/e", "e", true},
        {"ln -s \"$PWD/../../../../victim\" tmp/f", "f/inner", true}, /* is there already */
        {"ln -s nowhere tmp/g", "g", false},
        {": > tmp/h", "h/made", true},
        {": > tmp/i", "i", true},
        {"mkdir tmp/j", "j", false},
        {"mkfifo tmp/k", "k", false},
    };
    struct places p;
    open_state(f, &p, TMP_WORKSPACE);
    char *victim = string_format("%s/victim", f->home), *made = string_format("%s/made", f->home);
    char *inner = string_format("%s/inner", victim);
    assert_int_equal(mkdir(victim, 0700), 0);
    assert_int_equal(mkdir(inner, 0700), 0);
    free(inner);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cordon_error err = {0};
        run_in(&p, cases[i].plant);
        assert_int_equal(state_mountpoint(&p, "tmp", cases[i].relative, cases[i].directory, &err),
                         CORDON_E_CONFLICT);
        assert_string_equal(err.step, "state.mountpoint");
        assert_non_null(strstr(err.message, "--tmp fresh"));
    }
    assert_exists(made, false);
    free(made);
    made = string_format("%s/made", f->root);
    assert_exists(made, false);
    assert_exists("/made", false);
    free(victim);
    free(made);
    places_release(&p);
}

static void mount_points_stay_below(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"", "/", "/etc", ".", "..", "../x", "a/../b", "a//b", "a/", "a/./b"};
    struct places p;
    open_state(f, &p, TMP_WORKSPACE);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(state_mountpoint(&p, "tmp", bad[i], true, NULL), CORDON_E_INVALID);
    places_release(&p);
}

/* ---- masks ---- */

static void masks_have_their_holes(void **state)
{
    struct fixture *f = *state;
    struct places p;
    char *one = NULL, *two = NULL, *other = NULL;
    open_state(f, &p, TMP_WORKSPACE);
    for (int twice = 0; twice < 2; twice++) {
        free(one);
        free(two);
        assert_int_equal(state_mask_with_hole(&p, "/h/.ssh", "a/b", &one, NULL), CORDON_OK);
        assert_int_equal(state_mask_with_hole(&p, "/h/.ssh", "a/c", &two, NULL), CORDON_OK);
    }
    assert_int_equal(state_mask_with_hole(&p, "state", "cache", &other, NULL), CORDON_OK);
    assert_string_equal(one, two);
    assert_string_not_equal(one, other);
    assert_int_equal(mode_of(one), S_IFDIR | 0111);
    char *path = string_format("%s/a", one);
    assert_int_equal(mode_of(path), S_IFDIR | 0111);
    free(path);
    path = string_format("%s/a/b", one);
    assert_true(S_ISDIR(mode_of(path)));
    free(path);
    path = string_format("%s/a/c", one);
    assert_true(S_ISDIR(mode_of(path)));
    free(path);
    path = string_format("%s/cache", other);
    assert_true(S_ISDIR(mode_of(path)));
    free(path);
    path = NULL;
    assert_int_equal(state_mask_with_hole(&p, "k", "../x", &path, NULL), CORDON_E_INVALID);
    assert_null(path);
    free(one);
    free(two);
    free(other);
    places_release(&p);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(makes_mount_points),
        TEST(mount_points_follow_nothing_planted),
        TEST(mount_points_stay_below),
        TEST(masks_have_their_holes),
    };
    return cmocka_run_group_tests_name("state-mounts", tests, NULL, NULL);
}
