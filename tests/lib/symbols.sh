#!/usr/bin/env bash
# symbols.sh LIBCORDON.a LIBCORDON.so HEADER MANUAL - the libraries show cordon_* and
# nothing else, and all of what the header declares; the manual has all of it.
set -u
archive=$1 shared=$2 header=$3 manual=$4
status=0
declared=$(grep -oE '\bcordon_[a-z_]+\(' "$header" | tr -d '(' | sort -u |
    while read -r name; do grep -qE "CORDON_API[^;]*\b$name\(" <(tr '\n' ' ' <"$header") && echo "$name"; done)
[ "$(echo "$declared" | wc -l)" -gt 30 ] || { echo "FAIL: too few declarations found in $header"; exit 1; }
check() { # name, symbols
    local extra missing
    # Sanitizers and fuzzers add symbols of their own.
    extra=$(comm -13 <(echo "$declared") <(echo "$2" | grep -vE '^(__asan|__odr|__ubsan|__sanitizer|___asan)' | sort -u))
    missing=$(comm -23 <(echo "$declared") <(echo "$2" | sort -u))
    [ -z "$extra" ] || { echo "FAIL: $1 shows what the header does not declare:" $extra; status=1; }
    [ -z "$missing" ] || { echo "FAIL: $1 lacks:" $missing; status=1; }
}
check "$archive" "$(nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }')"
check "$shared" "$(nm -D --defined-only "$shared" | awk 'NF == 3 { print $3 }')"
missing=$(comm -23 <(echo "$declared") <(grep -oE '^\.Fn cordon_[a-z_]+' "$manual" | cut -c5- | sort -u))
[ -z "$missing" ] || { echo "FAIL: $manual lacks:" $missing; status=1; }
[ $status -eq 0 ] && echo "ok: $(echo "$declared" | wc -l) functions, and nothing else"
exit $status
