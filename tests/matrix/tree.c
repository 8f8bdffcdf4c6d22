/* tree.c - builds, photographs and removes a row's tree; see tree.h. */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

/* Gives directories back what an attack may have taken, so that they can be listed. */
static int open_up(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)at;
    return type == FTW_D || type == FTW_DNR ? chmod(path, 0755) : 0;
}

void tree_remove(const char *root)
{
    struct stat st;
    if (lstat(root, &st) != 0) {
        return;
    }
    nftw(root, open_up, 16, FTW_PHYS);
    if (nftw(root, remove_one, 16, FTW_PHYS | FTW_DEPTH) != 0) {
        fprintf(stderr, "matrix: %s cannot be removed: %s\n", root, strerror(errno));
    }
}

int tree_make_file(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return -1;
    }
    size_t len = strlen(content);
    ssize_t n = write(fd, content, len);
    close(fd);
    return n == (ssize_t)len ? 0 : -1;
}

static int make_below(const char *root, const char *name, const char *content)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return content == NULL ? mkdir(path, 0755) : tree_make_file(path, content);
}

int tree_make_repository(const char *path)
{
    if (mkdir(path, 0755) != 0) {
        return -1;
    }
    return make_below(path, "HEAD", "ref: refs/heads/main\n") || make_below(path, "objects", NULL) ||
           make_below(path, "refs", NULL) || make_below(path, "hooks", NULL) ||
           make_below(path, "hooks/pre-commit", "#!/bin/sh\n") ||
           make_below(path, "config", "[core]\n\trepositoryformatversion = 0\n");
}

int tree_build(const char *root, struct names *names)
{
    static const struct {
        const char *name, *content; /* NULL content: a directory */
    } parts[] = {
        {"r", NULL},          {"r/side", NULL},        {"r/side/file", "side\n"},
        {"r/g", NULL},        {"r/g/w", NULL},         {"r/g/w/file", "inside\n"},
        {"r/g/w/other", "x"}, {"r/g/w/dir", NULL},     {"r/g/w/dir/file", "inside\n"},
        {"o", NULL},          {"o/file", "outside\n"}, {"o/second", "outside too\n"},
        {"o/dir", NULL},      {"o/dir/file", "o\n"},   {"o/empty", NULL},
        {"h", NULL},          {"h/.profile", "# h\n"}, {"h/.config", NULL},
        {"x", NULL},
    };
    char path[4096];
    char target[4096];
    tree_remove(root);
    if (mkdir(root, 0755) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (make_below(root, parts[i].name, parts[i].content) != 0) {
            return -1;
        }
    }
    snprintf(path, sizeof path, "%s/o/fifo", root);
    int bad = mkfifo(path, 0600);
    snprintf(path, sizeof path, "%s/o/link", root);
    bad |= symlink("file", path);
    snprintf(target, sizeof target, "%s/o/file", root);
    snprintf(path, sizeof path, "%s/r/g/w/to-file", root);
    bad |= symlink(target, path);
    snprintf(target, sizeof target, "%s/o", root);
    snprintf(path, sizeof path, "%s/r/g/w/to-dir", root);
    bad |= symlink(target, path);
    /* For removexattr; a file system without them makes that row ABSENT. */
    snprintf(path, sizeof path, "%s/o/second", root);
    setxattr(path, "user.cordon", "1", 1, 0);
    names_set(names, "T", "%s", root);
    names_set(names, "R", "%s/r", root);
    names_set(names, "G", "%s/r/g", root);
    names_set(names, "W", "%s/r/g/w", root);
    names_set(names, "O", "%s/o", root);
    names_set(names, "H", "%s/h", root);
    names_set(names, "X", "%s/x", root);
    return bad;
}

void picture_add(struct picture_rules *rules, const char *path, bool watched)
{
    if (rules->count == sizeof rules->items / sizeof *rules->items) {
        abort();
    }
    snprintf(rules->items[rules->count].path, NAMES_VALUE, "%s", path);
    rules->items[rules->count++].watched = watched;
}

static bool is_watched(const struct picture_rules *rules, const char *path)
{
    bool watched = true;
    size_t longest = 0;
    for (size_t i = 0; i < rules->count; i++) {
        const char *rule = rules->items[i].path;
        size_t len = strlen(rule);
        /* >=: of two rules for one path the later decides. */
        if (len >= longest && strncmp(path, rule, len) == 0 && (path[len] == '\0' || path[len] == '/')) {
            watched = rules->items[i].watched;
            longest = len;
        }
    }
    return watched;
}

static void add_line(struct picture *p, const char *line)
{
    if (p->count == p->cap) {
        p->cap = p->cap == 0 ? 128 : p->cap * 2;
        p->lines = realloc(p->lines, p->cap * sizeof *p->lines);
        if (p->lines == NULL) {
            abort();
        }
    }
    p->lines[p->count] = strdup(line);
    if (p->lines[p->count++] == NULL) {
        abort();
    }
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ p[i]) * 0x100000001b3u; /* FNV-1a */
    }
    return hash;
}

static uint64_t hash_content(const char *path, const struct stat *st)
{
    char block[65536];
    uint64_t hash = 0xcbf29ce484222325u;
    if (S_ISLNK(st->st_mode)) {
        ssize_t n = readlink(path, block, sizeof block);
        return n > 0 ? hash_bytes(hash, block, (size_t)n) : 0;
    }
    int fd = S_ISREG(st->st_mode) ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0) {
        return 0;
    }
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0) {
        hash = hash_bytes(hash, block, (size_t)n);
    }
    close(fd);
    return hash;
}

static int take_below(struct picture *p, const char *path, const struct picture_rules *rules)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        return -1;
    }
    if (is_watched(rules, path)) {
        char line[8192];
        /* The ctime shows chmod, chown, xattr, utimes and links by itself. */
        snprintf(line, sizeof line,
                 "%s: mode %o links %lu owner %u:%u size %lld mtime %lld.%09ld ctime %lld.%09ld "
                 "content %016llx",
                 path, (unsigned)st.st_mode, (unsigned long)st.st_nlink, st.st_uid, st.st_gid,
                 (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                 (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
                 (unsigned long long)hash_content(path, &st));
        add_line(p, line);
    }
    if (!S_ISDIR(st.st_mode)) {
        return 0;
    }
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return errno == EACCES ? 0 : -1;
    }
    int bad = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        char below[4096];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < (int)sizeof below) {
            bad |= take_below(p, below, rules);
        }
    }
    closedir(dir);
    return bad;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int picture_take(struct picture *out, const char *root, const struct picture_rules *rules)
{
    memset(out, 0, sizeof *out);
    if (take_below(out, root, rules) != 0) {
        picture_release(out);
        return -1;
    }
    if (out->count == 0) {
        return 0; /* a row may open everything */
    }
    qsort(out->lines, out->count, sizeof *out->lines, compare_lines);
    return 0;
}

size_t picture_compare(const struct picture *before, const struct picture *after, const char *prefix)
{
    size_t i = 0;
    size_t j = 0;
    size_t differences = 0;
    while (i < before->count || j < after->count) {
        int order = i == before->count  ? 1
                    : j == after->count ? -1
                                        : strcmp(before->lines[i], after->lines[j]);
        if (order == 0) {
            i++;
            j++;
            continue;
        }
        const char *line = order < 0 ? before->lines[i++] : after->lines[j++];
        if (differences++ < 10) {
            printf("%s%s %s\n", prefix, order < 0 ? "-" : "+", line);
        }
    }
    return differences;
}

void picture_release(struct picture *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->lines[i]);
    }
    free(p->lines);
    memset(p, 0, sizeof *p);
}
