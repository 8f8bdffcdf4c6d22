/* world.c - builds what a row needs and runs the probe in it; see world.h. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_into(int *slot, const char *path, int flags)
{
    if (*slot >= 0) {
        close(*slot);
    }
    *slot = open(path, flags | O_CLOEXEC);
    return *slot < 0 ? -1 : 0;
}

static int do_dir(struct world *w, const char *a, const char *b)
{
    (void)w;
    (void)b;
    return mkdir(a, 0755);
}

static int do_file(struct world *w, const char *a, const char *b)
{
    (void)w;
    return tree_make_file(a, b);
}

static int do_git(struct world *w, const char *a, const char *b)
{
    (void)w;
    (void)b;
    return tree_make_repository(a);
}

static int do_symlink(struct world *w, const char *a, const char *b)
{
    (void)w;
    return symlink(a, b);
}

static int do_link(struct world *w, const char *a, const char *b)
{
    (void)w;
    return link(a, b);
}

static int do_mode(struct world *w, const char *a, const char *b)
{
    (void)w;
    return chmod(b, (mode_t)strtol(a, NULL, 8));
}

static int do_fifo(struct world *w, const char *a, const char *b)
{
    (void)w;
    (void)b;
    return mkfifo(a, 0600);
}

static int do_give(struct world *w, const char *a, const char *b)
{
    (void)b;
    return lchown(a, w->lane->other_uid, w->lane->other_uid);
}

static int do_remove(struct world *w, const char *a, const char *b)
{
    (void)w;
    (void)b;
    return remove(a);
}

static int do_stdin(struct world *w, const char *a, const char *b)
{
    (void)b;
    return open_into(&w->stdin_fd, a, O_RDWR);
}

static int do_stdin_read(struct world *w, const char *a, const char *b)
{
    (void)b;
    return open_into(&w->stdin_fd, a, O_RDONLY);
}

static int do_stdin_path(struct world *w, const char *a, const char *b)
{
    (void)b;
    return open_into(&w->stdin_fd, a, O_PATH);
}

static int do_stdin_socket(struct world *w, const char *a, const char *b)
{
    (void)b;
    int fd = outside_socket(a);
    if (fd < 0) {
        return -1;
    }
    if (w->stdin_fd >= 0) {
        close(w->stdin_fd);
    }
    w->stdin_fd = fd;
    return 0;
}

static int do_fd3(struct world *w, const char *a, const char *b)
{
    (void)b;
    return open_into(&w->extra_fd, a, O_RDWR);
}

static int do_fd3_read(struct world *w, const char *a, const char *b)
{
    (void)b;
    return open_into(&w->extra_fd, a, O_RDONLY);
}

static int do_fd3_path(struct world *w, const char *a, const char *b)
{
    (void)b;
    return open_into(&w->extra_fd, a, O_PATH);
}

/* A mount point of its own, read and writable; only root's lane may. */
static int do_tmpfs(struct world *w, const char *a, const char *b)
{
    (void)b;
    if (w->mount_count == WORLD_MOUNTS_MAX) {
        errno = E2BIG;
        return -1;
    }
    if (mount("cordon-matrix", a, "tmpfs", 0, "mode=755,size=1m") != 0) {
        return -1;
    }
    snprintf(w->mounts[w->mount_count++], NAMES_VALUE, "%s", a);
    return 0;
}

static int do_cwd(struct world *w, const char *a, const char *b)
{
    (void)b;
    snprintf(w->cwd, sizeof w->cwd, "%s", a);
    return 0;
}

static int do_listen(struct world *w, const char *a, const char *b)
{
    (void)a;
    (void)b;
    return outside_listen(&w->outside, &w->names);
}

static int do_victim(struct world *w, const char *a, const char *b)
{
    (void)a;
    (void)b;
    return outside_add_victim(&w->outside, &w->names);
}

