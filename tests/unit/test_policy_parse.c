/* test_policy_parse.c - a policy file's text: what is taken, and that every
 * fault is refused with its place and with what would be right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/limits.h"
#include "core/policy.h"
#include "core/utf.h"

/* From a block of its very size: a sanitizer sees a read behind the end. */
static cordon_status parse_bytes(struct policy *layer, const char *bytes, size_t len,
                                 struct cordon_error *err)
{
    char *copy = malloc(len ? len : 1);
    memcpy(copy, bytes, len);
    cordon_status status = policy_parse(layer, copy, len, "p.json", err);
    free(copy);
    return status;
}

static cordon_status parse(struct policy *layer, const char *text, struct cordon_error *err)
{
    return parse_bytes(layer, text, strlen(text), err);
}

static void takes_the_smallest_file(void **state)
{
    (void)state;
    struct policy p;
    struct cordon_error err = {0};
    policy_init(&p);
    assert_int_equal(parse(&p, " {\"version\": 1}\n", &err), CORDON_OK);
    assert_null(p.profile_origin);
    assert_null(p.net_origin);
    assert_null(p.tmp_origin);
    assert_null(p.env_inherit_origin);
    for (size_t id = 0; id < LIST_COUNT_; id++)
        assert_int_equal(p.lists[id].count, 0);
    policy_release(&p);
}

static void expect_entry(const struct policy *p, enum policy_list_id id, size_t at, const char *value,
                         const char *origin)
{
    assert_true(at < p->lists[id].count);
    assert_string_equal(p->lists[id].items[at].value, value);
    assert_string_equal(p->lists[id].items[at].origin, origin);
    assert_int_equal(p->lists[id].items[at].base, BASE_WORKSPACE);
}

static void takes_every_key(void **state)
{
    (void)state;
    static const char text[] =
        "{\"version\": 1, \"profile\": \"open\","
        " \"filesystem\": {\"write\": [\"a\", \"${home}/b\"], \"protect\": [\"c\"], \"unprotect\": [\"d\"],"
        "   \"deny_read\": [\"e\"], \"read\": [\"f\"], \"cow\": [\"g\"], \"tmp\": \"shared\"},"
        " \"network\": {\"mode\": \"filtered\", \"allow\": [\"h\"], \"deny\": [\"i:1\"],"
        "   \"unix_sockets\": [\"/j\"]},"
        " \"environment\": {\"inherit\": false, \"keep\": [\"K\"], \"remove\": [\"L*\"],"
        "   \"set\": {\"M\": \"\", \"N.O\": \"${x}=\\n\"}},"
        " \"limits\": {\"wall_seconds\": 1, \"memory_bytes\": 2, \"processes\": 3, \"cpu_seconds\": 4,"
        "   \"file_bytes\": 0}}";
    struct policy p;
    struct cordon_error err = {0};
    policy_init(&p);
    if (parse(&p, text, &err))
        fail_msg("%s", err.message);
    assert_int_equal(p.profile, PROFILE_OPEN);
    assert_string_equal(p.profile_origin, "p.json: $.profile");
    assert_int_equal(p.tmp, TMP_SHARED);
    assert_string_equal(p.tmp_origin, "p.json: $.filesystem.tmp");
    assert_int_equal(p.net, NET_FILTERED);
    assert_string_equal(p.net_origin, "p.json: $.network.mode");
    assert_false(p.env_inherit);
    assert_string_equal(p.env_inherit_origin, "p.json: $.environment.inherit");
    expect_entry(&p, LIST_WRITE, 0, "a", "p.json: $.filesystem.write[0]");
    expect_entry(&p, LIST_WRITE, 1, "${home}/b", "p.json: $.filesystem.write[1]");
    expect_entry(&p, LIST_PROTECT, 0, "c", "p.json: $.filesystem.protect[0]");
    expect_entry(&p, LIST_UNPROTECT, 0, "d", "p.json: $.filesystem.unprotect[0]");
    expect_entry(&p, LIST_DENY_READ, 0, "e", "p.json: $.filesystem.deny_read[0]");
    expect_entry(&p, LIST_READ, 0, "f", "p.json: $.filesystem.read[0]");
    expect_entry(&p, LIST_COW, 0, "g", "p.json: $.filesystem.cow[0]");
    expect_entry(&p, LIST_NET_ALLOW, 0, "h", "p.json: $.network.allow[0]");
    expect_entry(&p, LIST_NET_DENY, 0, "i:1", "p.json: $.network.deny[0]");
    expect_entry(&p, LIST_UNIX_SOCKETS, 0, "/j", "p.json: $.network.unix_sockets[0]");
    expect_entry(&p, LIST_ENV_KEEP, 0, "K", "p.json: $.environment.keep[0]");
    expect_entry(&p, LIST_ENV_REMOVE, 0, "L*", "p.json: $.environment.remove[0]");
    expect_entry(&p, LIST_ENV_SET, 0, "M=", "p.json: $.environment.set.M");
    expect_entry(&p, LIST_ENV_SET, 1, "N.O=${x}=\n", "p.json: $.environment.set[\"N.O\"]");
    static const uint64_t limits[] = {1, 2, 3, 4, 0};
    for (size_t id = 0; id < LIMIT_COUNT_; id++) {
        char origin[64];
        snprintf(origin, sizeof origin, "p.json: $.limits.%s", policy_limit_key((enum policy_limit)id));
        assert_int_equal(p.limits[id].value, limits[id]);
        assert_string_equal(p.limits[id].origin, origin);
    }
    policy_release(&p);
}

