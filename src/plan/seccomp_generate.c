/* seccomp_generate.c - turns the table into the filter.
 *
 * Shape: a tree of comparisons over runs of numbers with the same answer, then
 * one block for each call whose arguments decide, then one return for each
 * answer. The tree uses only what the kernel can follow with nothing but a
 * number in hand (seccomp_is_const_allow: load, compare, AND): it tries every
 * number once when the filter is installed and never runs the filter again for
 * one that is allowed. A bitmap needs a shift, which it does not follow, so that
 * every later system call would pay; docs/seccomp.md has the figures.
 */
#include "plan/bpf_asm.h"
#include "plan/seccomp_table.h"
#include "plan/trace_calls.h"

#define STEP "linux.plan.seccomp"
#define NUMBERS (SECCOMP_LAST_KNOWN + 1)
#define OFFSET_NUMBER 0
#define OFFSET_ARCH 4
#define OFFSET_ARGUMENT(i) (16u + 8u * (i)) /* the low word: both architectures are little-endian */
#define OFFSET_HIGH(i) (OFFSET_ARGUMENT(i) + 4u)

/* Where a number leads. */
enum target {
    TO_ALLOW,
    TO_EPERM,
    TO_EACCES,
    TO_ENOSYS,
    TO_EAFNOSUPPORT,
    TO_EBUSY,
    TO_ASK,
    TO_CLONE,
    TO_UNSHARE,
    TO_MODE_1,
    TO_MODE_2,
    TO_MODE_1_ASK, /* as TO_MODE_1, but what passes asks */
    TO_MODE_2_ASK,
    TO_NAMED_1,
    TO_OPEN_1,
    TO_OPEN_2,
    TO_PERSONALITY,
    TO_IOCTL,
    TO_SOCKET,
    TO_SOCKETPAIR,
    TO_CONNECTED_TYPE,
    TO_LISTENER,
    TARGET_COUNT,
};

/* The numbers from `first` up to the next run's. `before` is how many numbers of
 * the table lie in earlier runs: what the tree is balanced by. */
struct run {
    uint32_t first;
    uint32_t before;
    uint8_t target;
};

struct generator {
    const struct seccomp_options *options;
    struct bpf_asm assembler;
    struct bpf_label labels[TARGET_COUNT];
    struct run runs[NUMBERS + 2];
    size_t run_count;
};

static enum target answer_target(uint16_t answer)
{
    switch (answer) {
    case SECCOMP_EPERM:
        return TO_EPERM;
    case SECCOMP_EACCES:
        return TO_EACCES;
    case SECCOMP_EAFNOSUPPORT:
        return TO_EAFNOSUPPORT;
    default:
        return TO_ENOSYS;
    }
}

static enum target rule_target(const struct seccomp_options *options, const struct seccomp_rule *rule)
{
    static const enum target blocks[] = {
        [SECCOMP_CHECK_CLONE] = TO_CLONE,
        [SECCOMP_CHECK_UNSHARE] = TO_UNSHARE,
        [SECCOMP_CHECK_MODE_1] = TO_MODE_1,
        [SECCOMP_CHECK_MODE_2] = TO_MODE_2,
        [SECCOMP_CHECK_OPEN_1] = TO_OPEN_1,
        [SECCOMP_CHECK_OPEN_2] = TO_OPEN_2,
        [SECCOMP_CHECK_PERSONALITY] = TO_PERSONALITY,
        [SECCOMP_CHECK_IOCTL] = TO_IOCTL,
        [SECCOMP_CHECK_SOCKET] = TO_SOCKET,
        [SECCOMP_CHECK_SOCKETPAIR] = TO_SOCKETPAIR,
    };
    switch (rule->check) {
    case SECCOMP_REFUSE:
        return answer_target(rule->answer);
    case SECCOMP_CHECK_ASK:
        return options->notify ? TO_ASK : TO_ALLOW;
    case SECCOMP_CHECK_LISTENER:
        return options->notify || options->trace ? TO_LISTENER : TO_ALLOW;
    default:
        return blocks[rule->check];
    }
}

/* Where a traced call leads that `untraced` would be the way of. The blocks of
 * open and openat ask by themselves; what is refused is not asked about. */
