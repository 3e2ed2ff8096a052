#!/usr/bin/env bash
# An OpenAPI fuzzer calls every route of a running server as its own document describes it, rightly and wrongly: no answer
# may be a 5xx, of a status, type, header or shape that api/openapi.yaml does not name. Two callers: a customer's key, and a
# key for the management API. Prints the number of calls and, of each kind of fault, how to repeat it.
#
#   schemathesis.sh [EXAMPLES]   cases of each route and kind of caller [20]; 300 make some 20,000 calls
. "$(dirname "$0")/../journeys/lib.sh"
examples=${1:-20} version=schemathesis==4.32.5 seed=${ROOTSTOCK_SEED:-7}
[ -x "$bin/serve_fixture" ] || { echo "skipped: no serve_fixture in $bin"; exit 77; }

env=$repo/build/schemathesis-env
if [ "$(cat "$env/version" 2>/dev/null)" != "$version" ]; then
    python3 -m venv "$env" && "$env/bin/python" -m pip install --quiet "$version"
    echo "$version" >"$env/version"
fi

serve_fixture "$work/home" "$tiny" >"$work/facts.json"
customer=$(json keys acme <"$work/facts.json")
bases=(--base fixture --base writer)
for folder in "$repo"/tests/golden/reading/*/; do
    name=$(basename "$folder")
    ok rootstock pull "file:$folder" --name "$name"
    bases+=(--base "$name")
done
scopes=()
for scope in tenants:read tenants:write keys:read keys:write people:read people:write; do scopes+=(--scope "$scope"); done
manager=$(rootstock key create --tenant acme "${scopes[@]}" --json | json secret)
rootstock serve --listen 127.0.0.1:0 --workers 0 "${bases[@]}" >"$work/serve.out" 2>"$work/serve.log" &
server=$!
background+=("$server")
for _ in $(seq 600); do grep -q "listening on" "$work/serve.out" && break; sleep 0.05; done
url=http://$(sed -n 's/^listening on //p' "$work/serve.out")

# fuzz NAME KEY FILTER...: one caller's routes.
calls=0
fuzz() {
    local name=$1 key=$2
    shift 2
    (cd "$work" && SCHEMATHESIS_HOOKS=$repo/tests/interop/schemathesis_hooks.py "$env/bin/st" run "$url/openapi.json" \
        --header "Authorization: Bearer $key" --phases examples,coverage,fuzzing --max-examples "$examples" --seed "$seed" \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance \
        --continue-on-failure --suppress-health-check all --request-timeout 60 --warnings off --no-color \
        --report ndjson --report-ndjson-path "$work/$name.ndjson" "$@") >"$work/$name.out" 2>&1 || found=1
    local made
    made=$(grep -oE '[0-9,]+ generated' "$work/$name.out" | tail -n 1 | tr -dc 0-9)
    [ -n "$made" ] || { cat "$work/$name.out" >&2; fault "the fuzzer runs"; }
    calls=$((calls + made))
    sed -n '/FAILURES/,$p' "$work/$name.out"
    echo "$name: $made calls, seed $seed"
}
found=0
fuzz customer "$customer" --exclude-path-regex '^/api/v1/'
fuzz manager "$manager" --include-path-regex '^/api/v1/'
kill -0 "$server" 2>/dev/null || fault "the server stands to the end"
ok rootstock ledger verify
echo "$calls calls"
[ "$found" -eq 0 ] || fault "every answer is documented"
checks=$((checks + 1))
finish