#define IN(section, text) "{\"version\":1,\"" section "\":{" text "}}"
#define FS(text) IN("filesystem", text)
#define NET(text) IN("network", text)
#define ENV(text) IN("environment", text)
#define LIM(text) IN("limits", text)

static const struct {
    const char *text, *message;
} faults[] = {
    /* Text: line and column. */
    {"", "p.json:1:1: "},
    {"\n\n  ", "p.json:3:2: '[' or '{' expected near end of file; close every bracket and quote"},
    {"{", "p.json:1:1: "},
    {"{\"version\":1", "close every bracket and quote"},
    {"{\"version\":1}\n}", "p.json:2:1: end of file expected near '}'; a policy is one object"},
    {"{\"version\":1} {}", "p.json:1:15: end of file expected"},
    {"{\"version\":1,}", "p.json:1:14: string or '}' expected near '}'; want JSON: double quotes"},
    {"{'version':1}", "p.json:1:2: "},
    {"{\n  // hello\n  \"version\":1}", "p.json:2:3: string or '}' expected near '/'; want JSON: double "
                                        "quotes, no comments"},
    {"{\"version\":01}", "p.json:1:"},
    {"{\"version\":1,\n\"profile\":\"open\",\n \"profile\":\"open\"}",
     "p.json:3:10: duplicate object key near '\"profile\"'; give every key once"},
    {FS("\"write\":[],\"write\":[]"), "duplicate object key near '\"write\"'; give every key once"},
    {ENV("\"set\":{\"A\":\"1\",\"A\":\"1\"}"), "duplicate object key near '\"A\"'"},
    {"{\"version\":1,\"version\":1}", "duplicate object key"},
    {"{\"version\":1,\"\\u0076ersion\":1}", "duplicate object key"},
    {FS("\"write\":[\"a\\u0000\"]"), "an escaped NUL; no name holds one, remove it"},
    {"{\"version\":1,\"a\\u0000\":1}", "p.json:1:22: an escaped NUL"},
    {"{\"version\":1,\"\\ud800\":1}", "invalid Unicode"},
    {"{\"version\":1,\n\"\xc3\xa4\":\"\xff\"}",
     "p.json:2:6: a byte that is not UTF-8; save the file as UTF-8"},
    {"{\"version\":1,\"\xed\xa0\x80\":1}", "a byte that is not UTF-8"},
    {"{\"version\":1,\"\xc0\x80\":1}", "a byte that is not UTF-8"},
    {"\xef\xbb\xbf{\"version\":1}", "p.json:1:1: a byte order mark; save the file as UTF-8 without it"},
    {"{\"version\":1,\"a\nb\":1}", "p.json:1:"},
    {LIM("\"processes\":99999999999999999999"),
     "too big integer near '99999999999999999999'; want a smaller number"},
    {LIM("\"processes\":1e999"), "real number overflow near '1e999'; want a smaller number"},
    {"1", "p.json:1:1: "},
    {"null", "p.json:1:4: "},

    /* The shape: a JSON path. */
    {"[]", "p.json: $: want an object, not an array"},
    {"{}", "p.json: $.version: missing; want \"version\": 1"},
    {"{\"version\":2,\"new\":{}}",
     "p.json: $.version: want 1, the one version that this cordon knows, not 2"},
    {"{\"version\":\"1\"}", "p.json: $.version: want 1, the one version that this cordon knows, not \"1\""},
    {"{\"version\":1.0}", "$.version: want 1, the one version that this cordon knows, not the real number 1"},
    {"{\"version\":true}", "$.version: want 1, the one version that this cordon knows, not true"},
    {"{\"version\":null}", "$.version: want 1, the one version that this cordon knows, not null"},
    {"{\"version\":1,\"filesystem\":[]}", "p.json: $.filesystem: want an object, not an array"},
    {"{\"version\":1,\"limits\":0}", "p.json: $.limits: want an object, not 0"},
    {"{\"version\":1,\"network\":null}", "p.json: $.network: want an object, not null"},
    {"{\"version\":1,\"environment\":\"x\"}", "p.json: $.environment: want an object, not \"x\""},

    /* Keys. */
    {"{\"version\":1,\"verson\":1}", "p.json: $.verson: unknown key; did you mean $.version?"},
    {"{\"version\":1,\"filesytem\":{}}", "p.json: $.filesytem: unknown key; did you mean $.filesystem?"},
    {"{\"version\":1,\"net\":{}}", "$.net: unknown key; did you mean $.network?"},
    {"{\"version\":1,\"write\":[]}", "$.write: unknown key; did you mean $.filesystem.write?"},
    {"{\"version\":1,\"filesystem.write\":[]}",
     "$[\"filesystem.write\"]: unknown key; did you mean $.filesystem.write?"},
    {FS("\"wirte\":[]"), "$.filesystem.wirte: unknown key; did you mean $.filesystem.write?"},
    {FS("\"deny-read\":[]"), "$.filesystem.deny-read: unknown key; did you mean $.filesystem.deny_read?"},
    {FS("\"mode\":[]"), "$.filesystem.mode: unknown key; did you mean $.network.mode?"},
    {FS("\"filesystem\":{}"), "$.filesystem.filesystem: unknown key; want one of write, protect, unprotect, "
                              "deny_read, read, cow, tmp"},
    {FS("\"\":[]"), "$.filesystem[\"\"]: unknown key; want one of write"},
    {FS("\"Write\":[]"), "did you mean $.filesystem.write?"},
    {NET("\"den\":[]"), "$.network.den: unknown key; did you mean $.network.deny?"},
    {LIM("\"wall\":1"), "$.limits.wall: unknown key; did you mean $.limits.wall_seconds?"},
    {"{\"version\":1,\"zzzz\":1}", "$.zzzz: unknown key; want one of version, profile, filesystem, network, "
                                   "environment, limits"},
    {"{\"version\":1,\"a\\nb\":1}", "$[\"a?b\"]: unknown key"},
    {"{\"version\":1,\"$schema\":\"x\"}", "$[\"$schema\"]: unknown key; want one of version"},

    /* Words. */
    {"{\"version\":1,\"profile\":\"opne\"}",
     "$.profile: want \"read-only\", \"workspace\" or \"open\", not \"opne\""},
    {"{\"version\":1,\"profile\":1}", "$.profile: want \"read-only\", \"workspace\" or \"open\", not 1"},
    {FS("\"tmp\":\"private\""),
     "$.filesystem.tmp: want \"workspace\", \"fresh\" or \"shared\", not \"private\""},
    {FS("\"tmp\":[]"), "$.filesystem.tmp: want \"workspace\", \"fresh\" or \"shared\", not an array"},
    {NET("\"mode\":\"Off\""), "$.network.mode: want \"off\", \"on\" or \"filtered\", not \"Off\""},
    {NET("\"mode\":false"), "$.network.mode: want \"off\", \"on\" or \"filtered\", not false"},
    {ENV("\"inherit\":\"false\""), "$.environment.inherit: want true or false, not \"false\""},
    {ENV("\"inherit\":0"), "$.environment.inherit: want true or false, not 0"},

    /* Lists. */
    {FS("\"write\":\"a\""), "$.filesystem.write: want an array of strings, not \"a\""},
    {FS("\"write\":{\"a\":\"b\"}"), "$.filesystem.write: want an array of strings, not an object"},
    {FS("\"write\":[\"a\",1]"), "p.json: $.filesystem.write[1]: want a string, not 1"},
    {FS("\"write\":[[\"a\"]]"), "$.filesystem.write[0]: want a string, not an array"},
    {FS("\"write\":[\"a\",\"b\",\"\"]"),
     "$.filesystem.write[2]: ``: an empty string names nothing; remove it"},
    {FS("\"write\":[\"${wrkspace}\"]"), "p.json: $.filesystem.write[0]: `${wrkspace}`: want ${workspace} or"},
    {FS("\"protect\":[\".git\",\"..\"]"), "$.filesystem.protect[1]: `..`: want a name such as .git"},
    {FS("\"unprotect\":[\"./\"]"), "$.filesystem.unprotect[0]: `./`: want a name such as .git"},
    {NET("\"allow\":[\"a\",\"http://b\"]"), "$.network.allow[1]: `http://b`: want host, *.host, an IPv4"},
    {NET("\"deny\":[\"*\"]"), "$.network.deny[0]: `*`: want host"},
    {NET("\"unix_sockets\":[null]"), "$.network.unix_sockets[0]: want a string, not null"},
    {ENV("\"keep\":[\"A=B\"]"), "$.environment.keep[0]: `A=B`: want a variable's name or a pattern"},
    {ENV("\"remove\":[\"A\\u0001\"]"), "$.environment.remove[0]: `A?`: want a variable's name"},

    /* Settings: the value is nobody's business. */
    {ENV("\"set\":[\"A=1\"]"), "$.environment.set: want an object of strings, not an array"},
    {ENV("\"set\":{\"A\":1}"), "$.environment.set.A: want a string, not 1"},
    {ENV("\"set\":{\"A=B\":\"1\"}"), "$.environment.set[\"A=B\"]: want a name without `=`"},
    {ENV("\"set\":{\"\":\"1\"}"), "$.environment.set[\"\"]: ``: want a name without spaces"},
    {ENV("\"set\":{\"A B\":\"1\"}"), "$.environment.set[\"A B\"]: `A B`: want a name without spaces"},

    /* Limits. */
    {LIM("\"wall_seconds\":-1"),
     "$.limits.wall_seconds: want a whole number from 0 (no limit) to 2147483647, "
     "not -1"},
    {LIM("\"wall_seconds\":1.5"), "to 2147483647, not the real number 1.5"},
    {LIM("\"wall_seconds\":1e3"), "to 2147483647, not the real number 1000"},
    {LIM("\"wall_seconds\":\"10m\""), "to 2147483647, not \"10m\""},
    {LIM("\"cpu_seconds\":2147483648"), "$.limits.cpu_seconds: want a whole number from 0 (no limit) to "
                                        "2147483647, not 2147483648"},
    {LIM("\"processes\":4194305"), "to 4194304, not 4194305"},
    {LIM("\"memory_bytes\":9007199254740992"), "to 9007199254740991, not 9007199254740992"},
    {LIM("\"file_bytes\":9223372036854775807"), "to 9007199254740991"},
    {LIM("\"file_bytes\":true"), "to 9007199254740991, not true"},
};