static enum target trace_target(const struct seccomp_options *options, const struct trace_call *call,
                                enum target untraced)
{
    switch (untraced) {
    case TO_MODE_1:
        return TO_MODE_1_ASK;
    case TO_MODE_2:
        return TO_MODE_2_ASK;
    case TO_ALLOW:
        if (call->when == TRACE_READING && !options->trace_reads)
            return TO_ALLOW;
        return call->when == TRACE_NAMED_1 ? TO_NAMED_1 : TO_ASK;
    default:
        return untraced;
    }
}

static void add_run(struct generator *g, uint32_t first, uint32_t before, uint8_t target)
{
    if (g->run_count > 0 && g->runs[g->run_count - 1].target == target)
        return;
    g->runs[g->run_count++] = (struct run){first, before, target};
}

static void find_runs(struct generator *g)
{
    uint8_t targets[NUMBERS] = {TO_ALLOW};
    for (size_t i = 0; i < 2; i++) {
        const struct seccomp_gap *gap = &seccomp_gaps[g->options->arch][i];
        for (uint32_t number = gap->first; gap->last != 0 && number <= gap->last; number++)
            targets[number] = TO_ENOSYS;
    }
    for (size_t i = 0; i < seccomp_rule_count; i++) {
        int number = seccomp_rules[i].number[g->options->arch];
        if (number >= 0)
            targets[number] = (uint8_t)rule_target(g->options, &seccomp_rules[i]);
    }
    for (size_t i = 0; g->options->trace && i < trace_call_count; i++) {
        int number = trace_calls[i].number[g->options->arch];
        if (number >= 0)
            targets[number] =
                (uint8_t)trace_target(g->options, &trace_calls[i], (enum target)targets[number]);
    }

    for (uint32_t number = 0; number < NUMBERS; number++)
        add_run(g, number, number, targets[number]);
    add_run(g, NUMBERS, NUMBERS, TO_ENOSYS);   /* newer calls, and x32 */
    add_run(g, UINT32_MAX, NUMBERS, TO_ALLOW); /* -1: a call that a debugger skips */
}

static bool leads_to(const struct generator *g, enum target target)
{
    for (size_t i = 0; i < g->run_count; i++)
        if (g->runs[i].target == target)
            return true;
    return false;
}

/* The first run of the upper half of [first, end), by count of numbers. */
static size_t split_runs(const struct generator *g, size_t first, size_t end)
{
    uint32_t low = g->runs[first].before;
    uint32_t high = end < g->run_count ? g->runs[end].before : NUMBERS;
    uint32_t middle = low + (high - low) / 2;
    size_t at = first + 1;
    while (at + 1 < end && g->runs[at + 1].before <= middle)
        at++;
    if (at + 1 < end && g->runs[at + 1].before - middle < middle - g->runs[at].before)
        at++;
    return at;
}

static void emit_tree(struct generator *g, size_t first, size_t end)
{
    size_t at = split_runs(g, first, end);
    bool lower_is_leaf = at - first == 1, upper_is_leaf = end - at == 1;
    struct bpf_label lower = lower_is_leaf ? g->labels[g->runs[first].target] : BPF_ASM_NEXT;
    struct bpf_label upper = upper_is_leaf ? g->labels[g->runs[at].target] : bpf_asm_label(&g->assembler);

    bpf_asm_if(&g->assembler, BPF_CODE_IF_AT_LEAST, g->runs[at].first, upper, lower);
    if (!lower_is_leaf)
        emit_tree(g, first, at);
    if (!upper_is_leaf) {
        bpf_asm_bind(&g->assembler, upper);
        emit_tree(g, at, end);
    }
}

static void load_argument(struct generator *g, unsigned argument)
{
    bpf_asm_load(&g->assembler, OFFSET_ARGUMENT(argument));
}

/* A block that nothing leads to would be an instruction that nothing can check. */
static void emit_flags(struct generator *g, enum target block, unsigned argument, uint32_t flags,
                       enum target refused, enum target otherwise)
{
    if (!leads_to(g, block))
        return;
    bpf_asm_bind(&g->assembler, g->labels[block]);
    load_argument(g, argument);
    bpf_asm_if(&g->assembler, BPF_CODE_IF_ANY_BIT, flags, g->labels[refused], g->labels[otherwise]);
}

