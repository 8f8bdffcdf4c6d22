/* test_words.c - the table alone. */
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void expect(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        failures++;
    }
}

int main(void)
{
    struct words w = {0};
    struct word *list = NULL;
    char text[16];

    for (int i = 0; i < 1000; i++) {
        int n = snprintf(text, sizeof text, "w%d", i % 250);
        expect(words_add(&w, text, (size_t)n) == 0, "a word can be added");
    }
    expect(words_add(&w, "Often", 5) == 0 && w.used == 251, "251 different words");
    for (int i = 0; i < 9; i++)
        words_add(&w, "oFTEN", 5);
    expect(words_sorted(&w, &list) == 0, "they can be sorted");
    expect(list && strcmp(list[0].text, "often") == 0 && list[0].count == 10, "case is folded");
    expect(list && list[1].count == 4 && strcmp(list[1].text, "w0") == 0, "ties are alphabetical");
    free(list);
    words_release(&w);
    printf("test_words: %s\n", failures ? "FAILED" : "ok");
    return failures != 0;
}