static void refuses_every_fault_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct policy p;
        struct cordon_error err = {0};
        policy_init(&p);
        if (parse(&p, faults[i].text, &err) != CORDON_E_INVALID)
            fail_msg("status %d for %s: %s", err.status, faults[i].text, err.message);
        assert_int_equal(err.status, CORDON_E_INVALID);
        assert_string_equal(err.step, "policy.parse");
        if (!strstr(err.message, faults[i].message))
            fail_msg("`%s` is not in: %s", faults[i].message, err.message);
        assert_null(p.profile_origin);
        for (size_t id = 0; id < LIST_COUNT_; id++)
            assert_int_equal(p.lists[id].count, 0);
        assert_int_equal(parse(&p, faults[i].text, NULL), CORDON_E_INVALID);
        policy_release(&p);
    }
}

static void refuses_a_raw_nul(void **state)
{
    (void)state;
    static const char text[] = "{\"version\":1,\n \"profile\":\"op\0en\"}";
    struct policy p;
    struct cordon_error err = {0};
    policy_init(&p);
    assert_int_equal(parse_bytes(&p, text, sizeof text - 1, &err), CORDON_E_INVALID);
    assert_string_equal(err.message, "p.json:2:15: a NUL byte; remove it");
    assert_int_equal(parse_bytes(&p, "{\"version\":1}", 14, &err), CORDON_E_INVALID);
    assert_string_equal(err.message, "p.json:1:14: a NUL byte; remove it");
    policy_release(&p);
}