/* A pointer is compared as a whole. */
static void emit_named(struct generator *g)
{
    struct bpf_asm *a = &g->assembler;
    if (!leads_to(g, TO_NAMED_1))
        return;
    bpf_asm_bind(a, g->labels[TO_NAMED_1]);
    load_argument(g, 1);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, 0, BPF_ASM_NEXT, g->labels[TO_ASK]);
    bpf_asm_load(a, OFFSET_HIGH(1));
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, 0, g->labels[TO_ALLOW], g->labels[TO_ASK]);
}

/* The mode means something only when a file may be made. Traced, what may write
 * asks, or with trace_reads whatever is opened. */
static void emit_open(struct generator *g, enum target block, unsigned flags)
{
    struct bpf_asm *a = &g->assembler;
    const struct seccomp_options *options = g->options;
    bool looks = options->trace && !options->trace_reads;
    struct bpf_label pass = g->labels[options->trace ? TO_ASK : TO_ALLOW];
    struct bpf_label makes_nothing = looks ? bpf_asm_label(a) : pass;

    if (!leads_to(g, block)) /* aarch64 has no open */
        return;
    bpf_asm_bind(a, g->labels[block]);
    load_argument(g, flags);
    bpf_asm_if(a, BPF_CODE_IF_ANY_BIT, SECCOMP_OPEN_CREATES, BPF_ASM_NEXT, makes_nothing);
    load_argument(g, flags + 1);
    bpf_asm_if(a, BPF_CODE_IF_ANY_BIT, SECCOMP_MODE_SETUID, g->labels[TO_EPERM], pass);
    if (looks) {
        bpf_asm_bind(a, makes_nothing); /* the flags are still loaded */
        bpf_asm_if(a, BPF_CODE_IF_ANY_BIT, TRACE_OPEN_WRITES & ~SECCOMP_OPEN_CREATES, g->labels[TO_ASK],
                   g->labels[TO_ALLOW]);
    }
}

static void emit_personality(struct generator *g)
{
    struct bpf_asm *a = &g->assembler;
    bpf_asm_bind(a, g->labels[TO_PERSONALITY]);
    load_argument(g, 0);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, SECCOMP_PERSONALITY_QUERY, g->labels[TO_ALLOW], BPF_ASM_NEXT);
    bpf_asm_if(a, BPF_CODE_IF_ANY_BIT, ~SECCOMP_PERSONALITY_HARMLESS, g->labels[TO_EPERM],
               g->labels[TO_ALLOW]);
}

static void emit_ioctl(struct generator *g)
{
    struct bpf_asm *a = &g->assembler;
    bpf_asm_bind(a, g->labels[TO_IOCTL]);
    load_argument(g, 1);
    for (size_t i = 0; i < seccomp_request_count; i++)
        bpf_asm_if(a, BPF_CODE_IF_EQUAL, seccomp_requests[i].value, g->labels[TO_EPERM],
                   i + 1 == seccomp_request_count ? g->labels[TO_ALLOW] : BPF_ASM_NEXT);
}

static void emit_socket(struct generator *g)
{
    struct bpf_asm *a = &g->assembler;
    struct bpf_label inet = bpf_asm_label(a), netlink = bpf_asm_label(a);
    enum target on_unix = g->options->notify ? TO_CONNECTED_TYPE : TO_EACCES;

    bpf_asm_bind(a, g->labels[TO_SOCKET]);
    load_argument(g, 0);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, SECCOMP_AF_INET, inet, BPF_ASM_NEXT);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, SECCOMP_AF_INET6, inet, BPF_ASM_NEXT);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, SECCOMP_AF_UNIX, g->labels[on_unix], BPF_ASM_NEXT);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, SECCOMP_AF_NETLINK, netlink, g->labels[TO_EAFNOSUPPORT]);

    bpf_asm_bind(a, inet);
    load_argument(g, 1);
    bpf_asm_and(a, SECCOMP_SOCK_TYPE);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, SECCOMP_SOCK_RAW, g->labels[TO_EPERM], BPF_ASM_NEXT);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, SECCOMP_SOCK_PACKET, g->labels[TO_EPERM], g->labels[TO_ALLOW]);

    bpf_asm_bind(a, netlink);
    load_argument(g, 2);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, SECCOMP_NETLINK_ROUTE, g->labels[TO_ALLOW], g->labels[TO_EACCES]);
}

static void emit_socketpair(struct generator *g)
{
    struct bpf_asm *a = &g->assembler;
    bpf_asm_bind(a, g->labels[TO_SOCKETPAIR]);
    load_argument(g, 0);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, SECCOMP_AF_UNIX, g->labels[TO_CONNECTED_TYPE],
               g->labels[TO_EAFNOSUPPORT]);
}

