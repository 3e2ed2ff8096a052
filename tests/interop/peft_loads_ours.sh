#!/usr/bin/env bash
# An adapter that Rootstock tuned is a PEFT folder: the real peft library loads it over transformers' own model and gives
# the same logits as its self-tests, which were computed in fp32 by the learner and held on the native executor.
. "$(dirname "$0")/../journeys/lib.sh"
model=${ROOTSTOCK_TEST_MODEL:-$repo/build/test-model}
messages=${ROOTSTOCK_SHARED_DATA:-$repo/../shared/data}/sms-spam/SMSSpamCollection
[ -x "$bin/rootstock-learn" ] || { echo "skipped: no rootstock-learn in $bin"; exit 77; }
[ -d "$model" ] || { echo "skipped: no model in $model"; exit 77; }
[ -f "$messages" ] || { echo "skipped: no $messages"; exit 77; }
python=$("$repo/scripts/golden-env" | tail -n 1)

sed -n 1,300p "$messages" >"$work/train.tsv"
ok rootstock pull "file:$model" --name base
ok rootstock finetune --base base --data "$work/train.tsv" --text 2 --label 1 --task classify --name spam --epochs 1 --max-tokens 48
adapter=$ROOTSTOCK_HOME/adapters/$(rootstock adapters --json | json adapters 0 id)

"$python" - "$adapter/rootstock.json" >"$work/ids.jsonl" <<'PY'
import json, sys
for test in json.load(open(sys.argv[1], encoding="utf-8"))["self_tests"]:
    print(json.dumps({"ids": test["ids"]}))
PY
ok "$python" "$repo/tests/interop/peft_logits.py" --base "$model" --adapter "$adapter" --ids "$work/ids.jsonl"
cp "$work/last.out" "$work/theirs.jsonl"
ok "$python" - "$adapter/rootstock.json" "$work/theirs.jsonl" <<'PY'
import json, sys
tests = json.load(open(sys.argv[1], encoding="utf-8"))["self_tests"]
theirs = [json.loads(line)["logits"] for line in open(sys.argv[2], encoding="utf-8")]
assert len(tests) == len(theirs) > 0, (len(tests), len(theirs))
worst = max(abs(a - b) for test, logits in zip(tests, theirs) for a, b in zip(test["logits"], logits, strict=True))
print(f"worst difference of {len(tests)} texts: {worst:.2e}")
assert worst <= 1e-4, worst
PY
cat "$work/last.out"
finish