/* The recursion of the JSON library is bounded before it starts. */
static void bounds_the_depth(void **state)
{
    (void)state;
    static const char *const openers[] = {"[", "{\"a\":"};
    struct policy p;
    struct cordon_error err = {0};
    policy_init(&p);
    for (size_t kind = 0; kind < 2; kind++) {
        struct buf text = BUF_INIT;
        for (size_t i = 0; i < LIMIT_POLICY_DEPTH; i++)
            buf_add_string(&text, openers[kind]);
        assert_int_equal(parse(&p, text.data, &err), CORDON_E_INVALID); /* not closed */
        buf_add_string(&text, openers[kind]);
        assert_int_equal(parse(&p, text.data, &err), CORDON_E_LIMIT);
        assert_string_equal(err.step, "policy.parse");
        assert_non_null(strstr(err.message, "nested too deep; a policy needs"));
        while (text.len < 300000)
            buf_add_string(&text, openers[kind]);
        assert_int_equal(parse(&p, text.data, &err), CORDON_E_LIMIT);
        buf_release(&text);
    }
    assert_int_equal(parse(&p, "[\n [[[[[[[[[[[[[[[[", &err), CORDON_E_LIMIT);
    assert_non_null(strstr(err.message, "p.json:2:17: "));

    /* Brackets in strings are none, and escapes do not end strings. */
    if (parse(&p,
              "{\"version\":1,\"filesystem\":{\"write\":[\"[[[[[[[[[[[[[[[[[[[[\",\"\\\\\","
              "\"\\\"{{{{{{{{{{{{{{{{{{{{{\"]}}",
              &err))
        fail_msg("%s", err.message);
    assert_int_equal(p.lists[LIST_WRITE].count, 3);
    policy_release(&p);
}

