#!/usr/bin/env bash
# Code written for the OpenAI SDKs runs unchanged against a server of ours: the SDKs for Python and Node, as their registries
# have them, do what their users do (openai_sdk.py, openai_sdk.mjs): models, embeddings, errors and retries, files, uploads, a
# fine-tuning job to completion and use of its model, a batch, and with a language model chat, streaming and JSON schema.
. "$(dirname "$0")/../journeys/lib.sh"
python_sdk=openai==2.8.1 node_sdk=openai@6.9.1
model=${ROOTSTOCK_TEST_MODEL:-$repo/build/test-model}
data=${ROOTSTOCK_SHARED_DATA:-$repo/../shared/data}/banking77
[ -x "$bin/rootstock-learn" ] || { echo "skipped: no rootstock-learn in $bin"; exit 77; }
[ -d "$model" ] || { echo "skipped: no model in $model; scripts/test-model fetches it"; exit 77; }
[ -d "$data" ] || { echo "skipped: no $data"; exit 77; }

sdk=$repo/build/openai-sdk
python=$sdk/bin/python
if [ "$(cat "$sdk/version" 2>/dev/null)" != "$python_sdk $node_sdk" ]; then
    python3 -m venv "$sdk" && "$python" -m pip install --quiet "$python_sdk"
    command -v npm >/dev/null && npm install --silent --no-fund --no-audit --prefix "$sdk" "$node_sdk"
    echo "$python_sdk $node_sdk" >"$sdk/version"
fi

# Eight labels of real bank messages.
"$python" - "$data" "$work/rows.jsonl" <<'PY'
import csv, json, pathlib, sys
rows = list(csv.DictReader(next(iter(sorted(pathlib.Path(sys.argv[1]).glob("*train*.csv")))).open(encoding="utf-8")))
text, label = [name for name in rows[0]][:2]
labels = sorted({row[label] for row in rows})[:8]
with open(sys.argv[2], "w", encoding="utf-8") as out:
    for row in rows:
        if row[label] in labels:
            print(json.dumps({"text": row[text], "label": row[label]}, ensure_ascii=False), file=out)
PY

ok rootstock pull "file:$model" --name encoder
ok rootstock tenant create acme
key=$(rootstock key create --tenant acme --json | json secret)
bases=(--base encoder) writer=
if [ -n "${ROOTSTOCK_LANGUAGE_MODEL:-}" ]; then
    writer=writer bases+=(--base writer)
    ok rootstock pull "$ROOTSTOCK_LANGUAGE_MODEL" --name writer
fi
rootstock serve --listen 127.0.0.1:0 "${bases[@]}" --workers 1 >"$work/serve.out" 2>"$work/serve.log" &
background+=($!)
for _ in $(seq 200); do grep -q "listening on" "$work/serve.out" && break; sleep 0.05; done
url=http://$(sed -n 's/^listening on //p' "$work/serve.out")/v1

ok "$python" "$repo/tests/interop/openai_sdk.py" "$url" "$key" encoder "$work/rows.jsonl" $writer
sed 's/^/python: /' "$work/last.out"
if [ -d "$sdk/node_modules/openai" ]; then
    # Node looks for packages beside the script.
    cp "$repo/tests/interop/openai_sdk.mjs" "$sdk/openai_sdk.mjs"
    ok node "$sdk/openai_sdk.mjs" "$url" "$key" encoder "$work/rows.jsonl" $writer
    sed 's/^/node:   /' "$work/last.out"
else
    echo "node: skipped, there is no npm here"
fi
finish
