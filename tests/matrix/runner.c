/* runner.c - runs a table of attacks: control outside, attack inside, then a
 * look from outside.
 *
 * Role: `matrix-runner --cordon FILE --probe FILE [OPTIONS] TABLE.tsv`, called
 * by ctest. Started as root it runs each row as root and, in a second process
 * that gives its rights away, as an ordinary user; else as that user only.
 * Output is TAP-like. What the columns mean: README.md.
 */
#include "check.h"
#include "scenario.h"
#include "table.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct request {
    const char *cordon, *probe, *trees, *lane, *only;
    bool control_only, traced;
    long uid;
};

struct counts {
    unsigned passed, failed, pinned, absent, without_control, not_here;
};

enum answer {
    ANSWER_ALLOWED,
    ANSWER_DENIED,
    ANSWER_ABSENT,
    ANSWER_BROKEN,
    ANSWER_REFUSED, /* cordon refused to start: 125 */
    ANSWER_GUARDED, /* a guard stopped the tree: 123 */
    ANSWER_NONE
};

static const char *const answer_names[] = {"ALLOWED", "DENIED",  "ABSENT", "BROKEN",
                                           "REFUSED", "GUARDED", "NONE"};

struct row {
    const struct lane *lane;
    const char *name, *setup, *policy, *probe, *expected, *control, *after, *note;
};

static bool starts_with(const char *text, const char *word)
{
    size_t len = strlen(word);
    return strncmp(text, word, len) == 0 && strchr(" :\n", text[len]) != NULL; /* or its end */
}

static enum answer answer_parse(const char *text)
{
    for (int i = 0; i < ANSWER_NONE; i++) {
        if (starts_with(text, answer_names[i])) {
            return (enum answer)i;
        }
    }
    return ANSWER_NONE;
}

/* What was said and the exit status must agree. */
static enum answer answer_of(const struct outcome *o, bool inside)
{
    enum answer said = answer_parse(o->out);
    if (o->timed_out || !WIFEXITED(o->status)) {
        return ANSWER_NONE;
    }
    int code = WEXITSTATUS(o->status);
    if (inside && code == 123) {
        return ANSWER_GUARDED;
    }
    if (inside && code == 125 && o->out[0] == '\0' && strncmp(o->err, "cordon: ", 8) == 0) {
        return ANSWER_REFUSED;
    }
    return said <= ANSWER_BROKEN && code == (int)said ? said : ANSWER_NONE;
}

static void print_outcome(const char *where, struct outcome *o)
{
    for (char *p = o->out; *p != '\0'; p++) {
        *p = *p == '\n' ? ' ' : *p;
    }
    for (char *p = o->err; *p != '\0'; p++) {
        *p = *p == '\n' ? '|' : *p;
    }
    printf("# %s said '%s' (status 0x%x%s)%s%.900s\n", where, o->out, (unsigned)o->status,
           o->timed_out ? ", timed out" : "", o->err[0] != '\0' ? "; stderr: " : "", o->err);
}

/* "WORD EROFS|EACCES": is the errno that the probe said one of them, if there are any? */
static bool is_expected_errno(const char *expected, const char *said)
{
    const char *alternatives = strchr(expected, ' ');
    const char *detail = strchr(said, ' ');
    if (alternatives == NULL) {
        return true;
    }
    if (detail == NULL) {
        return false;
    }
    size_t len = strcspn(++detail, " \n");
    for (const char *at = alternatives + 1; *at != '\0';) {
        size_t n = strcspn(at, "|");
        if (n == len && strncmp(at, detail, n) == 0) {
            return true;
        }
        at += n + (at[n] == '|');
    }
    return false;
}

static bool is_expected(const char *expected, enum answer answer, const char *said)
{
    return answer_parse(expected) == answer && is_expected_errno(expected, said);
}

static size_t sweep(const struct world *w)
{
    const pid_t known[] = {w->outside.server, w->outside.victim};
    return spawn_sweep(known, 2);
}

