# What the journeys share. Sourced by each script, which runs the real programs in a home folder of its own.
#
#   ROOTSTOCK_BIN  folder with rootstock and rootstock-learn [build/release/bin]
#
# A journey ends with status 0, or 77 when something it needs is not here (ctest calls that skipped).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
bin=${ROOTSTOCK_BIN:-$repo/build/release/bin}
tiny=$repo/tests/golden/tiny_bert
[ -x "$bin/rootstock" ] || { echo "skipped: no rootstock in $bin; make build"; exit 77; }
export PATH=$bin:$PATH NO_COLOR=1 PYTHONDONTWRITEBYTECODE=1

work=$(mktemp -d "${TMPDIR:-/tmp}/rootstock-journey.XXXXXX")
export ROOTSTOCK_HOME=$work/home
background=()
mounted=
clean_up() {
    local status=$?
    set +e  # a process that ends by our signal is no failure of the journey
    for process in "${background[@]}"; do
        kill -TERM "$process" 2>/dev/null && wait "$process" 2>/dev/null
    done
    if [ $status -ne 0 ] && [ $status -ne 77 ]; then
        echo "FAILED with status $status; the last output was:" >&2
        tail -n 20 "$work"/last.out "$work"/last.err >&2 2>/dev/null
    fi
    [ -n "$mounted" ] && umount "$mounted"
    chmod -R u+w "$work" 2>/dev/null
    rm -rf "$work"
    exit $status
}
trap clean_up EXIT

checks=0
fault() { echo "NOT SO: $*" >&2; exit 1; }

# Runs a command that must succeed; its output is in $work/last.out and last.err.
ok() {
    "$@" >"$work/last.out" 2>"$work/last.err" || fault "succeeds: $*"
    checks=$((checks + 1))
}
# refused STATUS SENTENCE COMMAND...: it must end with STATUS and say SENTENCE (a part of it) on standard error, in one line.
refused() {
    local status=$1 sentence=$2 found=0
    shift 2
    "$@" >"$work/last.out" 2>"$work/last.err" || found=$?
    [ "$found" -eq "$status" ] || fault "ends with status $status (it was $found): $*"
    grep -qF -- "$sentence" "$work/last.err" || fault "says \"$sentence\": $* -- it said: $(tail -n 1 "$work/last.err")"
    checks=$((checks + 1))
}
# said TEXT: the last command printed it.
said() {
    grep -qF -- "$1" "$work/last.out" || fault "prints \"$1\" -- it printed: $(cat "$work/last.out")"
    checks=$((checks + 1))
}
is() { # is WHAT FOUND EXPECTED
    [ "$2" = "$3" ] || fault "$1 is \"$3\" (it is \"$2\")"
    checks=$((checks + 1))
}
json() { "$repo/scripts/json-get" "$@"; }
# Reads the first line that a background process prints to a file, waiting at most ten seconds.
first_line() {
    for _ in $(seq 200); do
        [ -s "$1" ] && { head -n 1 "$1"; return; }
        sleep 0.05
    done
    fault "something is printed to $1"
}
finish() { echo "$(basename "$0"): $checks checks passed"; }
