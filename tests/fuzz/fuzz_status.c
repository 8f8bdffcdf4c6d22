/* fuzz_status.c - lines of --status-fd as a caller reads them. What is taken says
 * the same when it is written out and read again.
 */
#include <string.h>

#include "core/report_read.h"
#include "core/utf.h"
#include "fuzz.h"

static void check_error(const struct cordon_error *err, cordon_status status)
{
    FUZZ_CHECK(status == CORDON_E_INVALID || status == CORDON_E_LIMIT);
    FUZZ_CHECK(err->status == status);
    FUZZ_CHECK(strcmp(err->step, "report.read") == 0);
    FUZZ_CHECK(err->message[0]);
}

static cordon_status write_out(const struct status_line *s, struct buf *out, struct cordon_error *err)
{
    switch (s->event) {
    case STATUS_STARTED:
        return status_started(&s->report, (long)s->pid, out, err);
    case STATUS_ENDED:
        return status_ended(&s->report.outcome, out, err);
    case STATUS_FAILED:
        break;
    }
    struct cordon_error failure;
    memset(&failure, 0, sizeof failure);
    snprintf(failure.step, sizeof failure.step, "%s", s->step);
    snprintf(failure.message, sizeof failure.message, "%s", s->message);
    return status_failed(&failure, out, err);
}

/* A step or message that is longer than cordon's own is cut, and may be cut in a character. */
static int fits(const struct status_line *s)
{
    return s->event != STATUS_FAILED ||
           (strlen(s->step) < CORDON_STEP_MAX && strlen(s->message) < CORDON_MESSAGE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct status_line line, again;
    struct cordon_error err;
    status_line_init(&line);
    status_line_init(&again);
    cordon_status status = status_parse(&line, (const char *)data, size, "line", &err);
    if (status != CORDON_OK) {
        check_error(&err, status);
        FUZZ_CHECK(!line.step && !line.message && !line.report.layers);
    } else if (fits(&line)) {
        struct buf once = BUF_INIT, twice = BUF_INIT;
        FUZZ_CHECK(write_out(&line, &once, &err) == CORDON_OK);
        FUZZ_CHECK(status_parse(&again, once.data, once.len, "again", &err) == CORDON_OK);
        FUZZ_CHECK(again.event == line.event && again.pid == line.pid);
        FUZZ_CHECK(write_out(&again, &twice, &err) == CORDON_OK);
        FUZZ_CHECK(strcmp(once.data, twice.data) == 0);
        buf_release(&once);
        buf_release(&twice);
    }
    status_line_release(&line);
    status_line_release(&again);
    return 0;
}
