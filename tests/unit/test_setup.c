/* test_setup.c - the step as root, on a tree of the test's own (src/setup, src/os/linux/root_owned.c).
 *
 * The tree stands for the machine; its parser only writes down what it was
 * asked, and does what it is told in `answer`. What must be root's may here be
 * this user's.
 */
#include "scratch.h"

#include <stdio.h>
#include <sys/stat.h>

#include "os/linux/root_owned.h"
#include "setup/setup.h"

static const char *const parsers[] = {"/usr/sbin/apparmor_parser", "/sbin/apparmor_parser", NULL};

struct tree {
    char *root;
    struct setup_places places;
};

static int make_tree(void **state)
{
    struct tree *t = calloc(1, sizeof *t);
    if (!t || !(t->root = scratch_make()))
        return -1;
    scratch_run(t->root,
                "umask 022; chmod 755 .\n"
                "mkdir -p etc/apparmor.d/abi usr/sbin usr/local/bin usr/local/libexec/cordon sys\n"
                "echo old >etc/apparmor.d/other; : >etc/apparmor.d/abi/4.0; : >sys/profiles\n"
                "cat >usr/sbin/apparmor_parser <<'EOF'\n"
                "#!/bin/sh\n"
                "root=${0%/usr/sbin/apparmor_parser}\n"
                "{ echo \"$# ${1} ${2#\"$root\"}\"; cat; env | grep -v '^PWD=' | sort; } >>\"$root/log\"\n"
                "[ ! -e \"$root/fail\" ] || { echo no >&2; exit 3; }\n"
                "case $1 in\n"
                "--replace) sed -n 's/^profile \\([^ ]*\\) .*/\\1 (unconfined)/p' \"$2\" ;;\n"
                "esac >\"$root/sys/profiles\"\n"
                "EOF\n"
                "chmod 755 usr/sbin/apparmor_parser\n"
                "for p in bin/cordon bin/cordon-2 libexec/cordon/cordon-warden; do\n"
                "    echo x >usr/local/$p; chmod 755 usr/local/$p\n"
                "done\n"
                "mkdir usr/local/other; cp -p usr/local/bin/cordon usr/local/other");
    t->places = (struct setup_places){.root = t->root,
                                      .owner = geteuid(),
                                      .directory = "/etc/apparmor.d",
                                      .abi = "/etc/apparmor.d/abi/4.0",
                                      .parsers = parsers,
                                      .loaded = "/sys/profiles"};
    *state = t;
    return 0;
}

static int remove_tree(void **state)
{
    struct tree *t = *state;
    bool gone = scratch_remove(t->root);
    free(t);
    return gone ? 0 : -1;
}

typedef cordon_status action(struct setup *s, struct cordon_error *err);

/* With these programs (NULL: none), as cordon-setup does it. */
static cordon_status with(const struct tree *t, action *act, const char *first, const char *second,
                          struct cordon_error *err)
{
    struct setup s;
    setup_init(&s, &t->places);
    cordon_status status = first ? setup_add_program(&s, first, err) : CORDON_OK;
    if (status == CORDON_OK && second)
        status = setup_add_program(&s, second, err);
    if (status == CORDON_OK)
        status = act(&s, err);
    setup_release(&s);
    return status;
}

#define CORDON "/usr/local/bin/cordon"
#define WARDEN "/usr/local/libexec/cordon/cordon-warden"

static void succeed(const struct tree *t, action *act, const char *first, const char *second)
{
    struct cordon_error err;
    if (with(t, act, first, second, &err) != CORDON_OK)
        fail_msg("%s: %s", err.step, err.message);
}

static void refused(const struct tree *t, action *act, const char *first, const char *step, const char *part)
{
    struct cordon_error err;
    memset(&err, 0, sizeof err);
    assert_int_not_equal(with(t, act, first, NULL, &err), CORDON_OK);
    if (strcmp(err.step, step) != 0 || !strstr(err.message, part))
        fail_msg("%s: %s", err.step, err.message);
}

