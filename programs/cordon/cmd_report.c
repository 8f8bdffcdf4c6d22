/* cmd_report.c - `cordon report`: the last run's report of this workspace, or a
 * file's, in words or as JSON. Runs as the user, outside; changes nothing.
 *
 * The file may be anybody's work: nothing of it reaches the terminal that was
 * not checked by report_parse() and escaped.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "core/limits.h"
#include "core/report_read.h"
#include "core/utf.h"
#include "os/linux/last_report.h"

extern char **environ;

/* A regular file, capped: never a wait for a pipe, nor a device without end. */
static cordon_status read_file(const char *path, struct buf *text, struct cordon_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return error_set(err, CORDON_E_INVALID, errno, "report.read", "%s: %s", path, strerror(errno));
    cordon_status status = CORDON_OK;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        status = error_set(err, CORDON_E_INVALID, 0, "report.read", "%s: not a regular file", path);
    if (status == CORDON_OK)
        status = last_report_read(fd, path, text, err);
    close(fd);
    return status;
}

static cordon_status read_last(const struct options *options, struct buf *text, char **name,
                               struct cordon_error *err)
{
    struct places places;
    char *workspace = NULL;
    places_init(&places);
    cordon_status status = places_find(&places, environ, err);
    if (status == CORDON_OK)
        status = resolve_workspace(options->workspace, &workspace, err);
    if (status == CORDON_OK)
        status = state_name(&places, workspace, TMP_WORKSPACE, err);
    if (status == CORDON_OK)
        status = last_report_load(&places, workspace, text, name, err);
    free(workspace);
    places_release(&places);
    return status;
}

/* As it is, but for what a terminal might obey: it is written as JSON's escapes,
 * which mean the same. Outside of strings a report that was read has none. */
static void print_json(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        const char *at = text + i;
        size_t n = utf_sequence(at, len - i);
        if ((unsigned char)*at >= 0x20 && n && utf_is_control(at, n))
            printf("\\u%04x", utf_code_point(at, n));
        else
            fwrite(at, 1, n ? n : 1, stdout);
        i += n ? n : 1;
    }
}

int command_report(const struct options *options)
{
    struct report report;
    struct buf text = BUF_INIT, words = BUF_INIT;
    struct cordon_error err;
    char *name = NULL;
    report_init(&report);
    const char *file = options->targets.count ? options->targets.items[0] : NULL;
    cordon_status status = file ? read_file(file, &text, &err) : read_last(options, &text, &name, &err);
    if (status == CORDON_OK)
        status = report_parse(&report, text.data ? text.data : "", text.len, file ? file : name, &err);
    if (status == CORDON_OK && !options->json) {
        report_text(&report, &words);
        if (buf_failed(&words))
            status = error_nomem(&err, "report.read");
    }
    if (status != CORDON_OK)
        say_error(options, &err);
    else if (options->json)
        print_json(text.data ? text.data : "", text.len);
    else
        fwrite(words.data, 1, words.len, stdout);
    free(name);
    buf_release(&text);
    buf_release(&words);
    report_release(&report);
    return status == CORDON_OK ? 0 : EXIT_CORDON_FAILED;
}