static void bounds_size_and_counts(void **state)
{
    (void)state;
    struct policy p;
    struct cordon_error err = {0};
    struct buf text = BUF_INIT;
    policy_init(&p);

    buf_add_string(&text, "{\"version\":1");
    while (text.len < LIMIT_POLICY_BYTES - 1)
        buf_add_char(&text, ' ');
    buf_add_char(&text, '}');
    assert_int_equal(policy_parse(&p, text.data, text.len, "p.json", &err), CORDON_OK);
    buf_add_char(&text, ' ');
    assert_int_equal(policy_parse(&p, text.data, text.len, "p.json", &err), CORDON_E_LIMIT);
    assert_string_equal(err.step, "policy.parse");
    assert_string_equal(err.message, "p.json: larger than a policy can be, 1048576 bytes");

    for (size_t extra = 0; extra < 2; extra++) {
        buf_reset(&text);
        buf_add_string(&text, "{\"version\":1,\"filesystem\":{\"read\":[\"a\"");
        for (size_t i = 1; i < LIMIT_LIST_ENTRIES + extra; i++)
            buf_add_string(&text, ",\"a\"");
        buf_add_string(&text, "]}}");
        assert_int_equal(parse(&p, text.data, &err), extra ? CORDON_E_LIMIT : CORDON_OK);
        assert_int_equal(p.lists[LIST_READ].count, LIMIT_LIST_ENTRIES);
    }
    assert_string_equal(err.step, "policy.parse");
    assert_string_equal(err.message, "p.json: $.filesystem.read[8192]: want at most 8192 entries");

    for (size_t extra = 0; extra < 2; extra++) {
        buf_reset(&text);
        buf_add_string(&text, "{\"version\":1,\"filesystem\":{\"write\":[\"");
        for (size_t i = 0; i < LIMIT_STRING_BYTES + extra; i++)
            buf_add_char(&text, 'x');
        buf_add_string(&text, "\"]}}");
        assert_int_equal(parse(&p, text.data, &err), extra ? CORDON_E_LIMIT : CORDON_OK);
    }
    assert_string_equal(err.step, "policy.parse");
    assert_non_null(strstr(err.message, "p.json: $.filesystem.write[0]: `xxxx"));
    assert_non_null(strstr(err.message, "want at most 32768 bytes"));
    buf_release(&text);
    policy_release(&p);
}

