# skip.sh - the rule of skip.h for scripts: sourced, not run.
# shellcheck shell=sh

# skip REASON: ends the test; a failure where CORDON_MUST_WORK=1.
skip() {
    if [ "${CORDON_MUST_WORK:-}" = 1 ]; then
        echo "FAIL (CORDON_MUST_WORK=1 forbids to skip): $1"
        exit 1
    fi
    echo "SKIP: $1"
    exit 77
}