/* The control: the same attack without the sandbox must work. */
static bool run_control(const struct row *r, struct counts *counts, bool *absent)
{
    struct world w;
    struct outcome outcome;
    if (starts_with(r->control, "none")) {
        counts->without_control++;
        return true;
    }
    if (world_make(&w, r->lane, r->setup) != 0) {
        return false;
    }
    bool ok = false;
    if (world_run(&w, NULL, r->probe, starts_with(r->control, "isolated"), &outcome) == 0) {
        size_t left = sweep(&w);
        outside_settle(&w.outside);
        enum answer answer = answer_of(&outcome, false);
        *absent = answer == ANSWER_ABSENT || (answer == ANSWER_DENIED && starts_with(r->control, "absent") &&
                                              is_expected_errno(r->control, outcome.out));
        ok = answer == ANSWER_ALLOWED && check_after(&w, r->after, left, true) == 0;
        ok |= *absent;
        if (!ok) {
            print_outcome("the control, without a sandbox,", &outcome);
        }
    }
    world_release(&w);
    return ok;
}

static size_t look_outside(const struct row *r, struct world *w, const struct picture *before,
                           const struct picture_rules *rules, unsigned names_before, size_t left)
{
    struct picture after = {0};
    size_t bad = 0;
    if (picture_take(&after, names_get(&w->names, "T"), rules) != 0) {
        printf("# the tree cannot be read afterwards\n");
        return 1;
    }
    bad += picture_compare(before, &after, "# outside changed: ");
    picture_release(&after);
    bad += check_after(w, r->after, left, false);
    unsigned names_after = check_names_present(w);
    if (names_after != names_before && strstr(r->after, "free ") == NULL) {
        printf("# protected names before %04x, after %04x (bits: R G W O, .git .codex .agents .cordon)\n",
               names_before, names_after);
        bad++;
    }
    if (left > 0) {
        printf("# %zu processes were left\n", left);
        bad++;
    }
    if (spawn_mounts_below(names_get(&w->names, "T")) != w->mount_count) {
        printf("# a mount was left\n");
        bad++;
    }
    if (answer_parse(r->expected) != ANSWER_ALLOWED && outside_reached(&w->outside) > 0) {
        printf("# a listener outside was reached %u times\n", outside_reached(&w->outside));
        bad++;
    }
    return bad;
}

static bool run_inside(const struct row *r, bool absent)
{
    struct world w;
    struct picture_rules rules;
    struct picture before = {0};
    struct outcome outcome;
    if (world_make(&w, r->lane, r->setup) != 0) {
        return false;
    }
    bool ok = false;
    if (check_rules(&rules, &w, r->policy, r->after) != 0 ||
        picture_take(&before, names_get(&w.names, "T"), &rules) != 0) {
        goto out;
    }
    unsigned names_before = check_names_present(&w);
    if (starts_with(r->probe, "scenario")) {
        ok = scenario_run(&w, r->probe + strlen("scenario "), r->policy);
    } else {
        if (world_run(&w, r->policy, r->probe, false, &outcome) != 0) {
            goto out;
        }
        enum answer answer = answer_of(&outcome, true);
        /* What this machine does not have must still not be allowed. */
        ok = is_expected(r->expected, answer, outcome.out) ||
             (absent && (answer == ANSWER_ABSENT || answer == ANSWER_DENIED));
        if (!ok) {
            printf("# expected %s\n", r->expected);
            print_outcome("the probe inside", &outcome);
        }
    }
    size_t left = sweep(&w);
    outside_settle(&w.outside);
    size_t bad = look_outside(r, &w, &before, &rules, names_before, left);
    ok = ok && bad == 0;
out:
    picture_release(&before);
    world_release(&w);
    return ok;
}

static void run_row(const struct row *r, bool control_only, struct counts *counts)
{
    bool absent = false;
    bool pinned = starts_with(r->note, "limit");
    bool scenario = starts_with(r->probe, "scenario");
    bool ok = scenario || run_control(r, counts, &absent);
    ok = ok && (control_only || run_inside(r, absent));
    const char *remark = !ok ? "" : absent ? " # absent here" : pinned ? " # documented limit" : "";
    printf("%s - %s: %s: %s%s\n", ok ? "ok" : "not ok", r->lane->name, r->name, r->expected, remark);
    if (!ok) {
        printf("#   setup: %s\n#   cordon run -C @W@ %s -- cordon-probe %s\n", r->setup, r->policy, r->probe);
    }
    fflush(stdout);
    counts->failed += !ok;
    counts->absent += ok && absent;
    counts->pinned += ok && !absent && pinned;
    counts->passed += ok && !absent && !pinned;
}

