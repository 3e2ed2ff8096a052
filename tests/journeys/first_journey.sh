#!/usr/bin/env bash
# The first whole journey, small: a real model, 400 real messages, tuned, measured, promoted, served, paid for.
. "$(dirname "$0")/lib.sh"
model=${ROOTSTOCK_TEST_MODEL:-$repo/build/test-model}
messages=${ROOTSTOCK_SHARED_DATA:-$repo/../shared/data}/sms-spam/SMSSpamCollection
[ -x "$bin/rootstock-learn" ] || { echo "skipped: no rootstock-learn in $bin"; exit 77; }
[ -d "$model" ] || { echo "skipped: no model in $model"; exit 77; }
[ -f "$messages" ] || { echo "skipped: no $messages"; exit 77; }

# Rows: tab-separated without a header, as they come; 200 of each label to learn from, 100 others to measure with.
pick() { grep "^$1" "$messages" | sed -n "$2,$3p"; }
{ pick ham 1 200; pick spam 1 200; } >"$work/train.tsv"
{ pick ham 301 350; pick spam 301 350; } >"$work/test.tsv"
columns=(--text 2 --label 1)

# A model arrives, an adapter is tuned on it and measured.
ok rootstock pull "file:$model" --name all-MiniLM-L6-v2
ok rootstock finetune --base all-MiniLM-L6-v2 --data "$work/train.tsv" --eval "$work/test.tsv" "${columns[@]}" \
    --task classify --name spam --epochs 2 --max-tokens 64 --report "$work/report.json"
said "spam@1 is a candidate. Next: rootstock promote spam@1"
said "self-tests agree with the learner"
accuracy=$(json accuracy <"$work/report.json")
awk "BEGIN { exit !($accuracy >= 0.9) }" || fault "accuracy is at least 0.9: $accuracy"
grep -q "<svg" "$work/report.html" || fault "the HTML report is drawn"
grep -Eq '(src|href)="https?:' "$work/report.html" && fault "the HTML report needs nothing from outside"
is "state" "$(rootstock adapters --json | json adapters 0 state)" candidate
is "seed" "$(rootstock adapters --json | json adapters 0 seed)" 42
is "dataset" "$(rootstock adapters --json | json adapters 0 dataset_digest)" "$(sha256sum "$work/train.tsv" | cut -d' ' -f1)"

# The same rows, settings and seed give the same weights.
ok rootstock finetune --base all-MiniLM-L6-v2 --data "$work/train.tsv" --eval "$work/test.tsv" "${columns[@]}" \
    --task classify --name spam --epochs 2 --max-tokens 64
weights() { sha256sum "$ROOTSTOCK_HOME/adapters/$(rootstock adapters --json | json adapters "adapter=$1" id)/adapter_model.safetensors" | cut -d' ' -f1; }
is "the weights of the second run" "$(weights spam@2)" "$(weights spam@1)"

# Live, back, and live again.
ok rootstock promote spam@1
said "spam@1 is live"
ok rootstock promote spam@1
said "spam@1 is live already"
ok rootstock promote spam
said "spam@2 is live; before it was spam@1"
ok rootstock promote spam --rollback
said "spam@1 is live; before it was spam@2"

# Served.
ok rootstock tenant create acme
ok rootstock tenant create idle
secret=$(rootstock key create --tenant acme --json | json secret)
rootstock serve --listen 127.0.0.1:0 --json >"$work/serve.out" 2>"$work/serve.err" &
server=$!
background+=("$server")
address=$(first_line "$work/serve.out" | json listening)
export no_proxy=127.0.0.1
ask() { curl -sS "http://$address/v1/classify" -H "Authorization: Bearer $secret" -H "Content-Type: application/json" "$@"; }
ok ask -d '{"model": "spam", "input": ["WINNER!! You have won a free prize, call 09061701461 to claim now", "see you at home tonight, love"]}'
said '"spam"'
said '"ham"'
cp "$work/last.out" "$work/answer.json"
tokens=$(json usage prompt_tokens <"$work/answer.json")
ok ask -H "Idempotency-Key: once" -d '{"model": "spam@2", "input": "call me"}'
more=$(json usage prompt_tokens <"$work/last.out")
ok ask -H "Idempotency-Key: once" -d '{"model": "spam@2", "input": "call me"}'

# Paid: two answers stand in the books, the third was the second again; the other customer owes nothing.
kill -TERM "$server"
status=0
wait "$server" || status=$?
is "the server's status" "$status" 0
ok rootstock ledger verify
ok rootstock usage acme --json
is "tokens in the books" "$(python3 -c '
import json, sys
print(sum(line["input_tokens"] for line in json.load(sys.stdin)["lines"]))' <"$work/last.out")" "$((tokens + more))"
ok rootstock invoice acme
ok rootstock invoice idle
ok rootstock economics
said acme
said "(house)"
finish
