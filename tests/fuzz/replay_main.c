/* replay_main.c - gives the files of directories to a fuzz target, one by one.
 * Linked instead of libFuzzer, so that every build checks what fuzzing found.
 *
 *   replay_NAME DIRECTORY...     fails when a directory holds no input
 */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_MAX (1u << 20)

/* True when the input could be read. Kept in a block of its very size: a
 * sanitizer then sees a read behind the end. */
static int replay(const char *directory, const char *name)
{
    char path[4096];
    int read = 0;
    uint8_t *bytes = NULL, *input = NULL;
    FILE *file = NULL;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path)
        goto out;
    file = fopen(path, "rb");
    bytes = malloc(INPUT_MAX);
    if (!file || !bytes)
        goto out;
    size_t size = fread(bytes, 1, INPUT_MAX, file);
    input = malloc(size ? size : 1);
    if (ferror(file) || !feof(file) || !input)
        goto out;
    memcpy(input, bytes, size);
    fprintf(stderr, "%s\n", path); /* the last one named is the one that fails */
    LLVMFuzzerTestOneInput(input, size);
    read = 1;
out:
    if (!read)
        fprintf(stderr, "cannot read %s/%s (at most %u bytes)\n", directory, name, INPUT_MAX - 1);
    if (file)
        fclose(file);
    free(bytes);
    free(input);
    return read;
}

static int replay_directory(const char *directory)
{
    size_t count = 0;
    int good = 1;
    DIR *dir = opendir(directory);
    if (!dir) {
        fprintf(stderr, "cannot open the corpus %s\n", directory);
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.') {
            good = replay(directory, entry->d_name) && good;
            count++;
        }
    closedir(dir);
    if (count == 0)
        fprintf(stderr, "no input in %s: a replay of nothing shows nothing\n", directory);
    return good && count > 0;
}

int main(int argc, char **argv)
{
    int good = argc > 1;
    for (int i = 1; i < argc; i++)
        good = replay_directory(argv[i]) && good;
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
