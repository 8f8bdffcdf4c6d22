/* main.c - tally [-n COUNT] [FILE...] */
#include "words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int count_stream(struct words *w, FILE *in)
{
    char word[256];
    size_t len = 0;
    for (int c = getc(in);; c = getc(in)) {
        if (c != EOF && isalpha(c) && len < sizeof word) {
            word[len++] = (char)c;
            continue;
        }
        if (len && words_add(w, word, len))
            return -1;
        len = 0;
        if (c == EOF)
            return ferror(in) ? -1 : 0;
    }
}

int main(int argc, char **argv)
{
    size_t top = 10;
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        top = strtoul(argv[2], NULL, 10);
        first = 3;
    }
    struct words w = {0};
    struct word *list = NULL;
    int failed = first == argc && count_stream(&w, stdin);
    for (int i = first; i < argc && !failed; i++) {
        FILE *in = fopen(argv[i], "r");
        failed = !in || count_stream(&w, in);
        if (failed)
            perror(argv[i]);
        if (in)
            fclose(in);
    }
    if (!failed && words_sorted(&w, &list) == 0)
        for (size_t i = 0; i < w.used && i < top; i++)
            printf("%6zu %s\n", list[i].count, list[i].text);
    free(list);
    words_release(&w);
    return failed ? 1 : 0;
}