/* For both of them, so after both: jumps lead forwards. */
static void emit_connected_type(struct generator *g)
{
    struct bpf_asm *a = &g->assembler;
    bpf_asm_bind(a, g->labels[TO_CONNECTED_TYPE]);
    load_argument(g, 1);
    bpf_asm_and(a, SECCOMP_SOCK_TYPE);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, SECCOMP_SOCK_STREAM, g->labels[TO_ALLOW], BPF_ASM_NEXT);
    bpf_asm_if(a, BPF_CODE_IF_EQUAL, SECCOMP_SOCK_SEQPACKET, g->labels[TO_ALLOW], g->labels[TO_EACCES]);
}

static void emit_answers(struct generator *g)
{
    static const struct {
        enum target target;
        uint32_t value;
    } answers[] = {
        {TO_ALLOW, SECCOMP_VALUE_ALLOW},
        {TO_EPERM, SECCOMP_VALUE_ERRNO(SECCOMP_EPERM)},
        {TO_EACCES, SECCOMP_VALUE_ERRNO(SECCOMP_EACCES)},
        {TO_ENOSYS, SECCOMP_VALUE_ERRNO(SECCOMP_ENOSYS)},
        {TO_EAFNOSUPPORT, SECCOMP_VALUE_ERRNO(SECCOMP_EAFNOSUPPORT)},
        {TO_EBUSY, SECCOMP_VALUE_ERRNO(SECCOMP_EBUSY)},
        {TO_ASK, SECCOMP_VALUE_ASK},
    };
    bool asks = g->options->notify || g->options->trace;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        if ((answers[i].target == TO_EBUSY || answers[i].target == TO_ASK) && !asks)
            continue;
        bpf_asm_bind(&g->assembler, g->labels[answers[i].target]);
        bpf_asm_return(&g->assembler, answers[i].value);
    }
}

cordon_status seccomp_generate(const struct seccomp_options *options, struct bpf_program *out,
                               struct cordon_error *err)
{
    struct generator g;
    uint32_t native = options->arch == SECCOMP_ARCH_AARCH64 ? SECCOMP_AUDIT_AARCH64 : SECCOMP_AUDIT_X86_64;

    g.options = options;
    g.run_count = 0;
    bpf_asm_init(&g.assembler);
    for (size_t i = 0; i < TARGET_COUNT; i++)
        g.labels[i] = bpf_asm_label(&g.assembler);
    find_runs(&g);

    bpf_asm_load(&g.assembler, OFFSET_ARCH);
    bpf_asm_if(&g.assembler, BPF_CODE_IF_EQUAL, native, BPF_ASM_NEXT, g.labels[TO_ENOSYS]);
    bpf_asm_load(&g.assembler, OFFSET_NUMBER);
    emit_tree(&g, 0, g.run_count);
    emit_flags(&g, TO_CLONE, 0, SECCOMP_CLONE_NAMESPACES, TO_EPERM, TO_ALLOW);
    emit_flags(&g, TO_UNSHARE, 0, SECCOMP_UNSHARE_NAMESPACES, TO_EPERM, TO_ALLOW);
    emit_flags(&g, TO_MODE_1, 1, SECCOMP_MODE_SETUID, TO_EPERM, TO_ALLOW);
    emit_flags(&g, TO_MODE_2, 2, SECCOMP_MODE_SETUID, TO_EPERM, TO_ALLOW);
    emit_flags(&g, TO_MODE_1_ASK, 1, SECCOMP_MODE_SETUID, TO_EPERM, TO_ASK);
    emit_flags(&g, TO_MODE_2_ASK, 2, SECCOMP_MODE_SETUID, TO_EPERM, TO_ASK);
    emit_flags(&g, TO_LISTENER, 1, SECCOMP_NEW_LISTENER, TO_EBUSY, TO_ALLOW);
    emit_named(&g);
    emit_open(&g, TO_OPEN_1, 1);
    emit_open(&g, TO_OPEN_2, 2);
    emit_personality(&g);
    emit_ioctl(&g);
    emit_socketpair(&g);
    emit_socket(&g);
    emit_connected_type(&g);
    emit_answers(&g);
    return bpf_asm_finish(&g.assembler, STEP, out, err);
}
