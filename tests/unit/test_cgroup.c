/* test_cgroup.c - where a run's control group is made, against trees of plain files.
 *
 * What a kernel would do to the files (limits that hold) is the matter of the
 * residue and matrix tests on machines with a delegated cgroup v2.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "os/linux/cgroup.h"
#include "scratch.h"

#define MEMORY "linux.limit.memory"
#define PROCESSES "linux.limit.processes"
#define MOUNTS                                                                                               \
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"                                                \
    "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

/* Writes root/path and makes the directories above it. */
static void write_text(const char *root, const char *path, const char *text)
{
    char *full = string_format("%s%s", root, path);
    for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(full, 0755);
        *at = '/';
    }
    FILE *file = fopen(full, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    free(full);
}

static void read_text(const char *directory, const char *name, char text[64])
{
    char *full = string_format("%s/%s", directory, name);
    FILE *file = fopen(full, "re");
    if (!file)
        fail_msg("%s is missing", full);
    text[fread(text, 1, 63, file)] = '\0';
    fclose(file);
    free(full);
}

static void write_proc(const char *root, const char *group, const char *mounts)
{
    write_text(root, "/proc/self/cgroup", group);
    write_text(root, "/proc/self/mountinfo", mounts);
}

/* A group under `point` with what the kernel keeps there. */
static void write_group(const char *root, const char *group, const char *handed_down)
{
    static const char *const files[] = {"cgroup.procs", "cgroup.subtree_control", "cgroup.type"};
    const char *texts[] = {"", handed_down, "domain\n"};
    for (size_t i = 0; i < 3; i++) {
        char *path = string_format("/sys/fs/cgroup%s/%s", group, files[i]);
        write_text(root, path, texts[i]);
        free(path);
    }
}

/* As systemd leaves it for a user: only app.slice and above hand controllers down. */
static void write_session(const char *root, const char *handed_down)
{
    write_proc(root, "0::/user/app.slice/shell.scope\n", MOUNTS);
    write_group(root, "", "cpu memory pids\n");
    write_group(root, "/user", "");
    write_group(root, "/user/app.slice", handed_down);
    write_group(root, "/user/app.slice/shell.scope", "");
}

/* Everything that is called cordon-* in there. */
static int count_made(const char *root, const char *directory)
{
    int count = 0;
    char *full = string_format("%s%s", root, directory);
    DIR *dir = opendir(full);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += strncmp(entry->d_name, "cordon-", 7) == 0;
    closedir(dir);
    free(full);
    return count;
}

static void fails(const char *root, uint64_t memory, uint64_t processes, cordon_status status,
                  const char *step)
{
    struct cordon_error err = {0};
    struct cgroup group = {-7, NULL};
    assert_int_equal(cgroup_create(root, memory, processes, &group, &err), status);
    assert_string_equal(err.step, step);
    assert_int_equal(group.dir_fd, -7);
    if (status == CORDON_E_UNSUPPORTED && !strstr(err.message, "systemd-run --user --scope"))
        fail_msg("no remedy in: %s", err.message);
}

/* Creates it and checks that it lies in root/parent; the caller removes it. */
static struct cgroup makes(const char *root, uint64_t memory, uint64_t processes, const char *parent)
{
    struct cordon_error err = {0};
    struct cgroup group;
    struct stat by_path, by_fd;
    if (cgroup_create(root, memory, processes, &group, &err) != CORDON_OK)
        fail_msg("%s", err.message);
    char *wanted = string_format("%s%s/cordon-%ld-", root, parent, (long)getpid());
    if (strncmp(group.path, wanted, strlen(wanted)) != 0 || strchr(group.path + strlen(wanted), '/'))
        fail_msg("%s is not %s*", group.path, wanted);
    free(wanted);
    assert_int_equal(stat(group.path, &by_path), 0);
    assert_int_equal(fstat(group.dir_fd, &by_fd), 0);
    assert_true(S_ISDIR(by_fd.st_mode) && by_fd.st_ino == by_path.st_ino);
    assert_true(fcntl(group.dir_fd, F_GETFD) & FD_CLOEXEC);
    return group;
}

