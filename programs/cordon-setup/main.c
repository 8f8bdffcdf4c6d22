/* main.c - `cordon-setup`: the one elevated step of cordon, run once, as root.
 *
 *   cordon-setup PROGRAM...            let these make user namespaces
 *   cordon-setup --undo                take it back
 *   cordon-setup --status PROGRAM...   0: in place, 1: not
 *   cordon-setup --dry-run PROGRAM...  what the first would do; needs no rights
 *
 * `cordon setup` runs it, or says how. Trusts nobody: its caller's paths are
 * checked again by descriptor, its environment is dropped, it reads no policy.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/sys.h"
#include "setup/setup.h"

#define EXIT_NOT_IN_PLACE 1
#define EXIT_FAILED 125

static int complain(const struct cordon_error *err)
{
    fprintf(stderr, "cordon-setup: %s\n", err->message);
    return EXIT_FAILED;
}

/* Whoever called us chose all of this. */
static bool forget_the_caller(void)
{
    bool ready = true;
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            ready = open("/dev/null", O_RDWR) == fd && ready;
    umask(022);
    signal(SIGCHLD, SIG_DFL); /* ignored, a parser that failed would not be told from one that did not */
    return sys_close_range(3, ~0u, 0) == 0 && clearenv() == 0 && chdir("/") == 0 && ready;
}

static int apply(struct setup *s)
{
    struct cordon_error err;
    if (setup_apply(s, &err) != CORDON_OK)
        return complain(&err);
    puts("cordon-setup: AppArmor lets cordon make user namespaces now; cordon setup --undo takes it back");
    return 0;
}

static int undo(struct setup *s)
{
    struct cordon_error err;
    if (setup_undo(s, &err) != CORDON_OK)
        return complain(&err);
    puts("cordon-setup: nothing of it is left");
    return 0;
}

static int look(struct setup *s)
{
    struct cordon_error err;
    bool in_place;
    if (setup_look(s, &in_place, &err) != CORDON_OK)
        return complain(&err);
    puts(in_place ? "cordon-setup: in place" : "cordon-setup: not in place");
    return in_place ? 0 : EXIT_NOT_IN_PLACE;
}

static int describe(struct setup *s)
{
    struct cordon_error err;
    struct buf text = BUF_INIT;
    cordon_status status = setup_describe(s, &text, &err);
    if (status == CORDON_OK)
        fwrite(text.data, 1, text.len, stdout);
    buf_release(&text);
    return status == CORDON_OK ? 0 : complain(&err);
}

static int usage(void)
{
    fputs("usage: cordon-setup [--status | --dry-run] PROGRAM...\n"
          "       cordon-setup --undo\n"
          "PROGRAM is the absolute path of cordon, or of cordon-warden. Only root can set up and undo.\n",
          stderr);
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *option;
        int (*action)(struct setup *s);
        bool programs, root;
    } modes[] = {{NULL, apply, true, true},
                 {"--undo", undo, false, true},
                 {"--status", look, true, false},
                 {"--dry-run", describe, true, false}};
    size_t mode = 0;
    int at = 1;
    for (size_t i = 1; argc > 1 && i < sizeof modes / sizeof *modes; i++)
        if (strcmp(argv[1], modes[i].option) == 0)
            mode = i, at = 2;
    if ((argc > at) != modes[mode].programs || (argc > at && argv[at][0] == '-'))
        return usage();
    /* Both: it is not made to be set-user-ID. */
    if (modes[mode].root && (getuid() != 0 || geteuid() != 0)) {
        fputs("cordon-setup: must be run as root; `cordon setup` says how\n", stderr);
        return EXIT_FAILED;
    }
    if (!forget_the_caller()) {
        perror("cordon-setup");
        return EXIT_FAILED;
    }
    struct setup setup;
    struct cordon_error err;
    int code = 0;
    setup_init(&setup, &setup_places_real);
    for (; at < argc && code == 0; at++)
        if (setup_add_program(&setup, argv[at], &err) != CORDON_OK)
            code = complain(&err);
    if (code == 0)
        code = modes[mode].action(&setup);
    setup_release(&setup);
    return code;
}