static int do_group(struct world *w, const char *a, const char *b)
{
    (void)a;
    (void)b;
    w->group = true;
    return 0;
}

static int do_terminal(struct world *w, const char *a, const char *b)
{
    (void)a;
    (void)b;
    w->terminal = true;
    return 0;
}

static int do_objects(struct world *w, const char *a, const char *b)
{
    (void)a;
    (void)b;
    return outside_add_objects(&w->outside, &w->names);
}

static int do_temporary(struct world *w, const char *a, const char *b)
{
    (void)a;
    (void)b;
    return outside_add_temporary(&w->outside, &w->names);
}

/* One step: a word and its arguments. */
static int step_run(struct world *w, char **words, size_t count)
{
    static const struct {
        const char *name;
        size_t arguments;
        int (*run)(struct world *w, const char *a, const char *b);
    } steps[] = {
        {"dir", 1, do_dir},
        {"file", 2, do_file},
        {"git", 1, do_git},
        {"fifo", 1, do_fifo},
        {"symlink", 2, do_symlink},
        {"link", 2, do_link},
        {"mode", 2, do_mode},
        {"give", 1, do_give},
        {"remove", 1, do_remove},
        {"stdin", 1, do_stdin},
        {"stdin-read", 1, do_stdin_read},
        {"stdin-path", 1, do_stdin_path},
        {"stdin-socket", 1, do_stdin_socket},
        {"fd3", 1, do_fd3},
        {"fd3-read", 1, do_fd3_read},
        {"fd3-path", 1, do_fd3_path},
        {"cwd", 1, do_cwd},
        {"listen", 0, do_listen},
        {"victim", 0, do_victim},
        {"group", 0, do_group},
        {"terminal", 0, do_terminal},
        {"objects", 0, do_objects},
        {"temporary", 0, do_temporary},
        {"tmpfs", 1, do_tmpfs},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (strcmp(steps[i].name, words[0]) == 0 && steps[i].arguments == count - 1) {
            return steps[i].run(w, words[1], count > 2 ? words[2] : NULL);
        }
    }
    errno = EINVAL;
    return -1;
}

int world_make(struct world *w, const struct lane *lane, const char *setup)
{
    char root[NAMES_VALUE];
    memset(w, 0, sizeof *w);
    w->lane = lane;
    w->stdin_fd = -1;
    w->extra_fd = -1;
    outside_init(&w->outside);
    snprintf(root, sizeof root, "%.480s/t", lane->home);
    if (tree_build(root, &w->names) != 0) {
        printf("# the tree %s cannot be built: %s\n", root, strerror(errno));
        return -1;
    }
    names_set(&w->names, "PROBE", "%s", lane->probe);
    names_set(&w->names, "UID", "%u", lane->uid);
    names_set(&w->names, "OTHER", "%u", lane->other_uid);
    names_set(&w->names, "LONG", "%0255d", 0); /* the longest name that file systems take */
    snprintf(w->cwd, sizeof w->cwd, "%s", names_get(&w->names, "W"));
    char *steps = strdup(setup);
    int bad = steps == NULL;
    for (char *next = steps; next != NULL && !bad;) {
        char *step = next;
        next = strchr(step, ';');
        if (next != NULL) {
            *next++ = '\0';
        }
        char unknown[16];
        char *text = names_expand(&w->names, step, unknown);
        if (text == NULL) {
            printf("# setup: no placeholder %s yet\n", unknown);
            bad = 1;
            break;
        }
        char *words[WORDS_MAX];
        size_t count = words_cut(text, words);
        if (count > 0 && step_run(w, words, count) != 0) {
            printf("# setup: %s: %s\n", step, strerror(errno));
            bad = 1;
        }
        free(text);
    }
    free(steps);
    if (bad) {
        world_release(w);
    }
    return bad ? -1 : 0;
}

