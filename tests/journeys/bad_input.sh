#!/usr/bin/env bash
# What bad input gets: one clear sentence that names the file, row or field and says what to do, status 1 (2 for a command
# line that was not understood), and nothing stored or half-written.
. "$(dirname "$0")/lib.sh"

tune() { rootstock finetune --base tiny --task classify --name spam --max-tokens 32 --epochs 1 "$@"; }

# ---- the command line ----
refused 2 "did you mean \`finetune\`?" rootstock fintune
refused 2 "did you mean \`--json\`?" rootstock models --jsno
refused 2 "SOURCE is required" rootstock pull
refused 1 "--base is missing" rootstock finetune --data x.csv --name x
HOME='' refused 1 "give --home FOLDER" env -u ROOTSTOCK_HOME rootstock models
echo file >"$work/file"
refused 1 "give another with --home FOLDER" rootstock models --home "$work/file/home"

# ---- models ----
refused 1 "does not say where the model is" rootstock pull all-MiniLM-L6-v2
refused 1 "write file:" rootstock pull "$tiny"
refused 1 "there is no folder" rootstock pull "file:$work/nothing"
refused 1 "is a file" rootstock pull "file:$work/file"
refused 1 "names no package" rootstock pull "pypi:--index-url=x"
mkdir "$work/empty"
refused 1 "there are no files in it" rootstock pull "file:$work/empty"
broken() { rm -rf "$work/broken"; cp -r "$tiny" "$work/broken"; }
broken; rm "$work/broken/model.safetensors"; echo x >"$work/broken/pytorch_model.bin"
refused 1 "PyTorch pickle" rootstock pull "file:$work/broken"
broken; truncate -s 60000 "$work/broken/model.safetensors"
refused 1 "model.safetensors" rootstock pull "file:$work/broken"
broken; truncate -s 3 "$work/broken/model.safetensors"
refused 1 "model.safetensors" rootstock pull "file:$work/broken"
broken; sed -i 's/"hidden_size": 32/"hidden_size": 48/' "$work/broken/config.json"
refused 1 "48" rootstock pull "file:$work/broken"
broken; sed -i 's/"hidden_size": 32/"hidden_size": "wide"/' "$work/broken/config.json"
refused 1 "hidden_size" rootstock pull "file:$work/broken"
broken; sed -i 's/"model_type": "bert"/"model_type": "gpt17"/' "$work/broken/config.json"
refused 1 "gpt17" rootstock pull "file:$work/broken"
broken; echo '{' >"$work/broken/config.json"
refused 1 "config.json" rootstock pull "file:$work/broken"
broken; echo '{"version": "1.0"' >"$work/broken/tokenizer.json"
refused 1 "tokenizer.json" rootstock pull "file:$work/broken"
broken; rm "$work/broken/tokenizer.json" "$work/broken/vocab.txt"
refused 1 "tokenizer.json" rootstock pull "file:$work/broken"
is "models stored" "$(ls "$ROOTSTOCK_HOME/models" | wc -l)" 0
is "leftovers" "$(ls "$ROOTSTOCK_HOME/downloads" | wc -l)" 0
if [ "$(id -u)" -ne 0 ]; then # nothing is closed to root
    mkdir "$work/closed" && chmod 500 "$work/closed"
    refused 1 "give another with --home FOLDER" rootstock models --home "$work/closed/home"
fi

ok rootstock pull "file:$tiny" --name tiny
refused 1 "known are: tiny" rootstock finetune --base tyni --data x.csv --name spam
refused 1 "known are: tiny" rootstock finetune --base 0123456789ab --data x.csv --name spam

# ---- rows ----
rows() { # rows FILE: a good file with two labels
    { echo "text,label"; for i in $(seq 20); do echo "my card $i is lost,card"; echo "send a refund $i,refund"; done; } >"$1"
}
data=$work/rows.csv
rows "$data"
refused 1 "$work/nothing.csv" tune --data "$work/nothing.csv"
: >"$work/empty.csv"
refused 1 "$work/empty.csv" tune --data "$work/empty.csv"
echo "text,label" >"$work/header.csv"
refused 1 "no data rows" tune --data "$work/header.csv"
refused 1 "the columns 'text', 'label'" tune --data "$data" --text body
refused 1 "the columns 'text', 'label'" tune --data "$data" --label category
{ echo "text,label"; for i in $(seq 9); do echo "row $i,same"; done; } >"$work/one.csv"
refused 1 "one label only ('same')" tune --data "$work/one.csv"
printf '\xff\xfe\x00t' >"$work/utf16.csv"
refused 1 "$work/utf16.csv" tune --data "$work/utf16.csv"
{ echo "text,label"; printf 'caf\xe9,x\n'; } >"$work/latin1.csv"
refused 1 "row 1 (line 2)" tune --data "$work/latin1.csv"
printf 'text,label\na,x\nb,y\n' >"$work/few.csv"
refused 1 "too few rows" tune --data "$work/few.csv"
refused 1 "no rows to measure with" tune --data "$data" --validation 0
refused 1 "$work/nothing.csv" tune --data "$data" --eval "$work/nothing.csv"
printf 'text,label\nhello,other\n' >"$work/eval.csv"
refused 1 "not one of the 2 the model knows" tune --data "$data" --eval "$work/eval.csv"

