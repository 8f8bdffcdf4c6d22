/* words.c - see words.h. */
#include "words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static size_t hash(const char *text)
{
    size_t h = 5381;
    for (; *text; text++)
        h = h * 33 + (unsigned char)*text;
    return h;
}

static struct word *find(struct word *slots, size_t capacity, const char *text)
{
    size_t i = hash(text) & (capacity - 1);
    while (slots[i].text && strcmp(slots[i].text, text) != 0)
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

static int grow(struct words *w)
{
    size_t capacity = w->capacity ? 2 * w->capacity : 16;
    struct word *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return -1;
    for (size_t i = 0; i < w->capacity; i++)
        if (w->slots[i].text)
            *find(slots, capacity, w->slots[i].text) = w->slots[i];
    free(w->slots);
    w->slots = slots;
    w->capacity = capacity;
    return 0;
}

int words_add(struct words *w, const char *text, size_t len)
{
    if (2 * w->used >= w->capacity && grow(w))
        return -1;
    char *copy = malloc(len + 1);
    if (!copy)
        return -1;
    for (size_t i = 0; i < len; i++)
        copy[i] = (char)tolower((unsigned char)text[i]);
    copy[len] = '\0';
    struct word *slot = find(w->slots, w->capacity, copy);
    if (slot->text) {
        free(copy);
    } else {
        slot->text = copy;
        w->used++;
    }
    slot->count++;
    return 0;
}

static int by_count(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return strcmp(x->text, y->text);
}

int words_sorted(const struct words *w, struct word **out)
{
    struct word *list = calloc(w->used ? w->used : 1, sizeof *list);
    if (!list)
        return -1;
    size_t n = 0;
    for (size_t i = 0; i < w->capacity; i++)
        if (w->slots[i].text)
            list[n++] = w->slots[i];
    qsort(list, n, sizeof *list, by_count);
    *out = list;
    return 0;
}

void words_release(struct words *w)
{
    for (size_t i = 0; i < w->capacity; i++)
        free(w->slots[i].text);
    free(w->slots);
    *w = (struct words){0};
}
