/* fuzz_report.c - a report's text as anybody may have written it. What is taken
 * says the same when it is written out and read again, and shows nothing that a
 * terminal obeys; what is refused leaves nothing behind.
 */
#include <stdbool.h>
#include <string.h>

#include "core/limits.h"
#include "core/report.h"
#include "core/report_read.h"
#include "core/utf.h"
#include "fuzz.h"

static void check_error(const struct cordon_error *err, cordon_status status)
{
    FUZZ_CHECK(status == CORDON_E_INVALID || status == CORDON_E_LIMIT || status == CORDON_E_UNSUPPORTED);
    FUZZ_CHECK(err->status == status);
    FUZZ_CHECK(strcmp(err->step, "report.read") == 0);
    FUZZ_CHECK(err->message[0]);
    FUZZ_CHECK(utf_is_valid(err->message, strlen(err->message)));
}

static void check_empty(const struct report *r)
{
    FUZZ_CHECK(!r->command && !r->workspace && !r->tier && !r->layers && !r->changed && !r->refusals);
    FUZZ_CHECK(!r->refusals_sorted && !r->network && !r->degraded && !r->warnings);
    FUZZ_CHECK(r->outcome.code == -1 && r->refusals_unlisted == 0);
}

static void check_refusals(const struct report *r)
{
    FUZZ_CHECK(r->refusal_count <= LIMIT_REPORT_REFUSED && r->refusal_bytes <= LIMIT_REPORT_REFUSED_BYTES);
    for (size_t i = 1; i < r->refusal_count; i++) {
        const struct report_refusal *a = &r->refusals[r->refusals_sorted[i - 1]],
                                    *b = &r->refusals[r->refusals_sorted[i]];
        int order = strcmp(a->target, b->target);
        FUZZ_CHECK(order < 0 || (order == 0 && strcmp(a->operation, b->operation) < 0));
    }
}

/* Lines of printable text and nothing else. */
static void check_words(const struct report *r)
{
    struct buf text = BUF_INIT;
    report_text(r, &text);
    FUZZ_CHECK(!buf_failed(&text) && text.len && text.data[text.len - 1] == '\n');
    for (size_t i = 0; i < text.len;) {
        size_t n = utf_sequence(text.data + i, text.len - i);
        FUZZ_CHECK(n > 0);
        FUZZ_CHECK(text.data[i] == '\n' || !utf_is_control(text.data + i, n));
        i += n;
    }
    buf_release(&text);
}

static void check_round_trip(const struct report *r)
{
    struct report again;
    struct cordon_error err;
    struct buf once = BUF_INIT, twice = BUF_INIT;
    report_init(&again);
    FUZZ_CHECK(report_to_json(r, &once, &err) == CORDON_OK);
    FUZZ_CHECK(report_parse(&again, once.data, once.len, "again", &err) == CORDON_OK);
    FUZZ_CHECK(report_to_json(&again, &twice, &err) == CORDON_OK);
    FUZZ_CHECK(strcmp(once.data, twice.data) == 0);
    report_release(&again);
    buf_release(&once);
    buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report r;
    struct cordon_error err;
    report_init(&r);
    cordon_status status = report_parse(&r, (const char *)data, size, "r.json", &err);
    if (status == CORDON_OK) {
        check_refusals(&r);
        check_words(&r);
        check_round_trip(&r);
    } else {
        check_error(&err, status);
        check_empty(&r);
    }
    report_release(&r);
    return 0;
}
