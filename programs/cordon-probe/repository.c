/* repository.c - ways to plant a repository that git outside would obey. What a
 * guard has to notice: none of the calls is refused by itself.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REFUSED "EROFS EACCES EPERM EBUSY EXDEV"
#define SECOND 1000

static void wait_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static int make(const char *directory, const char *name, int is_directory)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
        return -1;
    return is_directory ? mkdir(path, 0755) : mknod(path, S_IFREG | 0644, 0);
}

static int move(const char *from, const char *old, const char *to, const char *name, unsigned flags)
{
    char source[4096];
    char target[4096];
    if (snprintf(source, sizeof source, "%s/%s", from, old) >= (int)sizeof source ||
        snprintf(target, sizeof target, "%s/%s", to, name) >= (int)sizeof target)
        return -1;
    return renameat2(AT_FDCWD, source, AT_FDCWD, target, flags);
}

static int stores(const char *directory)
{
    return make(directory, "objects", 1) == 0 && make(directory, "refs", 1) == 0 ? 0 : -1;
}

static int bare(const char *directory)
{
    return stores(directory) == 0 ? make(directory, "HEAD", 0) : -1;
}

/* Made aside, then each part renamed into place. */
static int by_rename(const char *directory)
{
    static const char *const parts[] = {"HEAD", "refs", "objects"};
    char aside[4096];
    snprintf(aside, sizeof aside, "%s/aside", directory);
    int failed = mkdir(aside, 0755) || bare(aside);
    for (int i = 0; i < 3 && !failed; i++) {
        failed = move(aside, parts[i], directory, parts[i], 0);
    }
    return failed;
}

static int by_link(const char *directory)
{
    char old[4096];
    char head[4096];
    snprintf(old, sizeof old, "%s/aside", directory);
    snprintf(head, sizeof head, "%s/HEAD", directory);
    return stores(directory) || make(directory, "aside", 0) || link(old, head);
}

/* git takes a link to refs/... for HEAD, wherever it leads. */
static int by_symlink(const char *directory)
{
    char head[4096];
    snprintf(head, sizeof head, "%s/HEAD", directory);
    return stores(directory) || symlink("refs/heads/absent", head);
}

/* A HEAD that is a directory is harmless, until it is exchanged for a file. */
static int by_exchange(const char *directory)
{
    return stores(directory) || make(directory, "HEAD", 1) || make(directory, "aside", 0) ||
           move(directory, "aside", directory, "HEAD", RENAME_EXCHANGE);
}

/* With `commondir`, the rest may lie elsewhere. */
static int by_commondir(const char *directory)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/aside", directory);
    if (mkdir(path, 0755) != 0 || stores(path) != 0 || make(directory, "HEAD", 0) != 0) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/commondir", directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    int failed = fd < 0 || write(fd, "aside\n", 6) != 6;
    if (fd >= 0) {
        close(fd);
    }
    return failed;
}

/* By a process of another session whose parent is gone. The command stays: what
 * is planted is met while it runs. */
static int by_daemon(const char *directory)
{
    int ends[2];
    char byte;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() == 0) {
            wait_ms(SECOND / 10);
            _exit(bare(directory) != 0);
        }
        _exit(0);
    }
    close(ends[1]);
    waitpid(child, NULL, 0);
    while (read(ends[0], &byte, 1) > 0) {
    }
    close(ends[0]);
    wait_ms(SECOND);
    return 0;
}

/* Long after the start, and gone again at once. */
static int for_a_moment(const char *directory)
{
    char head[4096];
    snprintf(head, sizeof head, "%s/HEAD", directory);
    wait_ms(SECOND);
    int failed = bare(directory) || unlink(head);
    wait_ms(SECOND);
    return failed;
}

/* Behind more events than any queue holds. */
static int in_a_flood(const char *directory)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/drop", directory);
    wait_ms(SECOND);
    for (int i = 0; i < 40000; i++) {
        if (i == 20000 && bare(directory) != 0) {
            return -1;
        }
        if (mknod(path, S_IFREG | 0644, 0) != 0 || unlink(path) != 0) {
            return -1;
        }
    }
    return 0;
}

static struct probe_result plant_bare_by(const struct probe_call *c)
{
    static const struct {
        const char *name;
        int (*plant)(const char *directory);
    } ways[] = {
        {"rename", by_rename},     {"link", by_link},           {"symlink", by_symlink},
        {"exchange", by_exchange}, {"commondir", by_commondir}, {"daemon", by_daemon},
        {"moment", for_a_moment},  {"flood", in_a_flood},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(ways[i].name, c->args[0]) == 0) {
            return ways[i].plant(c->args[1]) == 0 ? probe_allowed() : probe_failed(c, ways[i].name, errno);
        }
    }
    return probe_broken("no way '%s'", c->args[0]);
}

const struct probe_operation probe_repository[] = {
    {"plant-bare-by", "WAY DIR", REFUSED, "", plant_bare_by},
    {NULL, NULL, NULL, NULL, NULL},
};