static bool in_place(const struct tree *t, const char *first, const char *second)
{
    struct setup s;
    struct cordon_error err;
    bool yes = false;
    setup_init(&s, &t->places);
    assert_int_equal(setup_add_program(&s, first, &err), CORDON_OK);
    assert_true(!second || setup_add_program(&s, second, &err) == CORDON_OK);
    assert_int_equal(setup_look(&s, &yes, &err), CORDON_OK);
    setup_release(&s);
    return yes;
}

static char *read_text(const struct tree *t, const char *path)
{
    char *full = string_format("%s%s", t->root, path), *text = calloc(1, 65536);
    FILE *file = fopen(full, "r");
    assert_non_null(text);
    if (file) {
        assert_true(fread(text, 1, 65535, file) < 65535);
        fclose(file);
    }
    free(full);
    return text;
}

static void assert_text(const struct tree *t, const char *path, const char *wanted)
{
    char *text = read_text(t, path);
    assert_string_equal(text, wanted);
    free(text);
}

static void assert_profile(const struct tree *t, const struct profile_program *programs, size_t count)
{
    struct buf wanted = BUF_INIT;
    struct cordon_error err;
    assert_int_equal(profile_text(programs, count, &wanted, &err), CORDON_OK);
    assert_text(t, "/etc/apparmor.d/cordon", wanted.data);
    buf_release(&wanted);
}

static const char only_its_own[] =
    "ls -A etc/apparmor.d | sort | tr '\\n' ' ' >have; echo 'abi other ' | tr -d "
    "'\\n' >want; cmp have want; rm have want";

/* -- the path ------------------------------------------------------------- */