/* A plain directory, unlike a group, cannot be removed with its files in it. */
static void remove_files(const struct cgroup *group)
{
    static const char *const names[] = {"memory.max",    "memory.swap.max", "memory.oom.group",
                                        "memory.events", "pids.max",        "pids.events"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlinkat(group->dir_fd, names[i], 0);
}

static void removes(struct cgroup *group)
{
    char *path = string_copy(group->path);
    int fd = group->dir_fd;
    remove_files(group);
    cgroup_remove(group);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_null(group->path);
    cgroup_remove(group); /* once more does nothing */
    free(path);
}

static void test_sibling(void **state)
{
    const char *root = *state;
    char text[64];
    write_session(root, "memory pids\n");
    assert_true(cgroup_available(root, true, true));
    assert_int_equal(count_made(root, "/sys/fs/cgroup/user/app.slice"), 0);
    struct cgroup group = makes(root, 2147483648u, 256, "/sys/fs/cgroup/user/app.slice");
    read_text(group.path, "memory.max", text);
    assert_string_equal(text, "2147483648");
    read_text(group.path, "memory.swap.max", text);
    assert_string_equal(text, "0");
    read_text(group.path, "memory.oom.group", text);
    assert_string_equal(text, "1");
    read_text(group.path, "pids.max", text);
    assert_string_equal(text, "256");
    removes(&group);
    assert_int_equal(count_made(root, "/sys/fs/cgroup/user/app.slice"), 0);
}

static void test_only_what_is_wanted(void **state)
{
    const char *root = *state;
    write_session(root, "pids\n");
    struct cgroup group = makes(root, 0, 9, "/sys/fs/cgroup/user/app.slice");
    assert_int_equal(faccessat(group.dir_fd, "memory.max", F_OK, 0), -1);
    removes(&group);
    write_session(root, "cpu memory\n");
    group = makes(root, UINT64_MAX, 0, "/sys/fs/cgroup/user/app.slice");
    assert_int_equal(faccessat(group.dir_fd, "pids.max", F_OK, 0), -1);
    removes(&group);
}

/* The next one up that hands them down, even the top. */
static void test_climbs(void **state)
{
    const char *root = *state;
    write_session(root, "cpu\n");
    struct cgroup group = makes(root, 1 << 20, 5, "/sys/fs/cgroup");
    removes(&group);
    /* A word is a word: "hugememory" hands no memory down. */
    write_group(root, "/user/app.slice", "hugememory memory.x pidsx\n");
    group = makes(root, 1 << 20, 0, "/sys/fs/cgroup");
    removes(&group);
}

static void test_top(void **state)
{
    const char *root = *state;
    write_proc(root, "0::/\n", MOUNTS);
    write_group(root, "", "memory pids\n");
    struct cgroup group = makes(root, 1 << 20, 5, "/sys/fs/cgroup");
    removes(&group);
}

static void test_nothing_handed_down(void **state)
{
    const char *root = *state;
    write_session(root, "");
    write_group(root, "", "cpu\n");
    assert_false(cgroup_available(root, true, false));
    assert_false(cgroup_available(root, false, true));
    fails(root, 1 << 20, 0, CORDON_E_UNSUPPORTED, MEMORY);
    fails(root, 0, 5, CORDON_E_UNSUPPORTED, PROCESSES);
    fails(root, 1 << 20, 5, CORDON_E_UNSUPPORTED, MEMORY);
    /* One of two is not enough, and the message names the other. */
    write_group(root, "", "memory\n");
    assert_false(cgroup_available(root, true, true));
    fails(root, 1 << 20, 5, CORDON_E_UNSUPPORTED, PROCESSES);
    write_group(root, "", "pids\n");
    fails(root, 1 << 20, 5, CORDON_E_UNSUPPORTED, MEMORY);
}

/* Both from one directory: what is handed down apart cannot be had together. */
static void test_apart(void **state)
{
    const char *root = *state;
    write_session(root, "memory\n");
    write_group(root, "", "pids\n");
    assert_true(cgroup_available(root, true, false));
    assert_true(cgroup_available(root, false, true));
    assert_false(cgroup_available(root, true, true));
    fails(root, 1 << 20, 5, CORDON_E_UNSUPPORTED, PROCESSES);
    assert_int_equal(count_made(root, "/sys/fs/cgroup"), 0);
}

static void test_threaded(void **state)
{
    const char *root = *state;
    write_session(root, "pids\n");
    write_text(root, "/sys/fs/cgroup/user/app.slice/cgroup.type", "domain threaded\n");
    write_group(root, "", "");
    assert_false(cgroup_available(root, false, true));
    write_text(root, "/sys/fs/cgroup/user/app.slice/cgroup.type", "threaded\n");
    assert_false(cgroup_available(root, false, true));
    write_text(root, "/sys/fs/cgroup/user/app.slice/cgroup.type", "domain\n");
    assert_true(cgroup_available(root, false, true));
}

static void test_old_hierarchies(void **state)
{
    const char *root = *state;
    write_group(root, "", "memory pids\n");
    write_proc(root, "4:memory:/x\n3:pids:/x\n", MOUNTS);
    fails(root, 1 << 20, 0, CORDON_E_UNSUPPORTED, MEMORY);
    write_proc(root, "4:memory:/x\n0::/\n",
               "30 22 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw,memory\n"
               "31 22 0:27 / /sys/fs/cgroup rw - tmpfs cgroup2 rw\n");
    fails(root, 1 << 20, 0, CORDON_E_UNSUPPORTED, MEMORY);
    write_proc(root, "", "");
    fails(root, 0, 5, CORDON_E_UNSUPPORTED, PROCESSES);
}

static void test_no_proc(void **state)
{
    assert_false(cgroup_available(*state, true, false));
    fails(*state, 1 << 20, 0, CORDON_E_UNSUPPORTED, MEMORY);
}

static void test_hostile_lines(void **state)
{
    static const char *const lines[] = {"\n",
                                        " - cgroup2\n",
                                        "30 22 0:26 - cgroup2 cgroup2 rw\n",
                                        "30 22 0:26 / - cgroup2 c rw\n",
                                        "- - - -\n",
                                        "30 22 0:26 / /sys/fs/cgroup rw -\n",
                                        "30 22 0:26 / /sys/fs/cgroup rw - "};
    const char *root = *state;
    write_group(root, "", "memory pids\n");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        write_proc(root, "0::/\n", lines[i]);
        assert_false(cgroup_available(root, true, false));
    }
    write_proc(root, "0::/../../elsewhere\n", MOUNTS);
    assert_false(cgroup_available(root, true, false));
    write_proc(root, "0::relative\n", MOUNTS);
    assert_false(cgroup_available(root, true, false));
}

