/* check.c - what must hold outside after a row; see check.h. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const protected_names[] = {".git", ".codex", ".agents", ".cordon"};
#define PROTECTED_COUNT (sizeof protected_names / sizeof *protected_names)

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* Was `name` taken out by --unprotect? */
static bool is_unprotected(char **words, size_t count, const char *name)
{
    for (size_t i = 0; i + 1 < count; i++) {
        if (strcmp(words[i], "--unprotect") == 0 && strcmp(words[i + 1], name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_root(struct picture_rules *out, const char *root, char **words, size_t count)
{
    char path[NAMES_VALUE];
    picture_add(out, root, false);
    for (size_t i = 0; i < PROTECTED_COUNT; i++) {
        snprintf(path, sizeof path, "%.480s/%s", root, protected_names[i]);
        if (is_there(path) && !is_unprotected(words, count, protected_names[i])) {
            picture_add(out, path, true);
        }
    }
}

static void add_protected(struct picture_rules *out, const char *workspace, const char *what)
{
    char path[NAMES_VALUE];
    snprintf(path, sizeof path, "%.255s%s%.255s", what[0] == '/' ? "" : workspace, what[0] == '/' ? "" : "/",
             what);
    if (is_there(path)) {
        picture_add(out, path, true);
    }
}

static void add_policy(struct picture_rules *out, const char *workspace, char **words, size_t count)
{
    bool read_only = false;
    for (size_t i = 0; i + 1 < count; i++) {
        read_only |= strcmp(words[i], "--profile") == 0 && strcmp(words[i + 1], "read-only") == 0;
    }
    if (!read_only) {
        add_root(out, workspace, words, count);
    }
    for (size_t i = 0; i + 1 < count; i++) {
        if (strcmp(words[i], "-w") == 0) {
            add_root(out, words[i + 1], words, count);
        }
    }
    for (size_t i = 0; i + 1 < count; i++) {
        if (strcmp(words[i], "-p") == 0) {
            add_protected(out, workspace, words[i + 1]);
        }
    }
}

/* Calls `each` for every entry of `after`, expanded and cut into words. */
static int for_each_entry(const struct world *w, const char *after,
                          int (*each)(const struct world *w, char **words, size_t count, void *context),
                          void *context)
{
    char unknown[16];
    char *text = names_expand(&w->names, after, unknown);
    if (text == NULL) {
        printf("# after: no placeholder %s in this row\n", unknown);
        return -1;
    }
    int result = 0;
    for (char *next = text; next != NULL;) {
        char *words[WORDS_MAX];
        char *entry = next;
        next = strchr(entry, ';');
        if (next != NULL) {
            *next++ = '\0';
        }
        size_t count = words_cut(entry, words);
        if (count > 0) {
            result += each(w, words, count, context);
        }
    }
    free(text);
    return result;
}

static int add_free(const struct world *w, char **words, size_t count, void *context)
{
    (void)w;
    if (count == 2 && strcmp(words[0], "free") == 0) {
        picture_add(context, words[1], false);
    }
    return 0;
}

int check_rules(struct picture_rules *out, const struct world *w, const char *policy, const char *after)
{
    char unknown[16];
    char *words[WORDS_MAX];
    char *text = names_expand(&w->names, policy, unknown);
    out->count = 0;
    if (text == NULL) {
        printf("# policy: no placeholder %s in this row\n", unknown);
        return -1;
    }
    size_t count = words_cut(text, words);
    const char *workspace = names_get(&w->names, "W");
    if (count > 1 && strcmp(words[0], "-C") == 0) {
        workspace = words[1];
    }
    add_policy(out, workspace, words, count);
    free(text);
    picture_add(out, names_get(&w->names, "X"), false);
    return for_each_entry(w, after, add_free, out);
}

unsigned check_names_present(const struct world *w)
{
    static const char *const places[] = {"R", "G", "W", "O"};
    unsigned present = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        for (size_t j = 0; j < PROTECTED_COUNT; j++) {
            char path[NAMES_VALUE + 16];
            snprintf(path, sizeof path, "%s/%s", names_get(&w->names, places[i]), protected_names[j]);
            present |= (unsigned)is_there(path) << (i * PROTECTED_COUNT + j);
        }
    }
    return present;
}

static bool has_content(const char *path, const char *text)
{
    char content[4096];
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        return false;
    }
    size_t n = fread(content, 1, sizeof content - 1, f);
    fclose(f);
    content[n] = '\0';
    return strstr(content, text) != NULL;
}

struct after_context {
    size_t left_processes;
    bool control;
};

/* 1 holds, 0 does not, -1 no such entry. */
static int entry_holds(const struct world *w, char **words, size_t count, size_t left_processes)
{
    const char *word = words[0] + (words[0][0] == '!');
    if (strcmp(word, "absent") == 0 && count == 2) {
        return !is_there(words[1]);
    }
    if (strcmp(word, "present") == 0 && count == 2) {
        return is_there(words[1]);
    }
    if (strcmp(word, "content") == 0 && count == 3) {
        return has_content(words[1], words[2]);
    }
    if (strcmp(word, "unreached") == 0 && count == 1) {
        return outside_reached(&w->outside) == 0;
    }
    if (strcmp(word, "alive") == 0 && count == 1) {
        return outside_victim_lives(&w->outside);
    }
    if (strcmp(word, "no-process") == 0 && count == 1) {
        return left_processes == 0;
    }
    return strcmp(word, "free") == 0 && count == 2 ? 1 : -1;
}

static int check_entry(const struct world *w, char **words, size_t count, void *context)
{
    const struct after_context *a = context;
    bool negated = words[0][0] == '!';
    int holds = entry_holds(w, words, count, a->left_processes);
    if (holds < 0) {
        printf("# after: '%s' is no check, or has the wrong number of arguments\n", words[0]);
        return 1;
    }
    if (a->control) {
        if (negated && holds) {
            printf("# control: '%s' holds although the attack was let through\n", words[0]);
        }
        return negated && holds;
    }
    if (!holds) {
        printf("# after: '%s%s%s' does not hold\n", words[0], count > 1 ? " " : "",
               count > 1 ? words[1] : "");
    }
    return !holds;
}

size_t check_after(const struct world *w, const char *after, size_t left_processes, bool control)
{
    struct after_context context = {.left_processes = left_processes, .control = control};
    int bad = for_each_entry(w, after, check_entry, &context);
    return bad < 0 ? 1 : (size_t)bad;
}
