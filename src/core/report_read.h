/* report_read.h - a report's JSON, or a status line, back into data.
 *
 * For `cordon report` and for whoever reads what cordon wrote. Strict: what
 * schema/ does not allow is refused, with one line that says where. Anybody may
 * have written the text, so size, nesting and the number of values are capped
 * before anything is built from it. Pure but for jansson.
 */
#ifndef CORDON_CORE_REPORT_READ_H
#define CORDON_CORE_REPORT_READ_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/report.h"

/* `name`: of the text, for messages. *out must be initialised and is empty on
 * failure. Step "report.read". Equal refusals become one. */
cordon_status report_parse(struct report *out, const char *text, size_t len, const char *name,
                           struct cordon_error *err);

enum status_event { STATUS_STARTED, STATUS_ENDED, STATUS_FAILED };

struct status_line {
    enum status_event event;
    int64_t pid;          /* started */
    struct report report; /* started: its layers; ended: its outcome, as far as the line has it */
    char *step, *message; /* failed */
};

void status_line_init(struct status_line *s);
void status_line_release(struct status_line *s);

/* One line, with or without its newline. As report_parse(). */
cordon_status status_parse(struct status_line *out, const char *text, size_t len, const char *name,
                           struct cordon_error *err);

#endif