/* A container sees a part of the hierarchy, and mount points may hold blanks. */
static void test_partial_mounts(void **state)
{
    const char *root = *state;
    write_text(root, "/my groups/cgroup.procs", "");
    write_text(root, "/my groups/cgroup.subtree_control", "memory\n");
    write_text(root, "/my groups/shell/cgroup.procs", "");
    write_proc(root, "0::/pod/c1/shell\n",
               "30 22 0:26 /pod/c11 /elsewhere rw - cgroup2 cgroup2 rw\n"
               "31 22 0:26 /pod/c1 /my\\040groups rw master:1 - cgroup2 cgroup2 rw\n");
    struct cgroup group = makes(root, 1 << 20, 0, "/my groups");
    removes(&group);
    /* The mount shows our own group only, which cannot have children with controllers. */
    write_proc(root, "0::/pod/c1/shell\n",
               "31 22 0:26 /pod/c1/shell /my\\040groups/shell rw - cgroup2 cgroup2 rw\n");
    assert_false(cgroup_available(root, true, false));
}

static void test_permissions(void **state)
{
    const char *root = *state;
    if (geteuid() == 0)
        skip(); /* may write everything */
    write_session(root, "memory\n");
    write_group(root, "", "");
    char *procs = string_format("%s/sys/fs/cgroup/user/app.slice/cgroup.procs", root);
    char *directory = string_format("%s/sys/fs/cgroup/user/app.slice", root);
    assert_true(cgroup_available(root, true, false));
    chmod(procs, 0444);
    assert_false(cgroup_available(root, true, false));
    chmod(procs, 0644);
    chmod(directory, 0555);
    assert_false(cgroup_available(root, true, false));
    fails(root, 1 << 20, 0, CORDON_E_UNSUPPORTED, MEMORY);
    chmod(directory, 0755);
    free(procs);
    free(directory);
}