void world_release(struct world *w)
{
    outside_release(&w->outside);
    if (w->stdin_fd >= 0) {
        close(w->stdin_fd);
    }
    if (w->extra_fd >= 0) {
        close(w->extra_fd);
    }
    while (w->mount_count > 0) {
        umount2(w->mounts[--w->mount_count], MNT_DETACH);
    }
    tree_remove(names_get(&w->names, "T"));
}

struct command {
    char *texts[2];
    char *argv[3 * WORDS_MAX];
    char variables[6][NAMES_VALUE + 32];
    char *environment[8];
};

static int command_make(struct command *c, struct world *w, const char *policy, const char *probe)
{
    static char run[] = "run", trace[] = "--trace";
    static char workspace[] = "-C";
    static char dashes[] = "--";
    char unknown[16];
    char *words[WORDS_MAX];
    size_t n = 0;
    memset(c, 0, sizeof *c);
    c->texts[0] = names_expand(&w->names, policy == NULL ? "" : policy, unknown);
    c->texts[1] = names_expand(&w->names, probe, unknown);
    if (c->texts[0] == NULL || c->texts[1] == NULL) {
        printf("# no placeholder %s in this row\n", unknown);
        return -1;
    }
    if (policy != NULL) {
        c->argv[n++] = (char *)w->lane->cordon;
        c->argv[n++] = run;
        if (w->lane->traced) {
            c->argv[n++] = trace;
        }
        size_t count = words_cut(c->texts[0], words);
        if (count == 0 || strcmp(words[0], "-C") != 0) {
            c->argv[n++] = workspace;
            c->argv[n++] = (char *)names_get(&w->names, "W");
        }
        for (size_t i = 0; i < count; i++) {
            c->argv[n++] = words[i];
        }
        c->argv[n++] = dashes;
    }
    c->argv[n++] = (char *)w->lane->probe;
    size_t count = words_cut(c->texts[1], words);
    for (size_t i = 0; i < count; i++) {
        c->argv[n++] = words[i];
    }
    snprintf(c->variables[0], sizeof c->variables[0], "HOME=%s", names_get(&w->names, "H"));
    snprintf(c->variables[1], sizeof c->variables[1], "XDG_STATE_HOME=%s", names_get(&w->names, "X"));
    snprintf(c->variables[2], sizeof c->variables[2], "XDG_CONFIG_HOME=%s/.config",
             names_get(&w->names, "H"));
    snprintf(c->variables[3], sizeof c->variables[3], "PATH=/usr/bin:/bin");
    snprintf(c->variables[4], sizeof c->variables[4], "LC_ALL=C");
    for (size_t i = 0; i < 5; i++) {
        c->environment[i] = c->variables[i];
    }
    return 0;
}

static void command_release(struct command *c)
{
    free(c->texts[0]);
    free(c->texts[1]);
}

static int start(struct world *w, const char *policy, const char *probe, bool isolated, bool own_stdin,
                 struct spawned *out)
{
    struct command c;
    if (command_make(&c, w, policy, probe) != 0) {
        command_release(&c);
        return -1;
    }
    struct spawn how = {.argv = c.argv,
                        .environment = c.environment,
                        .cwd = w->cwd,
                        .stdin_fd = w->stdin_fd,
                        .extra_fd = w->extra_fd,
                        .own_stdin = own_stdin,
                        .terminal = w->terminal,
                        .isolated = isolated,
                        .companion = w->group ? w->outside.victim : 0};
    int failed = spawn_start(&how, out);
    command_release(&c);
    if (failed) {
        printf("# cannot start: %s\n", strerror(errno));
    }
    return failed;
}

int world_run(struct world *w, const char *policy, const char *probe, bool isolated, struct outcome *out)
{
    struct spawned s;
    if (start(w, policy, probe, isolated, false, &s) != 0) {
        return -1;
    }
    spawn_finish(&s, out);
    return 0;
}

int world_start(struct world *w, const char *policy, const char *probe, struct spawned *out)
{
    return start(w, policy, probe, false, true, out);
}
