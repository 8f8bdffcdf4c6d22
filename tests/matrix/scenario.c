/* scenario.c - attacks that need more than one run, or somebody outside; see scenario.h.
 *
 * Each uses the probe's operation `hold`: it tries to make the protected name,
 * says READY, waits for the end of its input, and tries again.
 */
#include "scenario.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOLD "hold @W@/.git"

static bool expect(bool holds, const char *what)
{
    if (!holds) {
        printf("# scenario: not so: %s\n", what);
    }
    return holds;
}

/* Is W/.git there, as an empty directory? */
static bool is_placeholder(const struct world *w)
{
    char path[NAMES_VALUE + 16];
    struct stat st;
    snprintf(path, sizeof path, "%s/.git", names_get(&w->names, "W"));
    /* An empty directory has two links on file systems that count them; 1 on others. */
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_nlink <= 2;
}

static bool is_gone(const struct world *w)
{
    static const char *const names[] = {".git", ".codex", ".agents", ".cordon"};
    bool gone = true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[NAMES_VALUE + 16];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", names_get(&w->names, "W"), names[i]);
        gone &= lstat(path, &st) != 0;
    }
    return gone;
}

static bool start_holder(struct world *w, const char *policy, struct spawned *s)
{
    return expect(world_start(w, policy, HOLD, s) == 0, "a sandbox starts") &&
           expect(spawn_await_line(s, "READY"), "it refuses to make .git and waits");
}

static bool end_holder(struct spawned *s)
{
    struct outcome outcome;
    spawn_finish(s, &outcome);
    bool denied = strncmp(outcome.out, "DENIED", 6) == 0;
    if (!denied) {
        printf("# holder said '%s', stderr '%s', status 0x%x\n", outcome.out, outcome.err,
               (unsigned)outcome.status);
    }
    return expect(denied, "the name was refused until the end");
}

/* `first`: the one that started first ends first. */
static bool two_sandboxes(struct world *w, const char *policy, bool first)
{
    struct spawned s[2];
    if (!start_holder(w, policy, &s[0])) {
        return false;
    }
    bool ok = expect(is_placeholder(w), "a placeholder holds the name");
    if (!start_holder(w, policy, &s[1])) {
        return false;
    }
    ok &= expect(is_placeholder(w), "two sandboxes share it");
    ok &= end_holder(&s[first ? 0 : 1]);
    ok &= expect(is_placeholder(w), "it stays while one sandbox lives");
    ok &= end_holder(&s[first ? 1 : 0]);
    return expect(is_gone(w), "the last one takes it away") && ok;
}

static bool first_ends_first(struct world *w, const char *policy)
{
    return two_sandboxes(w, policy, true);
}

static bool last_ends_first(struct world *w, const char *policy)
{
    return two_sandboxes(w, policy, false);
}

/* SIGKILL of cordon itself: everything inside must die with it. Its input stays
 * open until then, so that nothing ends by itself. */
static bool kill_cordon(struct world *w, const char *policy)
{
    struct spawned s;
    struct outcome outcome;
    if (!start_holder(w, policy, &s)) {
        return false;
    }
    int input = s.in;
    s.in = -1;
    kill(s.pid, SIGKILL);
    spawn_finish(&s, &outcome);
    bool ok = expect(WIFSIGNALED(outcome.status), "cordon dies of SIGKILL");
    ok &= expect(spawn_sweep(NULL, 0) == 0, "no process is left");
    close(input);
    return expect(strstr(outcome.out, "DENIED") == NULL, "the command does not go on") && ok;
}

static bool crash_then_start(struct world *w, const char *policy)
{
    struct spawned s;
    bool ok = kill_cordon(w, policy);
    ok &= start_holder(w, policy, &s) && end_holder(&s);
    return expect(is_gone(w), "the next run takes the crashed one's placeholder away") && ok;
}

/* What a person put into the name after the crash is theirs. */
static bool crash_then_repository(struct world *w, const char *policy)
{
    char path[NAMES_VALUE + 16];
    struct stat st;
    struct spawned s;
    bool ok = kill_cordon(w, policy);
    snprintf(path, sizeof path, "%s/.git", names_get(&w->names, "W"));
    rmdir(path);
    ok &= expect(tree_make_repository(path) == 0, "a repository can be made");
    ok &= expect(world_start(w, policy, "hold @W@/.git/evil", &s) == 0, "a sandbox starts") &&
          expect(spawn_await_line(&s, "READY"), "the repository is protected") && end_holder(&s);
    snprintf(path, sizeof path, "%s/.git/hooks/pre-commit", names_get(&w->names, "W"));
    return expect(lstat(path, &st) == 0, "the repository stays") && ok;
}

/* One of two is killed: the other's protection must not end with it. */
static bool crash_beside(struct world *w, const char *policy)
{
    struct spawned other;
    if (!start_holder(w, policy, &other)) {
        return false;
    }
    struct spawned killed;
    struct outcome outcome;
    if (!start_holder(w, policy, &killed)) {
        return false;
    }
    int input = killed.in;
    killed.in = -1;
    kill(killed.pid, SIGKILL);
    spawn_finish(&killed, &outcome);
    const pid_t known[] = {other.pid};
    bool ended = expect(spawn_sweep(known, 1) == 0, "the killed one leaves no process");
    close(input);
    bool ok = expect(is_placeholder(w), "the placeholder stays for the other") && ended;
    ok &= end_holder(&other);
    struct spawned next;
    ok &= start_holder(w, policy, &next) && end_holder(&next);
    return expect(is_gone(w), "nothing is left at the end") && ok;
}

/* A run starts and ends while a crashed run's placeholder is there and another
 * sandbox uses it. */