static void applying(void **state)
{
    const struct tree *t = *state;
    assert_false(in_place(t, CORDON, WARDEN));
    succeed(t, setup_apply, CORDON, WARDEN);
    assert_true(in_place(t, CORDON, WARDEN));
    assert_false(in_place(t, CORDON, NULL)); /* as it would be for other programs */
    assert_profile(t, (struct profile_program[]){{"cordon", CORDON}, {"cordon-warden", WARDEN}}, 2);
    /* The parser was asked once, and got nothing of the caller's environment. */
    assert_text(t, "/log",
                "2 --replace /etc/apparmor.d/cordon\nLC_ALL=C\n"
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
    scratch_run(
        t->root,
        "[ \"$(stat -c %a etc/apparmor.d/cordon)\" = 644 ]; [ \"$(ls -A etc/apparmor.d | wc -l)\" = 3 ]");
}

static void applying_twice(void **state)
{
    const struct tree *t = *state;
    succeed(t, setup_apply, CORDON, NULL);
    scratch_run(t->root, "stat -c '%i %Y' etc/apparmor.d/cordon >before");
    succeed(t, setup_apply, CORDON, NULL);
    scratch_run(t->root, "stat -c '%i %Y' etc/apparmor.d/cordon | cmp - before");
    /* Loaded again: what has the name may be an older one. */
    scratch_run(t->root, "[ \"$(grep -c replace log)\" = 2 ]");
}

static void applying_for_another_place(void **state)
{
    const struct tree *t = *state;
    succeed(t, setup_apply, CORDON, NULL);
    succeed(t, setup_apply, "/usr/local/other/cordon", NULL);
    assert_profile(t, (struct profile_program[]){{"cordon", "/usr/local/other/cordon"}}, 1);
}

/* Killed after each of its effects: the next one completes it, and undo takes it back. */
static void interrupted(void **state)
{
    static const char *const effects[] = {
        "printf half >etc/apparmor.d/.cordon.new",           /* while writing */
        "cp etc/apparmor.d/kept etc/apparmor.d/cordon",      /* before loading */
        "echo 'cordon (unconfined)' >sys/profiles",          /* undone but for unloading */
        "cp etc/apparmor.d/kept etc/apparmor.d/.cordon.new", /* before the rename */
    };
    const struct tree *t = *state;
    for (size_t i = 0; i < 2 * sizeof effects / sizeof *effects; i++) {
        succeed(t, setup_apply, CORDON, NULL);
        scratch_run(t->root, "mv etc/apparmor.d/cordon etc/apparmor.d/kept; : >sys/profiles");
        scratch_run(t->root, effects[i / 2]);
        if (i % 2 == 0) {
            succeed(t, setup_apply, CORDON, NULL);
            assert_true(in_place(t, CORDON, NULL));
        }
        succeed(t, setup_undo, NULL, NULL);
        scratch_run(t->root, "rm etc/apparmor.d/kept; [ ! -s sys/profiles ]");
        scratch_run(t->root, only_its_own);
    }
}

static void undoing(void **state)
{
    const struct tree *t = *state;
    succeed(t, setup_undo, NULL, NULL); /* there is nothing */
    scratch_run(t->root, "[ ! -e log ]");
    succeed(t, setup_apply, CORDON, WARDEN);
    scratch_run(t->root, "rm log");
    succeed(t, setup_undo, NULL, NULL);
    scratch_run(t->root, only_its_own);
    assert_text(t, "/log",
                "1 --remove \nprofile cordon {}\nprofile cordon-warden {}\nLC_ALL=C\n"
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
    assert_text(t, "/sys/profiles", "");
    assert_false(in_place(t, CORDON, WARDEN));
    succeed(t, setup_undo, NULL, NULL);
}

static void undoing_without_apparmor(void **state)
{
    const struct tree *t = *state;
    scratch_run(t->root, "rm -r etc/apparmor.d sys usr/sbin");
    succeed(t, setup_undo, NULL, NULL);
    assert_false(in_place(t, CORDON, NULL));
}

/* What is loaded cannot be told: then nothing is removed. */
static void undoing_blindly(void **state)
{
    const struct tree *t = *state;
    succeed(t, setup_apply, CORDON, NULL);
    scratch_run(t->root, "rm sys/profiles; ln -s profiles sys/profiles");
    refused(t, setup_undo, NULL, "setup.load", "not known");
    scratch_run(t->root, "[ -e etc/apparmor.d/cordon ]; rm sys/profiles");
    succeed(t, setup_undo, NULL, NULL);
}

/* -- what is somebody else's ---------------------------------------------- */

static void somebody_elses_file(void **state)
{
    static const char *const makings[] = {
        "echo theirs >etc/apparmor.d/cordon",
        ": >etc/apparmor.d/cordon",
        "ln -s ../../usr/local/bin/cordon etc/apparmor.d/cordon",
        "mkfifo etc/apparmor.d/cordon",
        "mkdir etc/apparmor.d/cordon",
        "echo '# mine' >>etc/apparmor.d/cordon",
        "sed -i s/userns/all/ etc/apparmor.d/cordon",
    };
    const struct tree *t = *state;
    for (size_t i = 0; i < sizeof makings / sizeof *makings; i++) {
        if (i >= 5)
            succeed(t, setup_apply, CORDON, NULL);
        scratch_run(t->root, makings[i]);
        scratch_run(t->root, "ls -lid etc/apparmor.d/cordon >before; rm -f log");
        refused(t, setup_apply, CORDON, "setup.foreign", "not replaced");
        refused(t, setup_undo, NULL, "setup.foreign", "not removed");
        assert_false(in_place(t, CORDON, NULL));
        scratch_run(t->root, "ls -lid etc/apparmor.d/cordon | cmp - before; [ ! -e log ]; echo x | cmp - "
                             "usr/local/bin/cordon; rm -rf etc/apparmor.d/cordon; : >sys/profiles");
    }
}

static void parser_fails(void **state)
{
    const struct tree *t = *state;
    scratch_run(t->root, ": >fail");
    refused(t, setup_apply, CORDON, "setup.load", "status 3");
    assert_false(in_place(t, CORDON, NULL));
    scratch_run(t->root, "rm fail");
    succeed(t, setup_apply, CORDON, NULL);
    assert_true(in_place(t, CORDON, NULL));
    /* Undo keeps the file as long as the kernel has the profile. */
    scratch_run(t->root, ": >fail; echo 'cordon (unconfined)' >sys/profiles");
    refused(t, setup_undo, NULL, "setup.load", "status 3");
    scratch_run(t->root, "[ -e etc/apparmor.d/cordon ]; rm fail");
    succeed(t, setup_undo, NULL, NULL);
    scratch_run(t->root, only_its_own);
}

static void parser_is_not_right(void **state)
{
    const struct tree *t = *state;
    scratch_run(t->root, "chmod g+w usr/sbin/apparmor_parser");
    refused(t, setup_apply, CORDON, "setup.path", "apparmor_parser can be written by others");
    scratch_run(t->root, "chmod g-w usr/sbin/apparmor_parser; chmod o+w usr/sbin");
    refused(t, setup_apply, CORDON, "setup.path", "/usr/sbin can be written by others");
    scratch_run(t->root, "rm -r usr/sbin");
    refused(t, setup_apply, CORDON, "setup.load", "install the package apparmor");
    /* The other place. */
    scratch_run(t->root,
                "mkdir sbin; printf '#!/bin/sh\\n: >>\"${0%%/sbin/*}/other\"\\n' >sbin/apparmor_parser; "
                "chmod 755 sbin sbin/apparmor_parser");
    succeed(t, setup_apply, CORDON, NULL);
    scratch_run(t->root, "[ -e other ]");
}

static void directory_is_not_right(void **state)
{
    const struct tree *t = *state;
    scratch_run(t->root, "chmod o+w etc/apparmor.d");
    refused(t, setup_apply, CORDON, "setup.path", "/etc/apparmor.d can be written by others");
    refused(t, setup_undo, NULL, "setup.path", "/etc/apparmor.d can be written by others");
    scratch_run(t->root, "chmod o-w etc/apparmor.d; mv etc/apparmor.d etc/real; ln -s real etc/apparmor.d");
    refused(t, setup_apply, CORDON, "setup.path", "symbolic link");
    scratch_run(t->root, "rm etc/apparmor.d; mv etc/real etc/apparmor.d; rm etc/apparmor.d/abi/4.0");
    refused(t, setup_apply, CORDON, "setup.apparmor", "does not restrict them");
}

/* -- the caller's paths --------------------------------------------------- */

static void programs(void **state)
{
    static const struct {
        const char *preparation, *path, *step, *part;
    } rows[] = {
        {":", "usr/local/bin/cordon", "setup.path", "want an absolute path"},
        {":", "/usr/local/bin/cordon-2", "setup.program", "named cordon or cordon-warden"},
        {":", "cordon", "setup.program", "named cordon or cordon-warden"},
        {":", "/usr/local/bin/", "setup.program", "named cordon or cordon-warden"},
        {":", "/usr/local/../local/bin/cordon", "setup.path", "want a plain path"},
        {":", "/usr/./local/bin/cordon", "setup.path", "want a plain path"},
        {":", "/usr//local/bin/cordon", "setup.path", "want a plain path"},
        {":", "/usr/local/none/cordon", "setup.path", "No such file"},
        {"mkdir -p usr/local/d/cordon", "/usr/local/d/cordon", "setup.path", "is not a file"},
        {"ln -s ../bin/cordon usr/local/d/link; mkdir -p usr/local/e; ln -s ../bin/cordon usr/local/e/cordon",
         "/usr/local/e/cordon", "setup.path", "is a symbolic link"},
        {"ln -s bin usr/local/sbin", "/usr/local/sbin/cordon", "setup.path",
         "/usr/local/sbin is a symbolic link"},
        {"chmod 644 usr/local/other/cordon", "/usr/local/other/cordon", "setup.path", "is not executable"},
        {"chmod 775 usr/local/other/cordon", "/usr/local/other/cordon", "setup.path",
         "can be written by others"},
        {"chmod 757 usr/local/other/cordon", "/usr/local/other/cordon", "setup.path",
         "can be written by others"},
        {"chmod 755 usr/local/other/cordon; chmod 1777 usr/local/other", "/usr/local/other/cordon",
         "setup.path", "/usr/local/other can be written by others than root (mode 1777)"},
        {"chmod 755 usr/local/other; chmod 2775 usr/local", "/usr/local/other/cordon", "setup.path",
         "/usr/local can be written by others"},
        {"chmod 755 usr/local; chmod 777 .", "/usr/local/other/cordon", "setup.path",
         "can be written by others"},
    };
    const struct tree *t = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scratch_run(t->root, rows[i].preparation);
        refused(t, setup_apply, rows[i].path, rows[i].step, rows[i].part);
    }
    scratch_run(t->root, "chmod 755 .; [ ! -e log ]");
    struct cordon_error err;
    assert_int_not_equal(with(t, setup_apply, CORDON, "/usr/local/other/cordon", &err), CORDON_OK);
    assert_string_equal(err.step, "setup.program");
    refused(t, setup_apply, NULL, "setup.program", "no program named");
    scratch_run(t->root, only_its_own);
}

/* Only root can give files away. */
static void foreign_owner(void **state)
{
    const struct tree *t = *state;
    if (geteuid() != 0)
        return;
    scratch_run(t->root, "chown 61235 usr/local/bin/cordon");
    refused(t, setup_apply, CORDON, "setup.path", "belongs to uid 61235");
    scratch_run(t->root, "chown 0 usr/local/bin/cordon; chown 61235 usr/local");
    refused(t, setup_apply, CORDON, "setup.path", "/usr/local belongs to uid 61235");
    scratch_run(t->root, "chown 0 usr/local; chown 61235 etc/apparmor.d");
    refused(t, setup_apply, CORDON, "setup.path", "/etc/apparmor.d belongs to uid 61235");
}

/* On the real system nothing may be written here, and it is not root's as far as the user goes. */
static void real_places(void **state)
{
    int fd;
    struct cordon_error err;
    (void)state;
    assert_string_equal(setup_places_real.root, "");
    assert_int_equal(setup_places_real.owner, 0);
    assert_int_equal(root_owned_open("", "/", 0, true, &fd, &err), CORDON_OK);
    close(fd);
    assert_int_not_equal(root_owned_open("", "/tmp", 0, true, &fd, &err), CORDON_OK);
}

static void description(void **state)
{
    const struct tree *t = *state;
    struct setup s;
    struct buf text = BUF_INIT;
    struct cordon_error err;
    setup_init(&s, &t->places);
    assert_int_equal(setup_add_program(&s, CORDON, &err), CORDON_OK);
    assert_int_equal(setup_describe(&s, &text, &err), CORDON_OK);
    assert_non_null(strstr(text.data, "write /etc/apparmor.d/cordon (mode 0644):\n"));
    assert_non_null(
        strstr(text.data, "    profile cordon \"" CORDON "\" flags=(unconfined) {\n      userns,\n"));
    assert_non_null(strstr(text.data, "run /usr/sbin/apparmor_parser --replace /etc/apparmor.d/cordon\n"));
    buf_release(&text);
    setup_release(&s);
    scratch_run(t->root, only_its_own);
}

int main(void)
{
#define IN_TREE(f) cmocka_unit_test_setup_teardown(f, make_tree, remove_tree)
    const struct CMUnitTest tests[] = {
        IN_TREE(applying),
        IN_TREE(applying_twice),
        IN_TREE(applying_for_another_place),
        IN_TREE(interrupted),
        IN_TREE(undoing),
        IN_TREE(undoing_without_apparmor),
        IN_TREE(undoing_blindly),
        IN_TREE(somebody_elses_file),
        IN_TREE(parser_fails),
        IN_TREE(parser_is_not_right),
        IN_TREE(directory_is_not_right),
        IN_TREE(programs),
        IN_TREE(foreign_owner),
        IN_TREE(description),
        cmocka_unit_test(real_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