static int run_lane(const struct lane *lane, const struct table *t, const struct request *q)
{
    struct counts counts = {0};
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        perror("matrix: PR_SET_CHILD_SUBREAPER");
        return 1;
    }
    /* What rows mount stays here even when the runner is killed. */
    if (lane->uid == 0 &&
        (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)) {
        perror("matrix: a mount namespace for root's rows");
        return 1;
    }
    for (size_t i = 0; i < t->row_count; i++) {
        struct row r = {.lane = lane,
                        .name = table_cell(t, i, "name"),
                        .setup = table_cell(t, i, "setup"),
                        .policy = table_cell(t, i, "policy"),
                        .probe = table_cell(t, i, "probe"),
                        .expected = table_cell(t, i, lane->column),
                        .control = table_cell(t, i, "control"),
                        .after = table_cell(t, i, "after"),
                        .note = table_cell(t, i, "note")};
        if (q->only != NULL && strstr(r.name, q->only) == NULL) {
            continue;
        }
        if (r.expected[0] == '\0') {
            counts.not_here++;
            continue;
        }
        run_row(&r, q->control_only, &counts);
    }
    printf("# %s (uid %u): %u passed, %u FAILED, %u documented limits, %u absent here, %u without a control, "
           "%u rows not for this lane\n",
           lane->name, lane->uid, counts.passed, counts.failed, counts.pinned, counts.absent,
           counts.without_control, counts.not_here);
    fflush(stdout);
    return counts.failed == 0 && (q->only != NULL || counts.passed > 0) ? 0 : 1;
}

/* Runs the lane in a process of its own; as another user when that is not the
 * caller. After setuid the kernel makes the process non-dumpable, and its
 * /proc files root's: both would fail the controls for the wrong reason. */
static int fork_lane(const struct lane *lane, const struct table *t, const struct request *q)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (lane->uid != getuid() &&
            (setgroups(0, NULL) != 0 || setresgid(lane->uid, lane->uid, lane->uid) != 0 ||
             setresuid(lane->uid, lane->uid, lane->uid) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0)) {
            perror("matrix: cannot become the user of the lane");
            _exit(1);
        }
        int code = run_lane(lane, t, q);
        fflush(stdout);
        _exit(code);
    }
    int status = 1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("matrix: fork");
        return 1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int copy_program(const char *from, const char *to)
{
    char block[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    int bad = in < 0 || out < 0 || fchmod(out, 0755) != 0;
    ssize_t n = 0;
    while (!bad && (n = read(in, block, sizeof block)) > 0) {
        bad = write(out, block, (size_t)n) != n;
    }
    if (bad || n < 0) {
        fprintf(stderr, "matrix: %s cannot be copied to %s: %s\n", from, to, strerror(errno));
        bad = 1;
    }
    if (in >= 0) {
        close(in);
    }
    if (out >= 0) {
        close(out);
    }
    return bad;
}

/* Lies `path` where the sandbox has its own directory instead? */
static bool is_temporary(const char *path)
{
    static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t len = strlen(places[i]);
        if (strncmp(path, places[i], len) == 0 && (path[len] == '/' || path[len] == '\0')) {
            return true;
        }
    }
    return false;
}

/* May everybody walk to `path`? */
static bool is_reachable(const char *path)
{
    char part[NAMES_VALUE];
    struct stat st;
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        snprintf(part, sizeof part, "%.*s", (int)i, path);
        if (stat(part, &st) != 0 || (st.st_mode & S_IXOTH) == 0) {
            return false;
        }
    }
    return true;
}

/* Would a tree there lie inside a git repository? Then an absent .git is watched, not held. */
static bool is_in_repository(const char *path)
{
    char git[NAMES_VALUE + 8];
    struct stat st;
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        snprintf(git, sizeof git, "%.*s/.git", (int)i, path);
        if (lstat(git, &st) == 0) {
            return true;
        }
    }
    return false;
}

/* Where the trees go: the directory asked for, unless it is temporary (the
 * sandbox replaces those), lies in a repository, or the user of the lane cannot
 * walk there. */