# ---- settings ----
refused 1 "rank" tune --data "$data" --rank 0
refused 1 "learning_rate" tune --data "$data" --lr -1
refused 2 "--precision" tune --data "$data" --precision int3
refused 1 "query" tune --data "$data" --targets quary
refused 1 "more than this model takes (64)" rootstock finetune --base tiny --data "$data" --name spam --max-tokens 65
refused 1 "is no name for a model" rootstock finetune --base tiny --data "$data" --name "Not A Name"
refused 1 "known are: classify" rootstock finetune --base tiny --data "$data" --name spam --task guess
refused 1 "there is no folder $work/nowhere" tune --data "$data" --report "$work/nowhere/report.json"
refused 1 "nobody" tune --data "$data" --tenant nobody
refused 1 "job_0" rootstock finetune --resume job_0
is "jobs opened" "$(ls "$ROOTSTOCK_HOME/jobs" | wc -l)" 0

# ---- adapters ----
refused 1 "none is registered yet" rootstock promote spam
refused 1 "none is registered yet" rootstock promote spam --rollback

# ---- a base that went away ----
mv "$ROOTSTOCK_HOME/models" "$work/models-away" && mkdir "$ROOTSTOCK_HOME/models"
refused 1 "bring it back with: rootstock pull file:$tiny --refresh" tune --data "$data"
ok rootstock models
said "gone or damaged"
rmdir "$ROOTSTOCK_HOME/models" && mv "$work/models-away" "$ROOTSTOCK_HOME/models"

# ---- the same as JSON ----
found=0
rootstock promote spam --json >"$work/last.out" 2>"$work/last.err" || found=$?
is "the status" "$found" 1
is "the code" "$(json error code <"$work/last.out")" not_found
is "standard error" "$(cat "$work/last.err")" ""

if [ ! -x "$bin/rootstock-learn" ]; then
    refused 1 "rootstock-learn is not beside rootstock" tune --data "$data"
    finish
    exit 0
fi

# ---- rows kept aside, and the good ones learned from ----
rows "$data"
{
    echo ",card"
    echo "no label,"
    printf 'caf\xe9 bill,card\n'
    printf '"%s",card\n' "$(head -c 1100000 /dev/zero | tr '\0' x)"
    echo "seen once,rare"
} >>"$data"
ok tune --data "$data"
said "4 rows were kept aside"
said "seen once"
problems=$(sed -n 's/.*its reason: //p' "$work/last.out")
is "problems" "$(wc -l <"$problems")" 4
for row in 41 42 43 44; do grep -q "\"row\":$row," "$problems" || fault "row $row stands in $problems"; done
ok rootstock promote spam
refused 1 "known are: spam@1" rootstock promote spam@7
refused 1 "known are: spam@1" rootstock promote ham

# ---- an adapter that does not fit its model any more ----
ok tune --data "$data"
adapter=$(rootstock adapters --json | json adapters adapter=spam@2 id)
cp -r "$ROOTSTOCK_HOME/adapters/$adapter" "$work/adapter"
truncate -s 2000 "$ROOTSTOCK_HOME/adapters/$adapter/adapter_model.safetensors"
refused 1 "spam@2 stays as it is" rootstock promote spam@2
cp "$work/adapter/adapter_model.safetensors" "$ROOTSTOCK_HOME/adapters/$adapter/"
python3 - "$ROOTSTOCK_HOME/adapters/$adapter/rootstock.json" <<'PY'
import json, sys
with open(sys.argv[1]) as file: card = json.load(file)
card["self_tests"][0]["logits"][0] += 3
with open(sys.argv[1], "w") as file: json.dump(card, file)
PY
refused 1 "self-test 1" rootstock promote spam@2
sed -i 's/"base_digest": *"./"base_digest":"f/' "$ROOTSTOCK_HOME/adapters/$adapter/rootstock.json"
refused 1 "spam@2 stays as it is" rootstock promote spam@2
rm -r "$ROOTSTOCK_HOME/adapters/$adapter"
refused 1 "spam@2 stays as it is" rootstock promote spam@2
is "the live version" "$(rootstock adapters --json | json adapters state=live adapter)" spam@1
finish