/* A process id that nobody has any more. */
static long dead_process(void)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return (long)child;
}

/* What a killed cordon left goes at the next start beside it; nothing else does. */
static void test_left_behind(void **state)
{
    const char *root = *state, *parent = "/sys/fs/cgroup/user/app.slice";
    const long dead = dead_process();
    char *names[] = {string_format("cordon-%ld-0123abcd", dead),           /* goes */
                     string_format("cordon-%ld-0123abcd", (long)getpid()), /* its maker lives */
                     string_format("cordon-%ld-full", dead),               /* not empty */
                     string_format("cordon-%ld", dead),                    /* not our kind of name */
                     string_format("cordon--%ld-x", dead),
                     string_copy("cordon-0-x"),
                     string_copy("cordon-99999999999999999999-x"),
                     string_format("firefox-%ld-x", dead)};
    write_session(root, "memory pids\n");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = string_format("%s%s/%s", root, parent, names[i]);
        assert_int_equal(mkdir(path, 0755), 0);
        free(path);
    }
    char *inside = string_format("%s/%s/cgroup.procs", parent, names[2]);
    write_text(root, inside, "");
    free(inside);
    assert_true(cgroup_available(root, true, true)); /* looks only */
    for (int made = 0; made < 2; made++) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            char *path = string_format("%s%s/%s", root, parent, names[i]);
            if ((access(path, F_OK) == 0) != (i != 0 || !made))
                fail_msg("%s a group is made: %s is wrong", made ? "after" : "before", names[i]);
            free(path);
        }
        if (!made) {
            struct cgroup group = makes(root, 1 << 20, 0, parent);
            removes(&group);
        }
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        free(names[i]);
}

static void test_events(void **state)
{
    const char *root = *state;
    struct cgroup_events events = {true, true};
    write_session(root, "memory pids\n");
    struct cgroup group = makes(root, 1 << 20, 5, "/sys/fs/cgroup/user/app.slice");
    cgroup_read_events(&group, &events);
    assert_false(events.oom);
    assert_false(events.pids_max);

    const char *below = group.path + strlen(root);
    char *memory = string_format("%s/memory.events", below), *pids = string_format("%s/pids.events", below);
    write_text(root, memory, "low 0\nhigh 3\nmax 9\noom 4\noom_kill 0\noom_group_kill 0\n");
    write_text(root, pids, "max 0\n");
    cgroup_read_events(&group, &events);
    assert_false(events.oom); /* reaching the limit is no kill */
    assert_false(events.pids_max);
    write_text(root, memory, "low 0\nhigh 0\nmax 9\noom 1\noom_kill 2\noom_group_kill 1\n");
    write_text(root, pids, "max 7\n");
    cgroup_read_events(&group, &events);
    assert_true(events.oom);
    assert_true(events.pids_max);
    write_text(root, memory, "nonsense\n");
    write_text(root, pids, "max -\n");
    cgroup_read_events(&group, &events);
    assert_false(events.oom);
    assert_false(events.pids_max);
    free(memory);
    free(pids);
    removes(&group);
}

/* This machine, whatever it is: asking changes nothing, and both answers agree. */
static void test_here(void **state)
{
    (void)state;
    struct cordon_error err = {0};
    struct cgroup group;
    bool available = cgroup_available("", true, false);
    cordon_status status = cgroup_create("", 64u << 20, 0, &group, &err);
    if (status == CORDON_OK) {
        assert_true(available);
        char *path = string_copy(group.path);
        cgroup_remove(&group);
        assert_int_equal(access(path, F_OK), -1);
        free(path);
    } else {
        assert_string_equal(err.step, MEMORY);
        assert_true(!available || status == CORDON_E_SYSTEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sibling, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_only_what_is_wanted, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_climbs, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_top, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_nothing_handed_down, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_apart, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_threaded, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_old_hierarchies, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_no_proc, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_hostile_lines, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_partial_mounts, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_permissions, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_left_behind, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_events, scratch_setup, scratch_teardown),
        cmocka_unit_test(test_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