/* However long what is quoted is: what would be right is still there. */
static void keeps_the_advice_in_the_message(void **state)
{
    (void)state;
    char name[5001];
    struct policy p;
    struct cordon_error err = {0};
    policy_init(&p);
    memset(name, 'k', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    static const struct {
        const char *format, *words;
    } cases[] = {
        {"{\"version\":1,\"%s\":1}", "want one of version"},
        {"{\"version\":1,\"profile\":\"%s\"}", "want \"read-only\""},
        {"{\"version\":1,\"profile\":\"%s\"}", "kkk..."},
        {"{\"version\":1,\"network\":{\"allow\":[\"%s\"]}}", "xn--"},
        {"{\"version\":1,\"environment\":{\"set\":{\"%s\":1}}}", "want a string, not 1"},
        {"{\"version\":1,\"filesystem\":{\"write\":[\"${%s\"]}}", "only at the start"},
        {"{\"version\":1,\"%s\"}", "want JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf text = BUF_INIT;
        const char *mark = strstr(cases[i].format, "%s");
        buf_add(&text, cases[i].format, (size_t)(mark - cases[i].format));
        buf_add_string(&text, name);
        buf_add_string(&text, mark + 2);
        assert_int_equal(policy_parse(&p, text.data, text.len, name, &err), CORDON_E_INVALID);
        if (!strstr(err.message, cases[i].words))
            fail_msg("`%s` is not in: %s", cases[i].words, err.message);
        assert_memory_equal(err.message, "...kkk", 6); /* the file's end */
        buf_release(&text);
    }
    policy_release(&p);
}

static void leaves_the_layer_alone_on_failure(void **state)
{
    (void)state;
    struct policy p;
    struct cordon_error err = {0};
    policy_init(&p);
    assert_int_equal(parse(&p, FS("\"write\":[\"a\"]"), &err), CORDON_OK);
    assert_int_equal(parse(&p, FS("\"write\":[\"b\"],\"x\":1"), &err), CORDON_E_INVALID);
    expect_entry(&p, LIST_WRITE, 0, "a", "p.json: $.filesystem.write[0]");
    assert_int_equal(parse(&p, FS("\"write\":[\"c\"]"), &err), CORDON_OK); /* replaced, not added */
    assert_int_equal(p.lists[LIST_WRITE].count, 1);
    expect_entry(&p, LIST_WRITE, 0, "c", "p.json: $.filesystem.write[0]");
    policy_release(&p);
}

/* -- files of the project -------------------------------------------------- */

static struct buf read_file(const char *path)
{
    struct buf text = BUF_INIT;
    char chunk[4096];
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_add(&text, chunk, n);
    fclose(file);
    return text;
}

static void takes_the_samples(void **state)
{
    (void)state;
    static const char *const names[] = {"review", "build", "online"};
    struct buf documentation = read_file(CORDON_SOURCE_DIR "/docs/policy.md");
    for (size_t i = 0; i < 3; i++) {
        char path[512];
        struct policy layer, merged;
        struct cordon_error err = {0};
        snprintf(path, sizeof path, "%s/samples/policies/%s.json", CORDON_SOURCE_DIR, names[i]);
        struct buf text = read_file(path);
        policy_init(&layer);
        policy_init(&merged);
        if (policy_parse(&layer, text.data, text.len, names[i], &err) ||
            policy_merge(&merged, &layer, NULL, &err))
            fail_msg("%s", err.message);
        assert_true(merged.lists[LIST_DENY_READ].count >= 2);
        if (!strstr(documentation.data, text.data))
            fail_msg("docs/policy.md shows another %s.json", names[i]);
        policy_release(&layer);
        policy_release(&merged);
        buf_release(&text);
    }
    buf_release(&documentation);
}

static bool same_values(const struct policy_list *a, const struct policy_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; i < a->count && same; i++)
        same = strcmp(a->items[i].value, b->items[i].value) == 0;
    return same;
}

/* docs/policy.md: every JSON block is a policy, and the first is the defaults. */
static void takes_the_examples_of_the_documentation(void **state)
{
    (void)state;
    struct buf text = read_file(CORDON_SOURCE_DIR "/docs/policy.md");
    struct policy defaults, layer;
    struct cordon_error err = {0};
    size_t blocks = 0;
    policy_init(&defaults);
    policy_init(&layer);
    assert_int_equal(policy_merge(&defaults, NULL, NULL, &err), CORDON_OK);
    for (char *at = text.data; (at = strstr(at, "```json\n"));) {
        at += 8;
        char *end = strstr(at, "```");
        assert_non_null(end);
        if (policy_parse(&layer, at, (size_t)(end - at), "docs/policy.md", &err))
            fail_msg("block %zu: %s", blocks + 1, err.message);
        if (blocks++ == 0) {
            for (size_t id = 0; id < LIST_COUNT_; id++)
                if (!same_values(&layer.lists[id], &defaults.lists[id]))
                    fail_msg("%s is not the default", policy_list_key((enum policy_list_id)id));
            for (size_t id = 0; id < LIMIT_COUNT_; id++)
                assert_true(layer.limits[id].origin && layer.limits[id].value == 0);
            assert_true(layer.profile_origin && layer.profile == defaults.profile);
            assert_true(layer.tmp_origin && layer.tmp == defaults.tmp);
            assert_true(layer.net_origin && layer.net == defaults.net);
            assert_true(layer.env_inherit_origin && layer.env_inherit == defaults.env_inherit);
        }
        at = end + 3;
    }
    assert_true(blocks >= 1);
    policy_release(&defaults);
    policy_release(&layer);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_smallest_file),
        cmocka_unit_test(takes_every_key),
        cmocka_unit_test(refuses_every_fault_with_its_place),
        cmocka_unit_test(refuses_a_raw_nul),
        cmocka_unit_test(bounds_the_depth),
        cmocka_unit_test(bounds_size_and_counts),
        cmocka_unit_test(keeps_the_advice_in_the_message),
        cmocka_unit_test(leaves_the_layer_alone_on_failure),
        cmocka_unit_test(takes_the_samples),
        cmocka_unit_test(takes_the_examples_of_the_documentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
