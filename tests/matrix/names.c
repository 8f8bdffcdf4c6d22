/* names.c - placeholders and words of the table's cells; see names.h. */
#include "names.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void names_set(struct names *n, const char *name, const char *format, ...)
{
    size_t at = 0;
    while (at < n->count && strcmp(n->items[at].name, name) != 0) {
        at++;
    }
    if (at == NAMES_MAX) {
        fprintf(stderr, "matrix: more than %d placeholders\n", NAMES_MAX);
        abort();
    }
    if (at == n->count) {
        n->count++;
        snprintf(n->items[at].name, sizeof n->items[at].name, "%s", name);
    }
    va_list args;
    va_start(args, format);
    vsnprintf(n->items[at].value, sizeof n->items[at].value, format, args);
    va_end(args);
}

const char *names_get(const struct names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++) {
        if (strcmp(n->items[i].name, name) == 0) {
            return n->items[i].value;
        }
    }
    return NULL;
}

/* A name is upper-case letters and digits; other `@` stay: abstract sockets. */
static size_t name_length(const char *at)
{
    size_t len = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    return len > 0 && len < 16 && at[len] == '@' ? len : 0;
}

char *names_expand(const struct names *n, const char *text, char *unknown)
{
    size_t cap = strlen(text) + 1;
    for (const char *p = text; *p != '\0'; p++) {
        cap += *p == '@' ? NAMES_VALUE : 0;
    }
    char *out = malloc(cap);
    if (out == NULL) {
        abort();
    }
    size_t len = 0;
    for (const char *p = text; *p != '\0';) {
        size_t name = *p == '@' ? name_length(p + 1) : 0;
        if (name == 0) {
            out[len++] = *p++;
            continue;
        }
        char key[16] = "";
        memcpy(key, p + 1, name);
        const char *value = names_get(n, key);
        if (value == NULL) {
            memcpy(unknown, key, sizeof key);
            free(out);
            return NULL;
        }
        memcpy(out + len, value, strlen(value));
        len += strlen(value);
        p += name + 2;
    }
    out[len] = '\0';
    return out;
}

/* One character of a word: `\s` a blank, `\n` a newline, `\xHH` a byte. */
static char take_character(char **at)
{
    char *p = *at;
    if (p[0] == '\\' && (p[1] == 's' || p[1] == 'n')) {
        *at = p + 2;
        return p[1] == 's' ? ' ' : '\n';
    }
    if (p[0] == '\\' && p[1] == 'x' && p[2] != '\0' && p[3] != '\0') {
        const char digits[3] = {p[2], p[3], '\0'};
        *at = p + 4;
        return (char)strtol(digits, NULL, 16);
    }
    *at = p + 1;
    return *p;
}

size_t words_cut(char *text, char **words)
{
    size_t count = 0;
    char *at = text;
    while (count < WORDS_MAX - 1) {
        at += strspn(at, " ");
        if (*at == '\0') {
            break;
        }
        words[count++] = at;
        char *to = at;
        while (*at != '\0' && *at != ' ') {
            *to++ = take_character(&at);
        }
        int last = *at == '\0';
        *to = '\0';
        if (last) {
            break;
        }
        at++;
    }
    words[count] = NULL;
    return count;
}
