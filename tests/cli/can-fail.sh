#!/usr/bin/env bash
# can-fail.sh CORDON DIRECTORY - run-case.sh must refuse every wrong transcript.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failures=0

wrong() { # NAME, transcript on standard input
    cat >"$work/$1.case"
    if "$here/run-case.sh" "$cordon" "$work/$1.case" "$directory" >"$work/log" 2>&1; then
        echo "FAIL: $1 passed"
        failures=$((failures + 1))
    fi
}

cordon=${1:?usage: can-fail.sh CORDON DIRECTORY}
directory=${2:?}
printf '$ echo a*b\na{*}b\n$ printf "x\\ny\\nz\\n"\n{...}\nz\n' >"$work/right.case"
if ! "$here/run-case.sh" "$cordon" "$work/right.case" "$directory"; then
    echo "FAIL: the right transcript did not pass"
    exit 1
fi
printf '$ true\n? 1\n' | wrong status
printf '$ false\n' | wrong status-not-said
printf '$ echo a\nb\n' | wrong output
printf '$ echo a\n' | wrong output-not-said
printf '$ true\na\n' | wrong output-missing
printf '$ echo a >&2\n' | wrong error-not-said
printf '$ echo a >&2\n! b\n' | wrong error
printf '$ echo axb\na*b\n' | wrong literal-star
printf '$ echo a\n{...}\nb\n' | wrong nothing-after-dots
printf '$ echo aa; echo b\n{...}\naa\n' | wrong rest-after-dots
printf '# only a comment\n' | wrong empty
printf '$ true\n?1\n' | wrong not-understood
[ $failures -eq 0 ] && echo "can-fail: 12 wrong transcripts refused"
exit $failures
