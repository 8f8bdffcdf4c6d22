# cli.sh PROGRAM - the program as a user runs it. Uses /tmp, as tests do.
set -eu
dir=$(mktemp -d /tmp/tally.XXXXXX)
trap 'rm -rf "$dir"' EXIT

printf 'the cat and the hat and the bat\n' >"$dir/in"
"$1" -n 2 "$dir/in" >"$dir/out"
printf '     3 the\n     2 and\n' | cmp - "$dir/out"
"$1" -n 1 <"$dir/in" | grep -q '3 the'
if "$1" "$dir/absent" 2>/dev/null; then
    echo "cli.sh: a missing file must fail" >&2
    exit 1
fi
echo "cli.sh: ok"
