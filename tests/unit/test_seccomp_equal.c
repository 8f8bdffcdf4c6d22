/* The generated filter against the reference, over every number and argument
 * class, and a check that the comparison itself notices a generator's mistake. */
#include "seccomp_cases.h"

/* Every value that some rule compares with, and values of every shape. */
static size_t interesting(uint32_t out[512])
{
    static const uint32_t plain[] = {0,          1,          2,          3,          4,         5,
                                     8,          9,          10,         13,         15,        16,
                                     17,         38,         40,         44,         0x80801,   0x80802,
                                     0x80803,    0x80805,    0x8080a,    0x10,       0x11,      0x5400,
                                     0x54120000, 0x00020000, 0x7e020000, 0x7e020080, 0x80,      0x1011,
                                     0x81fdff7f, 0x81fdffff, 0x00660000, 0xff99ffff, 0xffff,    0x1ff,
                                     0xfff0,     0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    size_t count = 0;
    for (size_t i = 0; i < COUNT(plain); i++)
        out[count++] = plain[i];
    for (unsigned bit = 0; bit < 32; bit++)
        out[count++] = 1u << bit;
    for (size_t i = 0; i < seccomp_request_count; i++)
        for (uint32_t off = 0; off < 3; off++)
            out[count++] = seccomp_requests[i].value - 1 + off;
    assert_true(count <= 512);
    return count;
}

struct difference {
    const struct seccomp_options *options;
    const struct bpf_program *filter;
    size_t compared;
};

static bool same(struct difference *d, uint32_t number, uint32_t arch, uint64_t a, uint64_t b, uint64_t c,
                 uint64_t rest)
{
    struct bpf_syscall input = {number, arch, rest, {a, b, c, rest, rest, rest}};
    d->compared++;
    return seccomp_reference(d->options, &input) == filter_answer(d->filter, &input);
}

/* The calls whose arguments decide: each value in each place, clean and with
 * junk above, then the whole cross of the socket arguments. */
static bool same_arguments(struct difference *d)
{
    uint32_t values[512];
    size_t count = interesting(values);
    uint32_t arch = native(d->options);
    for (size_t call = 0; call < COUNT(conditional); call++) {
        uint32_t number = (uint32_t)conditional[call][d->options->arch];
        for (size_t i = 0; i < count; i++) {
            uint64_t clean = values[i], junk = HIGH | clean, other = 0x5555555555555555;
            if (!same(d, number, arch, clean, 0, 0, 0) || !same(d, number, arch, junk, other, other, other) ||
                !same(d, number, arch, 0, clean, 0, 0) || !same(d, number, arch, other, junk, other, other) ||
                !same(d, number, arch, 0, 0, clean, 0) || !same(d, number, arch, other, other, junk, other) ||
                !same(d, number, arch, clean << 32, clean << 32, clean << 32, clean))
                return false;
        }
    }
    static const uint32_t creating[] = {0, 1, 0x40, 0x400000, 0x410042, 0x80000, 0x41, 0x800000},
                          modes[] = {0, 1, 0644, 04000, 06755, 02755, 010000};
    for (size_t call = CHMOD; call < CONDITIONAL_CALLS; call++)
        for (size_t f = 0; f < COUNT(creating); f++)
            for (size_t m = 0; m < COUNT(modes); m++) {
                uint32_t number = (uint32_t)conditional[call][d->options->arch];
                if (!same(d, number, arch, 3, modes[m], 0, 0) ||
                    !same(d, number, arch, 3, creating[f], modes[m], 0) ||
                    !same(d, number, arch, 3, 0, creating[f], modes[m]) ||
                    !same(d, number, arch, 3, HIGH | modes[m], HIGH | creating[f], HIGH | modes[m]))
                    return false;
            }
    for (size_t call = SOCKET; call <= SOCKETPAIR; call++) {
        uint32_t number = (uint32_t)conditional[call][d->options->arch];
        for (uint32_t domain = 0; domain < 48; domain++)
            for (uint32_t type = 0; type < 34; type++)
                for (uint32_t protocol = 0; protocol < 3; protocol++)
                    if (!same(d, number, arch, domain, type, protocol, 0) ||
                        !same(d, number, arch, HIGH | domain, HIGH | 0x80800 | type, HIGH | protocol, HIGH))
                        return false;
    }
    return true;
}

static bool same_numbers(struct difference *d, uint32_t arch, uint64_t argument)
{
    for (uint32_t number = 0; number < 1024; number++)
        if (!same(d, number, arch, argument, argument, argument, argument) ||
            !same(d, X32_BIT | number, arch, argument, argument, argument, argument))
            return false;
    static const uint32_t edges[] = {0x3fffffff, 0x40000400, 0x7fffffff, 0x80000000, 0xbfffffff,
                                     0xc0000000, 0xfffffffe, 0xffffffff, 0x10000,    0x10010};
    for (size_t i = 0; i < COUNT(edges); i++)
        if (!same(d, edges[i], arch, argument, argument, argument, argument))
            return false;
    return true;
}

static void test_filter_equals_reference(void **state)
{
    (void)state;
    uint32_t values[512];
    size_t count = interesting(values);
    for (size_t s = 0; s < COUNT(option_sets); s++) {
        struct bpf_program filter = generate(&option_sets[s]);
        struct difference d = {&option_sets[s], &filter, 0};
        bool equal = same_arguments(&d);
        for (size_t i = 0; equal && i < count; i += 3)
            equal = same_numbers(&d, native(&option_sets[s]), i % 2 ? HIGH | values[i] : values[i]);
        for (size_t i = 0; equal && i < COUNT(foreign); i++)
            equal = same_numbers(&d, foreign[i], 2) && same_numbers(&d, foreign[i], 0x5412);
        equal = equal && same_numbers(&d, native(&option_sets[s]) == X86_64 ? AARCH64 : X86_64, 2);
        assert_true(equal);
        assert_true(d.compared > 100000);
        bpf_program_release(&filter);
    }
}

/* A mistake in the generator must not survive the comparison: every jump a
 * little too far or too short and every constant off by one is noticed. */
static void test_mistakes_are_noticed(void **state)
{
    (void)state;
    const uint64_t refused_by_all = 0xc0506617; /* as flags, as a request, as a domain */
    const uint64_t wants_listener = 0x8;
    const uint64_t makes_setuid = 0x00400840; /* as flags and as a mode */
    for (size_t s = 0; s < COUNT(option_sets); s++) {
        if (!option_sets[s].notify || (option_sets[s].arch == SECCOMP_ARCH_AARCH64 && option_sets[s].trace &&
                                       !option_sets[s].trace_reads))
            continue; /* a part of what the others have */
        struct bpf_program filter = generate(&option_sets[s]);
        for (size_t i = 0; i < filter.count; i++) {
            struct bpf_insn right = filter.insns[i], wrong[6];
            size_t count = 0;
            if (right.code == BPF_CODE_LOAD || right.code == BPF_CODE_RETURN) {
                wrong[count++] = (struct bpf_insn){right.code, 0, 0, right.k + 4};
            } else if (right.code == BPF_CODE_AND) {
                wrong[count++] = (struct bpf_insn){right.code, 0, 0, right.k >> 1};
            } else {
                wrong[count++] = (struct bpf_insn){right.code, (uint8_t)(right.jt + 1), right.jf, right.k};
                wrong[count++] = (struct bpf_insn){right.code, right.jt, (uint8_t)(right.jf + 1), right.k};
                wrong[count++] = (struct bpf_insn){right.code, right.jt, right.jf, right.k + 1};
                wrong[count++] = (struct bpf_insn){right.code, right.jf, right.jt, right.k};
                if (right.jt > 0)
                    wrong[count++] =
                        (struct bpf_insn){right.code, (uint8_t)(right.jt - 1), right.jf, right.k};
                if (right.jf > 0)
                    wrong[count++] =
                        (struct bpf_insn){right.code, right.jt, (uint8_t)(right.jf - 1), right.k};
            }
            for (size_t w = 0; w < count; w++) {
                struct difference d = {&option_sets[s], &filter, 0};
                struct bpf_syscall input = {0};
                uint32_t result;
                filter.insns[i] = wrong[w];
                bool refused = bpf_run(&filter, &input, &result, NULL) != CORDON_OK;
                if (!refused && same_numbers(&d, native(&option_sets[s]), refused_by_all) &&
                    same_numbers(&d, native(&option_sets[s]), 2) &&
                    same_numbers(&d, native(&option_sets[s]), 0) &&
                    same_numbers(&d, native(&option_sets[s]), wants_listener) &&
                    same_numbers(&d, native(&option_sets[s]), makes_setuid) && same_arguments(&d) &&
                    same_numbers(&d, foreign[0], 0))
                    fail_msg("options %zu, instruction %zu: (0x%x, %u, %u, 0x%x) as (0x%x, %u, %u, 0x%x) "
                             "goes unnoticed",
                             s, i, right.code, right.jt, right.jf, right.k, wrong[w].code, wrong[w].jt,
                             wrong[w].jf, wrong[w].k);
            }
            filter.insns[i] = right;
        }
        bpf_program_release(&filter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter_equals_reference),
        cmocka_unit_test(test_mistakes_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