static int choose_base(char *out, size_t size, const char *wanted, bool as_root)
{
    char real[NAMES_VALUE] = "";
    char *resolved = realpath(wanted, NULL);
    if (resolved != NULL) {
        snprintf(real, sizeof real, "%s", resolved);
        free(resolved);
    }
    const char *why = real[0] == '\0'                  ? "does not exist"
                      : is_temporary(real)             ? "is a temporary directory"
                      : is_in_repository(real)         ? "lies in a git repository"
                      : strlen(real) > 60              ? "is too long for socket names"
                      : as_root && !is_reachable(real) ? "cannot be reached by an ordinary user"
                                                       : NULL;
    if (why != NULL) {
        const char *home = getenv("HOME");
        const char *instead = as_root ? "/var/lib" : home;
        if (instead == NULL || is_temporary(instead) || is_in_repository(instead)) {
            fprintf(stderr, "matrix: %s %s, and there is no other place: use --trees DIR\n", wanted, why);
            return -1;
        }
        printf("# trees are built in %s: %s %s\n", instead, wanted, why);
        snprintf(real, sizeof real, "%.60s", instead);
    }
    snprintf(out, size, "%.60s/cm%d", real, (int)getpid());
    return mkdir(out, 0755);
}

static int run_lanes(const struct request *q, const struct table *t, const char *base)
{
    char cordon[NAMES_VALUE + 16];
    char probe[NAMES_VALUE + 16];
    bool as_root = geteuid() == 0;
    int code = 0;
    snprintf(cordon, sizeof cordon, "%s/cordon", base);
    snprintf(probe, sizeof probe, "%s/cordon-probe", base);
    if (copy_program(q->cordon, cordon) != 0 || copy_program(q->probe, probe) != 0) {
        return 1;
    }
    struct lane lanes[2] = {
        {.name = "user", .column = "linux-user", .uid = as_root ? (uid_t)q->uid : getuid()},
        {.name = "root", .column = "linux-root", .uid = 0, .other_uid = (uid_t)q->uid},
    };
    for (int i = 0; i < (as_root ? 2 : 1); i++) {
        struct lane *lane = &lanes[i];
        if (q->lane != NULL && strcmp(q->lane, lane->name) != 0) {
            continue;
        }
        lane->cordon = cordon;
        lane->probe = probe;
        lane->traced = q->traced;
        snprintf(lane->home, sizeof lane->home, "%.490s/%c", base, lane->name[0]);
        if (mkdir(lane->home, 0755) != 0 || (as_root && chown(lane->home, lane->uid, lane->uid) != 0)) {
            perror("matrix: the lane's directory");
            return 1;
        }
        code |= fork_lane(lane, t, q);
    }
    if (!as_root) {
        printf("# root: not exercised (the runner is not root)\n");
    }
    return code;
}

static int usage(void)
{
    fprintf(stderr,
            "usage: matrix-runner --cordon FILE --probe FILE --trees DIR [--uid N] [--lane user|root] "
            "[--only NAME] [--control-only] [--traced] TABLE.tsv\n");
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"cordon", required_argument, NULL, 'c'},
        {"probe", required_argument, NULL, 'p'},
        {"trees", required_argument, NULL, 't'},
        {"uid", required_argument, NULL, 'u'},
        {"lane", required_argument, NULL, 'l'},
        {"only", required_argument, NULL, 'o'},
        {"control-only", no_argument, NULL, 'n'},
        {"traced", no_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    struct request q = {.uid = 59999, .trees = "."};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            q.cordon = optarg;
            break;
        case 'p':
            q.probe = optarg;
            break;
        case 't':
            q.trees = optarg;
            break;
        case 'u':
            q.uid = strtol(optarg, NULL, 10);
            break;
        case 'l':
            q.lane = optarg;
            break;
        case 'n':
            q.control_only = true;
            break;
        case 'r':
            q.traced = true;
            break;
        case 'o':
            q.only = optarg;
            break;
        default:
            return usage();
        }
    }
    if (optind + 1 != argc || q.cordon == NULL || q.probe == NULL || q.uid <= 0) {
        return usage();
    }
    char message[512];
    struct table table;
    if (table_read(&table, argv[optind], message, sizeof message) != 0) {
        fprintf(stderr, "matrix: %s\n", message);
        return 2;
    }
    char base[NAMES_VALUE];
    umask(022);
    if (choose_base(base, sizeof base, q.trees, geteuid() == 0) != 0) {
        perror("matrix: the directory for the trees");
        table_release(&table);
        return 2;
    }
    int code = run_lanes(&q, &table, base);
    tree_remove(base);
    table_release(&table);
    return code;
}