static bool start_during(struct world *w, const char *policy)
{
    struct spawned holder;
    struct outcome outcome;
    if (!start_holder(w, policy, &holder)) {
        return false;
    }
    bool ok = true;
    for (int i = 0; i < 3; i++) {
        ok &= expect(world_run(w, policy, "mkdir @W@/.git", false, &outcome) == 0 &&
                         strncmp(outcome.out, "DENIED", 6) == 0,
                     "a short run is refused too");
        ok &= expect(is_placeholder(w), "a short run leaves the placeholder");
    }
    ok &= end_holder(&holder);
    return expect(is_gone(w), "nothing is left at the end") && ok;
}

/* The command locks the placeholder itself: others must neither wait for it nor
 * take the lock for one of cordon's. */
static bool locked_by_command(struct world *w, const char *policy)
{
    struct spawned holder;
    struct outcome outcome;
    if (!expect(world_start(w, policy, "hold-locked @W@/.git", &holder) == 0, "a sandbox starts") ||
        !expect(spawn_await_line(&holder, "READY"), "its command locks the placeholder")) {
        return false;
    }
    bool ok = expect(world_run(w, policy, "mkdir @W@/.git", false, &outcome) == 0 &&
                         strncmp(outcome.out, "DENIED", 6) == 0,
                     "another sandbox starts meanwhile, and refuses");
    ok &= expect(is_placeholder(w), "the placeholder stays");
    ok &= end_holder(&holder);
    return expect(is_gone(w), "nothing is left at the end") && ok;
}

/* While the command waits, something outside is renamed (`to` NULL: removed). */
struct outside_act {
    const char *from, *to; /* below the workspace */
    bool late;             /* not at once: by then the guard watches, and does not look any more */
};

static void wait_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static bool act_outside(struct world *w, const struct outside_act *act)
{
    char from[NAMES_VALUE + 16];
    char to[NAMES_VALUE + 16];
    snprintf(from, sizeof from, "%s/%s", names_get(&w->names, "W"), act->from);
    snprintf(to, sizeof to, "%s/%s", names_get(&w->names, "W"), act->to != NULL ? act->to : "");
    if (act->late) {
        wait_ms(1000);
    }
    return expect((act->to != NULL ? rename(from, to) : rmdir(from)) == 0, "it can be done outside");
}

/* It takes a protection or a mask away: the tree is stopped although its input stays open. */
static bool drops(struct world *w, const char *policy, const struct outside_act *act)
{
    struct spawned s;
    struct outcome outcome;
    if (!start_holder(w, policy, &s)) {
        return false;
    }
    int input = s.in;
    s.in = -1;
    bool ok = act_outside(w, act);
    spawn_finish(&s, &outcome);
    close(input);
    ok &= expect(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 123, "the guard stops it (123)");
    ok &= expect(strstr(outcome.err, act->to != NULL && act->to[0] == '.' ? act->to : act->from) != NULL,
                 "and says what was taken away");
    return expect(spawn_sweep(NULL, 0) == 0, "no process is left") && ok;
}

/* It takes nothing away: the tree goes on. */
static bool drops_nothing(struct world *w, const char *policy, const struct outside_act *act)
{
    struct spawned s;
    return start_holder(w, policy, &s) && act_outside(w, act) && end_holder(&s);
}

static bool env_replaced(struct world *w, const char *policy)
{
    return drops(w, policy, &(struct outside_act){"saved", ".env", false});
}

static bool env_replaced_late(struct world *w, const char *policy)
{
    return drops(w, policy, &(struct outside_act){"saved", ".env", true});
}

static bool env_renamed(struct world *w, const char *policy)
{
    return drops(w, policy, &(struct outside_act){".env", "gone", true});
}

static bool git_file_replaced(struct world *w, const char *policy)
{
    return drops(w, policy, &(struct outside_act){"saved", ".git", false});
}

static bool git_renamed(struct world *w, const char *policy)
{
    return drops(w, policy, &(struct outside_act){".git", "gone", true});
}

static bool placeholder_removed(struct world *w, const char *policy)
{
    return drops(w, policy, &(struct outside_act){".codex", NULL, false});
}

static bool neighbour_replaced(struct world *w, const char *policy)
{
    return drops_nothing(w, policy, &(struct outside_act){"saved", "file", true});
}

static bool workspace_moved(struct world *w, const char *policy)
{
    char back[NAMES_VALUE + 16];
    snprintf(back, sizeof back, "%s-moved", names_get(&w->names, "W"));
    struct spawned s;
    bool ok = start_holder(w, policy, &s) &&
              expect(rename(names_get(&w->names, "W"), back) == 0, "the workspace can be moved");
    wait_ms(100);
    return ok && end_holder(&s) && expect(rename(back, names_get(&w->names, "W")) == 0, "and moved back");
}

bool scenario_run(struct world *w, const char *name, const char *policy)
{
    static const struct {
        const char *name;
        bool (*run)(struct world *w, const char *policy);
    } scenarios[] = {
        {"first-ends-first", first_ends_first},
        {"last-ends-first", last_ends_first},
        {"kill-cordon", kill_cordon},
        {"crash-then-start", crash_then_start},
        {"crash-then-repository", crash_then_repository},
        {"crash-beside", crash_beside},
        {"start-during", start_during},
        {"locked-by-command", locked_by_command},
        {"env-replaced", env_replaced},
        {"env-replaced-late", env_replaced_late},
        {"env-renamed", env_renamed},
        {"git-file-replaced", git_file_replaced},
        {"git-renamed", git_renamed},
        {"placeholder-removed", placeholder_removed},
        {"neighbour-replaced", neighbour_replaced},
        {"workspace-moved", workspace_moved},
    };
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(scenarios[i].name, name) == 0) {
            return scenarios[i].run(w, policy);
        }
    }
    printf("# no scenario '%s'\n", name);
    return false;
}
